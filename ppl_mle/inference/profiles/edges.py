"""Coordinates that ran to an edge or to infinity, and whether they would stay there elsewhere along a profile."""

from collections.abc import Sequence

import numpy as np

from ppl_mle.maximize import Maximum
from ppl_mle.read import Likelihood

_POINTS = 40
_BEYOND = 8.0
_VISIBLE = 1e-9


def edge_coordinates(maximum: Maximum) -> np.ndarray:
    """Coordinates without a variance that the user did not fix: they ran to an edge of their support or to infinity."""
    without = np.flatnonzero(~(np.diag(maximum.observed_covariance) > 0))
    return np.setdiff1d(without, list(maximum.held))


def find_release(likelihood: Likelihood, edges: Sequence[int], theta: np.ndarray, value: float) -> np.ndarray | None:
    """A point that is higher with one of the edge coordinates brought back inside; None where they stay at their edges.

    Parameters
    ----------
    likelihood : Likelihood
    edges : sequence of int
        Coordinates far out.
    theta : array, shape (p,)
        The maximum over all others with those held.
    value : float
        Log-density there.

    Returns
    -------
    array, shape (p,), or None
    """
    start = likelihood.mapping.start(None) if len(edges) else theta
    best, level = None, value + _VISIBLE * max(1.0, abs(value))
    for i in edges:
        inward = np.sign(start[i] - theta[i]) or 1.0
        for at in np.linspace(theta[i], start[i] + inward * _BEYOND, _POINTS)[1:]:
            moved = np.array(theta)
            moved[i] = at
            found = float(likelihood.objective.value_and_gradient(moved)[0])
            if found > level:
                best, level = moved, found
    return best


def looks_around(maximum: Maximum) -> tuple[np.ndarray, np.ndarray]:
    """Where to look how a quantity changes: a point, with what ran to an edge brought back, and spreads, shape (p,)."""
    gone, base, spread = edge_coordinates(maximum), np.array(maximum.theta), standard_errors(maximum)
    base[gone] = maximum.plan.likelihood.mapping.start(None)[gone]
    spread[gone] = 1.0
    return base, spread


def standard_errors(maximum: Maximum) -> np.ndarray:
    """Standard errors on the unconstrained scale, shape (p,); zero where there is none."""
    return np.asarray(np.sqrt(np.maximum(np.nan_to_num(np.diag(maximum.observed_covariance)), 0)))
