"""Reads a log-density elementwise: what lies above the affine parts, one row at a time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pymc.logprob.utils import CheckParameterValue
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.replace import graph_replace
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import Alloc, Join, MakeVector
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.math import All, Any as AnyOp, Dot, Max, Min, Prod, Sum
from pytensor.tensor.special import LogAddExp, LogSoftmax, LogSumExp, Softmax, XLogY

from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.linear import INDEXING, KEEPS_ORDER, SETTING, TRANSPARENT, Linear, axes_of, index_map, set_map
from ppl_mle.read.form.predictors import Predictors
from ppl_mle.read.form.scalars import elementwise
from ppl_mle.read.rows.build import Builder, Mixed
from ppl_mle.read.rows.expression import Expr

# Which elements of a flattened array are asked for: all in order, one for every row, or one element for all rows.
Request = None | np.ndarray | int

_LONGEST_EVENT = 64


class Reader:
    """Reads rows of graphs as expressions of predictors.

    Parameters
    ----------
    linear : Linear
    predictors : Predictors
        Collects what is found to be affine.
    make : Builder
        Of the group of rows that is read.
    count : int
        Number of rows.
    """

    def __init__(self, linear: Linear, predictors: Predictors, make: Builder, count: int) -> None:
        self.linear, self.known = linear, linear.known
        self.predictors, self.make, self.count = predictors, make, count
        self.conditions: list[Expr] = []
        self.unread: list[str] = []
        self._done: dict[tuple[Any, Any], Expr] = {}
        self._kept: dict[int, Any] = {}
        self._inlined: dict[Any, Any] = {}

    def read(self, var: Any, want: Request) -> Expr:
        """Read the elements of a variable that belong to the rows.

        Raises
        ------
        Declined
            An operation that is not elementwise, with its name.
        Mixed
            The rows of the group take different branches.
        """
        if want is not None and not isinstance(want, int):
            self._kept[id(want)] = want
        if int(np.prod(self.known.shape(var))) == 1:
            want = 0
        key = (var, id(want) if isinstance(want, np.ndarray) else want)
        if key not in self._done:
            self._done[key] = self._read(var, want)
        return self._done[key]

    def _read(self, var: Any, want: Request) -> Expr:
        if not self.known.depends(var):
            return self.make.constant(_taken(self.known.value(var), want))
        affine = self.linear.read(var)
        node = var.owner
        if affine is not None and (node is None or not _splits(node, affine, self.linear)):
            return self.make.predictor(self.predictors.add(affine, want, self.make.rows))
        op = node.op
        if isinstance(op, Elemwise):
            shape = self.known.shape(var)
            return elementwise(self.make, node, [self._argument(v, shape, want) for v in node.inputs])
        if isinstance(op, TRANSPARENT):
            return self.read(node.inputs[0], want)
        for kinds, rule in _RULES:
            if isinstance(op, kinds):
                return rule(self, var, want)
        if isinstance(op, OpFromGraph):
            return self._open(node, var, want)
        raise Declined(f"{type(op).__name__} is not elementwise")

    def read_broadcast(self, var: Any, shape: tuple[int, ...]) -> Expr:
        """Read a variable that is broadcast to the shape of the rows."""
        own = self.known.shape(var)
        return self.read(var, _narrowed(None, shape, (1,) * (len(shape) - len(own)) + own, self._memo))

    def _argument(self, var: Any, shape: tuple[int, ...], want: Request) -> Expr:
        """An input of an elementwise operation, whose axes of length one are repeated."""
        return self.read(var, _narrowed(want, shape, self.known.shape(var), self._memo))

    @property
    def _memo(self) -> dict[Any, Any]:
        return self._inlined.setdefault("narrowed", {})

    def _moved(self, var: Any, want: Request) -> Expr:
        node = var.owner
        inputs = node.inputs
        if any(self.known.depends(v) for v in inputs[1:]):
            raise Declined(f"{type(node.op).__name__} with indices that depend on parameters")
        key = ("map", var)
        if key not in self._inlined:
            self._inlined[key] = index_map(self.known, var, self.known.shape(inputs[0]))
        return self.read(inputs[0], self._picked(self._inlined[key], want, key))

    def _picked(self, index: np.ndarray | None, want: Request, key: Any) -> Request:
        if index is None:
            return want
        memo, name = self._memo, (key, id(want) if isinstance(want, np.ndarray) else want)
        if name not in memo:
            memo[name] = _shared(index.ravel() if want is None else index.ravel()[want])
        return memo[name]

    def _checked(self, var: Any, want: Request) -> Expr:
        """The value passes; conditions that can be read are kept, the rest is left to PyMC's own log-density."""
        node = var.owner
        for condition in node.inputs[1:]:
            for part in _conjuncts(condition):
                self._keep(part, getattr(node.op, "msg", ""))
        return self.read(node.inputs[0], want)

    def _keep(self, condition: Any, message: str) -> None:
        size = int(np.prod(self.known.shape(condition)))
        whole = size == self.count
        if not (whole or size <= _LONGEST_EVENT):
            self.unread.append(message)
            return
        try:
            wants: Sequence[Request] = [None] if whole else list(range(size))
            read = [self.read(condition, want) for want in wants]
        except Declined:
            self.unread.append(message)
            return
        kept = [r for r in read if not (r.op == "const" and np.all(r.value))]
        if any(r.op not in _COMPARISONS for r in kept):
            self.unread.append(message)
            return
        self.conditions += [r for r in kept if not any(r is c for c in self.conditions)]

    def _allocated(self, var: Any, want: Request) -> Expr:
        node = var.owner
        return self._argument_of_alloc(node.inputs[0], self.known.shape(node.outputs[0]), want)

    def _argument_of_alloc(self, var: Any, shape: tuple[int, ...], want: Request) -> Expr:
        own = self.known.shape(var)
        padded = (1,) * (len(shape) - len(own)) + own
        return self.read(var, _narrowed(want, shape, padded, self._memo))

    def _joined(self, var: Any, want: Request) -> Expr:
        """One of several arrays, by row."""
        node = var.owner
        axis = int(node.op.axis) if hasattr(node.op, "axis") else int(self.known.value(node.inputs[0]))
        arrays = node.inputs if hasattr(node.op, "axis") else node.inputs[1:]
        shapes = [self.known.shape(v) for v in arrays]
        sizes = np.cumsum([0] + [int(np.prod(s)) for s in shapes])
        parts = [low + np.arange(int(np.prod(s))).reshape(s) for low, s in zip(sizes, shapes, strict=False)]
        return self._select(arrays, sizes, np.concatenate(parts, axis=axis).ravel(), want)

    def _stacked(self, var: Any, want: Request) -> Expr:
        node = var.owner
        sizes = np.arange(len(node.inputs) + 1)
        return self._select(node.inputs, sizes, sizes[:-1], want)

    def _set(self, var: Any, want: Request) -> Expr:
        node = var.owner
        if not node.op.set_instead_of_inc or any(self.known.depends(v) for v in node.inputs[2:]):
            raise Declined(f"{type(node.op).__name__} adds to elements")
        counts = [int(np.prod(self.known.shape(v))) for v in node.inputs[:2]]
        return self._select(node.inputs[:2], np.cumsum([0, *counts]), set_map(self.known, node).ravel(), want)

    def _select(self, arrays: Any, sizes: np.ndarray, index: np.ndarray, want: Request) -> Expr:
        """Elements of several arrays end to end; rows that take them from different arrays are read apart."""
        memo, name = self._memo, (tuple(arrays), id(want) if isinstance(want, np.ndarray) else want)
        if name not in memo:
            taken = index if want is None else index[want]
            which = np.searchsorted(sizes, taken, side="right") - 1
            mine = which if np.ndim(which) == 0 or self.make.rows is None else which[self.make.rows]
            chosen = int(np.ravel(mine)[0])
            if np.any(mine != chosen):
                raise Mixed(which == chosen)
            local = np.where(which == chosen, taken - sizes[chosen], 0)
            memo[name] = chosen, _shared(local)
        chosen, local = memo[name]
        return self.read(arrays[chosen], local)

    def _along(self, node: Any, axes: tuple[int, ...], want: Request, whole: bool = False) -> list[Expr]:
        """Elements of the input along some axes, for each row of the output."""
        shape = self.known.shape(node.inputs[0])
        length = int(np.prod([shape[i] for i in axes]))
        if length > _LONGEST_EVENT:
            raise Declined(f"{type(node.op).__name__} over {length} elements inside a nonlinear function")
        kept = [i for i in range(len(shape)) if i not in axes]
        table = np.arange(int(np.prod(shape))).reshape(shape).transpose(*kept, *axes).reshape(-1, length)
        if whole:
            lines = np.empty(shape, int).transpose(*kept, *axes)
            lines[...] = np.arange(len(table)).reshape(*(shape[i] for i in kept), *(1,) * len(axes))
            lines = lines.transpose(np.argsort([*kept, *axes])).ravel()
            line: Request = lines if want is None else lines[want]
        else:
            line = want
        wants = [_shared(table[:, j] if line is None else table[line, j]) for j in range(length)]
        return [self.read(node.inputs[0], self._known_request(node, j, want, w)) for j, w in enumerate(wants)]

    def _known_request(self, node: Any, j: int, want: Request, made: Request) -> Request:
        """The same request object for the same question, so that answers are shared."""
        name = ("along", node.inputs[0], j, id(want) if isinstance(want, np.ndarray) else want)
        return self._memo.setdefault(name, made)

    def _reduced(self, var: Any, want: Request) -> Expr:
        node = var.owner
        name = next((name for kind, name in _REDUCTIONS if isinstance(node.op, kind)), None)
        if name is None:
            raise Declined(f"{type(node.op).__name__} is not elementwise")
        parts = self._along(node, axes_of(node.op, node.inputs[0].type.ndim), want)
        return _folded(self.make, name, parts)

    def _log_sum_exp(self, var: Any, want: Request) -> Expr:
        node = var.owner
        return _folded(self.make, "logaddexp", self._along(node, tuple(node.op.axis), want))

    def _log_add_exp(self, var: Any, want: Request) -> Expr:
        node = var.owner
        shape = self.known.shape(node.outputs[0])
        return _folded(self.make, "logaddexp", [self._argument_of_alloc(v, shape, want) for v in node.inputs])

    def _softmax(self, var: Any, want: Request) -> Expr:
        node = var.owner
        axis = node.op.axis
        ndim = node.inputs[0].type.ndim
        axes = tuple(range(ndim)) if axis is None else tuple(np.atleast_1d(axis) % ndim)
        total = _folded(self.make, "logaddexp", self._along(node, axes, want, whole=True))
        logarithm = self.make("sub", self.read(node.inputs[0], want), total)
        return logarithm if isinstance(node.op, LogSoftmax) else self.make("exp", logarithm)

    def _x_log_y(self, var: Any, want: Request) -> Expr:
        node = var.owner
        shape = self.known.shape(node.outputs[0])
        x, y = (self._argument_of_alloc(v, shape, want) for v in node.inputs)
        zero = self.make("eq", x, self.make.constant(0.0))
        return self.make("switch", zero, self.make.constant(0.0), self.make("mul", x, self.make("log", y)))

    def _cumulated(self, var: Any, want: Request) -> Expr:
        node = var.owner
        shape = self.known.shape(node.inputs[0])
        if node.op.mode != "add" or len(shape) != 1 or shape[0] > _LONGEST_EVENT:
            raise Declined("a long cumulation of a nonlinear function")
        if not isinstance(want, int):
            last = np.arange(shape[0]) if want is None else want
            mine = last if self.make.rows is None else last[self.make.rows]
            if np.any(mine != mine[0]):
                raise Mixed(last == mine[0])
            want = int(mine[0])
        return _folded(self.make, "add", [self.read(node.inputs[0], i) for i in range(want + 1)])

    def _product(self, var: Any, want: Request) -> Expr:
        """A constant matrix times a short vector of nonlinear functions, written out."""
        node = var.owner
        core = node.op.core_op if isinstance(node.op, Blockwise) else node.op
        matrix, vector = node.inputs
        shape = self.known.shape(vector)
        columns = shape[1] if len(shape) == 2 else 1
        if not isinstance(core, Dot) or self.known.depends(matrix) or len(shape) > 2 or columns != 1:
            raise Declined("a matrix product of two nonlinear functions")
        if shape[0] > _LONGEST_EVENT:
            raise Declined(f"a matrix product with {shape[0]} nonlinear functions")
        values = np.asarray(self.known.value(matrix), float)
        values = values.reshape(1, -1) if values.ndim == 1 else values
        rows = values if want is None else values[np.asarray(want)] if not isinstance(want, int) else values[want]
        parts = [
            self.make("mul", self.make.constant(rows[..., j]), self.read(vector, j)) for j in range(shape[0])
        ]
        return _folded(self.make, "add", parts)

    def _open(self, node: Any, var: Any, want: Request) -> Expr:
        """An operation defined by a graph, replaced by that graph."""
        if node not in self._inlined:
            inner = dict(zip(node.op.inner_inputs, node.inputs, strict=True))
            self._inlined[node] = graph_replace(list(node.op.inner_outputs), inner, strict=False)
        return self.read(self._inlined[node][node.outputs.index(var)], want)


def _splits(node: Any, affine: Any, linear: Linear) -> bool:
    """Whether to cut below an affine node rather than at it, so that no matrix is scaled and so copied."""
    if not isinstance(node.op, Elemwise):
        return False
    name = type(node.op.scalar_op).__name__
    if name == "Sub" and not linear.known.depends(node.inputs[0]):
        return True
    if not affine.has_products:
        return False
    if name in ("Neg", "Mul", "TrueDiv"):
        return True
    if name != "Sub":
        return False
    right = linear.read(node.inputs[1])
    return right is not None and right.has_products


def _folded(make: Builder, op: str, parts: Sequence[Expr]) -> Expr:
    total = parts[0]
    for part in parts[1:]:
        total = make(op, total, part)
    return total


def _taken(value: np.ndarray, want: Request) -> np.ndarray:
    flat = np.ravel(value)
    return flat if want is None else flat[want]


def _shared(index: np.ndarray) -> Request:
    """One element for all rows, where the rows agree."""
    if index.ndim == 0 or index.size == 1 or (index[0] == index[-1] and np.all(index == index[0])):
        return int(np.ravel(index)[0])
    return index


def _narrowed(want: Request, shape: tuple[int, ...], own: tuple[int, ...], memo: dict[Any, Any]) -> Request:
    """What is asked of an array that is broadcast to a shape, when `want` is asked of the result."""
    if own == shape:
        return want
    if int(np.prod(own)) == 1:
        return 0
    name = (shape, own, id(want) if isinstance(want, np.ndarray) else want)
    if name not in memo:
        index = np.broadcast_to(np.arange(int(np.prod(own))).reshape(own), shape)
        memo[name] = _shared(index.ravel() if want is None else index[np.unravel_index(want, shape)])
    return memo[name]


def _conjuncts(condition: Any) -> list[Any]:
    """The parts of a condition that must all hold."""
    node = condition.owner
    if node is None:
        return [condition]
    if isinstance(node.op, (All, MakeVector, *TRANSPARENT)):
        return [part for v in node.inputs for part in _conjuncts(v)]
    if isinstance(node.op, DimShuffle):
        return _conjuncts(node.inputs[0])
    if isinstance(node.op, Elemwise) and type(node.op.scalar_op).__name__ == "AND":
        return [part for v in node.inputs for part in _conjuncts(v)]
    return [condition]


_COMPARISONS = ("const", "lt", "le", "gt", "ge")

_REDUCTIONS: tuple[tuple[Any, str], ...] = (
    (Sum, "add"),
    (Prod, "mul"),
    (Max, "maximum"),
    (Min, "minimum"),
    (All, "and"),
    (AnyOp, "or"),
)

_RULES: tuple[tuple[Any, Callable[[Reader, Any, Request], Expr]], ...] = (
    ((CheckParameterValue, CheckAndRaise), Reader._checked),
    ((DimShuffle, *KEEPS_ORDER, *INDEXING), Reader._moved),
    (Alloc, Reader._allocated),
    (Join, Reader._joined),
    (MakeVector, Reader._stacked),
    (SETTING, Reader._set),
    (LogSumExp, Reader._log_sum_exp),
    (LogAddExp, Reader._log_add_exp),
    ((Softmax, LogSoftmax), Reader._softmax),
    (XLogY, Reader._x_log_y),
    (CumOp, Reader._cumulated),
    ((Dot, Blockwise), Reader._product),
    ((CAReduce, Max), Reader._reduced),
)
