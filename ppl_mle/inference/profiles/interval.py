"""Intervals from a profile: where the likelihood ratio, or the score test, no longer rejects."""

from dataclasses import dataclass, replace

import numpy as np

from ppl_mle.errors import StartError
from ppl_mle.inference.estimates import normal_quantile
from ppl_mle.inference.profiles.crossing import Crossing, Found, HigherMaximum, find_crossing, signed_root
from ppl_mle.inference.profiles.slice import Point, Slice
from ppl_mle.inference.quantities import Quantity
from ppl_mle.maximize import Maximum, maximize


@dataclass(frozen=True)
class Interval:
    """An interval on the declared scale, and how each end came about.

    Parameters
    ----------
    label : str
    lower, upper : float
        Infinite, or an edge of the support, where nothing is rejected on that side.
    lower_found, upper_found : {"crossed", "infinite", "edge", "lost"}
        As in `Crossing`.
    """

    label: str
    lower: float
    upper: float
    lower_found: Found
    upper_found: Found

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each end that is no crossing."""
        told = {
            "infinite": "{label}: the {end} bound is {value:g}: on that side nothing is rejected, however far",
            "edge": "{label}: the {end} bound {value:.6g} is where the density ends",
            "lost": "{label}: no {end} bound: the maximum over the other parameters could not be followed",
        }
        ends = (("lower", self.lower, self.lower_found), ("upper", self.upper, self.upper_found))
        said = [told[how].format(label=self.label, end=end, value=value) for end, value, how in ends if how in told]
        return tuple(said)


def profile_interval(along: Slice, quantity: Quantity, ci_prob: float) -> Interval:
    """Values that a likelihood-ratio test at level 1 - ci_prob does not reject (Venzon and Moolgavkar 1988).

    Raises
    ------
    HigherMaximum
        The profile rises above the maximum.
    """
    level = normal_quantile(ci_prob)
    return _on_declared_scale(quantity, *(find_crossing(along, side, level) for side in (-1, 1)))


def is_edge(maximum: Maximum, quantity: Quantity) -> bool:
    """Whether the estimate of an element is the end of its own support."""
    value = maximum.declared.get(quantity.label, np.nan)
    return quantity.coordinate is not None and value in (quantity.scale.lower, quantity.scale.upper)


def opened(interval: Interval, maximum: Maximum, quantity: Quantity) -> Interval:
    """The interval of an estimate at the end of its support, with that end as one bound."""
    value = maximum.declared[quantity.label]
    if value == quantity.scale.lower:
        return replace(interval, lower=value, lower_found="edge")
    return replace(interval, upper=value, upper_found="edge")


def score_interval(along: Slice, quantity: Quantity, ci_prob: float) -> Interval:
    """Values that Rao's score test at level 1 - ci_prob does not reject (Wilson 1927; Rao 1948).

    The statistic is U^2 / I with the score U of the quantity, and its observed information I, where everything else is
    maximized over.

    Raises
    ------
    HigherMaximum
        The profile rises above the maximum.
    """
    level = normal_quantile(ci_prob)
    scored = _Scored(along)
    return _on_declared_scale(quantity, *(find_crossing(scored, side, level) for side in (-1, 1)))


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
