"""Slices along any smooth function of the parameters: the log-density is maximized under the constraint."""

from collections.abc import Callable

import numpy as np

from ppl_mle.inference.profiles.edges import edge_coordinates, find_release
from ppl_mle.inference.profiles.slice import Point
from ppl_mle.maximize import Maximum, Problem

_STEPS = 60
_HALVINGS = 12
_SOLVED = 1e-9
_DIFFERENCE = 1e-4

Function = Callable[[np.ndarray], float]
Gradient = Callable[[np.ndarray], np.ndarray]


class FunctionSlice:
    """The value of a function g of the unconstrained vector, held.

    The stationary points of l - m (g - c) are found by Newton's method on theta and the multiplier m together
    (Nocedal and Wright 2006, chapter 18), in coordinates that whiten the log-density at its maximum.

    Parameters
    ----------
    maximum : Maximum
    value : callable
        From the unconstrained vector (p,) to g.
    gradient : callable
        To the derivatives of g, shape (p,).
    """

    def __init__(self, maximum: Maximum, value: Function, gradient: Gradient) -> None:
        self._edges = [int(i) for i in edge_coordinates(maximum)]
        held = dict(maximum.held) | {i: float(maximum.theta[i]) for i in self._edges}
        self._problem = Problem(maximum.plan.likelihood, held)
        free = self._problem.free
        self._root = factor(maximum.observed_covariance[np.ix_(free, free)])
        self._function, self._gradient = value, gradient
        self._origin = maximum.theta[free]
        slope = self._slopes(np.zeros(len(free)))
        self.unit, self.farthest = float(np.linalg.norm(slope)), np.inf
        tangent = np.zeros(len(maximum.theta))
        tangent[free] = self._root @ slope / self.unit**2 if self.unit > 0 else 0.0
        self.peak = Point(float(value(maximum.theta)), maximum.theta, maximum.value, 0.0, tangent)

    def climb(self, at: float, near: Point) -> Point:
        """Maximize with the function held at `at`, by damped Newton steps on the stationarity conditions."""
        size = len(self._origin)
        if not self.unit > 0:
            return Point(at, near.theta, self.peak.value, np.nan, np.zeros(len(near.theta)), found=False)
        z = np.linalg.solve(self._root, near.theta[self._problem.free] - self._origin)
        z = z + (at - near.at) * np.linalg.solve(self._root, near.tangent[self._problem.free])
        multiplier = near.slope if near.slope else -(at - self.peak.at) / self.unit**2
        with np.errstate(all="ignore"):
            for _ in range(_STEPS):
                residual, system = self._system(z, multiplier, at)
                if not np.all(np.isfinite(residual)):
                    break
                if float(np.linalg.norm(residual)) <= _SOLVED:
                    return self._point(at, z, multiplier, system)
                step = _solved(system, -residual)
                if step is None:
                    break
                share = self._share(z, multiplier, at, step, float(np.linalg.norm(residual)))
                if not share:
                    break
                z, multiplier = z + share * step[:size], multiplier + share * step[size] / self.unit
        theta = self._theta(z)
        return Point(at, theta, self.peak.value, np.nan, np.zeros(len(theta)), found=False)

    def information(self, point: Point) -> float:
        """Information about the function at a point: 1 / (g' I^-1 g)."""
        z = np.linalg.solve(self._root, point.theta[self._problem.free] - self._origin)
        slope = self._slopes(z)
        solved = _solved(self._hessian(z), slope)
        return float(1 / (slope @ solved)) if solved is not None else np.nan

    def _theta(self, z: np.ndarray) -> np.ndarray:
        return self._problem.expand(self._origin + self._root @ z)

    def _value(self, z: np.ndarray) -> float:
        return -self._problem.value(self._origin + self._root @ z)

    def _slopes(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(self._root.T @ self._gradient(self._theta(z))[self._problem.free])

    def _hessian(self, z: np.ndarray) -> np.ndarray:
        """Of minus the log-density, in the whitened coordinates."""
        return self._problem.curvature(self._origin + self._root @ z, self._root)

    def _bend(self, z: np.ndarray) -> np.ndarray:
        """Second derivatives of the function, by central differences of its gradient."""
        rows = [
            (self._slopes(z + _DIFFERENCE * e) - self._slopes(z - _DIFFERENCE * e)) / (2 * _DIFFERENCE)
            for e in np.eye(len(z))
        ]
        matrix = np.array(rows).reshape(len(z), len(z))
        return (matrix + matrix.T) / 2

    def _residual(self, z: np.ndarray, multiplier: float, at: float) -> np.ndarray:
        """Gradient of minus the Lagrangian, and how far the constraint is missed in standard errors."""
        gradient = self._root.T @ self._problem.value_and_gradient(self._origin + self._root @ z)[1]
        missed = (self._function(self._theta(z)) - at) / self.unit
        return np.append(gradient + multiplier * self._slopes(z), missed)

    def _system(self, z: np.ndarray, multiplier: float, at: float) -> tuple[np.ndarray, np.ndarray]:
        slope = self._slopes(z)[:, None] / self.unit
        corner = self._hessian(z) + multiplier * self._bend(z)
        system = np.block([[corner, slope], [slope.T, np.zeros((1, 1))]])
        return self._residual(z, multiplier, at), system

    def _share(self, z: np.ndarray, multiplier: float, at: float, step: np.ndarray, now: float) -> float:
        """Largest power of one half of the step that reduces the residual."""
        for share in 0.5 ** np.arange(_HALVINGS):
            moved = self._residual(z + share * step[:-1], multiplier + share * step[-1] / self.unit, at)
            if np.linalg.norm(moved) < (1 - 0.1 * share) * now:
                return float(share)
        return 0.0

    def _point(self, at: float, z: np.ndarray, multiplier: float, system: np.ndarray) -> Point:
        theta = self._theta(z)
        tangent = np.zeros(len(theta))
        along = _solved(system, np.append(np.zeros(len(z)), 1 / self.unit))
        if along is not None:
            tangent[self._problem.free] = self._root @ along[:-1]
        slope = self._slopes(z)
        own = system[:-1, :-1]
        across = np.linalg.svd(slope[None, :])[2][1:]
        is_maximum = not len(across) or float(np.linalg.eigvalsh(across @ own @ across.T)[0]) > 0
        value = self._value(z)
        stays = find_release(self._problem.likelihood, self._edges, theta, value) is None
        return Point(at, theta, value, multiplier, tangent, found=bool(is_maximum) and stays)


def factor(covariance: np.ndarray) -> np.ndarray:
    """A matrix F with F F' = covariance, from the correlations, so that scales do not matter."""
    scale = np.sqrt(np.diag(covariance))
    return np.asarray(scale[:, None] * np.linalg.cholesky(covariance / np.outer(scale, scale)))


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    try:
        found = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return found if np.all(np.isfinite(found)) else None
