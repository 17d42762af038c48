"""Refits by the thousand: bootstrap, jackknife, simulation of the whole procedure."""
