"""The points where the log-density is above a cut, and where a function of the parameters is extreme on them."""

import numpy as np
from scipy.optimize import minimize

from ppl_mle.inference.profiles.crossing import Crossing, signed_root
from ppl_mle.inference.profiles.function import Function, Gradient, factor
from ppl_mle.inference.profiles.slice import Point
from ppl_mle.maximize import Maximum, Problem

_OUTSIDE = -1e6
FARTHEST = 1e8
_FAR_OUT = 15.0
_SCAN = 120
_SPAN = 4.0
_DIRECTIONS = 6
_SHARE = 0.7
_POLISHES = 12
_DIFFERENCE = 1e-4
_ON_CUT = 1e-9
TOUCHING = 1e-5
_STATIONARY = 1e-7
_EXACT = 1e-12
_CLOSE = 1e-7
_ROUNDING = 1e-12
_CHASES = 60
_APPROACH = (0.0, 0.9, 0.99, 0.999, 0.9999)
_BEHIND = 1.001
_STEADY = 1e-3
_RISES = 1e-4


class Region:
    """Points above the cut, in coordinates that whiten the log-density, and along which edges are left.

    Sequential quadratic programs (Kraft 1988) lead to where a function of the parameters is extreme, and Newton's
    method on the stationarity conditions makes that exact (Venzon and Moolgavkar 1988, eq. 6).

    Parameters
    ----------
    maximum : Maximum
    value, gradient : callable
        From the unconstrained vector (p,) to the function and its derivatives, shape (p,).
    level : float
        Signed root at the cut.
    """

    def __init__(self, maximum: Maximum, value: Function, gradient: Gradient, level: float) -> None:
        likelihood = maximum.plan.likelihood
        self._problem = Problem(likelihood, maximum.held)
        self._maximum, self._level = maximum, level
        self._function, self._slope = value, gradient
        own = np.flatnonzero(np.diag(maximum.observed_covariance) > 0)
        basis = np.zeros((len(maximum.theta), len(own)))
        basis[own] = factor(maximum.observed_covariance[np.ix_(own, own)])
        lost = maximum.lost.reshape(len(maximum.theta), -1)
        self._basis, self.inner = np.hstack([basis, lost]), len(own)
        self._origin = np.where(np.any(lost != 0, axis=1), likelihood.mapping.start(None), maximum.theta)
        reach = np.maximum(_FAR_OUT, _SPAN * np.abs(maximum.theta - self._origin))
        self._reach = np.full(len(reach), np.inf)
        self._reach[self._problem.free] = np.where(self._problem.is_transformed, reach[self._problem.free], np.inf)
        elementwise = [i for v in likelihood.variables if v.elementwise for i in range(v.free.start, v.free.stop)]
        self._alone = [i for i in elementwise if np.any(lost[i] != 0)]
        self.peak = Point(0.0, maximum.theta, maximum.value, 0.0, np.zeros(len(reach)))
        self.center, self.unit = 0.0, 1.0

    @property
    def is_whole(self) -> bool:
        """Whether the coordinates span everything that was estimated."""
        size = self._basis.shape[1]
        scaled = self._basis / np.linalg.norm(self._basis, axis=0)
        return size == self._problem.size and int(np.linalg.matrix_rank(scaled, tol=1e-6)) == size

    def set_units(self, starts: list[np.ndarray]) -> None:
        """Take the units of the function from its values at points of the region."""
        values = np.array([self.value(y) for y in starts])
        values = values[np.isfinite(values)]
        if len(values):
            self.center = float(np.median(values))
            spread = np.abs(values - self.center)
            spread = spread[spread > 0]
            has_edges = self.inner < self._basis.shape[1]
            self.unit = float(np.max(spread) if has_edges else np.median(spread)) if len(spread) else 1.0

    def theta(self, y: np.ndarray) -> np.ndarray:
        """The unconstrained vector at a point."""
        return np.asarray(self._maximum.theta + self._basis @ y)

    def value(self, y: np.ndarray) -> float:
        """The function."""
        return self._function(self.theta(y))

    def scaled(self, y: np.ndarray) -> float:
        """The function in its own units."""
        return (self.value(y) - self.center) / self.unit

    def _scaled_slope(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(self._basis.T @ self._slope(self.theta(y)) / self.unit)

    def _bounded(self, y: np.ndarray) -> float:
        """The function brought into (-1, 1), so that it has bounds where it runs to infinity."""
        scaled = self.scaled(y)
        return float(np.sign(scaled)) if np.isinf(scaled) else scaled / (1 + abs(scaled))

    def _bounded_slope(self, y: np.ndarray) -> np.ndarray:
        size = 1 + abs(self.scaled(y))
        return np.nan_to_num(self._scaled_slope(y) / size / size)

    def slack(self, y: np.ndarray) -> float:
        """How far the log-density is above the cut, in units of the fall to it; very negative where there is none."""
        theta = self.theta(y)
        if not np.all(np.abs(theta - self._origin) <= self._reach):
            return _OUTSIDE
        value = -self._problem.value(theta[self._problem.free])
        fall = 2 * (self._maximum.value - value) / self._level**2
        return 1 - fall if np.isfinite(fall) else _OUTSIDE

    def _slack_slope(self, y: np.ndarray) -> np.ndarray:
        whole = np.zeros(len(self._maximum.theta))
        whole[self._problem.free] = self._problem.value_and_gradient(self.theta(y)[self._problem.free])[1]
        return np.nan_to_num(-2 / self._level**2 * self._basis.T @ whole)

    def starts(self) -> list[np.ndarray]:
        """Points of the region: the maximum, some with edge coordinates inside, and some around it."""
        size, inner = self._basis.shape[1], self.inner
        drawn = np.random.default_rng(0).normal(size=(_DIRECTIONS if inner > 1 else 0, inner))
        ways = [self._scaled_slope(np.zeros(size))[:inner], *np.eye(inner)[:_DIRECTIONS], *drawn]
        lengths = [float(np.linalg.norm(way)) for way in ways]
        shares = [side * way / n for way, n in zip(ways, lengths, strict=True) if 0 < n < np.inf for side in (-1, 1)]
        found = [np.zeros(size)]
        for column in range(inner, size):
            found += self._brought_inside(column)
        found += [np.append(_SHARE * self._level * way, np.zeros(size - inner)) for way in shares]
        inside = [y for y in found if self.slack(y) > 0]
        for y in inside:
            self._look(y)
        return inside

    def has_limits(self) -> bool:
        """Whether the function tends to a limit where the maximum ran to an edge: its estimate."""
        size = self._basis.shape[1]
        back = self._basis.T @ (self._origin - self._maximum.theta)
        moves = [self.value(np.sign(back[i]) * np.eye(size)[i]) for i in range(self.inner, size)]
        return all(abs(value - self.value(np.zeros(size))) <= _STEADY * self.unit for value in moves)

    def _brought_inside(self, column: int) -> list[np.ndarray]:
        """Along a direction in which the maximum ran away: the extremes of the function, and the last point inside."""
        back = float(self._basis[:, column] @ (self._origin - self._maximum.theta))
        line = [y * np.eye(self._basis.shape[1])[column] for y in np.linspace(0, _SPAN * back, _SCAN)]
        inside = [y for y in line if self.slack(y) > 0]
        values = [self.value(y) for y in inside]
        chosen = {int(np.argmin(values)), int(np.argmax(values)), len(inside) - 1}
        return [inside[i] for i in sorted(chosen) if i]

    def climbed(self, start: np.ndarray, side: int) -> np.ndarray:
        """Where a sequential quadratic program leads from a point of the region."""
        found = minimize(
            lambda y: -side * self._bounded(y),
            start,
            jac=lambda y: -side * self._bounded_slope(y),
            method="SLSQP",
            constraints={"type": "ineq", "fun": self.slack, "jac": self._slack_slope},
            options={"ftol": 1e-12, "maxiter": 200},
        )
        y = np.asarray(found.x, float)
        return y if np.all(np.isfinite(y)) and self.slack(y) > -TOUCHING else start

    def _multiplier(self, y: np.ndarray, side: int) -> float:
        """Of the cut; zero inside."""
        across = self._slack_slope(y)
        if self.slack(y) > TOUCHING or not np.any(across):
            return 0.0
        return max(0.0, float(-side * across @ self._scaled_slope(y) / (across @ across)))

    def _residual(self, y: np.ndarray, side: int) -> tuple[np.ndarray, bool]:
        """Gradient of the Lagrangian with the slack where the cut is active, and whether it is too large."""
        multiplier, across = self._multiplier(y, side), self._slack_slope(y)
        slope = side * self._scaled_slope(y) + multiplier * across
        missed = self.slack(y) if multiplier else 0.0
        allowed = _STATIONARY * (1.0 + multiplier)
        return np.append(slope, missed), not (np.linalg.norm(slope) <= allowed and abs(missed) <= _ON_CUT)

    def polished(self, y: np.ndarray, side: int) -> np.ndarray:
        """Newton steps on the stationarity conditions, as long as they help."""
        for _ in range(_POLISHES):
            residual, _ = self._residual(y, side)
            if np.linalg.norm(residual) <= _EXACT:
                return y
            multiplier = self._multiplier(y, side)
            step = self._newton(y, side, multiplier, residual)
            if step is None:
                return y
            moved = y + step
            if self.slack(moved) == _OUTSIDE:
                return y
            after = self._residual(moved, side)[0]
            if not np.linalg.norm(after) < np.linalg.norm(residual):
                return y
            y = moved
        return y

    def _newton(self, y: np.ndarray, side: int, multiplier: float, residual: np.ndarray) -> np.ndarray | None:
        size, corner = len(y), self._bend(y, side, multiplier)
        if multiplier:
            across = self._slack_slope(y)[:, None]
            system = np.block([[corner, across], [across.T, np.zeros((1, 1))]])
        else:
            system, residual = corner, residual[:-1]
        if not (np.all(np.isfinite(system)) and np.all(np.isfinite(residual))):
            return None
        return np.asarray(np.linalg.lstsq(system, -residual, rcond=1e-13)[0][:size])

    def _bend(self, y: np.ndarray, side: int, multiplier: float) -> np.ndarray:
        """Second derivatives of the Lagrangian."""
        size = len(y)
        rows = [
            (self._scaled_slope(y + _DIFFERENCE * e) - self._scaled_slope(y - _DIFFERENCE * e)) / (2 * _DIFFERENCE)
            for e in np.eye(size)
        ]
        bend = np.array(rows).reshape(size, size)
        corner = side * (bend + bend.T) / 2
        if multiplier:
            theta = self.theta(y)[self._problem.free]
            fall = self._problem.curvature(theta, self._basis[self._problem.free])
            corner = corner - multiplier * 2 / self._level**2 * fall
        return np.asarray(corner)

    def _is_saddle(self, y: np.ndarray, side: int) -> bool:
        """Whether the function goes on along the cut, or inside, to second order."""
        multiplier = self._multiplier(y, side)
        corner = self._bend(y, side, multiplier)
        if multiplier:
            across = self._slack_slope(y) / np.linalg.norm(self._slack_slope(y))
            along = np.eye(len(y)) - np.outer(across, across)
            corner = along @ corner @ along
        if not np.all(np.isfinite(corner)):
            return False
        return bool(np.linalg.eigvalsh(corner)[-1] > _RISES * max(1.0, multiplier))

    def chased(self, y: np.ndarray, side: int) -> np.ndarray | None:
        """Where the function runs to infinity inside the region, by Newton's method for a zero of one over it."""
        scaled = self.scaled(y)
        if not side * scaled > 0:
            return None
        for _ in range(_CHASES):
            slope = self._scaled_slope(y)
            y = y + scaled * slope / (slope @ slope)
            before, scaled = scaled, self.scaled(y)
            if not (self.slack(y) > 0 and abs(scaled) > abs(before)):
                return None
            if abs(scaled) > FARTHEST:
                nearer = [side * self.value(share * y) for share in _APPROACH]
                return y if np.all(np.diff(nearer) > 0) and nearer[-1] > nearer[0] + self.unit else None
        return None

    def goes_on(self, pole: np.ndarray) -> bool:
        """Whether the function has the other sign behind a place where it runs to infinity."""
        return self.slack(_BEHIND * pole) > 0 and self.value(_BEHIND * pole) * self.value(_APPROACH[-1] * pole) < 0

    def judged(self, y: np.ndarray, side: int) -> Crossing | None:
        """What a point is: an extreme of a kind, none that is known, or (None) no point of the region."""
        slack, scaled = self.slack(y), self.scaled(y)
        if not slack > -TOUCHING or np.isnan(scaled):
            return None
        self._look(y)
        if abs(scaled) > FARTHEST or self._residual(y, side)[1] or self._is_saddle(y, side):
            return Crossing(np.nan, None, "lost")
        value = self._limit(y)
        value = 0.0 if abs(value) <= _ROUNDING * self.unit else value
        return Crossing(value, None, "crossed" if self._multiplier(y, side) else "turned")

    def _limit(self, y: np.ndarray) -> float:
        """The value with every coordinate that is still near its edge at the edge itself."""
        theta = self.theta(y)
        value = self._function(theta)
        for i in self._alone:
            moved = np.array(theta)
            moved[i] = np.copysign(np.inf, self._maximum.theta[i] - self._origin[i])
            there = self._function(moved)
            if abs(there - value) <= _CLOSE * self.unit:
                theta, value = moved, there
        return value

    def _look(self, y: np.ndarray) -> None:
        value = -self._problem.value(self.theta(y)[self._problem.free])
        signed_root(self.peak, Point(0.0, self.theta(y), value, 0.0, self.peak.tangent))
