"""First derivatives at several points in one pass: where rows are few, a pass costs more than its arithmetic."""

import numpy as np

from ppl_mle.read.rows.blocks import Constant, Indexed
from ppl_mle.read.rows.term import RowTerm

_MOST = 20_000


def suits(term: RowTerm, points: int) -> bool:
    """Whether a term is a sum over few rows of one formula, in predictors that differ between rows."""
    return (
        term.count * points <= _MOST
        and term.step == 1
        and len(term.groups) == 1
        and term.groups[0].rows is None
        and not any(predictor.is_shared for predictor in term.predictors)
        and not any(isinstance(block, Indexed) and np.ndim(block.factor) for block in term.sharing.blocks)
    )


def add_stacked(term: RowTerm, points: np.ndarray, values: np.ndarray, gradients: np.ndarray) -> bool:
    """Add a term's values (m,) and gradients (p, m) at the columns of `points` (p, m), in place.

    Returns
    -------
    bool
        False where a condition of the density fails at some point; the sums are then not complete.
    """
    count, size = term.count, points.shape[1]
    every, rows = slice(0, count, 1), np.repeat(np.arange(count), size)
    parts = [
        block.coefficients @ points[block.place] if isinstance(block, Constant) else block.times(points, every)
        for block in term.sharing.blocks
    ]
    etas = []
    for predictor, members in zip(term.predictors, term.sharing.members, strict=True):
        offset = predictor.offset[:, None] if np.ndim(predictor.offset) else predictor.offset
        eta = offset + sum(parts[i] for i in members)
        etas.append(np.broadcast_to(eta, (count, size)).ravel())
    jet = term.groups[0].program(rows, etas, 1)
    if jet is None:
        return False
    values += term.scale * (term.base + _by_point(term, jet.value, size).sum(axis=0))
    for i, weight in term.sharing.of_gradient(jet.first).items():
        block = term.sharing.blocks[i]
        gradients[block.place] += term.scale * block.summed(_by_point(term, weight, size), every, count)
    return True


def _by_point(term: RowTerm, rows: np.ndarray | float, size: int) -> np.ndarray:
    table = np.broadcast_to(rows, (term.count * size,)).reshape(term.count, size)
    return table if term.weights is None else term.weights[:, None] * table
