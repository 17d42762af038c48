"""The influence of each unit on an estimate, and the skewness of it that a bootstrap's intervals need."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ppl_mle.inference.resampling.units import Pool
from ppl_mle.maximize import Maximum
from ppl_mle.read.rows.scores import row_scores


def by_observed_information(maximum: Maximum) -> Maximum:
    """The maximum with the covariance of the observed information, whatever it carries."""
    return replace(maximum, covariance=maximum.observed_covariance)


def unit_influence(maximum: Maximum, pool: Pool, jacobian: np.ndarray) -> np.ndarray:
    """Derivative of functions of the estimate in the weight of each copy of a unit, shape (units, k).

    Parameters
    ----------
    maximum : Maximum
        With the covariance of the observed information.
    pool : Pool
    jacobian : array, shape (k, p)
        Of the functions, on the unconstrained scale.
    """
    likelihood = maximum.plan.likelihood
    total = np.zeros((pool.size, likelihood.size))
    for position, codes in pool.codes.items():
        scores = row_scores(likelihood.objective.terms[position], maximum.theta)
        if codes is None:
            total += scores
        else:
            np.add.at(total, codes, scores)
    if not pool.factors:
        total = np.divide(total, pool.copies[:, None], out=np.zeros_like(total), where=pool.copies[:, None] > 0)
    return np.asarray(total @ maximum.covariance @ jacobian.T)


def find_acceleration(maximum: Maximum, pools: Sequence[Pool], jacobian: np.ndarray) -> np.ndarray:
    """A sixth of the skewness of the empirical influence on functions of the estimate (Efron 1987, eq. 7.3).

    Parameters
    ----------
    maximum : Maximum
        With the covariance of the observed information.
    pools : sequence of Pool
    jacobian : array, shape (k, p)
        Of the functions, on the unconstrained scale.

    Returns
    -------
    array, shape (k,)
        Zero for a function on which no unit has influence.
    """
    squares = cubes = np.zeros(len(jacobian))
    for pool in pools:
        influence = unit_influence(maximum, pool, jacobian)
        copies = pool.copies[:, None]
        influence = influence - (copies * influence).sum(axis=0) / copies.sum()
        squares = squares + (copies * influence**2).sum(axis=0)
        cubes = cubes + (copies * influence**3).sum(axis=0)
    return np.divide(cubes, 6 * squares**1.5, out=np.zeros(len(squares)), where=squares > 0)
