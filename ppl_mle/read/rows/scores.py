"""Scores, the gradient that each row contributes, and their products summed over rows or over groups of rows.

A row of frequency weight w stands for w equal rows: its score is w times the score of one, and it adds w times the
product of the score of one with itself.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ppl_mle.read.rows.blocks import Indexed, add_cross, cross
from ppl_mle.read.rows.sums import over_rows
from ppl_mle.read.rows.term import RowTerm, length


def row_scores(term: RowTerm, theta: np.ndarray) -> np.ndarray:
    """Gradient of every row's log-density at `theta`, weights and scale included.

    Parameters
    ----------
    term : RowTerm
    theta : array, shape (p,)

    Returns
    -------
    array, shape (count, p)
        NaN where a condition of the density fails.
    """
    rows = slice(0, term.count, 1)
    scores = np.zeros((term.count, len(theta)))
    if not term.groups:
        return scores
    with np.errstate(all="ignore"):
        jet = term.density(theta, rows, 1)
        if jet is None:
            return np.full(scores.shape, np.nan)
        for i, weight in term.sharing.of_gradient(jet.first).items():
            block = term.sharing.blocks[i]
            scores[:, block.place] += block.weighted(weight, rows, term.count)
    return term.scale * scores


def score_products(term: RowTerm, theta: np.ndarray, factors: np.ndarray | None = None) -> np.ndarray:
    """Sum over rows of the score times itself, each row multiplied by a factor.

    Parameters
    ----------
    term : RowTerm
    theta : array, shape (p,)
    factors : array of shape (count,), optional

    Returns
    -------
    array, shape (p, p)
    """
    size = len(theta)

    def work(run: Sequence[slice]) -> np.ndarray:
        total = np.zeros((size, size))
        for rows in run:
            _add_products(total, term, theta, rows, factors)
        return total

    if not term.groups:
        return np.zeros((size, size))
    with np.errstate(all="ignore"):
        return np.asarray(term.scale**2 * sum(over_rows(term, work)))


def group_scores(term: RowTerm, theta: np.ndarray, codes: np.ndarray, groups: int) -> np.ndarray:
    """Scores summed within groups of rows.

    Parameters
    ----------
    term : RowTerm
    theta : array, shape (p,)
    codes : array of int, shape (count,)
        Group of each row, from 0 on.
    groups : int

    Returns
    -------
    array, shape (groups, p)
    """
    index = Indexed(np.arange(groups), codes)

    def work(run: Sequence[slice]) -> np.ndarray:
        total = np.zeros((groups, len(theta)))
        for rows in run:
            jet, count = term.density(theta, rows, 1), length(rows)
            if jet is None:
                return np.full(total.shape, np.nan)
            for i, weight in term.sharing.of_gradient(jet.first).items():
                block = term.sharing.blocks[i]
                total[:, block.place] += cross(index, block, weight, rows, count)
        return total

    if not term.groups:
        return np.zeros((groups, len(theta)))
    with np.errstate(all="ignore"):
        return np.asarray(term.scale * sum(over_rows(term, work)))


def _add_products(total: np.ndarray, term: RowTerm, theta: np.ndarray, rows: slice, factors: np.ndarray | None) -> None:
    jet, count = term.density(theta, rows, 1), length(rows)
    if jet is None:
        total += np.nan
        return
    own = _per_row(term, rows, factors)
    weights = {i: np.broadcast_to(w, (count,)) for i, w in term.sharing.of_gradient(jet.first).items()}
    blocks = term.sharing.blocks
    for i, left in weights.items():
        for j, right in weights.items():
            if i <= j:
                matrix = cross(blocks[i], blocks[j], left * right * own, rows, count)
                add_cross(total, blocks[i], blocks[j], matrix)


def _per_row(term: RowTerm, rows: slice, factors: np.ndarray | None) -> Any:
    """What a product of scores is multiplied by: the factor over the frequency weight, which entered it twice."""
    own = 1.0 if factors is None else factors[rows]
    if term.weights is None:
        return own
    weights = term.weights[rows]
    return np.divide(own, weights, out=np.zeros(len(weights)), where=weights > 0)
