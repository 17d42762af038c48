"""The contract of a slice: the maxima of the log-density over the sets on which one quantity is constant."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Point:
    """A maximum with one quantity held.

    Parameters
    ----------
    at : float
        Value of the quantity on the scale of the slice.
    theta : array, shape (p,)
        Unconstrained values.
    value : float
        Log-density; minus infinity where there is none.
    slope : float
        Derivative of `value` in the quantity, the Lagrange multiplier.
    tangent : array, shape (p,)
        Derivative of `theta` in the quantity; zero where it does not exist.
    found : bool
        Whether the maximum over everything else was found.
    """

    at: float
    theta: np.ndarray
    value: float
    slope: float
    tangent: np.ndarray = field(repr=False)
    found: bool = True

    @property
    def exists(self) -> bool:
        """Whether the log-density is finite here and its maximum was found."""
        return self.found and bool(np.isfinite(self.value))


class Slice(Protocol):
    """A quantity that can be held while everything else is maximized over."""

    @property
    def peak(self) -> Point:
        """The maximum over the quantity as well: the estimate."""
        ...

    @property
    def unit(self) -> float:
        """Standard error of the quantity on the scale of the slice, or a guess of how far to look."""
        ...

    @property
    def farthest(self) -> float:
        """Largest distance from the estimate at which the density can be believed: beyond, formulas cancel."""
        ...

    def climb(self, at: float, near: Point) -> Point:
        """Maximize with the quantity held at `at`, from a point that is near."""
        ...

    def information(self, point: Point) -> float:
        """Information about the quantity at a point, everything else estimated: 1 / (I^-1)_jj; NaN where singular."""
        ...
