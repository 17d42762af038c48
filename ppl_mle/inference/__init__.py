"""From a maximum to estimates with their uncertainty."""

from ppl_mle.inference.band import confidence_band
from ppl_mle.inference.covariances import CovarianceOptions, estimate_covariance
from ppl_mle.inference.covariances.information import likelihood_covariance
from ppl_mle.inference.delta import estimate_deterministic
from ppl_mle.inference.estimates import Estimates, normal_quantile
from ppl_mle.inference.infer import infer, with_covariance
from ppl_mle.inference.intervals import Intervals, bootstrap_intervals, contour_of, find_intervals, profile_of
from ppl_mle.inference.profiles.curve import Profile
from ppl_mle.inference.results import OBSERVED, Results
from ppl_mle.inference.view import ResultsView

__all__ = [
    "OBSERVED",
    "CovarianceOptions",
    "Estimates",
    "Intervals",
    "Profile",
    "Results",
    "ResultsView",
    "bootstrap_intervals",
    "confidence_band",
    "contour_of",
    "estimate_covariance",
    "estimate_deterministic",
    "find_intervals",
    "infer",
    "likelihood_covariance",
    "normal_quantile",
    "profile_of",
    "with_covariance",
]
