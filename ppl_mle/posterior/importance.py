"""Draws of a posterior by importance weights: proposals from an approximation, smoothed weights, resampling."""

from dataclasses import dataclass

import numpy as np

from ppl_mle.posterior.approximation import Approximation
from ppl_mle.read import Likelihood, densities_at

_NOTHING = 700.0
_EQUAL = 1e-3


@dataclass(frozen=True, eq=False)
class Weighted:
    """Proposals with smoothed weights.

    Parameters
    ----------
    points : array, shape (m, p)
        Unconstrained vectors.
    weights : array, shape (m,)
        They add up to 1.
    k_hat : float
        Shape of the Pareto tail of the raw weights (Vehtari, Simpson, Gelman, Yao and Gabry 2024): below 0.5 the
        variance of the weights is finite, above 0.7 they are of no use.
    ess : float
        (sum w)^2 / sum w^2 of the smoothed weights (Kong 1992).
    shape : str
        Of the approximation.
    """

    points: np.ndarray
    weights: np.ndarray
    k_hat: float
    ess: float
    shape: str


def weigh(posterior: Likelihood, approximation: Approximation, count: int, rng: np.random.Generator) -> Weighted:
    """Draw proposals and weigh them by the posterior density.

    Parameters
    ----------
    posterior : Likelihood
        Of `read_posterior`.
    approximation : Approximation
    count : int
    rng : Generator

    Returns
    -------
    Weighted
        With k_hat infinite where no proposal has a density.
    """
    from arviz_stats.base import array_stats  # takes a second to import

    points = approximation.draw(count, rng)
    log_ratios = densities_at(posterior, points) - approximation.log_density(points)
    exists = np.isfinite(log_ratios)
    if not np.any(exists):
        return Weighted(points, np.full(count, 1 / count), np.inf, 0.0, approximation.shape)
    log_ratios = log_ratios - log_ratios[exists].max()
    log_ratios = np.where(exists, log_ratios, log_ratios[exists].min() - _NOTHING)
    log_weights, k_hat = array_stats.psislw(-log_ratios)  # takes log-likelihoods, whose weights are their inverses
    if np.all(exists) and np.ptp(log_ratios) < _EQUAL:  # nothing to fit a tail to
        k_hat = 0.0
    weights = np.where(exists, np.exp(log_weights), 0.0)
    weights /= weights.sum()
    return Weighted(points, weights, float(k_hat), float(1 / np.sum(weights**2)), approximation.shape)


def resample(weighted: Weighted, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` points by their weights, in random order: systematic resampling (Kitagawa 1996)."""
    places = (rng.random() + np.arange(count)) / count
    chosen = np.searchsorted(np.cumsum(weighted.weights), places)
    return np.asarray(weighted.points[rng.permutation(np.minimum(chosen, len(weighted.points) - 1))])
