"""The figures that a certificate rests on, taken at one point."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from ppl_mle.maximize.drift import curvature_is_steady
from ppl_mle.maximize.local import Local
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.witness import bound_decrement

_CERTIFIED = 1e-8
_SAME_VALUE = 1e-9
_SAME_CURVATURE = 1e-2
_NUDGE = 1e-9
_PARTS = (0.1, 0.01, 1e-3, 1e-4, 1e-5)
_CLEAR_RISE = 0.1
_MUST_EXIST = 1e-3
_DRAWS = 8
_TIMES_NOISE = 4.0
_MOST_NOISE = 1e-4
_SAME_RISE = 0.2
_VALUE_ROUNDING = 1e-14
_POWERS = 20
HIDDEN = _SAME_RISE * _PARTS[0] ** 2


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
    value_noise : float
        What rounding of the parameters alone makes of the log-density, where the difference is not below 1e-9.
    steady : bool
        The curvature is the same at both ends of the Newton step.
    weakest : array, shape (p,)
        One standard error in the direction of largest variance.
    by_constant : bool
        The difference of the values is rounding in what PyMC's own log-density holds of the data alone.
    by_differences : bool
        The gradient of PyMC's own log-density does not exist: `original_edm` is a bound from differences of its value.
    """

    edm: float
    edm_rounding: float
    original_edm: float
    value_difference: float
    value: float
    hessian_error: float
    value_error: float
    value_noise: float
    steady: bool
    weakest: np.ndarray
    by_constant: bool = False
    by_differences: bool = False

    @property
    def runs_on(self) -> bool:
        """Whether the quadratic is not that of a maximum: its curvature changes over a step or a standard error."""
        return not (self.steady and self.hessian_error < _SAME_CURVATURE)

    @property
    def _is_rounding(self) -> bool:
        """Whether rounding explains the difference of the values, and is small itself."""
        return abs(self.value_difference) <= _TIMES_NOISE * self.value_noise and self.value_noise < _MOST_NOISE

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
        if not (_agrees(self.value_difference, self.value) or self._is_rounding or self.by_constant):
            reasons.append(f"PyMC's own log-density differs by {self.value_difference:.2g}")
        if not self.original_edm < _CERTIFIED:
            reasons.append(f"by the gradient of PyMC's own log-density the distance is {self.original_edm:.2g}")
        return reasons


def _agrees(difference: float, value: float) -> bool:
    return abs(difference) <= _SAME_VALUE * max(1.0, abs(value))


def gather_evidence(problem: Problem, local: Local, search: Search) -> Evidence:
    """Measure decrement, rounding, steadiness, and the agreement with PyMC's own log-density.

    Whether the derivatives are those of the log-density is asked of a part of the rows where there are very many.
    """
    value = search.value
    original_value, original_gradient = problem.original_value_and_gradient(local.x)
    if not _agrees(original_value - value, value) and problem.likelihood.original.is_blockwise:
        problem.likelihood.original.without_blocks()
        original_value, original_gradient = problem.original_value_and_gradient(local.x)
    by_differences = np.isfinite(original_value) and not np.all(np.isfinite(original_gradient))
    probe, directions, nudge = problem.probe, _directions(local), _nudge(local)
    ends = [_end(local.x, direction, sign * _PARTS[0]) for direction in directions.T for sign in (1, -1)]
    probe.foresee([_end(local.x, nudge), *ends])
    agrees = _agrees(original_value - value, value)
    hessian_error, value_error = _compare(probe, local.x, directions)
    return Evidence(
        edm=local.decrement(local.gradient),
        edm_rounding=_rounding(probe, local, nudge),
        original_edm=_decrement_of_values(problem, local) if by_differences else local.decrement(original_gradient),
        value_difference=original_value - value,
        value=value,
        hessian_error=hessian_error,
        value_error=value_error,
        value_noise=0.0 if agrees else value_noise(problem, local.x),
        steady=curvature_is_steady(problem, local, search.path),
        weakest=directions[:, 1],
        by_constant=not agrees and _is_constant(problem, local.x, original_value - value, directions),
        by_differences=bool(by_differences),
    )


def _is_constant(problem: Problem, x: np.ndarray, difference: float, directions: np.ndarray) -> bool:
    """Whether PyMC's own log-density differs by the same a standard error away, by no more than its rounding."""
    original = problem.likelihood.original
    if not abs(difference) <= min(_MOST_NOISE, original.rounding(problem.expand(x))):
        return False
    ends = [_end(x, direction, sign) for direction in directions.T for sign in (1.0, -1.0)]
    values = [problem.value_and_gradient(end)[0] for end in ends]
    apart = [-original.value(problem.expand(end)) - value for end, value in zip(ends, values, strict=True)]
    return all(_agrees(own - difference, value) for own, value in zip(apart, values, strict=True))


def _decrement_of_values(problem: Problem, local: Local) -> float:
    original = problem.likelihood.original
    return bound_decrement(lambda x: -original.value(problem.expand(x)), local.x, local.solid)


def value_noise(problem: Problem, x: np.ndarray) -> float:
    """Largest change of the log-density, beyond its slope, when every parameter moves by one unit in its last place."""
    value, gradient = problem.value_and_gradient(x)
    moves = np.finfo(float).eps * x * np.random.default_rng(0).choice([-1.0, 1.0], (_DRAWS, len(x)))
    changes = [problem.value_and_gradient(x + move)[0] - value - gradient @ move for move in moves]
    return float(np.max(np.abs(changes)))


def _end(x: np.ndarray, direction: np.ndarray, part: float = 1.0) -> np.ndarray:
    return x + part * direction


def _nudge(local: Local) -> np.ndarray:
    return local.solid @ (_NUDGE * _random_weights(local.solid.shape[1]))


def _rounding(problem: Problem, local: Local, nudge: np.ndarray) -> float:
    """Decrement of what the gradient changes by over a billionth of a standard error, less what it should."""
    before = problem.value_and_gradient(local.x)[1]
    after = problem.value_and_gradient(_end(local.x, nudge))[1]
    noise = local.solid.T @ (after - before) - _NUDGE * _random_weights(local.solid.shape[1])
    return float(0.25 * noise @ noise)


def _directions(local: Local) -> np.ndarray:
    """One standard error in a random direction and in that of largest variance, as columns."""
    return local.solid @ np.array([_random_weights(local.solid.shape[1]), _weakest_weights(local)]).T


def _compare(problem: Problem, x: np.ndarray, directions: np.ndarray) -> tuple[float, float]:
    """How far curvature and log-density are from what differences of the gradient and of the log-density say.

    Differences are taken over a tenth of a standard error. A model far from linear bends within that length; there
    shorter steps decide.
    """
    slopes, rises = [], []
    bends = problem.curvature(x, directions).diagonal()
    for direction, bend in zip(directions.T, bends, strict=True):
        slope = rise = np.inf
        for part in _PARTS:
            errors = _errors_along(problem, x, direction, float(bend), part)
            if part <= _MUST_EXIST and not np.isfinite(errors[0]):
                slope = rise = np.inf
                break
            slope = min(slope, errors[0])
            rise = min(rise, errors[1])
            if slope < _SAME_CURVATURE and rise < _SAME_RISE:
                break
        slopes.append(slope)
        rises.append(rise)
    return float(np.max(slopes)), float(np.max(rises))


def _errors_along(
    problem: Problem, x: np.ndarray, direction: np.ndarray, bend: float, part: float
) -> tuple[float, float]:
    """Relative errors of the curvature along a direction, and of the log-density's rise over a part of it."""
    value, slope = problem.value_and_gradient(x)
    ahead, behind = (problem.value_and_gradient(_end(x, direction, sign * part)) for sign in (1, -1))
    difference = float(direction @ (ahead[1] - behind[1])) / (2 * part)
    rise = np.maximum(
        abs(ahead[0] - value + behind[0] - value - bend * part**2),
        abs((ahead[0] - behind[0]) / 2 - part * (slope @ direction)),
    )
    rounding = _VALUE_ROUNDING * max(1.0, abs(value))
    visible = rounding < _CLEAR_RISE * part**2
    return (
        abs(difference - bend) / max(abs(bend), np.finfo(float).tiny),
        float(np.maximum(0.0, rise - rounding)) / part**2 if visible else np.inf,
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
