"""Least squares for a normal likelihood whose mean is affine: one decomposition, residuals in doubled precision."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import qr, solve_triangular

from ppl_mle.maximize.gaussian import Gaussian, as_gaussian
from ppl_mle.maximize.predictor_newton import PredictorNewton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.solved import end_at
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood
from ppl_mle.read.rows.closed import location_at, location_design

_EPS = float(np.finfo(float).eps)
_REFINEMENTS = 12
_RANK = 1e-13
_EXACT = 8.0
_ABOVE_ROUNDING = 1e3
_SPLITTER = 2.0**27 + 1
_CHUNK = 2**16


@dataclass(frozen=True)
class LeastSquares:
    """Pivoted QR of the scaled design (Businger and Golub 1965), refined with residuals of doubled precision.

    The refinement is that of Bjorck (1967) for the augmented system. Columns are scaled by powers of two and the
    residuals summed as Ogita, Rump and Oishi (2005) do, so that nothing is rounded before it is cancelled: the
    coefficients are those of the design as it was given, to the last digit or two while the condition number of the
    scaled design is below 1e13. The standard deviation is in closed form. Where the design fits the responses but for
    their rounding, the density is followed to where it rises with every fall of the standard deviation. A design
    without full rank is left to Newton's method and its diagnoses.

    Parameters
    ----------
    most : int
        Largest number of elements of the design.
    otherwise : PredictorNewton
    """

    most: int = 4_000_000
    otherwise: PredictorNewton = field(default_factory=PredictorNewton)
    name: str = "least squares"

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Suit one normal term with an affine mean and a standard deviation that is known or one parameter."""
        found = as_gaussian(likelihood)
        if isinstance(found, str):
            return Verdict(self.name, False, found)
        if not found.linear:
            return Verdict(self.name, False, "the mean is not affine in the parameters")
        size = found.term.count * dimensions
        if size > self.most:
            return Verdict(self.name, False, f"the design has {size} elements, more than {self.most}")
        return Verdict(self.name, True, "normal likelihood with an affine mean: exact in one step")

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Solve; from `x` only what is not determined is taken."""
        found = as_gaussian(problem.likelihood)
        solved = None if isinstance(found, str) else self._solve(found, problem, x)
        end = None if solved is None else end_at(problem, solved[0], solved[1], tick)
        return end or self.otherwise.search(problem, x, tick)

    def _solve(self, found: Gaussian, problem: Problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The end of the search and its origin; None where least squares does not determine every coordinate."""
        columns = found.columns(problem)
        free_deviation = found.deviation is not None and found.deviation in problem.free
        covered = set(columns) | ({found.deviation} if free_deviation else set())
        if covered != set(problem.free):
            return None
        theta, origin = problem.expand(x), problem.expand(x)
        theta[columns] = 0.0
        design, response = location_design(found.term, columns), found.response - location_at(found.term, theta)
        solved = _refined(design, response, found.root_weights())
        if solved is None:
            return None
        theta[columns] = solved[0]
        if found.deviation is not None and free_deviation:
            size = _size(design, solved[0], response)
            if np.sqrt(np.mean(solved[1] ** 2)) <= _EXACT * _EPS * size:
                theta[found.deviation] = np.log(_ABOVE_ROUNDING * _EPS * size)
                origin[found.deviation] = np.log(size)
            else:
                theta[found.deviation] = found.scale(solved[1])
        return theta[problem.free], origin[problem.free]


def _size(design: np.ndarray, coefficients: np.ndarray, response: np.ndarray) -> float:
    """Typical size of the numbers that a residual is the difference of; 1 where all are zero."""
    size = float(np.sqrt(np.mean((np.abs(design) @ np.abs(coefficients) + np.abs(response)) ** 2)))
    return size if size > 0 else 1.0


def _refined(design: np.ndarray, response: np.ndarray, roots: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Coefficients and weighted residuals of least squares; None for a design without full column rank.

    Parameters
    ----------
    design : array, shape (n, p)
    response : array, shape (n,)
    roots : float or array of shape (n,)
        What each residual is multiplied by before it is squared.
    """
    weights, root = (np.ones(len(response)), float(roots)) if np.ndim(roots) == 0 else (np.asarray(roots, float), 1.0)
    if not design.shape[1]:
        return np.zeros(0), response * roots
    weighted = design * weights[:, None]
    lengths = np.sqrt(np.sum(weighted**2, axis=0))
    if len(design) < design.shape[1] or not np.all(lengths > 0):
        return None
    units = 2.0 ** np.round(np.log2(lengths))
    q, r, order = qr(weighted / units, mode="economic", pivoting=True)
    if abs(r[-1, -1]) <= _RANK * abs(r[0, 0]):
        return None
    scaled = (design / units)[:, order]
    coefficients, residuals = _Doubled.zeros(design.shape[1]), _Doubled.zeros(len(design))
    before = None
    for _ in range(_REFINEMENTS):
        left = _Doubled(response, np.zeros(len(response))).minus(scaled, coefficients)
        first = left.times(weights).plus(-residuals.high).plus(-residuals.low).rounded
        moments = _Doubled.zeros(design.shape[1]).minus(scaled.T, residuals.times(weights)).rounded
        second = solve_triangular(r, moments, trans="T")
        along = q.T @ first
        step = solve_triangular(r, along - second)
        coefficients = coefficients.plus(step)
        residuals = residuals.plus(first - q @ (along - second))
        size = float(np.linalg.norm(step))
        if before is not None and (size**2 <= _EPS**2 * before * np.abs(coefficients.high).min() or size >= before):
            break
        before = size
    exact = np.zeros(design.shape[1])
    exact[order] = coefficients.rounded
    return exact / units, root * residuals.rounded


@dataclass(frozen=True)
class _Doubled:
    """Numbers as unevaluated sums of two doubles, some 32 digits (Dekker 1971)."""

    high: np.ndarray
    low: np.ndarray

    @classmethod
    def zeros(cls, size: int) -> "_Doubled":
        return cls(np.zeros(size), np.zeros(size))

    @property
    def rounded(self) -> np.ndarray:
        return self.high + self.low

    def plus(self, step: np.ndarray) -> "_Doubled":
        high, lost = _sum(self.high, step)
        return _Doubled(*_sum(high, self.low + lost))

    def times(self, factors: np.ndarray) -> "_Doubled":
        high, lost = _product(self.high, factors)
        return _Doubled(*_sum(high, lost + self.low * factors))

    def minus(self, matrix: np.ndarray, vector: "_Doubled") -> "_Doubled":
        """Take away matrix @ vector, a block of rows at a time."""
        high, low = np.empty(len(matrix)), np.empty(len(matrix))
        rows = max(1, _CHUNK // max(1, matrix.shape[1]))
        for first in range(0, len(matrix), rows):
            block = slice(first, first + rows)
            part = matrix[block]
            parts, lost = _product(part, vector.high)
            high[block], lost_in_sum = _total(parts)
            low[block] = lost.sum(axis=1) + part @ vector.low + lost_in_sum
        return self.plus(-high).plus(-low)


def _sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounded sum and its rounding error (Knuth 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounded product and its rounding error (Dekker 1971)."""
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    product = a * b
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    far = _SPLITTER * a
    high = far - (far - a)
    return high, a - high


def _total(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounded sum of each row and its rounding error, by halves."""
    lost = np.zeros(len(parts))
    while parts.shape[1] > 1:
        half = parts.shape[1] // 2
        sums, errors = _sum(parts[:, :half], parts[:, half : 2 * half])
        lost += errors.sum(axis=1)
        parts = np.concatenate([sums, parts[:, 2 * half :]], axis=1)
    return parts[:, 0] if parts.shape[1] else lost.copy(), lost
