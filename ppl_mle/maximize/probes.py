"""Looks at the log-density where searches do not come: with one scale held far away and all else maximized given it."""

from collections.abc import Iterator, Sequence

import numpy as np

from ppl_mle.maximize.maxima import margin
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.patience import Tick
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.status import Status
from ppl_mle.read import RowObjective

_DOWN = (-4.0, -8.0, -12.0)
_EDGE = 8.0
_BACK = (0.0, -2.0, 2.0, -4.0, 4.0, -6.0, -8.0)
_MOST = 12
_LARGEST = 300
_LARGEST_GENERAL = 40
_ITERATIONS = 40


def propose_probes(problem: Problem, best: Outcome, tick: Tick, doubtful: bool) -> Iterator[np.ndarray]:
    """Yield points higher than the best one, with one scale held: starts for searches that let it go.

    Scales of latent variables are held ever smaller, where a joint density may have no bound; those that ran to an
    edge are held at values between, where a maximum may have been passed by. Where there may be several maxima, every
    element with an edge is held close to it, where the highest may be.

    Parameters
    ----------
    problem : Problem
    best : Outcome
    tick : callable
        Told every iteration of a search.
    doubtful : bool
        There may be several maxima.

    Yields
    ------
    array
        At most one point for every scale.
    """
    rows = isinstance(problem.likelihood.objective, RowObjective)
    if problem.size > (_LARGEST if rows else _LARGEST_GENERAL):
        return
    x = best.theta[problem.free]
    if best.status in (Status.BOUNDARY, Status.INFINITE):
        away = np.flatnonzero(np.isin(problem.free, best.unknown))[:_MOST]
        origin = problem.likelihood.mapping.start(None)[problem.free]
        others = [x, np.where(np.isfinite(origin), origin, 0.0)]
        plans = [(int(j), [float(origin[j]) + shift for shift in _BACK]) for j in away]
    elif best.status is Status.CONVERGED and problem.likelihood.latents:
        scales = np.flatnonzero(problem.is_positive & ~_is_latent(problem))[:_MOST]
        others = [x]
        plans = [(int(j), [float(x[j]) + shift for shift in _DOWN]) for j in scales]
    elif best.status is Status.CONVERGED and doubtful:
        others = [x]
        plans = [(j, [float(x[j]) + side * _EDGE]) for j, side in _edges(problem)]
    else:
        return
    bar = best.search.value - margin(best)
    for j, values in plans:
        place = _highest(problem, others, j, values, bar, tick)
        if place is not None:
            yield place


def _edges(problem: Problem) -> list[tuple[int, float]]:
    """Elements that have edges of their own, with the side of each edge; infinity is none."""
    own = np.zeros(problem.likelihood.size, bool)
    for var in problem.likelihood.variables:
        own[var.free] = var.elementwise
    inside = np.flatnonzero(problem.is_transformed & own[problem.free])[:_MOST]
    return [(int(j), side) for j in inside for side in ((-1.0,) if problem.is_positive[j] else (-1.0, 1.0))]


def _is_latent(problem: Problem) -> np.ndarray:
    mask = np.zeros(problem.likelihood.size, bool)
    for var in problem.likelihood.variables:
        mask[var.free] = var.name in problem.likelihood.latents
    return mask[problem.free]


def _highest(
    problem: Problem, others: Sequence[np.ndarray], j: int, values: Sequence[float], bar: float, tick: Tick
) -> np.ndarray | None:
    """The best of the points with coordinate j held at each value in turn, if it is higher than the bar.

    The other coordinates are started where they ended for the value before, and from the points given.
    """
    best, place, last = bar, None, others[0]
    for value in values:
        rest = Problem(problem.likelihood, problem.held | {int(problem.free[j]): value})
        for other in {id(start): start for start in (last, *others)}.values():
            start = np.delete(other, j)
            if not np.isfinite(rest.value_and_gradient(start)[0]):
                continue
            if len(start):
                start = Newton(iterations=_ITERATIONS).search(rest, start, tick).x
            last = np.insert(start, j, value)
            height = problem.value_and_gradient(last)[0]
            if height < best:
                best, place = height, last
    return place
