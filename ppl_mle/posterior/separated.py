"""Flat priors under separation: a direction in which the likelihood never falls, proved before anything is searched."""

from typing import Any

import numpy as np

from ppl_mle.maximize import Problem, Recession, never_falls, prove_recession
from ppl_mle.read import Likelihood, has_one_mode, read, read_posterior

_SHARE = 1e-6
_SHOWN = 4
_LOOKS = 5


def why_separated(model: Any) -> str:
    """Why a posterior with flat priors has infinite mass, as the end of a sentence; empty where this proves nothing.

    Not asked where one search tells: of posteriors that are known to have one mode at most, or none.

    Where the likelihood does not fall along a direction from any point, and every prior is constant on its support,
    the posterior does not integrate along it (Chen and Shao 2000; for logistic regression it is separation).

    Parameters
    ----------
    model : pm.Model
    """
    likelihood = read(model, "MLE").likelihood
    if not likelihood.flat_priors or has_one_mode(read_posterior(model)):
        return ""
    problem = Problem(likelihood, {})
    recession = prove_recession(problem)
    if recession is None or not _never_falls(problem, recession):
        return ""
    moving = np.abs(recession.cone.direction) > _SHARE * np.abs(recession.cone.direction).max()
    if not _is_measured(likelihood, recession, moving):
        return ""
    pairs = zip(recession.columns[moving], recession.cone.direction[moving], strict=True)
    told = [f"{likelihood.scale_labels[column]} -> {np.sign(step) * np.inf:+g}" for column, step in pairs]
    shown = ", ".join(told[:_SHOWN]) + ", ..." * (len(told) > _SHOWN)
    return f"the priors are flat and the likelihood falls nowhere on the way to {shown}"


def _never_falls(problem: Problem, recession: Recession) -> bool:
    """Whether the log-density bears the proof out at the start and at points around it where it exists."""
    start = problem.likelihood.mapping.start(None)
    moves = np.random.default_rng(0).uniform(-1, 1, (_LOOKS, len(start)))
    points = [start, *(start + move for move in moves)]
    inside = [point for point in points if np.isfinite(problem.value(point))]
    with np.errstate(all="ignore"):
        return bool(inside) and all(never_falls(problem, point, recession) for point in inside)


def _is_measured(likelihood: Likelihood, recession: Recession, moving: np.ndarray) -> bool:
    """Whether going along the direction is going along the declared scale, on which the priors are flat."""
    kinds = np.full(likelihood.size, "other", dtype=object)
    for var in likelihood.variables:
        if var.free_scales:
            kinds[var.free] = [scale.kind for scale in var.free_scales]
    kinds = kinds[recession.columns]
    straight = (kinds == "identity") & ~recession.lifted
    raised = recession.lifted & (recession.cone.direction > 0) & (kinds == "log")
    return bool(np.all((straight | raised)[moving]))
