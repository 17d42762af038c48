"""Row densities as expressions: elementwise functions of predictors and of constants, one per row or shared."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, eq=False, slots=True)
class Expr:
    """A node; equal expressions of one `Builder` are the same object.

    Parameters
    ----------
    op : str
        `const`, `eta`, or the name of an elementwise function.
    args : tuple of Expr
    value : float, array of shape (n,), or None
        Of a constant.
    index : int
        Of a predictor.
    low, high : float
        Bounds of the values, where they are known.
    depends : bool
        Whether a predictor is among the leaves.
    """

    op: str
    args: tuple["Expr", ...] = ()
    value: Any = None
    index: int = -1
    low: float = -np.inf
    high: float = np.inf
    depends: bool = True
    extra: Any = field(default=None)

    @property
    def is_scalar(self) -> bool:
        """Whether this is a constant that all rows share."""
        return self.op == "const" and np.ndim(self.value) == 0

    def equals(self, number: float) -> bool:
        """Whether this is the constant `number`."""
        return self.is_scalar and float(self.value) == number


def constant(value: Any) -> Expr:
    """Make a constant of a number or of one number per row; rows that are all equal become one number."""
    array = np.asarray(value)
    if array.dtype != float:
        array = array.astype(float)
    if array.ndim and array.size and array[0] == array[-1] and np.all(array == array[0]):
        array = array[0]
    if array.ndim == 0:
        number = array.item()
        return Expr("const", value=number, low=float(number), high=float(number), depends=False)
    low, high = (float(array.min()), float(array.max())) if array.size else (-np.inf, np.inf)
    return Expr("const", value=array, low=low, high=high, depends=False)


def predictor(index: int) -> Expr:
    """Make the leaf that stands for predictor `index`."""
    return Expr("eta", index=index)


def predictors_of(expression: Expr) -> list[int]:
    """Positions of the predictors that an expression uses, in ascending order."""
    return sorted({node.index for node in in_order(expression) if node.op == "eta"})


def in_order(*roots: Expr) -> list[Expr]:
    """Every node once, arguments before what uses them."""
    seen: dict[int, Expr] = {}
    stack = [(root, False) for root in roots]
    while stack:
        node, ready = stack.pop()
        if id(node) in seen:
            continue
        if ready:
            seen[id(node)] = node
        else:
            stack.append((node, True))
            stack += [(argument, False) for argument in node.args]
    return list(seen.values())
