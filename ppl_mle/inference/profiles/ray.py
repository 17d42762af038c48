"""Slices along a straight line in one coordinate of the unconstrained vector, or in several."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ppl_mle.inference.profiles.edges import edge_coordinates, find_release
from ppl_mle.inference.profiles.slice import Point
from ppl_mle.maximize import Maximum, Newton, Problem, Search

_GOAL = 1e-14
_STRIDE = 1e-2
_STEEP = 1e-6
_SETTLED = ("edm", "rounding", "flat")
_LOG_UNITS = 10.0
_NEGLIGIBLE = 1e-4
_FAR_OUT = 15.0


class RaySlice:
    """Coordinates held at base + at * direction, everything else maximized over.

    Parameters
    ----------
    maximum : Maximum
    coordinates : sequence of int
        Free ones.
    direction : array, optional
        One per coordinate. Without one there is a single coordinate, and `at` is its value.
    """

    def __init__(self, maximum: Maximum, coordinates: Sequence[int], direction: np.ndarray | None = None) -> None:
        size = len(maximum.theta)
        self._likelihood = maximum.plan.likelihood
        self._mine = np.array(coordinates, int)
        self._direction = np.ones(1) if direction is None else np.array(direction, float)
        self._base = np.zeros(1) if direction is None else maximum.theta[self._mine]
        self._edges = [int(i) for i in edge_coordinates(maximum) if i not in self._mine]
        self._held = dict(maximum.held) | {i: float(maximum.theta[i]) for i in self._edges}
        self._everything = Problem(self._likelihood, self._held)
        self._engine = Newton(most=size, iterations=100, goal=_GOAL)
        self._others = Problem(self._likelihood, self._held | dict.fromkeys(self._mine.tolist(), 0.0)).free
        self._frame = np.zeros((size, 1 + len(self._others)))
        self._frame[self._mine, 0] = self._direction
        self._frame[self._others, np.arange(1, 1 + len(self._others))] = 1.0
        self._variances = np.diag(maximum.observed_covariance)
        self.unit, tangent = self._quadratic(maximum)
        at = float(maximum.theta[self._mine[0]]) if direction is None else 0.0
        slope = float(maximum.gradient[self._mine] @ self._direction)
        self.peak = Point(at, maximum.theta, maximum.value, slope, tangent)
        transformed = direction is None and bool(Problem(self._likelihood, {}).is_transformed[self._mine[0]])
        self.farthest = _FAR_OUT if transformed and self._variances[self._mine[0]] > 0 else np.inf

    def climb(self, at: float, near: Point) -> Point:
        """Maximize with the coordinates held, by trust-region Newton from the tangent at a point that is near."""
        held = dict(zip(self._mine.tolist(), (self._base + at * self._direction).tolist(), strict=True))
        problem = Problem(self._likelihood, self._held | held)
        starts = (near.theta + (at - near.at) * near.tangent, near.theta)
        with np.errstate(all="ignore"):
            start = next((x[problem.free] for x in starts if np.isfinite(problem.value(x[problem.free]))), None)
            if start is None:
                return Point(at, problem.expand(near.theta[problem.free]), -np.inf, np.nan, np.zeros(len(near.theta)))
            if not problem.size:
                return self._released(held, self._point(at, problem.expand(start), True))
            return self._released(held, self._settle(at, problem, start))

    def _settle(self, at: float, problem: Problem, start: np.ndarray) -> Point:
        problem, found = self._search(problem, start)
        return self._point(at, problem.expand(found.x), self._is_settled(problem, found))

    def _released(self, held: dict[int, float], point: Point) -> Point:
        """The same with the coordinates at edges free, where the log-density rises as they come back inside."""
        inside = find_release(self._likelihood, self._edges, point.theta, point.value) if point.exists else None
        if inside is None:
            return point
        fixed = {i: value for i, value in self._held.items() if i not in self._edges}
        problem = Problem(self._likelihood, fixed | held)
        return self._settle(point.at, problem, inside[problem.free])

    def information(self, point: Point) -> float:
        """Information about the quantity at a point, everything else estimated."""
        hessian = self._hessian(point.theta)
        solved = _solve(hessian[1:, 1:], hessian[1:, 0])
        return np.nan if solved is None else float(hessian[0, 0] - hessian[0, 1:] @ solved)

    def _search(self, problem: Problem, start: np.ndarray) -> tuple[Problem, Search]:
        """Search from a start; what runs away is held where formulas still tell its limit, and the others once more."""
        found = self._engine.search(problem, start, lambda iteration, value: None)
        peak = self.peak.theta[problem.free]
        far = _FAR_OUT + _LOG_UNITS if self._is_settled(problem, found) else _LOG_UNITS
        away = problem.is_transformed & (np.abs(found.x - peak) > far)
        if not np.any(away):
            return problem, found
        limits = (peak + np.sign(found.x - peak) * _FAR_OUT)[away]
        rest = Problem(self._likelihood, problem.held | dict(zip(problem.free[away].tolist(), limits, strict=True)))
        if rest.size:
            return rest, self._engine.search(rest, start[~away], lambda iteration, value: None)
        value, gradient = rest.value_and_gradient(np.zeros(0))
        return rest, replace(found, x=np.zeros(0), value=value, gradient=gradient, stop="edm")

    def _is_settled(self, problem: Problem, found: Search) -> bool:
        """Whether a search ended in a maximum, or where next to nothing is left to gain on the way to a limit."""
        reach = np.where(problem.is_transformed, _LOG_UNITS, np.sqrt(np.nan_to_num(self._variances[problem.free])))
        return found.stop in _SETTLED or bool(np.abs(found.gradient) @ reach < _NEGLIGIBLE)

    def _point(self, at: float, theta: np.ndarray, found: bool) -> Point:
        value, gradient = self._likelihood.objective.value_and_gradient(theta)
        return Point(
            at, theta, float(value), float(gradient[self._mine] @ self._direction), self._tangent(theta), found
        )

    def _tangent(self, theta: np.ndarray) -> np.ndarray:
        """How all coordinates move along the profile."""
        hessian = self._hessian(theta)
        solved = _solve(hessian[1:, 1:], hessian[1:, 0])
        along = np.append(1.0, np.zeros(len(self._others)) if solved is None else -solved)
        return np.asarray(self._frame @ along)

    def _hessian(self, theta: np.ndarray) -> np.ndarray:
        """Of minus the log-density in the quantity and the other coordinates."""
        free = self._everything.free
        whole = self._everything.hessian(theta[free], np.full(len(free), self.unit))
        frame = self._frame[free]
        return np.asarray(frame.T @ whole @ frame)

    def _quadratic(self, maximum: Maximum) -> tuple[float, np.ndarray]:
        """How far the normal approximation looks, and how the others move; a guess where there is none."""
        own = maximum.observed_covariance[np.ix_(self._mine, self._mine)]
        tangent = np.zeros(len(maximum.theta))
        tangent[self._mine] = self._direction
        if np.all(np.diag(own) > 0):
            information = np.linalg.solve(own, self._direction)
            curvature = float(self._direction @ information)
            return 1 / float(np.sqrt(curvature)), maximum.observed_covariance[:, self._mine] @ information
        slope = abs(float(maximum.gradient[self._mine] @ self._direction))
        if slope > _STEEP:
            return 1 / slope, tangent
        return _STRIDE * max(1.0, float(np.abs(maximum.theta[self._mine]).max())), tangent


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    """Solve a positive definite system in units that give it a unit diagonal; None where it is not one."""
    own = np.diag(matrix)
    if not (np.all(np.isfinite(matrix)) and np.all(own > 0)):
        return None
    scale = 1 / np.sqrt(own)
    try:
        factor = np.linalg.cholesky(matrix * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    return np.asarray(scale * np.linalg.solve(factor.T, np.linalg.solve(factor, scale * right)))
