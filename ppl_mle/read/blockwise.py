"""PyMC's own log-density of a term with very many rows, evaluated on one block of rows after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.pytensorf import rewrite_pregrad
from pytensor.graph.replace import clone_replace
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import Alloc, MakeVector, ScalarFromTensor
from pytensor.tensor.blockwise import Blockwise as Batched
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import All, Dot
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor
from pytensor.tensor.type import TensorType

from ppl_mle.read.form.declined import Declined
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
        An operation mixes rows.
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
    """Constant parts that are not elementwise, whole; and the data below those that are, to be sliced."""
    found: dict[Any, None] = {}
    stack, seen = [graph], {graph}
    while stack:
        var = stack.pop()
        moving = known.depends(var)
        if moving:
            _demand_rows(var.owner, known, rows)
        if moving or (var.owner is not None and isinstance(var.owner.op, Elemwise | DimShuffle)):
            below = [] if var.owner is None else var.owner.inputs
            stack += [v for v in below if v not in seen]
            seen.update(below)
        elif isinstance(var.type, TensorType) and (var.owner is not None or _has_rows(var, known, rows)):
            found[var] = None
    return list(found)


def _has_rows(var: Any, known: Known, rows: int) -> bool:
    shape = known.shape(var) if isinstance(var.type, TensorType) else ()
    return bool(shape) and shape[0] == rows


def _demand_rows(node: Any, known: Known, rows: int) -> None:
    """Decline operations that would give something else on a slice of the rows than on all of them."""
    if node is None or not any(_has_rows(v, known, rows) for v in node.inputs):
        return
    op, first = node.op, node.inputs[0]
    out = node.outputs[0]
    if isinstance(op, Elemwise | CheckAndRaise | All | ScalarFromTensor | MakeVector):
        return
    keeps = _has_rows(out, known, rows)
    if isinstance(op, DimShuffle) and keeps and op.new_order[0] == 0:
        return
    core = op.core_op if isinstance(op, Batched) else op
    if isinstance(core, Dot) and keeps and _has_rows(first, known, rows):
        return
    if isinstance(op, AdvancedSubtensor | Subtensor) and keeps and not _has_rows(first, known, rows):
        return
    if isinstance(op, CAReduce) and keeps and op.axis is not None and 0 not in op.axis:
        return
    raise Declined(f"{type(op).__name__} mixes rows")


def _open(array: np.ndarray, sliced: bool) -> TensorType:
    shape = (None, *array.shape[1:]) if sliced else array.shape
    return TensorType(str(array.dtype), shape=shape)
