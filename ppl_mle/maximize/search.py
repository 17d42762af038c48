"""Where a search stopped, and why; every engine returns one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Path = tuple[tuple[np.ndarray, np.ndarray], ...]
Stop = Literal["edm", "rounding", "flat", "stuck", "limit"]


@dataclass(frozen=True)
class Search:
    """End of one search.

    Parameters
    ----------
    x : array, shape (p,)
        Free coordinates.
    value : float
        Minus log-density.
    gradient : array, shape (p,)
        Of minus the log-density.
    units : array, shape (p,)
        Units of the coordinates at the end.
    stop : {"edm", "rounding", "flat", "stuck", "limit"}
        Decrement below the goal; no further decrease above rounding; no gradient and no curvature left to follow; no
        acceptable step; iteration limit.
    iterations : int
    path : tuple of (array, array)
        The last points that were accepted with their gradients, the end included.
    origin : array, shape (p,)
        Where the search began.
    bent : bool
        Negative curvature was met on the way, so there may be other maxima.
    """

    x: np.ndarray
    value: float
    gradient: np.ndarray
    units: np.ndarray
    stop: Stop
    iterations: int
    path: Path
    origin: np.ndarray
    bent: bool = False
