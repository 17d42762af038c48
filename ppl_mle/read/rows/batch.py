"""A log-density at thousands of points at once: predictors by matrix products, rows in pieces that fit the cache."""

import numpy as np

from ppl_mle.read.rows.blocks import Block, Constant, Indexed
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.refits import same_rows
from ppl_mle.read.rows.term import RowTerm
from ppl_mle.read.rows.threads import one_thread_each

_ELEMENTS = 400_000


def values_at(objective: RowObjective, points: np.ndarray) -> np.ndarray:
    """Log-density at rows of unconstrained vectors.

    Parameters
    ----------
    objective : RowObjective
    points : array, shape (m, p)

    Returns
    -------
    array, shape (m,)
        Minus infinity where the density does not exist.
    """
    total = np.zeros(len(points))
    with np.errstate(all="ignore"), one_thread_each():
        for term in objective.terms:
            total += _term_values(term, points) if term.groups else term.scale * term.base
        if objective.rest is not None:
            total += [objective.rest.value_and_gradient(point)[0] for point in points]
        outside = [not objective.is_inside(point) for point in points] if objective.has_support else False
    return np.where(np.isnan(total) | outside, -np.inf, total)


def _term_values(term: RowTerm, points: np.ndarray) -> np.ndarray:
    densities, stride = same_rows(term), max(1, _ELEMENTS // term.count)
    values = np.empty(len(points))
    for start in range(0, len(points), stride):
        some = points[start : start + stride]
        jet, exists = densities(_etas(term, some), 0)
        shape = (len(some), term.count)
        rows = np.broadcast_to(jet.value, shape)
        if term.weights is not None:
            rows = np.where(term.weights > 0, rows * term.weights, 0.0)
        sums = term.scale * (term.base + rows.sum(axis=1))
        values[start : start + stride] = np.where(np.all(np.broadcast_to(exists, shape), axis=1), sums, -np.inf)
    return values


def _etas(term: RowTerm, points: np.ndarray) -> list[np.ndarray]:
    """Predictors at rows of points: (m, n) each, or (m, 1) where all rows share it."""
    found = []
    for predictor in term.predictors:
        total = np.zeros((len(points), 1)) + np.reshape(predictor.offset, (1, -1))
        for block in predictor.blocks:
            total = total + _part(block, points)
        found.append(total)
    return found


def _part(block: Block, points: np.ndarray) -> np.ndarray:
    own = points[:, block.columns]
    if isinstance(block, Constant):
        return (own @ block.coefficients)[:, None]
    if isinstance(block, Indexed):
        return np.asarray(own[:, block.codes] * block.factor)
    return np.asarray((block.matrix @ own.T).T)
