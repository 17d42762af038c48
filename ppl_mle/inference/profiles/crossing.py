"""Where a profile falls to a given level: the end of a likelihood-ratio interval."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ppl_mle.inference.profiles.slice import Point, Slice

_CLOSE = 1e-9
_TRIALS = 80
_FARTHEST = 1e8
_ALMOST_FLAT = 1e-7
_TELLING = 1e-6
_HIGHER = 1e-6
_STRETCH = 3.0

Found = Literal["crossed", "infinite", "through", "edge", "turned", "lost"]


class HigherMaximum(Exception):  # a signal to start again from here, never seen by a user
    """The log-density along a profile is higher than at the maximum that it started from.

    Parameters
    ----------
    point : Point
    """

    def __init__(self, point: Point) -> None:
        super().__init__("a profile rises above its maximum")
        self.point = point


@dataclass(frozen=True, eq=False)
class Crossing:
    """One end of an interval.

    Parameters
    ----------
    at : float
        On the scale of the slice; plus or minus infinity where the profile never falls so far.
    point : Point or None
        The maximum there.
    found : {"crossed", "infinite", "edge", "lost"}
        The level is crossed; never reached; jumped over, because the density ends; or the maximum over everything else
        could not be followed, and then `at` is NaN.
    """

    at: float
    point: Point | None
    found: Found


def signed_root(peak: Point, point: Point) -> float:
    """Square root of twice the fall from the maximum, shape ().

    Raises
    ------
    HigherMaximum
        The point is higher than the maximum, by more than rounding.
    """
    fall = peak.value - point.value
    if fall < -_HIGHER * max(1.0, abs(peak.value) * 1e-6):
        raise HigherMaximum(point)
    return float(np.sqrt(2 * max(fall, 0.0)))


def find_crossing(along: Slice, side: int, level: float) -> Crossing:
    """Find where the signed root of the likelihood ratio reaches a level.

    Newton's method on the signed root, which is close to linear, kept inside the bracket that the values so far give
    (Venzon and Moolgavkar 1988 for the problem; DiCiccio and Tibshirani 1991 for the signed root).

    Parameters
    ----------
    along : Slice
    side : {-1, 1}
    level : float
        E.g. 1.96 for a 95 % interval.

    Returns
    -------
    Crossing

    Raises
    ------
    HigherMaximum
        The profile rises above the maximum.
    """
    bracket = _Bracket(along, side, level)
    at = _within(along, along.peak.at + side * level * along.unit)
    for _ in range(_TRIALS):
        point = along.climb(at, bracket.inside)
        done = bracket.enter(at, point)
        if done is not None:
            return done
        at = bracket.next(point)
    return Crossing(np.nan, None, "lost")


def _within(along: Slice, at: float) -> float:
    return along.peak.at + float(np.clip(at - along.peak.at, -along.farthest, along.farthest))


class _Bracket:
    """The farthest point inside the level and the nearest place beyond it."""

    def __init__(self, along: Slice, side: int, level: float) -> None:
        self._along, self._side, self._level = along, side, level
        self.inside, self._root = along.peak, 0.0
        self._beyond: float | None = None
        self._why: Found = "crossed"

    def enter(self, at: float, point: Point) -> Crossing | None:
        """Take in what was found at a place; returns the end of the search where this ends it."""
        peak, unit = self._along.peak, self._along.unit
        if not point.exists:
            self._beyond, self._why = at, "lost" if np.isfinite(point.value) else "edge"
        else:
            root = signed_root(peak, point)
            if abs(root - self._level) <= _CLOSE * self._level:
                return Crossing(at, point, "crossed")
            if root < self._level:
                self.inside, self._root = point, root
            else:
                self._beyond, self._why = at, "crossed"
        distance = abs(self.inside.at - peak.at)
        if self._beyond is None:
            ended = not distance < _FARTHEST * unit or distance >= self._along.farthest
            endless = ended or self._is_flat(distance)
            return Crossing(self._side * np.inf, self.inside, "infinite") if endless else None
        if abs(self._beyond - self.inside.at) > _CLOSE * max(unit, distance):
            return None
        return Crossing(np.nan if self._why == "lost" else self.inside.at, self.inside, self._why)

    def next(self, point: Point) -> float:
        """The next trial: Newton's where it lies inside the bracket, else its middle; at most thrice as far as now."""
        peak, start = self._along.peak, self.inside.at
        root = signed_root(peak, point) if point.exists else 0.0
        rate = -self._side * point.slope / root if root > 0 else 0.0
        step = (self._level - root) / rate if rate > 0 else np.inf
        if self._beyond is None:
            trial = start + self._side * min(step, _STRETCH * max(abs(start - peak.at), self._along.unit))
            return _within(self._along, trial)
        newton = point.at + self._side * step
        inner, outer = sorted((start, self._beyond))
        return newton if inner < newton < outer else (inner + outer) / 2

    def _is_flat(self, distance: float) -> bool:
        """Whether the profile has levelled off: going as far again would change the root by next to nothing."""
        if not (self._root > _TELLING and distance > _STRETCH * self._along.unit):
            return False
        return bool(-self._side * self.inside.slope / self._root * max(distance, 1.0) < _ALMOST_FLAT)
