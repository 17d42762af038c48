"""A log-density in coordinates z of center + root z, made ready for tens of thousands of single evaluations."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.term import RowTerm

_MOST_DESIGN = 5_000_000

Part = Callable[[np.ndarray, np.ndarray], float]
"""From z, shape (p,), to a value; the gradient is added to the second argument, shape (p,), in place."""


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
    constant = sum(term.scale * term.base for term in objective.terms)
    parts: list[Part] = [lambda z, gradient: constant]
    return parts + [_Residuals(t, center, root) if _is_one_normal(t) else _Rows(t, center, root) for t in terms]


class _Design:
    """A predictor: eta = center + matrix z, one row where all rows share it."""

    def __init__(self, predictor: Predictor, term: RowTerm, center: np.ndarray, root: np.ndarray) -> None:
        columns, rows = predictor.columns, _rows(predictor, term)
        declared = predictor.matrix(columns, rows)
        self.center = np.broadcast_to(predictor.offset + declared @ center[columns], (rows,))
        self.matrix = np.ascontiguousarray(declared @ root[columns])
        self.is_shared = predictor.is_shared

    def at(self, z: np.ndarray) -> Any:
        eta = self.center + self.matrix @ z
        return eta[0] if self.is_shared else eta


class _Rows:
    """Any term, by its own rules."""

    def __init__(self, term: RowTerm, center: np.ndarray, root: np.ndarray) -> None:
        self._term, self._every = term, slice(0, term.count, 1)
        self._designs = [_Design(eta, term, center, root) for eta in term.predictors]

    def __call__(self, z: np.ndarray, gradient: np.ndarray) -> float:
        term, etas = self._term, [design.at(z) for design in self._designs]
        with np.errstate(all="ignore"):
            jet = term.density_at(etas, self._every, 1)
        if jet is None:
            return -np.inf
        for k, weight in jet.first.items():
            design = self._designs[k]
            if design.is_shared:
                total = weight.sum() if np.ndim(weight) else weight * term.count
                gradient += term.scale * total * design.matrix[0]
            else:
                gradient += term.scale * (np.broadcast_to(weight, (term.count,)) @ design.matrix)
        return float(term.scale * (jet.value.sum() if np.ndim(jet.value) else jet.value * term.count))


class _Residuals:
    """Normal rows with one standard deviation: of the design and response nothing matters but their triangular factor.

    The sum of squares is that of Q'(y - center) - R z (Golub 1965), with as many elements as there are coordinates
    and one more.
    """

    def __init__(self, term: RowTerm, center: np.ndarray, root: np.ndarray) -> None:
        weights = np.ones(term.count) if term.weights is None else term.weights
        mean, self._log_sd = (_Design(eta, term, center, root) for eta in term.predictors)
        left = (term.groups[0].program.data[0] - mean.center)[:, None]
        design = np.broadcast_to(mean.matrix, (term.count, len(center)))
        factor = np.linalg.qr(np.sqrt(weights)[:, None] * np.hstack([design, left]), mode="r")
        self._factor, self._left = np.ascontiguousarray(factor[:, :-1]), factor[:, -1]
        self._count, self._scale = float(weights.sum()), term.scale

    def __call__(self, z: np.ndarray, gradient: np.ndarray) -> float:
        left, log_sd = self._left - self._factor @ z, self._log_sd.at(z)
        precision = np.exp(-2 * log_sd)
        squares = precision * (left @ left)
        gradient += (self._scale * precision) * (left @ self._factor)
        gradient += (self._scale * (squares - self._count)) * self._log_sd.matrix[0]
        return float(-self._scale * (self._count * log_sd + squares / 2))


def _is_one_normal(term: RowTerm) -> bool:
    if not (term.form == "normal" and term.is_closed and len(term.groups) == 1 and term.groups[0].rows is None):
        return False
    log_sd = term.predictors[1]
    return [a.index for a in term.groups[0].program.expression.args] == [0, 1] and log_sd.is_shared


def _rows(predictor: Predictor, term: RowTerm) -> int:
    return 1 if predictor.is_shared else term.count
