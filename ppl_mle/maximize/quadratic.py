"""The quadratic that a Newton search follows: definite or not, its decrement, and its minimizer inside a ball."""

from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from ppl_mle.maximize.trust_region import solve_in_ball

_EPS = float(np.finfo(float).eps)
_CLEARLY_DEFINITE = 1e-8


class Quadratic:
    """s'g + s'Hs/2 in units in which H has a unit diagonal.

    A Cholesky factor does while H is clearly positive definite; eigenvalues are taken only where it is not, or where
    the step has to be bent.

    Parameters
    ----------
    matrix : array, shape (p, p)
    slope : array, shape (p,)
    """

    def __init__(self, matrix: np.ndarray, slope: np.ndarray) -> None:
        self.matrix, self.slope = matrix, slope
        factor, failed = dpotrf(matrix, lower=1)
        self._factor = factor if not failed and float(factor.diagonal().min()) ** 2 > _CLEARLY_DEFINITE else None

    @cached_property
    def _spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = np.linalg.eigh(self.matrix)
        return values, vectors

    @property
    def is_clearly_definite(self) -> bool:
        """Whether the Cholesky factor exists and no pivot is small."""
        return self._factor is not None

    @property
    def definite(self) -> bool:
        """Whether the curvature is positive along every direction, beyond rounding."""
        return self._factor is not None or bool(self._spectrum[0][0] > len(self.slope) * _EPS)

    @property
    def has_descent(self) -> bool:
        """Whether the curvature is negative along some direction, beyond rounding."""
        if self._factor is not None:
            return False
        values = self._spectrum[0]
        return bool(values[0] < -1e-8 * max(1.0, float(values[-1])))

    def solve(self, vector: np.ndarray) -> np.ndarray:
        """H^-1 times a vector."""
        if self._factor is not None:
            return np.asarray(dpotrs(self._factor, vector, lower=1)[0])
        values, vectors = self._spectrum
        return vectors @ ((vectors.T @ vector) / values)

    @cached_property
    def newton(self) -> np.ndarray:
        """The minimizer, where the quadratic has one."""
        return -self.solve(self.slope)

    @cached_property
    def edm(self) -> float:
        """g'H^-1 g / 2, the distance to the minimum in units of the value."""
        return float(-0.5 * self.slope @ self.newton)

    def decrement(self, slope: np.ndarray) -> float:
        """The same for another gradient."""
        return float(0.5 * slope @ self.solve(slope))

    def solid_decrement(self, slope: np.ndarray) -> float:
        """Decrement with directions without curvature taken at the curvature that rounding leaves."""
        return float(0.5 * slope @ self.solid_solve(slope))

    def solid_solve(self, vector: np.ndarray) -> np.ndarray:
        """H^-1 times a vector, with the same floor under the curvature."""
        values, vectors = self._spectrum
        floor = 1e-10 * max(1.0, float(np.abs(values).max()))
        return vectors @ ((vectors.T @ vector) / np.maximum(values, floor))

    def step(self, radius: float) -> np.ndarray:
        """The minimizer inside a ball."""
        if self._factor is not None and float(np.linalg.norm(self.newton)) <= radius:
            return self.newton
        values, vectors = self._spectrum
        return vectors @ solve_in_ball(values, vectors.T @ self.slope, radius)

    def decrease(self, move: np.ndarray) -> float:
        """How much lower the quadratic is after a move."""
        return -float(self.slope @ move + 0.5 * move @ (self.matrix @ move))
