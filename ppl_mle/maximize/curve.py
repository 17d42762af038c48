"""Coordinates that run away along a curve: one is held ever farther out, and the others follow as they like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ppl_mle.maximize.drift import Drift
from ppl_mle.maximize.evidence import value_noise
from ppl_mle.maximize.local import look_closely
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search

_LARGEST = 20
_STEPS = 6
_LONG = 1e-3
_FACTOR = 4.0
_BACK = 30
_AHEAD = 15
_SEEN = 5
_SHRINKS = 0.7
_LASTS = 0.9
_VISIBLE = 1e-7
_SPENT = 1e-10
_ROUNDING = 1e-9
_TIMES_NOISE = 4.0
_BETWEEN = 3
_SETTLED = ("edm", "rounding")


@dataclass(frozen=True)
class Curve:
    """A way to a limit.

    Parameters
    ----------
    search : Search
        Ends at the farthest point where the rise is not rounding yet.
    drift : Drift
        The coordinates that have not settled there.
    pinned : array of int
        Those that have settled, but are known ever better on the way: no standard error tends to a limit.
    """

    search: Search
    drift: Drift
    pinned: np.ndarray


@dataclass(frozen=True)
class Stop:
    """The maximum over all other coordinates with one of them held.

    Parameters
    ----------
    x, gradient : array, shape (size,)
    value : float
        Minus the log-density.
    """

    x: np.ndarray
    gradient: np.ndarray
    value: float


def follow_curve(problem: Problem, search: Search) -> Curve | None:
    """Follow a coordinate of the whole line that grew without end, with the others at their maximum given it.

    It is multiplied by four again and again. Towards a limit the log-density then rises by ever less, each time by the
    same factor at most, and never falls again.

    Returns
    -------
    Curve or None
        None where the log-density has no limit that way, or it is not seen.
    """
    lead = _leading(problem, search)
    if lead is None:
        return None
    stops = _stops(problem, search, lead)
    rises = -np.diff([stop.value for stop in stops])
    first = next((i for i in range(len(rises)) if _is_tail(problem, rises[i:], stops[i:])), None)
    if first is None:
        return None
    spent = _SPENT * max(1.0, abs(search.value))
    pairs = enumerate(pairwise(rises[first:]), first + 1)
    last = next((i for i, (a, b) in pairs if not spent < b <= _SHRINKS * a), len(rises))
    end = stops[last]
    steps = np.diff([stop.x for stop in stops[first : last + 1]], axis=0)
    lasting = np.abs(steps[-1]) >= _LASTS * np.abs(steps[-2])
    moving = np.flatnonzero(lasting & (steps[-1] != 0))
    if lead not in moving:
        return None
    path = ((end.x, end.gradient),)
    there = replace(search, x=end.x, value=end.value, gradient=end.gradient, stop="edm", path=path)
    pinned = _pinned(problem, search.units, moving, stops[last - _BETWEEN], end)
    return Curve(there, Drift(moving, steps[-1][moving], bounded=True), pinned)


def _pinned(problem: Problem, units: np.ndarray, moving: np.ndarray, before: Stop, end: Stop) -> np.ndarray:
    """The coordinates whose standard errors, given those that move, shrink with every step."""
    kept = np.setdiff1d(np.arange(problem.size), moving)
    if not len(kept):
        return kept
    errors = []
    for stop in (before, end):
        held = {int(problem.free[i]): float(stop.x[i]) for i in moving}
        rest = Problem(problem.likelihood, problem.held | held)
        local = look_closely(rest, stop.x[kept], stop.gradient[kept], units[kept])
        errors.append(np.sqrt(local.covariance.diagonal()))
    return kept[errors[1] < _SHRINKS * errors[0]]


def _leading(problem: Problem, search: Search) -> int | None:
    """The coordinate of the whole line that grew most over the last steps, all in one direction."""
    if not 1 < problem.size <= _LARGEST or len(search.path) < _STEPS + 1:
        return None
    steps = np.diff([x for x, _ in search.path[-_STEPS - 1 :]], axis=0)
    outwards = np.all(np.sign(steps) == np.sign(search.x), axis=0) & ~problem.is_transformed
    growth = np.where(outwards, np.abs(steps).min(axis=0) / np.maximum(np.abs(search.x), np.finfo(float).tiny), 0.0)
    lead = int(np.argmax(growth))
    return lead if growth[lead] > _LONG else None


def _stops(problem: Problem, search: Search, lead: int) -> list[Stop]:
    """From as far back as others follow, or the start, to as far ahead."""
    back = _walk(problem, search.x, lead, 1 / _FACTOR, _BACK)
    if not back:
        return []
    return [*back[::-1], *_walk(problem, back[0].x, lead, _FACTOR, _AHEAD)[1:]]


def _walk(problem: Problem, x: np.ndarray, lead: int, factor: float, most: int) -> list[Stop]:
    found: list[Stop] = []
    held, others = float(x[lead]), np.delete(x, lead)
    for _ in range(most):
        rest = Problem(problem.likelihood, problem.held | {int(problem.free[lead]): held})
        if not np.isfinite(rest.value_and_gradient(others)[0]):
            break
        inner = Newton(iterations=100).search(rest, others, lambda iteration, value: None)
        if inner.stop not in _SETTLED:
            break
        others = inner.x
        place = np.insert(others, lead, held)
        value, gradient = problem.value_and_gradient(place)
        found.append(Stop(place, gradient, value))
        held *= factor
    return found


def _is_tail(problem: Problem, rises: np.ndarray, stops: Sequence[Stop]) -> bool:
    """Whether rises are visible, shrink steadily until they are spent, and are not taken back but by rounding."""
    scale = max(1.0, abs(stops[-1].value))
    visible = rises > _VISIBLE * scale
    seen = len(rises) if np.all(visible) else int(np.argmin(visible))
    if not _SEEN <= seen < len(rises) or not np.all(rises[1:seen] <= _SHRINKS * rises[: seen - 1]):
        return False
    noise = [value_noise(problem, stop.x) for stop in stops[seen + 1 :]]
    return bool(np.all(rises[seen:] > -_ROUNDING * scale - _TIMES_NOISE * np.array(noise)))
