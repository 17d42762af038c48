"""Ridges that bend: several searches ended at one height in different places, and one can walk between them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from ppl_mle.maximize.local import look_closely
from ppl_mle.maximize.naming import abbreviated
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.status import Status

_LEVEL = 1e-9
_APART = 1e-3
_MOVED = 1e-5
_STATIONS = (0.25, 0.5, 0.75)


def settle_on_ridge(problem: Problem, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Call what searches ended in a ridge, if the maximum over all other elements stays the same between two ends.

    Parameters
    ----------
    problem : Problem
    outcomes : sequence of Outcome
        None of them certified.

    Returns
    -------
    Outcome or None
        UNIDENTIFIED; None where the highest ends are not on one level, or it is not level between them.
    """
    top = min(outcome.search.value for outcome in outcomes)
    ends = [o for o in outcomes if o.status is Status.NOT_CONVERGED and _is_level(o.search.value, top)]
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
    labels = problem.declared_labels(problem.free[touched])
    value, gradient = problem.value_and_gradient(x)
    end = replace(search, x=x, value=value, gradient=gradient, stop="flat", path=((x, gradient),))
    rest = Problem(problem.likelihood, problem.held | {int(problem.free[lead]): float(x[lead])})
    seen = look_closely(rest, np.delete(x, lead), np.delete(gradient, lead), np.ones(rest.size)) if rest.size else None
    strict = seen is not None and seen.exists and not np.any(seen.null) and not seen.has_descent
    still = np.insert(np.eye(rest.size), lead, 0.0, axis=0)
    units = np.ones(problem.size)
    return Outcome(
        problem,
        end,
        Status.UNIDENTIFIED,
        replace(seen, x=x, gradient=gradient, units=units, basis=still @ seen.basis) if seen and strict else None,
        names=f"{abbreviated(labels, problem.likelihood.labels)}, along a curve,",
        short=abbreviated(labels, problem.likelihood.labels),
        labels=labels,
        ridges=np.eye(problem.size)[:, touched],
    )
