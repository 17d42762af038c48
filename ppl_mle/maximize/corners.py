"""Starts in the corners of a mixture: one component upon one observation, where a free scale may shrink without end."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.patience import Tick
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import RowObjective

_SHRUNK = 12.0
_QUANTILES = np.linspace(0.0, 1.0, 5)
_MOST_PLACES = 2000
_FOLLOWED = 2
_DRAWN = 0.5

Move = tuple[int | None, float]
Place = tuple[np.ndarray, list[int], list[int]]


def propose_corners(problem: Problem, best: Outcome, tick: Tick) -> list[np.ndarray]:
    """Points with one component, rare and narrow, upon an observation; the other elements at their maximum given that.

    Parameters
    ----------
    problem : Problem
    best : Outcome
        Where the other elements are taken from at first.
    tick : callable
        Told every iteration of a search.

    Returns
    -------
    list of array
        At most two, the highest; none for a log-density without mixtures.
    """
    values, rows = _observed(problem)
    lines = np.flatnonzero(~problem.is_transformed)
    scales, shares = (np.flatnonzero(problem.is_transformed & (problem.is_positive == kind)) for kind in (True, False))
    moves: list[Move] = [(int(j), s * float(np.log(rows))) for j, s in product(shares, (-1.0, 1.0))] if rows else []
    if not 0 < len(scales) * len(lines) * len(values) * max(1, len(moves)) <= _MOST_PLACES:
        return []
    places = list(_places(best.theta[problem.free], scales, lines, values, moves or [(None, 0.0)]))
    heights = np.array([_height(problem, place, narrow[0]) for place, narrow, _ in places])
    highest = [i for i in np.argsort(heights)[:_FOLLOWED] if np.isfinite(heights[i])]
    return [_adjusted(problem, places[i], tick) for i in highest]


def _height(problem: Problem, place: np.ndarray, scale: int) -> float:
    """Minus the log-density where it rises as the scale shrinks further; else infinity."""
    value, gradient = problem.value_and_gradient(place)
    return value if gradient[scale] > _DRAWN else np.inf


def _adjusted(problem: Problem, place: Place, tick: Tick) -> np.ndarray:
    """The maximum over all other elements, with the narrow component held; its share is held at first."""
    x, narrow, share = place
    for still in (narrow + share, narrow):
        held = {int(problem.free[i]): float(x[i]) for i in still}
        rest = Problem(problem.likelihood, problem.held | held)
        start = x[np.setdiff1d(np.arange(problem.size), still)]
        if len(start):
            x = rest.expand(Newton().search(rest, start, tick).x)[problem.free]
    return x


def _observed(problem: Problem) -> tuple[np.ndarray, int]:
    """A few of the numbers that the rows of mixtures hold, and the number of rows."""
    objective = problem.likelihood.objective
    if not isinstance(objective, RowObjective):
        return np.zeros(0), 0
    mixtures = [term for term in objective.terms if term.is_mixture]
    held = [np.quantile(array, _QUANTILES, method="nearest") for term in mixtures for array in term.row_constants]
    return np.unique(held), max((term.count for term in mixtures), default=0)


def _places(
    x: np.ndarray, scales: np.ndarray, lines: np.ndarray, values: np.ndarray, moves: Sequence[Move]
) -> Iterator[Place]:
    for scale, line, value, (share, move) in product(scales, lines, values, moves):
        place = x.copy()
        place[scale] -= _SHRUNK
        place[line] = value
        if share is not None:
            place[share] = move
        yield place, [int(scale), int(line)], [] if share is None else [int(share)]
