"""Intervals from a profile: where the likelihood ratio, or the score test, no longer rejects."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ppl_mle.errors import StartError
from ppl_mle.inference.estimates import normal_quantile
from ppl_mle.inference.profiles.crossing import Crossing, Found, HigherMaximum, find_crossing, signed_root
from ppl_mle.inference.profiles.edges import edge_coordinates, looks_around, standard_errors
from ppl_mle.inference.profiles.extreme import FARTHEST, Region
from ppl_mle.inference.profiles.image import find_image
from ppl_mle.inference.profiles.joined import is_joined
from ppl_mle.inference.profiles.ray import RaySlice
from ppl_mle.inference.profiles.slice import Point, Slice
from ppl_mle.inference.quantities import Quantity
from ppl_mle.maximize import Maximum, Status, maximize
from ppl_mle.read import RowObjective

_LOOKS = 12
_LEVEL = 1e4
_BEYOND = 1e-6
_NEAR = 1e-3
_ENOUGH = 2
_MOST_SEARCHED = 12
_STRAIGHT = 1e-9
_LOST = Crossing(np.nan, None, "lost")


@dataclass(frozen=True)
class Interval:
    """An interval on the declared scale, and how each end came about.

    Parameters
    ----------
    label : str
    lower, upper : float
        Infinite, or an edge of the support, where nothing is rejected on that side.
    lower_found, upper_found : {"crossed", "infinite", "through", "edge", "turned", "lost"}
        As in `Crossing`; infinite, and with values of the other sign behind infinity that are not rejected either; or
        a value that the quantity does not go beyond anywhere near.
    """

    label: str
    lower: float
    upper: float
    lower_found: Found
    upper_found: Found

    def end(self, side: Literal["lower", "upper"]) -> tuple[float, Found]:
        """One bound, and how it came about."""
        return (self.lower, self.lower_found) if side == "lower" else (self.upper, self.upper_found)

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each end that is no crossing."""
        told = {
            "infinite": "{label}: the {end} bound is {value:g}: on that side nothing is rejected, however far",
            "edge": "{label}: the {end} bound {value:.6g} is where the density ends",
            "turned": "{label}: the {end} bound {value:.6g} is not rejected, and is as far as it goes on that side",
            "through": "{label}: the {end} bound is {value:g}, and values of the other sign, behind infinity, are not "
            "rejected either",
            "lost": "{label}: no {end} bound: the maximum over the other parameters could not be followed",
        }
        ends = (("lower", self.lower, self.lower_found), ("upper", self.upper, self.upper_found))
        said = [told[how].format(label=self.label, end=end, value=value) for end, value, how in ends if how in told]
        return tuple(said)


def profile_interval(maximum: Maximum, quantity: Quantity, ci_prob: float) -> Interval:
    """Values that a likelihood-ratio test at level 1 - ci_prob does not reject (Venzon and Moolgavkar 1988).

    Raises
    ------
    HigherMaximum
        The profile rises above the maximum.
    """
    level, moving = normal_quantile(ci_prob), _moving_coordinates(maximum, quantity)
    found = _followed(maximum, quantity, moving, lambda along: along, level)
    known = {found.lower_found, found.upper_found} <= {"crossed", "edge", "turned", "through"}
    doubtful = not known or _may_branch(maximum, quantity)
    if len(moving) > 1 and doubtful and not _is_unknown(maximum, quantity, moving):
        ends = _extremes(maximum, quantity, level)
        found = _joined(found, Interval(quantity.label, ends[0].at, ends[1].at, ends[0].found, ends[1].found))
    return _at_edge(found, maximum, quantity)


def score_interval(maximum: Maximum, quantity: Quantity, ci_prob: float) -> Interval:
    """Values that Rao's score test at level 1 - ci_prob does not reject (Wilson 1927; Rao 1948).

    The statistic is U^2 / I with the score U of the quantity, and its observed information I, where everything else is
    maximized over.

    Raises
    ------
    HigherMaximum
        The profile rises above the maximum.
    """
    moving = _moving_coordinates(maximum, quantity)
    found = _followed(maximum, quantity, moving, _Scored, normal_quantile(ci_prob))
    return _at_edge(found, maximum, quantity)


def _may_branch(maximum: Maximum, quantity: Quantity) -> bool:
    """Whether constrained maxima may branch, of which slices tell one, where a search over all is affordable."""
    if quantity.coordinate is not None or len(maximum.theta) > _MOST_SEARCHED:
        return False
    if not isinstance(maximum.plan.likelihood.objective, RowObjective):
        return False
    spread = standard_errors(maximum)
    slope = quantity.gradient(maximum.theta)
    looks = maximum.theta + spread * np.random.default_rng(0).normal(size=(_LOOKS, len(spread)))
    return any(not np.allclose(quantity.gradient(look), slope, rtol=_STRAIGHT, atol=0) for look in looks)


def _moving_coordinates(maximum: Maximum, quantity: Quantity) -> np.ndarray:
    """Coordinates that a quantity changes with at the maximum or a few standard errors away, fixed ones left out."""
    if quantity.coordinate is not None:
        return np.array([quantity.coordinate])
    base, spread = looks_around(maximum)
    looks = base + spread * np.random.default_rng(0).normal(size=(_LOOKS, len(spread)))
    moves = np.any([quantity.gradient(point) != 0 for point in (maximum.theta, *looks)], axis=0)
    return np.setdiff1d(np.flatnonzero(moves), list(maximum.held))


def _is_unknown(maximum: Maximum, quantity: Quantity, moving: np.ndarray) -> bool:
    """Whether a quantity only jumps, or depends on what ran to infinity."""
    if maximum.status is not Status.INFINITE:
        return not len(moving)
    gone = quantity.coordinate is None and quantity.label in maximum.declared
    return gone or not len(moving) or bool(np.any(np.isin(moving, edge_coordinates(maximum))))


def _followed(
    maximum: Maximum, quantity: Quantity, moving: np.ndarray, kind: Callable[[Slice], Slice], level: float
) -> Interval:
    """The interval by following the slices, those of its coordinate where it depends on one alone."""
    lost = Interval(quantity.label, np.nan, np.nan, "lost", "lost")
    if _is_unknown(maximum, quantity, moving):
        return lost
    if quantity.coordinate is None and len(moving) == 1:
        along = kind(RaySlice(maximum, [int(moving[0])]))
        ends = [find_crossing(along, side, level) for side in (-1, 1)]
        image = find_image(maximum, int(moving[0]), quantity.value, ends[0], ends[1])
        if image is not None:
            return Interval(quantity.label, *image)
    if quantity.coordinate is None and (quantity.is_cut(maximum) or _is_level(maximum, quantity)):
        return lost
    along = kind(quantity.slice_of(maximum))
    return _on_declared_scale(quantity, *(find_crossing(along, side, level) for side in (-1, 1)))


def _is_level(maximum: Maximum, quantity: Quantity) -> bool:
    """Whether the derivative at the estimate says nothing of how much a quantity changes within standard errors."""
    spread = standard_errors(maximum)
    here, slope = quantity.value(maximum.theta), float(np.linalg.norm(quantity.gradient(maximum.theta) * spread))
    moves = [quantity.value(maximum.theta + side * spread * e) for e in np.eye(len(spread)) for side in (-1, 1)]
    return not (np.isfinite(slope) and max(abs(value - here) for value in moves) <= _LEVEL * slope)


def _extremes(maximum: Maximum, quantity: Quantity, level: float) -> tuple[Crossing, Crossing]:
    """Both ends of the range of a function over the points whose signed root is at most `level`.

    They are the ends of its profile interval, also where it has a smallest value of its own, where it runs to infinity,
    and where parameters leave an edge on the way; the best of several searches each.

    Parameters
    ----------
    maximum : Maximum
    quantity : Quantity
    level : float

    Returns
    -------
    Crossing, Crossing
        The lower and the upper end, without points: crossed on the cut; turned inside, where the function itself is
        extreme; infinite; through infinity, with the other sign behind; lost where the best point that was found is no
        proven extreme.

    Raises
    ------
    HigherMaximum
        A point of the region is higher than the maximum.
    """
    region = Region(maximum, quantity.value, quantity.gradient, level)
    if not region.is_whole:
        return _LOST, _LOST
    with np.errstate(all="ignore"):
        starts = region.starts()
        region.set_units(starts)
        if not (abs(region.value(starts[0]) - region.center) <= FARTHEST * region.unit and region.has_limits()):
            return _LOST, _LOST
        return _extreme(region, starts, -1), _extreme(region, starts, 1)


def _extreme(region: Region, starts: list[np.ndarray], side: int) -> Crossing:
    """The most extreme candidate, where it is one."""
    for start in starts:
        pole = region.chased(start, side)
        if pole is not None and is_joined(region, pole):
            return Crossing(side * np.inf, None, "through" if region.goes_on(pole) else "infinite")
    best, agreeing, farthest = _LOST, 0, -np.inf
    for start in starts:
        y = region.climbed(start, side)
        if side * (region.value(y) - best.at) < -_NEAR * region.unit:
            continue
        y = region.polished(y, side)
        one = region.judged(y, side)
        gain = side * (region.value(y) - best.at) / region.unit
        if one is None or gain < -_BEYOND:
            continue
        if gain <= _BEYOND:
            agreeing += one.found != "lost"
            best = one if gain > 0 and one.found != "lost" else best
        elif is_joined(region, y):
            farthest = max(farthest, side * region.value(y))
            best, agreeing = (best, agreeing) if one.found == "lost" else (one, 0)
        if agreeing == _ENOUGH:
            break
    return best if farthest <= side * best.at + _BEYOND * region.unit else _LOST


def _joined(followed: Interval, extreme: Interval) -> Interval:
    """Each end from where it is known; the farther one where both know it, but no infinite one from slices alone."""
    ends: list[tuple[float, Found]] = []
    sides: tuple[tuple[int, Literal["lower", "upper"]], ...] = ((-1, "lower"), (1, "upper"))
    for side, end in sides:
        here, there = followed.end(end), extreme.end(end)
        if there[1] == "lost":
            ends.append(here)
        else:
            ends.append(there if here[1] in ("lost", "infinite") or side * there[0] > side * here[0] else here)
    return Interval(followed.label, ends[0][0], ends[1][0], ends[0][1], ends[1][1])


def _at_edge(interval: Interval, maximum: Maximum, quantity: Quantity) -> Interval:
    """The interval with the estimate as a bound, where that is the end of its own support."""
    likelihood = maximum.plan.likelihood
    value = maximum.declared.get(quantity.label, np.nan)
    if not np.isfinite(value):
        return interval
    support = likelihood.scales[likelihood.labels.index(quantity.label)]
    if value == support.lower:
        return replace(interval, lower=value, lower_found="edge")
    return replace(interval, upper=value, upper_found="edge") if value == support.upper else interval


class _Scored:
    """A slice whose values are those that the score statistic would give if it were a likelihood ratio."""

    def __init__(self, along: Slice) -> None:
        self._along = along
        self.peak, self.unit, self.farthest = along.peak, along.unit, along.farthest

    def climb(self, at: float, near: Point) -> Point:
        """The maximum there; its value falls by half the score statistic, its slope is that of a parabola."""
        found = self._along.climb(at, near)
        if not found.exists:
            return found
        signed_root(self.peak, found)
        information = self._along.information(found)
        if not information > 0:
            return replace(found, found=False)
        statistic = found.slope**2 / information
        return replace(found, value=self.peak.value - statistic / 2, slope=-statistic / (at - self.peak.at))

    def information(self, point: Point) -> float:
        """Information about the quantity at a point."""
        return self._along.information(point)


def restarted(maximum: Maximum, higher: HigherMaximum) -> Maximum | None:
    """The maximum that is reached from a point that was found to be higher; None where none is."""
    likelihood = maximum.plan.likelihood
    values = likelihood.mapping.declared(higher.point.theta)
    starts = {var.name: values[var.declared].reshape(var.shape) for var in likelihood.variables}
    try:
        found = maximize(maximum.plan, initvals=starts)
    except StartError:
        return None
    return found if found.status.converged else None


def _on_declared_scale(quantity: Quantity, low: Crossing, high: Crossing) -> Interval:
    ends = [(float(quantity.scale.to_declared(end.at)), end.found) for end in (low, high)]
    if ends[0][0] > ends[1][0]:
        ends.reverse()
    return Interval(quantity.label, ends[0][0], ends[1][0], ends[0][1], ends[1][1])
