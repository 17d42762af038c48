"""The contract of a closed-form row density."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Derivatives = tuple[Any, tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Kernel:
    """A row log-density with its first and second derivatives in its predictors.

    Parameters
    ----------
    name : str
    predictors : tuple of str
    data : tuple of str
        What is known beside the response, in order.
    evaluate : callable
        (y, data, etas, order) to (f, first, second), see the package's docstring.
    base : callable
        (y, data) to the part of each row that no predictor changes.
    accepts : callable
        (y, data) to whether every response lies in the support and the data are valid.
    """

    name: str
    predictors: tuple[str, ...]
    data: tuple[str, ...]
    evaluate: Callable[[Any, tuple[Any, ...], tuple[Any, ...], int], Derivatives]
    base: Callable[[Any, tuple[Any, ...]], Any]
    accepts: Callable[[Any, tuple[Any, ...]], bool]
