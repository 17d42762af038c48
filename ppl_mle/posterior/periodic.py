"""Flat priors on the line of what the density repeats itself in: phases, directions, frequencies."""

from typing import Any

import numpy as np

from ppl_mle.read import Likelihood, RowObjective, enters_by_waves, has_constant_prior, read

_SHOWN = 4
_LOOKS = 3
_TURNS = (-1, 1, 3)
_SAME = 1e-9


def why_periodic(model: Any) -> str:
    """Why a posterior has infinite mass, as the end of a sentence; empty where this proves nothing.

    An element of the line with a flat prior that enters through sines and cosines alone makes the density almost
    periodic, so that its integral over the line is infinite.

    Parameters
    ----------
    model : pm.Model
    """
    posterior = read(model, "MAP").likelihood
    flat = [
        (label, coordinate)
        for var in posterior.variables
        if var.elementwise and has_constant_prior(model, var.name)
        for label, scale, coordinate in zip(var.labels, var.scales, range(var.free.start, var.free.stop), strict=True)
        if scale.kind == "identity"
    ]
    with np.errstate(all="ignore"):
        found = [label for label, coordinate in flat if _repeats(posterior, coordinate)]
    if not found:
        return ""
    shown = ", ".join(found[:_SHOWN]) + ", ..." * (len(found) > _SHOWN)
    return f"the density repeats itself without end along {shown}, where the prior is flat; bound it to a period"


def _repeats(posterior: Likelihood, coordinate: int) -> bool:
    objective = posterior.objective
    if isinstance(objective, RowObjective) and objective.rest is None:
        return enters_by_waves(objective, coordinate)
    start, rng = posterior.mapping.start(None), np.random.default_rng(0)
    points = start + rng.uniform(-1, 1, (_LOOKS, len(start)))
    return all(_is_same_a_turn_away(objective, point, coordinate) for point in points)


def _is_same_a_turn_away(objective: Any, point: np.ndarray, coordinate: int) -> bool:
    """Whether the log-density is the same full turns away and another in between."""
    unit = np.eye(len(point))[coordinate]
    here, *there = (objective.value_and_gradient(point + 2 * np.pi * turns * unit)[0] for turns in (0, *_TURNS))
    between = objective.value_and_gradient(point + unit)[0]
    close = _SAME * max(1.0, abs(here))
    return bool(np.isfinite(here) and max(abs(value - here) for value in there) <= close < abs(between - here))
