"""Which elements of an array the rows ask for, and what is needed to read them."""

from typing import Any, Protocol

import numpy as np

from ppl_mle.read.form.known import Known
from ppl_mle.read.rows.build import Builder
from ppl_mle.read.rows.expression import Expr

type Request = np.ndarray | int | None
"""Elements of a flattened array: one for every row, one for all rows, or (None) all of them in order."""

LONGEST_EVENT = 64
"""Most elements along an event axis that are written out one by one."""


class RowReader(Protocol):
    """What the rules for single operations need of a `Reader`."""

    known: Known
    make: Builder
    count: int
    conditions: list[Expr]
    memo: dict[Any, Any]
    maps: dict[Any, Any]

    def read(self, var: Any, want: Request) -> Expr:
        """Read the elements of a variable that belong to the rows."""
        ...


def name_of(want: Request) -> Any:
    """A key for a request: the array itself, not its elements."""
    return id(want) if isinstance(want, np.ndarray) else want


def taken(value: np.ndarray, want: Request) -> np.ndarray:
    """The elements of a constant that are asked for."""
    flat = np.ravel(value)
    return flat if want is None else flat[want]


def shared(index: np.ndarray) -> Request:
    """One element for all rows, where the rows agree."""
    if index.ndim == 0 or index.size == 1 or (index[0] == index[-1] and np.all(index == index[0])):
        return int(np.ravel(index)[0])
    return index


def read_repeated(reader: RowReader, var: Any, shape: tuple[int, ...], want: Request) -> Expr:
    """Read a variable that is broadcast to a shape, of which `want` is asked."""
    own = reader.known.shape(var)
    return reader.read(var, _narrowed(want, shape, (1,) * (len(shape) - len(own)) + own, reader.memo))


def _narrowed(want: Request, shape: tuple[int, ...], own: tuple[int, ...], memo: dict[Any, Any]) -> Request:
    """What is asked of an array that is broadcast to a shape, when `want` is asked of the result."""
    if own == shape:
        return want
    if int(np.prod(own)) == 1:
        return 0
    name = (shape, own, name_of(want))
    if name not in memo:
        index = np.broadcast_to(np.arange(int(np.prod(own))).reshape(own), shape)
        memo[name] = shared(index.ravel() if want is None else index[np.unravel_index(want, shape)])
    return memo[name]
