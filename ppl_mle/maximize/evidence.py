"""The figures that a certificate rests on, taken at one point."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from ppl_mle.maximize.drift import curvature_is_steady
from ppl_mle.maximize.local import Local
from ppl_mle.maximize.problem import Problem

_CERTIFIED = 1e-8
_SAME_VALUE = 1e-9
_SAME_CURVATURE = 1e-2
_NUDGE = 1e-9
_PARTS = (0.1, 0.01, 1e-4)
_SHORTEST_RISE = 1e-3
_SAME_RISE = 0.2
_VALUE_ROUNDING = 1e-14
_POWERS = 20


@dataclass(frozen=True)
class Evidence:
    """What was measured at a point; the fields are those of a Certificate.

    Parameters
    ----------
    edm, edm_rounding, original_edm : float
    value_difference : float
        Objective minus PyMC's own log-density.
    value : float
        Minus log-density.
    hessian_error : float
        Relative disagreement of the curvature with differences of the gradient.
    value_error : float
        Relative disagreement of the curvature with second differences of the log-density itself.
    steady : bool
        The curvature is the same at both ends of the Newton step.
    """

    edm: float
    edm_rounding: float
    original_edm: float
    value_difference: float
    value: float
    hessian_error: float
    value_error: float
    steady: bool

    @property
    def runs_on(self) -> bool:
        """Whether the quadratic is not that of a maximum: its curvature changes over a step or a standard error."""
        return not (self.steady and self.hessian_error < _SAME_CURVATURE)

    @property
    def objections(self) -> list[str]:
        """Reasons not to certify a maximum; empty for a certified one."""
        reasons = []
        if not self.edm < _CERTIFIED:
            reasons.append(f"the estimated distance to the maximum is {self.edm:.2g}, above {_CERTIFIED:g}")
        if not self.steady:
            reasons.append("the curvature changes along the last Newton step")
        if not self.hessian_error < _SAME_CURVATURE:
            reasons.append("the curvature disagrees with the change of the gradient, as at a kink")
        if not self.value_error < _SAME_RISE:
            reasons.append("the log-density itself does not fall off as its derivatives say")
        if not _agrees(self.value_difference, self.value):
            reasons.append(f"PyMC's own log-density differs by {self.value_difference:.2g}")
        if not self.original_edm < _CERTIFIED:
            reasons.append(f"by the gradient of PyMC's own log-density the distance is {self.original_edm:.2g}")
        return reasons


def _agrees(difference: float, value: float) -> bool:
    return abs(difference) <= _SAME_VALUE * max(1.0, abs(value))


def gather_evidence(problem: Problem, local: Local, value: float) -> Evidence:
    """Measure decrement, rounding, steadiness, and the agreement with PyMC's own log-density.

    Whether the derivatives are those of the log-density is asked of a part of the rows where there are very many.
    """
    original_value, original_gradient = problem.original_value_and_gradient(local.x)
    if not _agrees(original_value - value, value) and problem.likelihood.original.is_blockwise:
        problem.likelihood.original.without_blocks()
        original_value, original_gradient = problem.original_value_and_gradient(local.x)
    probe = problem.probe
    hessian_error, value_error = _compare(probe, local)
    return Evidence(
        edm=local.decrement(local.gradient),
        edm_rounding=_rounding(problem, local),
        original_edm=local.decrement(original_gradient),
        value_difference=original_value - value,
        value=value,
        hessian_error=hessian_error,
        value_error=value_error,
        steady=curvature_is_steady(probe, local),
    )


def _rounding(problem: Problem, local: Local) -> float:
    """Decrement of what the gradient changes by over a billionth of a standard error, less what it should."""
    weights = _NUDGE * _random_weights(local.solid.shape[1])
    gradient = problem.value_and_gradient(local.x + local.solid @ weights)[1]
    noise = local.solid.T @ (gradient - local.gradient) - weights
    return float(0.25 * noise @ noise)


def _compare(problem: Problem, local: Local) -> tuple[float, float]:
    """How far curvature and log-density are from what differences of the gradient and of the log-density say.

    Differences are taken over a tenth of a standard error, along a random direction and along that of largest
    variance. A model far from linear bends within that length; there shorter steps decide.
    """
    slopes, rises = [], []
    for weights in (_random_weights(local.solid.shape[1]), _weakest_weights(local)):
        slope = rise = np.inf
        for part in _PARTS:
            errors = _errors_along(problem, local, local.solid @ weights, part)
            slope = min(slope, errors[0])
            rise = min(rise, errors[1]) if part > _SHORTEST_RISE else rise
            if slope < _SAME_CURVATURE and rise < _SAME_RISE:
                break
        slopes.append(slope)
        rises.append(rise)
    return float(np.max(slopes)), float(np.max(rises))


def _errors_along(problem: Problem, local: Local, direction: np.ndarray, part: float) -> tuple[float, float]:
    """Relative errors of the curvature along a direction, and of the log-density's rise over a part of it."""
    value, slope = problem.value_and_gradient(local.x)
    ahead, behind = (problem.value_and_gradient(local.x + s * part * direction) for s in (1, -1))
    bend = float(problem.curvature(local.x, direction[:, None])[0, 0])
    difference = float(direction @ (ahead[1] - behind[1])) / (2 * part)
    rise = np.maximum(
        abs(ahead[0] - value + behind[0] - value - bend * part**2),
        abs((ahead[0] - behind[0]) / 2 - part * (slope @ direction)),
    )
    rounding = _VALUE_ROUNDING * max(1.0, abs(value))
    return (
        abs(difference - bend) / max(abs(bend), np.finfo(float).tiny),
        float(np.maximum(0.0, rise - rounding)) / part**2,
    )


def _weakest_weights(local: Local) -> np.ndarray:
    """The direction of largest variance in units of equal curvature, by power iteration where it is not known."""
    if local.ordered:
        return np.eye(1, local.solid.shape[1])[0]
    scaled = local.solid / local.units[:, None]
    weights = _random_weights(local.solid.shape[1])
    for _ in range(_POWERS):
        weights = scaled.T @ (scaled @ weights)
        weights /= np.linalg.norm(weights)
    return weights


@cache
def _random_weights(size: int) -> np.ndarray:
    """A direction one standard error long in the coordinates of `local.solid`, the same at every call."""
    weights = np.random.default_rng(0).normal(size=size)
    return weights / np.linalg.norm(weights)
