"""Refits that end where a variance, or another number above a lower bound, is at that bound."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ppl_mle.inference.resampling.climb import Ends
from ppl_mle.inference.resampling.neighborhood import Neighborhood
from ppl_mle.maximize import Maximum
from ppl_mle.read import Likelihood

_DRIFTED = 2.0
_CLOSE = 7.0
_AT = 36.0
_LEVEL = 1e-9

Climb = Callable[[Neighborhood, np.ndarray], Ends]
"""Searches around a point for some members."""


@dataclass(frozen=True, eq=False)
class AtEdge:
    """Maxima with one element at its lower bound.

    Parameters
    ----------
    position : int
        Of the declared element.
    members : array of int
    near : Neighborhood
        With the element held at the bound, to rounding.
    ends : Ends
        Of all members that were tried.
    place : array of int
        Where those that settled are in `ends`.
    heights : array
        Their log-densities.
    """

    position: int
    members: np.ndarray
    near: Neighborhood
    ends: Ends
    place: np.ndarray
    heights: np.ndarray


def bounded_below(likelihood: Likelihood) -> dict[int, int]:
    """Coordinates that are logarithms of the distance of a declared element from its lower bound, with its position."""
    return {
        var.free.start + i: var.declared.start + i
        for var in likelihood.variables
        if var.elementwise
        for i, scale in enumerate(var.scales)
        if scale.kind == "log" and np.isfinite(scale.lower)
    }


def drifting(maximum: Maximum, theta: np.ndarray) -> dict[int, np.ndarray]:
    """For every coordinate of that kind, which of the points, shape (m, p), lie farthest below the estimate in it."""
    coordinates = [k for k in bounded_below(maximum.plan.likelihood) if k not in maximum.held]
    if not coordinates:
        return {}
    apart = np.where(np.isfinite(theta[:, coordinates]), theta[:, coordinates] - maximum.theta[coordinates], 0.0)
    lowest = apart.argmin(axis=1)
    far = apart.min(axis=1) < -_DRIFTED
    found = {k: np.flatnonzero(far & (lowest == i)) for i, k in enumerate(coordinates)}
    return {k: members for k, members in found.items() if len(members)}


def settle_at_edge(
    maximum: Maximum,
    coordinate: int,
    members: np.ndarray,
    climb: Climb,
    likelihood_of: Callable[[int], Likelihood],
) -> AtEdge | None:
    """Find maxima with one element at its lower bound, for data sets whose searches ran that way.

    A thousandth of the estimate away from the bound, with everything else maximized over, the log-density must still
    rise towards it, and at the bound be no lower.

    Parameters
    ----------
    maximum : Maximum
    coordinate : int
        That runs to minus infinity.
    members : array of int
    climb : callable
    likelihood_of : callable

    Returns
    -------
    AtEdge or None
        None where the log-density around the bound does not lend itself to it.
    """
    position = bounded_below(maximum.plan.likelihood)[coordinate]
    stages = [Neighborhood.of(_moved(maximum, coordinate, distance)) for distance in (_CLOSE, _AT)]
    if stages[0] is None or stages[1] is None:
        return None
    close, at = climb(stages[0], members), climb(stages[1], members)
    kept, heights = [], []
    for i in np.flatnonzero(close.settled & at.settled).tolist():
        objective = likelihood_of(int(members[i])).objective
        before, gradient = objective.value_and_gradient(stages[0].theta(close.u[i]))
        height = objective.value_and_gradient(stages[1].theta(at.u[i]))[0]
        if gradient[coordinate] < 0 and height >= before - _LEVEL * max(1.0, abs(before)):
            kept.append(i)
            heights.append(height)
    place = np.array(kept, int)
    return AtEdge(position, members[place], stages[1], at, place, np.array(heights))


def _moved(maximum: Maximum, coordinate: int, distance: float) -> Maximum:
    """The maximum with a coordinate held a distance below its estimate."""
    theta = maximum.theta.copy()
    theta[coordinate] -= distance
    return replace(maximum, theta=theta, held={**maximum.held, coordinate: float(theta[coordinate])})
