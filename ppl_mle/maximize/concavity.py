"""Whether anything speaks against a single maximum: kinks, and rows or chords along which the log-density is convex."""

from itertools import pairwise

import numpy as np

from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import RowObjective, find_crossings

_REACHES = (1.0, 3.0, 1.0, 3.0)
_CHORDS = (*pairwise(range(len(_REACHES) + 1)), *((0, far) for far in range(2, len(_REACHES) + 1)))
_VISIBLE = 1e-6


def is_seen_convex(problem: Problem, outcome: Outcome) -> bool:
    """Whether the log-density is convex somewhere, in elements that are free on the real line.

    Elements with an edge do not count: the logarithm of a scale makes many densities with one maximum convex in part.
    Closed-form row densities of affine predictors are concave in theirs and cost nothing to tell.

    Parameters
    ----------
    problem : Problem
    outcome : Outcome
        Where a first search ended.
    """
    probe = problem.probe
    objective = probe.likelihood.objective
    lines = ~problem.is_transformed
    if isinstance(objective, RowObjective):
        on_line = np.zeros(problem.likelihood.size, bool)
        on_line[problem.free[lines]] = True
        if objective.has_convex_rows(outcome.theta, on_line) or find_crossings(objective.terms) is not None:
            return True
        if objective.rest is None and all(term.is_closed for term in objective.terms):
            return False
    return bool(np.any(lines)) and any(
        _has_convex_chord(probe, outcome.theta[problem.free], lines * units) for units in (1.0, problem.reach)
    )


def _has_convex_chord(problem: Problem, x: np.ndarray, lines: np.ndarray) -> bool:
    """Whether minus the log-density is higher in the middle of a chord than at its ends on average."""
    rng = np.random.default_rng(0)
    points = [x] + [x + reach * lines * rng.uniform(-1, 1, x.shape) for reach in _REACHES]
    values = problem.values(np.array([*points, *((points[a] + points[b]) / 2 for a, b in _CHORDS)]))
    heights, middles = values[: len(points)], values[len(points) :]
    levels = np.array([heights[a] + heights[b] for a, b in _CHORDS]) / 2
    bends = middles > levels + _VISIBLE * np.maximum(1.0, np.abs(levels))
    return bool(np.any(bends & np.isfinite(levels)))
