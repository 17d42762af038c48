"""A likelihood that is one Gaussian term: its mean, and its standard deviation where that is free."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.maximize.problem import Problem
from ppl_mle.read import Likelihood, RowObjective, RowTerm
from ppl_mle.read.rows.closed import known_numbers, location, own_coordinate, response
from ppl_mle.read.rows.expression import in_order
from ppl_mle.read.rows.program import Program


@dataclass(frozen=True, eq=False)
class Gaussian:
    """y_i ~ N(m_i(theta), sd_i).

    Parameters
    ----------
    term : RowTerm
    linear : bool
        The mean is a predictor itself.
    deviation : int or None
        Coordinate of log sd, which nothing else uses; None where every sd is known.
    """

    term: RowTerm
    linear: bool
    deviation: int | None

    def columns(self, problem: Problem) -> np.ndarray:
        """Free coordinates that the mean depends on."""
        used = np.unique(np.concatenate([self.term.predictors[k].columns for k in location(self.term).uses]))
        return np.intersect1d(used, problem.free)

    @property
    def response(self) -> np.ndarray:
        """The observations, shape (n,)."""
        return np.asarray(response(self.term), float)

    @property
    def arrays(self) -> list[np.ndarray]:
        """What varies by row in the mean beside the designs of its predictors: an x that nothing is multiplied with."""
        constants = [node.value for node in in_order(location(self.term).expression) if node.op == "const"]
        offsets = [self.term.predictors[k].offset for k in location(self.term).uses]
        parts = [np.asarray(part, float) for part in (*constants, *offsets) if np.ndim(part)]
        return [part for part in parts if np.ptp(part) > 0]

    @property
    def meetings(self) -> dict[int, np.ndarray]:
        """Predictors that are added to or taken from numbers per row, with the values that cancel these."""
        met: dict[int, np.ndarray] = {}
        for node in in_order(location(self.term).expression):
            pairs = (node.args, node.args[::-1]) if node.op in ("add", "sub") else ()
            for predictor, number in pairs:
                if predictor.op == "eta" and number.op == "const" and np.ndim(number.value):
                    met[predictor.index] = np.asarray(number.value if node.op == "sub" else -number.value, float)
        return met

    def root_weights(self) -> Any:
        """What each residual is multiplied by: the root of its frequency weight, over its sd where that is known."""
        roots: Any = 1.0 if self.term.weights is None else np.sqrt(self.term.weights)
        return roots if self.deviation is not None else roots / known_numbers(self.term)[0]

    def scale(self, residuals: np.ndarray) -> float:
        """log sd that maximizes the likelihood, from weighted residuals."""
        count = float(self.term.count if self.term.weights is None else self.term.weights.sum())
        largest = float(np.max(np.abs(residuals), initial=0.0)) or 1.0
        return float(np.log(largest) + 0.5 * np.log(np.sum((residuals / largest) ** 2) / count))


class Mean:
    """The mean as a function of some coordinates, the others held, at many points at once.

    Parameters
    ----------
    found : Gaussian
    theta : array, shape (p,)
        Gives the coordinates that are held.
    columns : array of int, shape (k,)
        The others.
    """

    def __init__(self, found: Gaussian, theta: np.ndarray, columns: np.ndarray) -> None:
        term, base = found.term, theta.copy()
        base[columns] = 0.0
        self.count, self.size = term.count, len(columns)
        self.program: Program = location(term)
        self.offsets = term.etas(base, slice(0, self.count, 1))
        self.designs = {
            k: term.predictors[k].matrix(columns, 1 if term.predictors[k].is_shared else self.count)
            for k in self.program.uses
        }

    def _jet(self, points: np.ndarray, order: int) -> Any:
        etas: list[Any] = list(self.offsets)
        shape = (len(points), self.count)
        for k, design in self.designs.items():
            etas[k] = np.broadcast_to(self.offsets[k] + points @ design.T, shape).ravel()
        rows = slice(0, self.count, 1) if len(points) == 1 else np.tile(np.arange(self.count), len(points))
        with np.errstate(all="ignore"):
            return self.program(rows, etas, order)

    def values(self, points: np.ndarray) -> np.ndarray:
        """The mean at some points of shape (m, k), shape (m, n)."""
        return self._by_point(self._jet(points, 0).value, len(points))

    def slopes(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean, shape (m, n), and its derivatives, shape (m, n, k)."""
        jet = self._jet(points, 1)
        slopes = np.zeros((len(points), self.count, self.size))
        with np.errstate(all="ignore"):
            for k, first in jet.first.items():
                slopes += self._by_point(first, len(points))[:, :, None] * self.designs[k]
        return self._by_point(jet.value, len(points)), slopes

    def bends(self, point: np.ndarray) -> np.ndarray:
        """Which pairs of coordinates the mean has a second derivative in at a point, or none that is a number.

        Returns
        -------
        array of bool, shape (k, k)
        """
        bends = np.zeros((self.size, self.size), bool)
        for (k, m), second in self._jet(point[None], 2).second.items():
            shape = (self.count, self.size)
            left, right = (np.broadcast_to(self.designs[i] != 0, shape) for i in (k, m))
            rows = self._by_point(second, 1)[0] != 0
            together = (left[rows].T.astype(float) @ right[rows].astype(float)) > 0
            bends |= together | together.T
        return bends

    def _by_point(self, numbers: Any, count: int) -> np.ndarray:
        whole = np.broadcast_to(numbers, (count * self.count,))
        return whole.reshape(count, self.count)


def as_gaussian(likelihood: Likelihood) -> Gaussian | str:
    """Recognize a Gaussian likelihood, or say why it is none."""
    objective = likelihood.objective
    if not isinstance(objective, RowObjective) or objective.rest is not None:
        return "a term has no predictor form"
    moving = [term for term in objective.terms if term.groups]
    if len(moving) != 1:
        return f"{len(moving)} terms depend on the parameters, not one"
    (term,) = moving
    if term.form not in ("normal", "normal_known"):
        return "the likelihood is not normal"
    linear = location(term).is_predictor
    if term.form == "normal_known":
        return Gaussian(term, linear, None)
    deviation = own_coordinate(term, 1)
    if deviation is None:
        return "the standard deviation is not one parameter of its own"
    return Gaussian(term, linear, deviation)
