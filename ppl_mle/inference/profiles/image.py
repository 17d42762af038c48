"""What a function of one coordinate takes between two ends of it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize_scalar

from ppl_mle.inference.profiles.crossing import Crossing, Found
from ppl_mle.inference.profiles.edges import edge_coordinates
from ppl_mle.maximize import Maximum, Problem, Status

_PER_SIDE = 200
_FAR_OUT = 15.0
_FARTHEST = 1e8
_POLE = 1e3
_HALVINGS = 200
_ROUNDING = 1e-12
_NARROW = 1e-6

Curve = Callable[[float], float]


@dataclass(frozen=True)
class _Range:
    """Values on one branch of a function, and how each end came about."""

    lower: float
    upper: float
    lower_found: Found
    upper_found: Found

    def joined(self, other: "_Range") -> "_Range":
        """Both together where they overlap, else this one."""
        if other.lower > self.upper or other.upper < self.lower:
            return self
        low, high = min(self, other, key=lambda one: one.lower), max(self, other, key=lambda one: one.upper)
        return _Range(low.lower, high.upper, low.lower_found, high.upper_found)


def find_image(
    maximum: Maximum, coordinate: int, value: Callable[[np.ndarray], float], low: Crossing, high: Crossing
) -> tuple[float, float, Found, Found] | None:
    """The values of a function between two ends of the only coordinate that it depends on.

    Parameters
    ----------
    maximum : Maximum
    coordinate : int
    value : callable
        From the unconstrained vector (p,).
    low, high : Crossing
        Ends of the interval of the coordinate.

    Returns
    -------
    tuple of lower, upper, and how each was found, or None
        Of the values that can be reached from the estimate without a jump through infinity; None where an end is not
        known, or where the function has no limit there.
    """
    low, high = (_at_edge(maximum, coordinate, side, end) for side, end in ((-1, low), (1, high)))
    if "lost" in (low.found, high.found):
        return None
    if maximum.status is Status.INFINITE and coordinate in edge_coordinates(maximum):
        return None

    def curve(at: float) -> float:
        theta = np.array(maximum.theta)
        theta[coordinate] = at
        with np.errstate(all="ignore"):
            return float(value(theta))

    left, right = (_grid(maximum, coordinate, end, side) for side, end in ((-1, low), (1, high)))
    grid = np.array([*left[::-1], maximum.theta[coordinate], *right])
    values, middle = np.array([curve(at) for at in grid]), len(left)
    if np.any(np.isnan(values)) or not (_has_limit(values[middle::-1]) and _has_limit(values[middle:])):
        return None
    return _reached(curve, grid, values, middle, (low, high))


def _reached(
    curve: Curve, grid: np.ndarray, values: np.ndarray, middle: int, ends: tuple[Crossing, Crossing]
) -> tuple[float, float, Found, Found]:
    """Values on the branch of the estimate, and on those that overlap with it."""
    breaks = [i for i in range(1, len(grid)) if is_pole(curve, grid[i - 1], grid[i])]
    bounds = list(pairwise([0, *breaks, len(grid)]))
    ranges = [_range(curve, grid, values, first, last, ends) for first, last in bounds]
    found = next(one for one, (_, last) in zip(ranges, bounds, strict=True) if middle < last)
    for other in ranges * len(ranges):
        found = found.joined(other)
    return found.lower, found.upper, found.lower_found, found.upper_found


def _at_edge(maximum: Maximum, coordinate: int, side: int, end: Crossing) -> Crossing:
    """The end of a coordinate; infinity where the estimate ran there itself."""
    if coordinate not in edge_coordinates(maximum):
        return end
    start = maximum.plan.likelihood.mapping.start(None)[coordinate]
    outward = side * (maximum.theta[coordinate] - start) > 0
    return Crossing(side * np.inf, None, "edge") if outward else end


def _grid(maximum: Maximum, coordinate: int, end: Crossing, side: int) -> np.ndarray:
    """Points from the estimate, which is left out, to an end, which is the last."""
    peak = float(maximum.theta[coordinate])
    if np.isfinite(end.at):
        return np.linspace(peak, end.at, _PER_SIDE + 1)[1:]
    problem = Problem(maximum.plan.likelihood, {})
    unit = float(np.sqrt(np.nan_to_num(maximum.observed_covariance[coordinate, coordinate])) or 1.0)
    transformed = bool(problem.is_transformed[coordinate])
    away = np.linspace(0, _FAR_OUT, _PER_SIDE)[1:] if transformed else unit * np.geomspace(1e-2, _FARTHEST, _PER_SIDE)
    return np.append(peak + side * away, side * np.inf)


def _has_limit(values: np.ndarray) -> bool:
    """Whether values on the way to the last one tend to it."""
    half, far, last = values[len(values) // 2], values[-2], values[-1]
    if np.isinf(last):
        return bool(np.sign(far) == np.sign(last) and abs(far) >= abs(half))
    return bool(abs(far - last) <= max(abs(half - last), _ROUNDING * abs(last)))


def is_pole(curve: Curve, one: float, other: float) -> bool:
    """Whether a function changes sign through infinity, not through zero, between two points."""
    first, last = curve(one), curve(other)
    if not (np.isfinite([one, other, first, last]).all() and first * last < 0):
        return False
    size = max(abs(first), abs(last))
    for _ in range(_HALVINGS):
        middle = (one + other) / 2
        if middle in (one, other):
            break
        one, other = (middle, other) if curve(middle) * first > 0 else (one, middle)
    return max(abs(curve(one)), abs(curve(other))) > _POLE * size


def _range(
    curve: Curve, grid: np.ndarray, values: np.ndarray, first: int, last: int, ends: tuple[Crossing, Crossing]
) -> _Range:
    """Values of a branch: grid points from `first` until before `last`, with poles at what are no ends of the grid."""
    found: list[tuple[float, Found]] = []
    own = values[first:last]
    spread = float(np.ptp(own[np.isfinite(own)]))
    for side in (-1, 1):
        poles = [i for i, inner in ((first, first > 0), (last - 1, last < len(grid))) if inner and side * values[i] > 0]
        at = first + int(np.argmax(side * own))
        if poles or np.isinf(values[at]):
            found.append((side * np.inf, "through" if poles else "infinite"))
        elif at in (0, len(grid) - 1):
            end = ends[at > 0]
            found.append((float(values[at]), "turned" if end.found == "infinite" else end.found))
        else:
            found.append(_refined(curve, grid, at, side, spread))
    return _Range(found[0][0], found[1][0], found[0][1], found[1][1])


def _refined(curve: Curve, grid: np.ndarray, at: int, side: int, spread: float) -> tuple[float, Found]:
    """The extreme value near a point of the grid; infinite where the function runs to infinity on both sides."""
    around = grid[max(at - 1, 0) : at + 2]
    around = around[np.isfinite(around)] - grid[at]
    best = side * curve(float(grid[at]))
    for low, high in [*pairwise(around), (around[0], around[-1])]:
        best = max(best, -_smallest(lambda move: -side * curve(float(grid[at] + move)), low, high))
    if best > _FARTHEST * max(spread, abs(side * curve(float(grid[0])))):
        return side * np.inf, "infinite"
    value = side * best
    return (0.0 if abs(value) <= _ROUNDING * spread else value), "turned"


def _smallest(curve: Curve, low: float, high: float) -> float:
    """Smallest value between two points, looked for twice so that it is sharp at kinks as well."""
    options = {"xatol": 1e-14, "maxiter": 200}
    first = minimize_scalar(curve, bounds=(low, high), method="bounded", options=options)
    width = _NARROW * (high - low)
    again = minimize_scalar(
        lambda move: curve(float(first.x) + move), bounds=(-width, width), method="bounded", options=options
    )
    return min(float(first.fun), float(again.fun))
