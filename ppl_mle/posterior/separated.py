"""Flat priors under separation: a direction in which the likelihood never falls, proved before anything is searched."""

from typing import Any

import numpy as np

from ppl_mle.maximize import Problem, Recession, prove_recession
from ppl_mle.read import Likelihood, Variable, has_one_mode, read, read_posterior

_SHARE = 1e-6
_SHOWN = 4


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
    recession = prove_recession(Problem(likelihood, {}))
    if recession is None:
        return ""
    moving = np.abs(recession.cone.direction) > _SHARE * np.abs(recession.cone.direction).max()
    if not _is_measured(likelihood, recession, moving):
        return ""
    pairs = zip(recession.columns[moving], recession.cone.direction[moving], strict=True)
    told = [f"{likelihood.scale_labels[column]} -> {np.sign(step) * np.inf:+g}" for column, step in pairs]
    shown = ", ".join(told[:_SHOWN]) + ", ..." * (len(told) > _SHOWN)
    return f"the priors are flat and the likelihood falls nowhere on the way to {shown}"


def _is_measured(likelihood: Likelihood, recession: Recession, moving: np.ndarray) -> bool:
    """Whether going along the direction is going along the declared scale, on which the priors are flat."""
    kinds = np.array([kind for var in likelihood.variables for kind in _kinds(var)])[recession.columns]
    straight = (kinds == "identity") & ~recession.lifted
    raised = recession.lifted & (recession.cone.direction > 0) & (kinds == "log")
    return bool(np.all((straight | raised)[moving]))


def _kinds(var: Variable) -> list[str]:
    """What each unconstrained element is: `identity`, the logarithm `log` of a declared length, or something else."""
    if var.elementwise:
        return [scale.kind for scale in var.scales]
    count = var.free.stop - var.free.start
    return ["identity", *["log"] * (count - 1)] if var.transform == "ordered" else ["other"] * count
