"""Which parts of a graph are affine in the unconstrained vector, and what their arrays are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.ops import ViewOp
from pytensor.compile.rewriting import inline_ofg_node
from pytensor.sparse.math import Dot as SparseDot
from pytensor.sparse.math import StructuredDot, TrueDot
from pytensor.tensor.basic import Alloc, Join, MakeVector, ScalarFromTensor, Split, TensorFromScalar
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp, Repeat
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import AdvancedIncSubtensor, AdvancedSubtensor, IncSubtensor, Subtensor
from pytensor.xtensor.basic import TensorFromXTensor, XTensorFromTensor

from ppl_mle.read.form.affine import Affine, joined, leaf, multiplied, summed
from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.known import Known

TRANSPARENT = (ViewOp, SpecifyShape, ScalarFromTensor, TensorFromScalar, TensorFromXTensor, XTensorFromTensor)
KEEPS_ORDER = (Reshape, JoinDims, SplitDims)
INDEXING = (Subtensor, AdvancedSubtensor, Repeat, Split)
SETTING = (IncSubtensor, AdvancedIncSubtensor)
_LONGEST_CUMULATION = 4000


class Linear:
    """Reads affine parts of a graph.

    Parameters
    ----------
    known : Known
    leaves : dict of variable to array of int
        The free values, and where their elements lie in the unconstrained vector.
    """

    def __init__(self, known: Known, leaves: Mapping[Any, np.ndarray]) -> None:
        self.known = known
        self._read = {var: leaf(positions, known.shape(var)) for var, positions in leaves.items()}
        self._refused: set[Any] = set()
        self._opened: dict[Any, Any] = {}

    def read(self, var: Any) -> Affine | None:
        """The variable as an affine array; None where it is not affine, or a constant."""
        if var in self._read:
            return self._read[var]
        if var in self._refused or var.owner is None or not self.known.depends(var):
            return None
        try:
            found = self._apply(var)
        except Declined:
            found = None
        if found is None:
            self._refused.add(var)
        else:
            self._read[var] = found
        return found

    def _apply(self, var: Any) -> Affine | None:
        node, op = var.owner, var.owner.op
        if isinstance(op, Elemwise):
            return self._elementwise(node)
        if isinstance(op, TRANSPARENT):
            return self.read(node.inputs[0])
        for kinds, rule in _RULES:
            if isinstance(op, kinds):
                return rule(self, var)
        return self.read(self.opened(var)) if isinstance(op, OpFromGraph) else None

    def opened(self, var: Any) -> Any:
        """The output of an operation that is defined by a graph, as that graph."""
        if var not in self._opened:
            self._opened[var] = inline_ofg_node(var.owner)[var.owner.outputs.index(var)]
        return self._opened[var]

    def _elementwise(self, node: Any) -> Affine | None:
        parts = self._parts(node.inputs)
        rule = _ELEMENTWISE.get(type(node.op.scalar_op))
        return None if parts is None or rule is None else rule(node, parts)

    def _parts(self, inputs: Any) -> list[Affine | np.ndarray] | None:
        """Affine arrays and constants; None where some input is neither."""
        parts = [self.read(v) if self.known.depends(v) else self.known.value(v) for v in inputs]
        found = [part for part in parts if part is not None]
        return found if len(found) == len(parts) else None

    def _moved(self, var: Any) -> Affine | None:
        """Operations that keep the order of the elements, or pick some of them."""
        node = var.owner
        whole = self.read(node.inputs[0])
        if whole is None or any(self.known.depends(v) for v in node.inputs[1:]):
            return None
        index = index_map(self.known, var, whole.shape)
        return whole.reshaped(self.known.shape(var)) if index is None else whole.picked(index)

    def _allocated(self, var: Any) -> Affine | None:
        node = var.owner
        whole = self.read(node.inputs[0])
        return None if whole is None else whole.broadcast(self.known.shape(node.outputs[0]))

    def _joined(self, var: Any) -> Affine | None:
        node = var.owner
        axis = int(node.op.axis) if hasattr(node.op, "axis") else int(self.known.value(node.inputs[0]))
        arrays = node.inputs if hasattr(node.op, "axis") else node.inputs[1:]
        return self._concatenated(arrays, axis)

    def _stacked(self, var: Any) -> Affine | None:
        parts = self._parts(var.owner.inputs)
        if parts is None:
            return None
        return joined([p.reshaped((1,)) if isinstance(p, Affine) else np.reshape(p, 1) for p in parts], 0)

    def _concatenated(self, arrays: Any, axis: int) -> Affine | None:
        parts = self._parts(arrays)
        return None if parts is None else joined(parts, axis)

    def _set(self, var: Any) -> Affine | None:
        """An array with some elements replaced: both arrays end to end, and then picked from."""
        node = var.owner
        if not node.op.set_instead_of_inc or any(self.known.depends(v) for v in node.inputs[2:]):
            return None
        base, new = (self.read(v) if self.known.depends(v) else self.known.value(v) for v in node.inputs[:2])
        if base is None or new is None:
            return None
        flat = [p.reshaped((p.size,)) if isinstance(p, Affine) else np.ravel(p) for p in (base, new)]
        return joined(flat, 0).picked(set_map(self.known, node))

    def _summed(self, var: Any) -> Affine | None:
        node = var.owner
        whole = self.read(node.inputs[0])
        return None if whole is None else summed(whole, axes_of(node.op, len(whole.shape)))

    def _cumulated(self, var: Any) -> Affine | None:
        """Cumulative sums, as a triangular matrix of ones times what is summed."""
        op = var.owner.op
        whole = self.read(var.owner.inputs[0])
        if whole is None or op.mode != "add" or len(whole.shape) not in (1, 2) or op.axis is None:
            return None
        turned = op.axis % len(whole.shape) == 1
        columns = _transposed(whole) if turned else whole
        length = columns.shape[0]
        if length > _LONGEST_CUMULATION:
            return None
        steps = np.tril(np.ones((length, length)))
        if len(whole.shape) == 1:
            return multiplied(steps, whole.reshaped((length, 1))).reshaped((length,))
        summed_up = multiplied(steps, columns)
        return _transposed(summed_up) if turned else summed_up

    def _product(self, var: Any) -> Affine | None:
        """A matrix product with one constant side, of matrices or vectors."""
        node = var.owner
        matrices = all(v.type.ndim == 2 for v in node.inputs)
        if isinstance(node.op, Blockwise) and not (isinstance(node.op.core_op, Dot) and matrices):
            return None
        left, right = node.inputs
        if self.known.depends(left) and self.known.depends(right):
            return None
        if self.known.depends(right):
            vector = self.read(right)
            return None if vector is None else _times(self.known.value(left), vector)
        whole = self.read(left)
        if whole is None:
            return None
        matrix = self.known.value(right)
        turned = _times(matrix.T, _transposed(whole))
        return _transposed(turned)


def index_map(known: Known, var: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Positions that an operation picks from an array of a given shape; None where it keeps their order."""
    node = var.owner
    if isinstance(node.op, KEEPS_ORDER) or (
        isinstance(node.op, DimShuffle) and list(node.op.shuffle) == sorted(node.op.shuffle)
    ):
        return None
    positions = np.arange(int(np.prod(shape))).reshape(shape)
    return np.asarray(known.perform(node, [positions, *map(known.value, node.inputs[1:])])[node.outputs.index(var)])


def set_map(known: Known, node: Any) -> np.ndarray:
    """Positions in the base array and the new one, end to end, of the elements after setting."""
    base, new = (known.shape(v) for v in node.inputs[:2])
    count = int(np.prod(base))
    arrays = [np.arange(count).reshape(base), count + np.arange(int(np.prod(new))).reshape(new)]
    return np.asarray(known.perform(node, [*arrays, *map(known.value, node.inputs[2:])])[0])


def axes_of(op: Any, ndim: int) -> tuple[int, ...]:
    """Axes that a reduction works along."""
    return tuple(range(ndim)) if op.axis is None else tuple(op.axis)


def _times(matrix: Any, vector: Affine) -> Affine:
    if len(vector.shape) == 1:
        return multiplied(matrix, vector.reshaped((vector.size, 1))).reshaped((matrix.shape[0],))
    if matrix.ndim == 1:
        return multiplied(matrix[None, :], vector).reshaped((vector.shape[1],))
    return multiplied(matrix, vector)


def _transposed(whole: Affine) -> Affine:
    if len(whole.shape) < 2:
        return whole
    return whole.picked(np.arange(whole.size).reshape(whole.shape).T)


def _sum(node: Any, parts: list[Any]) -> Affine:
    first, *rest = parts
    for part in rest:
        first = _wide(first).plus(_wide(part))
    return first


def _wide(part: Any) -> Affine:
    return part if isinstance(part, Affine) else Affine(np.shape(part), np.asarray(part, float), ())


def _scaled(node: Any, parts: list[Any]) -> Affine | None:
    affine = [p for p in parts if isinstance(p, Affine)]
    if len(affine) != 1:
        return None
    factor = np.asarray(1.0)
    for part in parts:
        if not isinstance(part, Affine):
            factor = factor * np.asarray(part, float)
    return affine[0].scaled(np.asarray(factor))


def _quotient(node: Any, parts: list[Any]) -> Affine | None:
    above, below = parts
    return None if isinstance(below, Affine) else above.scaled(1 / np.asarray(below, float))


def _second(node: Any, parts: list[Any]) -> Affine | None:
    shape = np.broadcast_shapes(*(np.shape(p) if not isinstance(p, Affine) else p.shape for p in parts))
    return _wide(parts[1]).broadcast(shape) if isinstance(parts[1], Affine) else None


def _cast(node: Any, parts: list[Any]) -> Affine | None:
    return parts[0] if node.outputs[0].type.dtype in ("float64", "float32") else None


_ELEMENTWISE: dict[type, Callable[[Any, list[Any]], Affine | None]] = {
    ps.Add: _sum,
    ps.Sub: lambda node, parts: _wide(parts[0]).plus(_wide(parts[1]), -1.0),
    ps.Neg: lambda node, parts: parts[0].scaled(np.asarray(-1.0)),
    ps.Mul: _scaled,
    ps.TrueDiv: _quotient,
    ps.Identity: lambda node, parts: parts[0],
    ps.Second: _second,
    ps.Cast: _cast,
}

_RULES: tuple[tuple[tuple[type, ...], Callable[[Linear, Any], Affine | None]], ...] = (
    ((DimShuffle, *KEEPS_ORDER, *INDEXING), Linear._moved),
    ((Alloc,), Linear._allocated),
    ((Join,), Linear._joined),
    ((MakeVector,), Linear._stacked),
    (SETTING, Linear._set),
    ((Sum,), Linear._summed),
    ((CumOp,), Linear._cumulated),
    ((Dot, Blockwise, SparseDot, StructuredDot, TrueDot), Linear._product),
)
