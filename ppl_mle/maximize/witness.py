"""PyMC's own log-density where its formulas give no number: far out asked a little nearer, else by differences."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ppl_mle.read import Likelihood

_HALVINGS = 6
_STEPS = 0.008 * 0.5 ** np.arange(6)
_CLOSE = 1e-5
_NUDGE = 1e-9
_DRAWS = 4
_MOST_DIRECTIONS = 200


class _Nearer:
    """The original log-density, from the farthest point on the way back where value and gradient are finite.

    Parameters
    ----------
    original : Original
    back : array, shape (p,)
        The way back from where coordinates are held far out to where they came from.
    """

    def __init__(self, original: Any, back: np.ndarray) -> None:
        self._original, self._back = original, back

    @property
    def is_blockwise(self) -> bool:
        """Whether some term is evaluated in blocks of rows."""
        return bool(self._original.is_blockwise)

    def without_blocks(self) -> None:
        """Evaluate every term whole from now on."""
        self._original.without_blocks()

    def rounding(self, theta: np.ndarray) -> float:
        """What rounding may make of the value, at the point itself."""
        return float(self._original.rounding(theta))

    def value(self, theta: np.ndarray) -> float:
        """Value alone, at the point itself."""
        return float(self._original.value(theta))

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        found = self._original.value_and_gradient(theta)
        if _is_finite(*found):
            return found
        far, near = 0.0, 1.0
        for _ in range(_HALVINGS):
            part = (far + near) / 2
            tried = self._original.value_and_gradient(theta + part * self._back)
            if _is_finite(*tried):
                found, near = tried, part
            else:
                far = part
        return found


def _is_finite(value: float, gradient: np.ndarray) -> bool:
    return bool(np.isfinite(value) and np.all(np.isfinite(gradient)))


def seen_nearer(likelihood: Likelihood, far: np.ndarray, near: np.ndarray) -> Likelihood:
    """The same likelihood with a witness that need not be asked far out.

    Parameters
    ----------
    likelihood : Likelihood
    far, near : array, shape (p,)
        Where coordinates are held, and where they came from; the others are the same in both.
    """
    witness: Any = _Nearer(likelihood.original, near - far)
    return replace(likelihood, original=witness)


def bound_decrement(value: Callable[[np.ndarray], float], x: np.ndarray, axes: np.ndarray) -> float:
    """Upper bound of the decrement of a log-density from its values alone, where its gradient does not exist.

    Central differences of ever shorter steps; each is believed to within the larger of its distances to those of twice
    and four times its step, which is at least three times its error where that falls with the square of the step, and
    to within what rounding makes of it. What the second difference has beyond unit curvature is added: a kink.

    Parameters
    ----------
    value : callable
        Minus the log-density at an array of shape (size,).
    x : array, shape (size,)
    axes : array, shape (size, k)
        Directions of unit curvature, as columns, each one standard error long.

    Returns
    -------
    float
        NaN where a value is not finite, or the directions are too many.
    """
    if axes.shape[1] > _MOST_DIRECTIONS:
        return float("nan")
    noise = _noise(value, x, axes)
    close = _CLOSE / np.sqrt(max(1, axes.shape[1]))
    slopes = [_bound_slope(value, x, axis, noise, close) for axis in axes.T]
    return float(0.5 * np.sum(np.square(slopes)))


def _noise(value: Callable[[np.ndarray], float], x: np.ndarray, axes: np.ndarray) -> float:
    """What rounding makes of the value, as seen within a billionth of a standard error."""
    here, random = value(x), np.random.default_rng(0)
    moves = [axes @ (_NUDGE * random.normal(size=axes.shape[1])) for _ in range(_DRAWS)]
    seen = [abs(value(x + move) - here + value(x - move) - here) for move in moves]
    return float(np.max([np.finfo(float).eps * abs(here), *seen]))


def _bound_slope(
    value: Callable[[np.ndarray], float], x: np.ndarray, axis: np.ndarray, noise: float, close: float
) -> float:
    """Upper bound of the slope along an axis: the least over the steps, or the first that is close enough."""
    here, bound, differences = value(x), np.inf, []
    for step in _STEPS:
        ahead, behind = value(x + step * axis), value(x - step * axis)
        differences.append((ahead - behind) / (2 * step))
        if len(differences) > 2:
            changes = np.abs(np.diff(differences[-3:]))
            bend = abs(ahead - here + behind - here - step * step) / (2 * step)
            bound = np.minimum(bound, abs(differences[-1]) + changes.max() + bend + noise / step)
        if not bound > close:
            break
    return float(bound)
