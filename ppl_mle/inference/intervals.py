"""Methods of confidence intervals: each is one object in the tuple `INTERVALS`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.estimates import normal_quantile
from ppl_mle.inference.profiles.crossing import HigherMaximum
from ppl_mle.inference.profiles.curve import Profile, trace_contour, trace_profile
from ppl_mle.inference.profiles.interval import (
    Interval,
    profile_interval,
    restarted,
    score_interval,
)
from ppl_mle.inference.quantities import Quantity, chosen_quantities, estimate_quantities
from ppl_mle.inference.resampling.bootstrap import Bootstrap, Method, bootstrap_interval, bootstrap_of, demand_same_fit
from ppl_mle.maximize import Maximum, Status

_RESTARTS = 3

ScaleName = Literal["unconstrained", "declared"]
_HIGHER = 1e-7


@dataclass(frozen=True)
class Intervals:
    """Bounds with what has to be said of them.

    Parameters
    ----------
    bounds : DataFrame
        Columns `lower` and `upper`, declared scale, indexed by label.
    notes : tuple of str
    """

    bounds: pd.DataFrame
    notes: tuple[str, ...] = ()


class IntervalMethod(Protocol):
    """A method of confidence intervals."""

    @property
    def name(self) -> str:
        """What the user asks for."""
        ...

    def find(self, maximum: Maximum, of: Any, ci_prob: float, scale: ScaleName) -> Intervals:
        """Intervals of what was asked for, with content `ci_prob`."""
        ...


@dataclass(frozen=True)
class Wald:
    """Estimate plus and minus normal quantiles times standard error, on the scale where an element is free."""

    name: ClassVar[str] = "wald"

    def find(self, maximum: Maximum, of: Any, ci_prob: float, scale: ScaleName) -> Intervals:
        """Intervals by the delta method, symmetric on the scale asked for; on their own for other quantities."""
        found = chosen_quantities(maximum, of)
        steps = [quantity.label for quantity in found if quantity.is_step(maximum)]
        bounds = estimate_quantities(maximum, found).wald(ci_prob, scale)
        bounds.loc[steps] = np.nan
        return Intervals(bounds, tuple(f"{label}: it jumps, so its derivative says nothing of it" for label in steps))


@dataclass(frozen=True)
class FromSlices:
    """Intervals that are found by maximizing with the quantity held."""

    name: str
    interval: Callable[[Maximum, Quantity, float], Interval]

    def find(self, maximum: Maximum, of: Any, ci_prob: float, scale: ScaleName) -> Intervals:
        """Intervals of what was asked for; from a higher maximum, where one is met on the way."""
        normal_quantile(ci_prob)
        if scale != "unconstrained":
            raise RequestError(
                f"scale={scale!r} means nothing to {self.name} intervals, which no scale changes; leave it out"
            )

        def every(at: Maximum) -> list[Interval]:
            return [self._one(at, quantity, ci_prob) for quantity in chosen_quantities(at, of)]

        found, notes = from_highest(maximum, every)
        if len(maximum.certificate.maxima) > 1:
            notes = (*notes, "the density has several maxima: these intervals are about the one that is returned")
        rows = [[one.lower, one.upper] for one in found]
        bounds = pd.DataFrame(rows, index=[one.label for one in found], columns=["lower", "upper"])
        return Intervals(bounds, (*notes, *(note for one in found for note in one.notes)))

    def _one(self, maximum: Maximum, quantity: Quantity, ci_prob: float) -> Interval:
        if quantity.is_fixed(maximum):
            value = quantity.value(maximum.theta)
            return Interval(quantity.label, value, value, "crossed", "crossed")
        return self.interval(maximum, quantity, ci_prob)


INTERVALS: tuple[IntervalMethod, ...] = (
    Wald(),
    FromSlices("profile", profile_interval),
    FromSlices("score", score_interval),
)


def find_intervals(
    maximum: Maximum, method: str, of: Any, ci_prob: float, scale: ScaleName = "unconstrained"
) -> Intervals:
    """Confidence intervals by one of the methods of `INTERVALS`.

    Parameters
    ----------
    maximum : Maximum
    method : str
    of : None, str, expression, or sequence of these
        As for `chosen_quantities`.
    ci_prob : float

    Returns
    -------
    Intervals

    Raises
    ------
    RequestError
        An unknown method or label, `ci_prob` outside (0, 1), or no maximum to profile from.
    """
    known = {one.name: one for one in INTERVALS}
    if method not in list(known):
        raise RequestError(
            f"method={method!r} is unknown; use one of {', '.join(map(repr, known))}, 'bootstrap-percentile', "
            "'bootstrap-bca', 'bootstrap-t'"
        )
    if method != "wald":
        _demand_maximum(maximum, f"a {method} interval")
    return known[method].find(maximum, of, ci_prob, scale)


def bootstrap_intervals(replicates: Bootstrap, maximum: Maximum, method: str, of: Any, ci_prob: float) -> pd.DataFrame:
    """Intervals from bootstrap replicates, as `Fit.conf_int` documents them; the attributes hold method and counts."""
    kinds: dict[str, Method] = {"bootstrap-percentile": "percentile", "bootstrap-bca": "bca", "bootstrap-t": "t"}
    if method not in kinds:
        raise RequestError(f"method={method!r} is unknown; use {', '.join(map(repr, kinds))}")
    demand_same_fit(replicates, maximum)
    found = replicates if of is None else bootstrap_of(replicates, maximum, chosen_quantities(maximum, of))
    bounds = bootstrap_interval(found, ci_prob, kinds[method])
    bounds.attrs = {**bounds.attrs, "notes": [bounds.attrs["method"], *bounds.attrs["notes"]], "method": method}
    return bounds


def profile_of(maximum: Maximum, of: Any, ci_prob: float) -> Profile:
    """The profile of one quantity, as `Fit.profile` documents it."""
    _demand_maximum(maximum, "a profile")
    (quantity,) = _free(maximum, of, 1)
    found, notes = from_highest(maximum, lambda at: trace_profile(at, quantity, ci_prob))
    return replace(found, notes=(*notes, *found.notes))


def contour_of(maximum: Maximum, one: Any, other: Any, ci_prob: float, points: int) -> pd.DataFrame:
    """The contour of two elements, as `Fit.contour` documents it."""
    _demand_maximum(maximum, "a contour")
    if isinstance(points, bool) or not isinstance(points, int) or points < 3:
        raise RequestError(f"points={points!r} is no whole number of at least 3; use for example 64")
    normal_quantile(ci_prob)
    pair = _free(maximum, [one, other], 2)
    return from_highest(maximum, lambda at: trace_contour(at, pair[0], pair[1], ci_prob, points))[0]


def from_highest[Found](maximum: Maximum, work: Callable[[Maximum], Found]) -> tuple[Found, tuple[str, ...]]:
    """Work from a maximum; where a profile rises above it, start again from the maximum that is reached from there.

    Raises
    ------
    RequestError
        No maximum is reached from the higher point, or still higher ones are met again and again.
    """
    notes: list[str] = []
    for _ in range(_RESTARTS):
        try:
            return work(maximum), tuple(notes)
        except HigherMaximum as higher:
            rise = higher.point.value - maximum.value
            better = restarted(maximum, higher)
            if better is None or not better.value > maximum.value + _HIGHER:
                break
            notes.append(
                f"a maximum higher by {better.value - maximum.value:.3g} was met on the way, and this is about it; fit "
                "again with starts=20"
            )
            maximum = better
    raise RequestError(
        f"on the way the log-density rose by {rise:.3g} above the maximum, and no end was reached from there; fit "
        "again with starts=20"
    )


def _demand_maximum(maximum: Maximum, what: str) -> None:
    if not (maximum.status.converged or maximum.status is Status.INFINITE):
        about = ", ".join(maximum.parameters) or "no maximum"
        raise RequestError(
            f"{what} needs a maximum, and this fit ended as {maximum.status.name} ({about}); conf_int(method='wald') "
            "gives what is estimable"
        )


def _free(maximum: Maximum, of: Any, wanted: int) -> list[Quantity]:
    found = chosen_quantities(maximum, of)
    if of is None or len(found) != wanted:
        asked = "no label" if of is None else f"{of!r}, which is {len(found)} numbers"
        raise RequestError(f"{wanted} wanted, got {asked}; name e.g. {found[0].label!r}")
    fixed = [quantity.label for quantity in found if quantity.is_fixed(maximum)]
    if fixed:
        raise RequestError(f"{fixed[0]!r} is fixed in this fit; leave it out of fixed= to profile it")
    return found
