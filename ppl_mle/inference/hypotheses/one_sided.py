"""Hypotheses that a parameter can leave to one side only: fixed next to an edge, or a density that is even there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ppl_mle.inference.hypotheses.transfer import Extra
from ppl_mle.maximize import Maximum
from ppl_mle.read import RowObjective

_CLOSE = 1e-6
_SAME = 1e-9
_DISTANCES = (1.0, 0.37)
_INSIDE = 0.9


@dataclass(frozen=True)
class OneSided:
    """A hypothesis on an edge.

    Parameters
    ----------
    label : str
    note : str
        Why it counts as one, as a sentence.
    """

    label: str
    note: str


def find_one_sided(full: Maximum, extra: Extra, points: Sequence[np.ndarray]) -> OneSided | None:
    """Tell whether an extra parameter can leave its value to one side only, although the value is inside its support.

    A value that was fixed within a millionth of the distance from an edge to the larger fit's estimate is that edge. A
    value about which the log-density is symmetric, in the parameter alone, is the edge of the distance from it: only
    the distance is a parameter of the model, as with a standard deviation that may be negative.

    Parameters
    ----------
    full : Maximum
        The larger fit.
    extra : Extra
    points : sequence of array, shape (p,)
        Vectors of the larger model with the extra parameters at their values.
    """
    placed = points[0][extra.coordinate]
    value = float(extra.scale.to_declared(placed))
    if not extra.absent:
        for edge in (extra.scale.lower, extra.scale.upper):
            if np.isfinite(edge) and _is_at(full, extra, value, edge, points[0]):
                return OneSided(extra.label, f"{extra.label} = {value:.6g} is taken as the edge {edge:.6g}")
    null = 0.0 if abs(value) <= _CLOSE * abs(_estimate(full, extra)) else value
    if _is_even(full, extra, null, [*points, full.theta]):
        shown = extra.texts[0] if extra.texts else f"{extra.label} = {null:.6g}"
        return OneSided(
            extra.label,
            f"the log-likelihood is the same on both sides of {shown}, which is therefore tested as the edge of "
            f"{f'|{extra.label}|' if null == 0 else 'the distance from it'}",
        )
    return None


def _estimate(full: Maximum, extra: Extra) -> float:
    return float(extra.scale.to_declared(full.theta[extra.coordinate]))


def _is_at(full: Maximum, extra: Extra, value: float, edge: float, placed: np.ndarray) -> bool:
    """Whether a fixed value is an edge, as far as the data can tell."""
    if extra.label not in full.declared:
        return abs(value - edge) <= _CLOSE * abs(_estimate(full, extra) - edge)
    if full.declared[extra.label] != edge:
        return False
    beyond = placed.copy()
    beyond[extra.coordinate] = full.theta[extra.coordinate]
    return _agree(_densities(full, placed), _densities(full, beyond))


def _is_even(full: Maximum, extra: Extra, null: float, points: Sequence[np.ndarray]) -> bool:
    """Whether every row's log-density, or their sum where there are no rows, is symmetric about a value."""
    i, scale = extra.coordinate, extra.scale
    with np.errstate(all="ignore"):
        error = np.sqrt(full.covariance[i, i]) * abs(float(scale.slope(_estimate(full, extra))))
        away = float(np.nanmax([abs(_estimate(full, extra) - null), error, 0.0]))
    reach = min(away or 1.0, _INSIDE * (null - scale.lower), _INSIDE * (scale.upper - null))
    for point in points:
        for distance in _DISTANCES:
            sides = []
            for sign in (-1.0, 1.0):
                moved = point.copy()
                moved[i] = scale.to_free(null + sign * distance * reach)
                sides.append(_densities(full, moved))
            if not _agree(*sides):
                return False
    return True


def _densities(full: Maximum, theta: np.ndarray) -> np.ndarray:
    """Log-densities of the rows, and the sum of what has no rows."""
    objective = full.plan.likelihood.objective
    with np.errstate(all="ignore"):
        if not isinstance(objective, RowObjective):
            return np.array([objective.value_and_gradient(theta)[0]])
        jets = [term.density(theta, slice(0, term.count, 1), 0) for term in objective.terms if term.groups]
        parts = [np.array([np.nan]) if jet is None else np.ravel(jet.value) for jet in jets]
        rest = [] if objective.rest is None else [np.array([objective.rest.value_and_gradient(theta)[0]])]
    return np.concatenate([*parts, *rest])


def _agree(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape or not np.isfinite(one).all() or not np.isfinite(other).all():
        return False
    return bool(np.all(np.abs(one - other) <= _SAME * np.maximum(1.0, np.abs(one))))
