"""Intervals from bootstrap replicates of one number: percentile, bias-corrected and accelerated, studentized."""

import numpy as np
from scipy.special import ndtr, ndtri

from ppl_mle.read import Scale


def percentile_interval(replicates: np.ndarray, ci_prob: float) -> tuple[float, float]:
    """Central quantiles of the replicates (Efron 1979).

    Parameters
    ----------
    replicates : array, shape (B,)
    ci_prob : float

    Examples
    --------
    >>> [round(end, 9) for end in percentile_interval(np.arange(101.0), 0.9)]
    [5.0, 95.0]
    """
    tail = (1 - ci_prob) / 2
    return _quantiles(replicates, tail, 1 - tail)


def bca_interval(replicates: np.ndarray, estimate: float, acceleration: float, ci_prob: float) -> tuple[float, float]:
    """Quantiles corrected for bias and for a standard error that changes with the parameter (Efron 1987, eq. 3.9).

    Parameters
    ----------
    replicates : array, shape (B,)
    estimate : float
    acceleration : float
    ci_prob : float

    Returns
    -------
    lower, upper : float
        NaN where all replicates lie on one side of the estimate.
    """
    below = 0.5 * (np.mean(replicates < estimate) + np.mean(replicates <= estimate))
    bias, tail = ndtri(below), (1 - ci_prob) / 2
    ends = bias + ndtri([tail, 1 - tail])
    with np.errstate(all="ignore"):
        levels = ndtr(bias + ends / (1 - acceleration * ends))
    return _quantiles(replicates, *levels) if np.all(np.isfinite(levels)) else (np.nan, np.nan)


def studentized_interval(
    replicates: np.ndarray, errors: np.ndarray, estimate: float, error: float, scale: Scale, ci_prob: float
) -> tuple[float, float]:
    """Bootstrap-t interval, made on the scale where the number is free and mapped back (Efron 1981; Hall 1988).

    Parameters
    ----------
    replicates, errors : array, shape (B,)
        Estimates with their standard errors, on the declared scale.
    estimate, error : float
        Of the data themselves.
    scale : Scale
    ci_prob : float

    Returns
    -------
    lower, upper : float
        NaN where the estimate has no standard error. Replicates without one are left out.
    """
    center, spread = scale.to_free(estimate), error / abs(float(scale.slope(estimate)))
    with np.errstate(all="ignore"):
        ratios = (scale.to_free(replicates) - center) * np.abs(scale.slope(replicates)) / errors
    ratios = ratios[np.isfinite(ratios)]
    if not len(ratios) or not np.isfinite(spread) or not np.isfinite(center):
        return np.nan, np.nan
    tail = (1 - ci_prob) / 2
    low, high = _quantiles(ratios, tail, 1 - tail)
    ends = [float(scale.to_declared(center - t * spread)) for t in (high, low)]
    return min(ends), max(ends)


def _quantiles(replicates: np.ndarray, low: float, high: float) -> tuple[float, float]:
    lower, upper = np.quantile(replicates, [low, high])
    return float(lower), float(upper)
