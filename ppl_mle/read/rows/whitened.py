"""A log-density in coordinates z of center + root z, made ready for thousands of evaluations at several points."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.refits import same_rows
from ppl_mle.read.rows.term import RowTerm

_MOST_DESIGN = 5_000_000
_ELEMENTS = 40_000

Part = Callable[[np.ndarray, np.ndarray, np.ndarray], None]
"""Of z, shape (m, p); adds to values, shape (m,), and gradients, shape (m, p), in place."""


def whitened_parts(objective: RowObjective, center: np.ndarray, root: np.ndarray) -> list[Part] | None:
    """The terms of a log-density as functions of z, each with its designs multiplied by `root` once and for all.

    Parameters
    ----------
    objective : RowObjective
    center : array, shape (p,)
    root : array, shape (p, p)

    Returns
    -------
    list of Part, or None
        None where some term has no rows or the designs would take much memory.
    """
    terms = [term for term in objective.terms if term.groups]
    size = sum(_rows(eta, term) * len(center) for term in terms for eta in term.predictors)
    if objective.rest is not None or objective.has_support or objective.is_thinned or size > _MOST_DESIGN:
        return None
    constant = sum(term.scale * term.base for term in objective.terms if not term.groups)
    return [_Number(constant), *(_part(term, center, root) for term in terms)]


def _part(term: RowTerm, center: np.ndarray, root: np.ndarray) -> Part:
    return _Residuals(term, center, root) if _is_one_normal(term) else _Rows(term, center, root)


class _Number:
    """What no coordinate changes."""

    def __init__(self, value: float) -> None:
        self._value = value

    def __call__(self, z: np.ndarray, values: np.ndarray, gradients: np.ndarray) -> None:
        values += self._value


class _Design:
    """A predictor: eta = center + matrix z, one row where all rows share it."""

    def __init__(self, predictor: Predictor, term: RowTerm, center: np.ndarray, root: np.ndarray) -> None:
        columns, rows = predictor.columns, _rows(predictor, term)
        declared = predictor.matrix(columns, rows)
        self.center = np.broadcast_to(predictor.offset + declared @ center[columns], (rows,))
        self.matrix = np.ascontiguousarray(declared @ root[columns])
        self._transposed = np.ascontiguousarray(self.matrix.T)
        self.is_shared = predictor.is_shared

    def at(self, z: np.ndarray) -> np.ndarray:
        """Shape (m, n), or (m, 1)."""
        return np.asarray(self.center + z @ self._transposed)


class _Rows:
    """Any term, by its own rules."""

    def __init__(self, term: RowTerm, center: np.ndarray, root: np.ndarray) -> None:
        self._term, self._densities = term, same_rows(term)
        self._designs = [_Design(eta, term, center, root) for eta in term.predictors]
        self._stride = max(1, _ELEMENTS // term.count)

    def __call__(self, z: np.ndarray, values: np.ndarray, gradients: np.ndarray) -> None:
        for start in range(0, len(z), self._stride):
            some = slice(start, start + self._stride)
            self._add(z[some], values[some], gradients[some])

    def _add(self, z: np.ndarray, values: np.ndarray, gradients: np.ndarray) -> None:
        term, shape = self._term, (len(z), self._term.count)
        jet, exists = self._densities([design.at(z) for design in self._designs], 1)
        values += term.scale * (term.base + self._weighed(jet.value, shape).sum(axis=1))
        if not np.all(exists):
            values[~np.all(np.broadcast_to(exists, shape), axis=1)] = -np.inf
        for k, weight in jet.first.items():
            design, slopes = self._designs[k], self._weighed(weight, shape)
            summed = slopes.sum(axis=1)[:, None] * design.matrix if design.is_shared else slopes @ design.matrix
            gradients += term.scale * summed

    def _weighed(self, rows: Any, shape: tuple[int, int]) -> np.ndarray:
        table, weights = np.broadcast_to(rows, shape), self._term.weights
        return table if weights is None else np.where(weights > 0, table * weights, 0.0)


class _Residuals:
    """Normal rows with one standard deviation: of the design and response nothing matters but their triangular factor.

    The sum of squares is that of Q'(y - center) - R z (Golub 1965), with as many elements as there are coordinates
    and one more. They and the logarithm of the standard deviation are columns of one product.
    """

    def __init__(self, term: RowTerm, center: np.ndarray, root: np.ndarray) -> None:
        weights = np.ones(term.count) if term.weights is None else term.weights
        mean, log_sd = (_Design(eta, term, center, root) for eta in term.predictors)
        left = (term.groups[0].program.data[0] - mean.center)[:, None]
        design = np.broadcast_to(mean.matrix, (term.count, len(center)))
        factor = np.linalg.qr(np.sqrt(weights)[:, None] * np.hstack([design, left]), mode="r")
        self._center = np.append(factor[:, -1], log_sd.center)
        self._slopes = np.vstack([-factor[:, :-1], log_sd.matrix])
        self._transposed = np.ascontiguousarray(self._slopes.T)
        self._count, self._scale, self._base = float(weights.sum()), term.scale, term.base

    def __call__(self, z: np.ndarray, values: np.ndarray, gradients: np.ndarray) -> None:
        columns = self._center + z @ self._transposed
        left, log_sd = columns[:, :-1], columns[:, -1]
        precision = np.exp(-2 * log_sd)
        squares = precision * np.einsum("ij,ij->i", left, left)
        values += self._scale * (self._base - self._count * log_sd - squares / 2)
        left *= -self._scale * precision[:, None]
        log_sd[:] = self._scale * (squares - self._count)
        gradients += columns @ self._slopes


def _is_one_normal(term: RowTerm) -> bool:
    if not (term.form == "normal" and term.is_closed and len(term.groups) == 1 and term.groups[0].rows is None):
        return False
    log_sd = term.predictors[1]
    return [a.index for a in term.groups[0].program.expression.args] == [0, 1] and log_sd.is_shared


def _rows(predictor: Predictor, term: RowTerm) -> int:
    return 1 if predictor.is_shared else term.count
