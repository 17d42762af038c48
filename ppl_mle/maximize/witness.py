"""PyMC's own log-density far out: asked a little nearer where its formulas give no number there."""

from dataclasses import replace
from typing import Any

import numpy as np

from ppl_mle.read import Likelihood

_PARTS = (0.15, 0.3, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)


class _Nearer:
    """The original log-density, from the first point on the way back where value and gradient are finite.

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

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        value, gradient = self._original.value_and_gradient(theta)
        for part in _PARTS:
            if np.isfinite(value) and np.all(np.isfinite(gradient)):
                break
            value, gradient = self._original.value_and_gradient(theta + part * self._back)
        return float(value), gradient


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
