"""Operations along an event axis, whose elements are written out one by one for each row."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import All, Dot, Max, Min, Prod, Sum
from pytensor.tensor.math import Any as AnyOp
from pytensor.tensor.special import LogSoftmax

from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.linear import axes_of
from ppl_mle.read.form.requests import LONGEST_EVENT, Request, RowReader, name_of, read_repeated, shared
from ppl_mle.read.rows.build import Builder, Mixed
from ppl_mle.read.rows.expression import Expr

_REDUCTIONS: tuple[tuple[Any, str], ...] = (
    (Sum, "add"),
    (Prod, "mul"),
    (Max, "maximum"),
    (Min, "minimum"),
    (All, "and"),
    (AnyOp, "or"),
)


def reduced(reader: RowReader, var: Any, want: Request) -> Expr:
    """A sum, product, extreme or truth value along axes."""
    node = var.owner
    name = next((name for kind, name in _REDUCTIONS if isinstance(node.op, kind)), None)
    if name is None:
        raise Declined(f"{type(node.op).__name__} is not elementwise")
    parts = _along(reader, node, axes_of(node.op, node.inputs[0].type.ndim), want)
    return _folded(reader.make, name, parts)


def log_sum_exp(reader: RowReader, var: Any, want: Request) -> Expr:
    """Logarithm of a sum of exponentials along axes."""
    node = var.owner
    return _folded(reader.make, "logaddexp", _along(reader, node, tuple(node.op.axis), want))


def log_add_exp(reader: RowReader, var: Any, want: Request) -> Expr:
    """Logarithm of a sum of exponentials of several arrays."""
    shape = reader.known.shape(var)
    return _folded(reader.make, "logaddexp", [read_repeated(reader, v, shape, want) for v in var.owner.inputs])


def softmax(reader: RowReader, var: Any, want: Request) -> Expr:
    """A softmax along axes, or its logarithm."""
    node = var.owner
    axis = node.op.axis
    ndim = node.inputs[0].type.ndim
    axes = tuple(range(ndim)) if axis is None else tuple(np.atleast_1d(axis) % ndim)
    total = _folded(reader.make, "logaddexp", _along(reader, node, axes, want, whole=True))
    logarithm = reader.make("sub", reader.read(node.inputs[0], want), total)
    return logarithm if isinstance(node.op, LogSoftmax) else reader.make("exp", logarithm)


def x_log_y(reader: RowReader, var: Any, want: Request) -> Expr:
    """x log y, which is 0 where x is."""
    make, shape = reader.make, reader.known.shape(var)
    x, y = (read_repeated(reader, v, shape, want) for v in var.owner.inputs)
    zero = make("eq", x, make.constant(0.0))
    return make("switch", zero, make.constant(0.0), make("mul", x, make("log", y)))


def cumulated(reader: RowReader, var: Any, want: Request) -> Expr:
    """A cumulative sum of a short vector."""
    node = var.owner
    shape = reader.known.shape(node.inputs[0])
    if node.op.mode != "add" or len(shape) != 1 or shape[0] > LONGEST_EVENT:
        raise Declined("a long cumulation of a nonlinear function")
    if not isinstance(want, int):
        last = np.arange(shape[0]) if want is None else want
        mine = last if reader.make.rows is None else last[reader.make.rows]
        if np.any(mine != mine[0]):
            raise Mixed(last == mine[0])
        want = int(mine[0])
    return _folded(reader.make, "add", [reader.read(node.inputs[0], i) for i in range(want + 1)])


def product(reader: RowReader, var: Any, want: Request) -> Expr:
    """A constant matrix times a short vector of nonlinear functions, written out."""
    node, make = var.owner, reader.make
    core = node.op.core_op if isinstance(node.op, Blockwise) else node.op
    if not isinstance(core, Dot):
        raise Declined(f"{type(core).__name__} is not elementwise")
    matrix, vector = node.inputs
    shape = reader.known.shape(vector)
    columns = shape[1] if len(shape) == 2 else 1
    if reader.known.depends(matrix) or len(shape) > 2 or columns != 1:
        raise Declined("a matrix product of two nonlinear functions")
    if shape[0] > LONGEST_EVENT:
        raise Declined(f"a matrix product with {shape[0]} nonlinear functions")
    values = np.asarray(reader.known.value(matrix), float)
    values = values.reshape(1, -1) if values.ndim == 1 else values
    rows = values if want is None else values[want]
    parts = [make("mul", make.constant(rows[..., j]), reader.read(vector, j)) for j in range(shape[0])]
    return _folded(make, "add", parts)


def _along(reader: RowReader, node: Any, axes: tuple[int, ...], want: Request, whole: bool = False) -> list[Expr]:
    """Elements of the input along some axes, for each row of the output, which has these axes too where `whole`."""
    shape = reader.known.shape(node.inputs[0])
    if any(i >= len(shape) for i in axes):
        raise Declined(f"{type(node.op).__name__} along an axis that its input does not have")
    length = int(np.prod([shape[i] for i in axes]))
    if length > LONGEST_EVENT:
        raise Declined(f"{type(node.op).__name__} over {length} elements inside a nonlinear function")
    kept = [i for i in range(len(shape)) if i not in axes]
    table = np.arange(int(np.prod(shape))).reshape(shape).transpose(*kept, *axes).reshape(-1, length)
    if whole:
        lines = np.empty(shape, int).transpose(*kept, *axes)
        lines[...] = np.arange(len(table)).reshape((*(shape[i] for i in kept), *(1,) * len(axes)))
        lines = lines.transpose(np.argsort([*kept, *axes])).ravel()
        line: Request = lines if want is None else lines[want]
    else:
        line = want
    wants = [shared(table[:, j] if line is None else table[line, j]) for j in range(length)]
    return [reader.read(node.inputs[0], _known_request(reader, node, j, want, w)) for j, w in enumerate(wants)]


def _known_request(reader: RowReader, node: Any, j: int, want: Request, made: Request) -> Request:
    """The same request object for the same question, so that answers are shared."""
    return reader.memo.setdefault(("along", node, j, name_of(want)), made)


def _folded(make: Builder, op: str, parts: Sequence[Expr]) -> Expr:
    total = parts[0]
    for part in parts[1:]:
        total = make(op, total, part)
    return total
