"""PyMC's own log-density of a term with very many rows, evaluated on one block of rows after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.pytensorf import rewrite_pregrad
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.graph.replace import clone_replace
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.type import TensorType

from ppl_mle.read.form.known import Known
from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.structure import compiled_once

WORTH_BLOCKS = 200_000
_BLOCK = 50_000


class Blockwise:
    """Value and gradient of an elementwise log-density, summed over blocks of its rows.

    The graph is the declared one, with slices in the place of its data. It is for terms whose rows were read as
    independent; where a graph has no room for slices, as it says when it is tried, the term is evaluated whole.

    Parameters
    ----------
    graph : graph variable, shape (n,)
        Elementwise log-density over the model's value variables.
    values : sequence of value variables
    known : Known

    Raises
    ------
    Declined
        The data of the graph cannot be told from its structure.
    """

    def __init__(self, graph: Any, values: Sequence[Any], known: Known) -> None:
        graph = _inside(graph, known)
        self._rows = known.shape(graph)[0]
        leaves = _leaves(graph, known, self._rows)
        self._data = [known.value(leaf) for leaf in leaves]
        self._sliced = [array.ndim > 0 and array.shape[0] == self._rows for array in self._data]
        fresh = [_open(array, sliced)() for array, sliced in zip(self._data, self._sliced, strict=True)]
        with without_compiler():
            (rows,) = clone_replace([graph], dict(zip(leaves, fresh, strict=True)), rebuild_strict=False)
        self._function = compiled_once("block of rows", [*values, *fresh], [rows], _build(len(values)))

    def __call__(self, *values: Any) -> list[Any]:
        """Sum and gradients; raises ValueError where slices do not fit the graph."""
        total: list[Any] | None = None
        for start in range(0, self._rows, _BLOCK):
            stop = min(start + _BLOCK, self._rows)
            pairs = zip(self._data, self._sliced, strict=True)
            count, *parts = self._function(*values, *(a[start:stop] if sliced else a for a, sliced in pairs))
            if int(count) != stop - start:
                raise ValueError(f"{int(count)} rows of a block of {stop - start}")
            total = parts if total is None else [a + b for a, b in zip(total, parts, strict=True)]
        assert total is not None
        return total


def _build(count: int) -> Any:
    def build(inputs: list[Any], outputs: list[Any]) -> Any:
        (rows,) = outputs
        with without_compiler():
            total = rewrite_pregrad(pt.cast(rows.sum(), "float64"))
            slopes = pt.grad(total, inputs[:count], disconnected_inputs="ignore", return_disconnected="zero")
        return interpreted(inputs, [rows.shape[0], total, *slopes])

    return build


def _inside(graph: Any, known: Known) -> Any:
    """The graph below repetitions that repeat nothing."""
    while graph.owner is not None and isinstance(graph.owner.op, Alloc):
        if known.shape(graph.owner.inputs[0]) != known.shape(graph):
            break
        graph = graph.owner.inputs[0]
    return graph


def _leaves(graph: Any, known: Known, rows: int) -> list[Any]:
    """The largest constant parts that are not elementwise, and the data below those that are."""
    found: dict[Any, None] = {}
    stack, seen = [graph], {graph}
    while stack:
        var = stack.pop()
        if known.depends(var) or (var.owner is not None and isinstance(var.owner.op, Elemwise | DimShuffle)):
            below = [] if var.owner is None else var.owner.inputs
            stack += [v for v in below if v not in seen]
            seen.update(below)
        elif _is_large(var, known, rows):
            found[var] = None
    return list(found)


def _is_large(var: Any, known: Known, rows: int) -> bool:
    if not isinstance(var.type, TensorType):
        return False
    if isinstance(var, SharedVariable):
        return True
    if isinstance(var, Constant):
        return bool(np.size(var.data) >= rows)
    return rows in known.shape(var)


def _open(array: np.ndarray, sliced: bool) -> TensorType:
    shape = (None, *array.shape[1:]) if sliced else array.shape
    return TensorType(str(array.dtype), shape=shape)
