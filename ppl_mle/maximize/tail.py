"""Tails that wind: the maximum over all other elements rises towards a limit as one element grows without end."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ppl_mle.maximize.edges import Destination, follow_elements
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.status import Status

_FAR = 8.0
_SHIFTS = (-6.0, -4.0, -2.0, 0.0, 2.0)
_SHRINKS = 0.5
_ROUNDING = 1e-12
_SPENT = 1e-3
_MOST = 12
_ITERATIONS = 100


def follow_tail(problem: Problem, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Call the highest end of searches the limit of a tail, if its profile along an element far out is that of one.

    A search that has to wind, as where the product of a scale and its effects stays what it is while the scale grows,
    moves too slowly for its steps to tell.

    Parameters
    ----------
    problem : Problem
    outcomes : sequence of Outcome
        None of them certified.

    Returns
    -------
    Outcome or None
        INFINITE; None where the profile does not rise ever less towards a limit.
    """
    best = min(outcomes, key=lambda outcome: outcome.search.value)
    x, origin = best.theta[problem.free], problem.likelihood.mapping.start(None)[problem.free]
    grown = np.where(problem.is_transformed, np.abs(x - origin), np.log(1e-300 + np.abs(x) / (1 + np.abs(origin))))
    for lead in np.flatnonzero((grown > _FAR) & np.isfinite(origin))[:_MOST]:
        signs = np.zeros(problem.likelihood.size)
        signs[problem.free[lead]] = np.sign(x[lead] - origin[lead])
        value, gradient = problem.value_and_gradient(x)
        limits, edges = follow_elements(problem, x, gradient, signs)
        if edges or not limits:
            continue
        place = _profile(problem, x, int(lead), float(signs[problem.free[lead]]))
        if place is not None:
            destination = Destination(limits, ())
            value, gradient = problem.value_and_gradient(place)
            end = replace(best.search, x=place, value=value, gradient=gradient, path=((place, gradient),))
            return Outcome(
                problem,
                end,
                Status.INFINITE,
                names=destination.names,
                short=destination.short,
                labels=tuple(limits),
                limits=limits,
                unknown=problem.free,
            )
    return None


def _profile(problem: Problem, x: np.ndarray, lead: int, sign: float) -> np.ndarray | None:
    """The place farthest out, if the maximum given the leading coordinate rises ever less on the way there."""
    other, before, rises = np.delete(x, lead), np.inf, [np.inf]
    for shift in _SHIFTS:
        at = float(x[lead] + sign * shift if problem.is_transformed[lead] else x[lead] * np.exp(shift))
        rest = Problem(problem.likelihood, problem.held | {int(problem.free[lead]): at})
        if not np.isfinite(rest.value_and_gradient(other)[0]):
            return None
        if len(other):
            other = Newton(iterations=_ITERATIONS).search(rest, other, lambda iteration, value: None).x
        value = rest.value_and_gradient(other)[0]
        noise = _ROUNDING * max(1.0, abs(value))
        if not -noise < before - value <= _SHRINKS * rises[-1] + noise:
            return None
        rises.append(before - value)
        before = value
    return np.insert(other, lead, at) if rises[2] > noise and rises[-1] < _SPENT else None
