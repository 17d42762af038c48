"""Covariances of an estimate: each kind is one object in the tuple `COVARIANCES`."""

from ppl_mle.inference.covariances.choose import COVARIANCES, estimate_covariance
from ppl_mle.inference.covariances.kind import Covariance, CovarianceOptions

__all__ = ["COVARIANCES", "Covariance", "CovarianceOptions", "estimate_covariance"]
