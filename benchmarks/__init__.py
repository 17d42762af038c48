"""Measurements, each a script of its own; README.md holds what they printed."""
