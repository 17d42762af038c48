"""Ridges that bend: several searches ended at one height in different places, and one can walk between them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from ppl_mle.maximize.local import Local, look_closely
from ppl_mle.maximize.naming import abbreviated
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.ridge import search_across
from ppl_mle.maximize.scaling import equilibrate
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.status import Status
from ppl_mle.maximize.tail import follow_tail

_LEVEL = 1e-9
_APART = 1e-3
_MOVED = 1e-5
_FLAT = 1e-6
_STATIONS = (0.25, 0.5, 0.75)


def settle_on_ridge(problem: Problem, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Call what searches ended in a ridge, if the maximum over all other elements stays the same between two ends.

    Parameters
    ----------
    problem : Problem
    outcomes : sequence of Outcome
        None of them certified. Those of which a coordinate was followed towards infinity are no ends of a ridge.

    Returns
    -------
    Outcome or None
        UNIDENTIFIED, or INFINITE where it is a tail; None where the highest ends are not on one level, or it is not
        level between them.
    """
    tail = follow_tail(problem, outcomes)
    if tail is not None:
        return tail
    top = min(outcome.search.value for outcome in outcomes)
    unsettled = [o for o in outcomes if o.status is Status.NOT_CONVERGED and not len(o.unknown)]
    ends = [o for o in unsettled if _is_level(o.search.value, top)]
    places = [outcome.theta[problem.free] for outcome in ends]
    pairs = [(_distance(a, b), i, k) for (i, a), (k, b) in combinations(enumerate(places), 2)]
    far = [pair for pair in pairs if pair[0] > _APART]
    if not far:
        return None
    _, i, k = min(far)
    walked = _walk(problem, places[i], places[k], top)
    if walked is None:
        return None
    touched = np.flatnonzero(np.ptp(walked, axis=0) > _MOVED * (1 + np.abs(walked[0])))
    return _describe(problem, ends[i].search, walked[1], touched, _lead(places[i], places[k]))


def _is_level(value: float, top: float) -> bool:
    return bool(value - top <= _LEVEL * max(1.0, abs(top)))


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.max(np.abs(a - b) / (1 + np.minimum(np.abs(a), np.abs(b)))))


def _lead(a: np.ndarray, b: np.ndarray) -> int:
    """The coordinate in which two places differ most."""
    return int(np.argmax(np.abs(a - b) / (1 + np.minimum(np.abs(a), np.abs(b)))))


def _walk(problem: Problem, a: np.ndarray, b: np.ndarray, top: float) -> np.ndarray | None:
    """Places on the way from a to b, shape (k, size), or None where one of them is lower."""
    lead = _lead(a, b)
    places = [a]
    for station in _STATIONS:
        between = (1 - station) * a + station * b
        rest = Problem(problem.likelihood, problem.held | {int(problem.free[lead]): float(between[lead])})
        others = np.delete(between, lead)
        if len(others):
            if not np.isfinite(rest.value_and_gradient(others)[0]):
                return None
            others = Newton().search(rest, others, lambda iteration, value: None).x
        place = np.insert(others, lead, between[lead])
        if not _is_level(problem.value_and_gradient(place)[0], top):
            return None
        places.append(place)
    return np.array([*places, b])


def _describe(problem: Problem, search: Search, x: np.ndarray, touched: np.ndarray, lead: int) -> Outcome:
    """Tell what changes along the curve; what does not to first order, across its tangents, keeps its error."""
    labels = problem.declared_labels(problem.free[touched])
    value, gradient = problem.value_and_gradient(x)
    end = replace(search, x=x, value=value, gradient=gradient, stop="flat", path=((x, gradient),))
    tangents, across = _split(problem, end)
    if across.shape[1]:
        end, _ = search_across(problem, end, x, across)
        tangents, across = _split(problem, end)
    if tangents.shape[1] and across.shape[1]:
        end, seen = search_across(problem, end, end.x, across)
        if seen.exists and not np.any(seen.null) and not seen.has_descent:
            return _told(problem, end, seen, labels, tangents)
    everything = np.eye(problem.size)[:, touched]
    rest = Problem(problem.likelihood, problem.held | {int(problem.free[lead]): float(x[lead])})
    if not rest.size:
        return _told(problem, end, None, labels, everything)
    still = np.delete(np.eye(problem.size), lead, axis=1)
    seen = look_closely(rest, np.delete(end.x, lead), np.delete(end.gradient, lead), np.ones(rest.size))
    strict = seen.exists and not np.any(seen.null) and not seen.has_descent
    local = replace(seen, x=end.x, gradient=end.gradient, units=np.ones(problem.size), basis=still @ seen.basis)
    return _told(problem, end, local if strict else None, labels, everything)


def _split(problem: Problem, end: Search) -> tuple[np.ndarray, np.ndarray]:
    """Directions along a ridge, of unit length, and across it, one standard error long, as columns."""
    matrix = problem.hessian(end.x, np.ones(problem.size))
    if not np.all(np.isfinite(matrix)):
        return (np.zeros((problem.size, 0)),) * 2
    units = equilibrate(matrix, end.gradient, end.x)
    values, vectors = np.linalg.eigh(matrix * np.outer(units, units))
    flat, bent = np.abs(values) <= _FLAT * np.abs(values).max(), values > _FLAT * np.abs(values).max()
    tangents = units[:, None] * vectors[:, flat]
    return tangents / np.linalg.norm(tangents, axis=0), units[:, None] * vectors[:, bent] / np.sqrt(values[bent])


def _told(problem: Problem, end: Search, local: Local | None, labels: tuple[str, ...], ridges: np.ndarray) -> Outcome:
    short = abbreviated(labels, problem.likelihood.labels)
    return Outcome(
        problem,
        end,
        Status.UNIDENTIFIED,
        local,
        names=f"{short}, along a curve,",
        short=short,
        labels=labels,
        ridges=ridges,
    )
