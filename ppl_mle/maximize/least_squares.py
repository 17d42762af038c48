"""Least squares for a normal likelihood whose mean is affine: one decomposition, residuals in extended precision."""

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

_REFINEMENTS = 6
_RANK = 1e-13
_EXTENDED = 2_000_000


@dataclass(frozen=True)
class LeastSquares:
    """Pivoted QR of the scaled design (Businger and Golub 1965), refined with residuals of higher precision.

    The refinement is that of Bjorck (1967) for the augmented system, so the digits lost to collinearity come back
    while the condition number of the scaled design is below 1e13. The standard deviation is in closed form. A design
    without full rank, or one that fits the data exactly, is left to Newton's method and its diagnoses.

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
        solution = None if isinstance(found, str) else self._solve(found, problem, x)
        end = None if solution is None else end_at(problem, solution, x, tick)
        return end or self.otherwise.search(problem, x, tick)

    def _solve(self, found: Gaussian, problem: Problem, x: np.ndarray) -> np.ndarray | None:
        columns = found.columns(problem)
        free_deviation = found.deviation is not None and found.deviation in problem.free
        covered = set(columns) | ({found.deviation} if free_deviation else set())
        if covered != set(problem.free):
            return None
        theta = problem.expand(x)
        theta[columns] = 0.0
        roots = found.root_weights()
        design = location_design(found.term, columns) * np.reshape(roots, (-1, 1))
        response = (found.response - location_at(found.term, theta)) * roots
        solved = _refined(design, response) if len(columns) else (np.zeros(0), response)
        if solved is None:
            return None
        theta[columns] = solved[0]
        if found.deviation is not None and free_deviation:
            scale = found.scale(solved[1])
            if not np.isfinite(scale) or _is_exact(solved[1], response):
                return None
            theta[found.deviation] = scale
        return theta[problem.free]


def _is_exact(residuals: np.ndarray, response: np.ndarray) -> bool:
    """Whether what is left is rounding."""
    return bool(np.linalg.norm(residuals) <= 1e-14 * max(np.linalg.norm(response), np.finfo(float).tiny))


def _refined(design: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Coefficients and residuals of least squares; None for a design without full column rank."""
    norms = np.sqrt(np.sum(design**2, axis=0))
    if len(design) < design.shape[1] or not np.all(norms > 0):
        return None
    q, r, order = qr(design / norms, mode="economic", pivoting=True)
    if abs(r[-1, -1]) <= _RANK * abs(r[0, 0]):
        return None
    precise: Any = np.longdouble if design.size <= _EXTENDED else np.float64
    scaled, target = (design / norms)[:, order].astype(precise), response.astype(precise)
    coefficients: Any = np.zeros(design.shape[1], precise)
    residuals: Any = np.zeros(len(design), precise)
    for _ in range(_REFINEMENTS):
        first = (target - residuals - scaled @ coefficients).astype(float)
        second = solve_triangular(r, (-(scaled.T @ residuals)).astype(float), trans="T")
        along = q.T @ first
        coefficients += solve_triangular(r, along - second)
        residuals += first - q @ (along - second)
    exact = np.zeros(design.shape[1])
    exact[order] = coefficients.astype(float)
    return exact / norms, residuals.astype(float)
