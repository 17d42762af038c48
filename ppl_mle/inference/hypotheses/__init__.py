"""Tests of hypotheses, and what ranks fits: Wald, likelihood ratio, score, information criteria."""
