"""From a maximum to estimates with their uncertainty."""

from ppl_mle.inference.estimates import Estimates, normal_quantile
from ppl_mle.inference.results import Results

__all__ = ["Estimates", "Results", "normal_quantile"]
