"""The figures that a certificate rests on, taken at one point."""

from dataclasses import dataclass

import numpy as np

from ppl_mle.maximize.drift import curvature_is_steady
from ppl_mle.maximize.local import Local
from ppl_mle.maximize.problem import Problem

_CERTIFIED = 1e-8
_SAME_VALUE = 1e-9
_SAME_CURVATURE = 1e-2
_NUDGE = 1e-9
_PROBE = 1e-4
_PARTS = (0.1, 0.01)
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
        if not abs(self.value_difference) <= _SAME_VALUE * max(1.0, abs(self.value)):
            reasons.append(f"PyMC's own log-density differs by {self.value_difference:.2g}")
        if not self.original_edm < _CERTIFIED:
            reasons.append(f"by the gradient of PyMC's own log-density the distance is {self.original_edm:.2g}")
        return reasons


def gather_evidence(problem: Problem, local: Local, value: float) -> Evidence:
    """Measure decrement, rounding, steadiness, and the agreement with PyMC's own log-density.

    Whether the derivatives are those of the log-density is asked of a part of the rows where there are very many.
    """
    original_value, original_gradient = problem.original_value_and_gradient(local.x)
    probe = problem.probe
    return Evidence(
        edm=local.decrement(local.gradient),
        edm_rounding=_rounding(problem, local),
        original_edm=local.decrement(original_gradient),
        value_difference=original_value - value,
        value=value,
        hessian_error=_hessian_error(probe, local),
        value_error=_value_error(probe, local),
        steady=curvature_is_steady(probe, local),
    )


def _rounding(problem: Problem, local: Local) -> float:
    """Decrement of what the gradient changes by over a billionth of a standard error, less what it should."""
    weights = _NUDGE * _random_weights(local)
    gradient = problem.value_and_gradient(local.x + local.solid @ weights)[1]
    noise = local.solid.T @ (gradient - local.gradient) - weights
    return float(0.25 * noise @ noise)


def _hessian_error(problem: Problem, local: Local) -> float:
    """Compare the curvature with central differences of gradients, along a random and along the weakest direction."""
    moves = (local.solid @ _random_weights(local), local.solid @ _weakest_weights(local))
    return float(np.max([_disagreement(problem, local, move) for move in moves]))


def _value_error(problem: Problem, local: Local) -> float:
    """Compare differences of the log-density over parts of a standard error with the quadratic, up to rounding.

    A model far from linear bends within a tenth of a standard error; there a hundredth decides.
    """
    errors = []
    for weights in (_random_weights(local), _weakest_weights(local)):
        error = np.inf
        for part in _PARTS:
            error = min(error, _rise_error(problem, local, part * (local.solid @ weights)) / part**2)
            if error < _SAME_RISE:
                break
        errors.append(error)
    return float(np.max(errors))


def _rise_error(problem: Problem, local: Local, move: np.ndarray) -> float:
    value, gradient = problem.value_and_gradient(local.x)
    ahead, behind = (problem.value_and_gradient(local.x + s * move)[0] - value for s in (1, -1))
    bend = float(problem.curvature(local.x, move[:, None])[0, 0])
    error = np.maximum(abs(ahead + behind - bend), abs((ahead - behind) / 2 - gradient @ move))
    return float(np.maximum(0.0, error - _VALUE_ROUNDING * max(1.0, abs(value))))


def _disagreement(problem: Problem, local: Local, move: np.ndarray) -> float:
    ahead, behind = (problem.value_and_gradient(local.x + s * _PROBE * move)[1] for s in (1, -1))
    difference = float(move @ (ahead - behind)) / (2 * _PROBE)
    curvature = float(problem.curvature(local.x, move[:, None])[0, 0])
    return abs(difference - curvature) / max(abs(curvature), np.finfo(float).tiny)


def _weakest_weights(local: Local) -> np.ndarray:
    """The direction of largest variance in units of equal curvature, by power iteration."""
    scaled = local.solid / local.units[:, None]
    weights = _random_weights(local)
    for _ in range(_POWERS):
        weights = scaled.T @ (scaled @ weights)
        weights /= np.linalg.norm(weights)
    return weights


def _random_weights(local: Local) -> np.ndarray:
    """A direction one standard error long in the coordinates of `local.solid`, the same at every call."""
    weights = np.random.default_rng(0).normal(size=local.solid.shape[1])
    return weights / np.linalg.norm(weights)
