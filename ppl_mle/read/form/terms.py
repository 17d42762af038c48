"""One term of a log-density as sums over rows, or the reason why it has no such form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum

from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.families import match_family
from ppl_mle.read.form.linear import TRANSPARENT, Linear
from ppl_mle.read.form.predictors import Predictors
from ppl_mle.read.form.reader import Reader
from ppl_mle.read.rows.build import Builder, Mixed
from ppl_mle.read.rows.expression import Expr, in_order
from ppl_mle.read.rows.kernels import KERNELS, Kernel
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.sums import add_term
from ppl_mle.read.rows.term import Group, RowTerm

_MOST_GROUPS = 64
_MOST_NODES = 3000
_BLOCK = 65_536
_KERNELS = {kernel.name: kernel for kernel in KERNELS}


@dataclass(frozen=True, eq=False)
class Family:
    """The distribution of an observed variable: its operation, its parameters as graphs, its values."""

    op: Any
    parameters: Sequence[Any]
    values: Any


def read_term(
    name: str, graph: Any, linear: Linear, weights: np.ndarray | None, family: Family | None
) -> list[RowTerm]:
    """Read the elementwise log-density of one term.

    Parameters
    ----------
    name : str
    graph : graph variable
        Log-density of each element.
    linear : Linear
    weights : array or None
        Frequency weight of each element.
    family : Family or None

    Returns
    -------
    list of RowTerm
        More than one where the graph is itself a sum of sums.

    Raises
    ------
    Declined
        With the reason.
    """
    if not int(np.prod(linear.known.shape(graph))):
        return [RowTerm(name, 0, (), (), form="constant")]
    try:
        if family is not None:
            closed = _closed_form(name, graph, linear, weights, family)
            if closed is not None:
                return [closed]
        parts = [(graph, 1.0)] if weights is not None else _summands(graph, linear, 1.0)
        return [_from_graph(name, part, scale, linear, weights) for part, scale in parts]
    except RecursionError:
        raise Declined("the graph is too deep") from None


def _closed_form(name: str, graph: Any, linear: Linear, weights: np.ndarray | None, family: Family) -> RowTerm | None:
    """The term by its family's kernel; None where the family or its links have none."""
    known = linear.known
    shape = known.shape(graph)
    count = int(np.prod(shape))
    predictors = Predictors(count)
    reader = Reader(linear, predictors, Builder(), count)
    try:
        read = [reader.read_broadcast(parameter, shape) for parameter in family.parameters]
    except (Declined, Mixed):
        return None
    found = match_family(family.op, read)
    if found is None or found[0] not in _KERNELS or known.depends(family.values):
        return None
    kernel, etas, data = found
    y = np.ravel(known.value(family.values))
    base = _base(_KERNELS[kernel], y, data, weights) if y.size == count else None
    if base is None:
        return None
    expression = reader.make.kernel(kernel, etas, (y, data))
    rows = None if weights is None or np.all(weights) else np.flatnonzero(weights)
    group = Group(rows, Program(expression, reader.conditions))
    return _assemble(name, count, predictors, [group], weights, base, 1.0, kernel)


def _base(kernel: Kernel, y: np.ndarray, data: tuple[Any, ...], weights: np.ndarray | None) -> float | None:
    """Sum of what no predictor changes, block by block; None where a response is not in the support."""
    total = 0.0
    for start in range(0, len(y), _BLOCK):
        rows = slice(start, start + _BLOCK)
        known = tuple(part[rows] if np.ndim(part) else part for part in data)
        if not kernel.accepts(y[rows], known):
            return None
        base = kernel.base(y[rows], known)
        total += float(np.sum(base if weights is None else np.where(weights[rows] > 0, base * weights[rows], 0.0)))
    return total


def _from_graph(name: str, graph: Any, scale: float, linear: Linear, weights: np.ndarray | None) -> RowTerm:
    count = int(np.prod(linear.known.shape(graph)))
    predictors = Predictors(count)
    kept = np.arange(count) if weights is None else np.flatnonzero(weights)
    groups: list[Group] = []
    waiting: list[np.ndarray | None] = [None if weights is None or len(kept) == count else kept]
    while waiting:
        rows = waiting.pop()
        reader = Reader(linear, predictors, Builder(rows), count)
        try:
            expression = reader.read(graph, None)
        except Mixed as split:
            mine = np.arange(count) if rows is None else rows
            waiting += [mine[split.mask[mine]], mine[~split.mask[mine]]]
            if len(waiting) + len(groups) > _MOST_GROUPS:
                raise Declined(f"the rows take more than {_MOST_GROUPS} different branches") from None
            continue
        if len(in_order(expression)) > _MOST_NODES:
            raise Declined(f"a row has more than {_MOST_NODES} operations")
        groups.append(Group(rows, Program(expression, reader.conditions)))
    return _assemble(name, count, predictors, groups, weights, 0.0, scale, "graph")


def _assemble(
    name: str,
    count: int,
    predictors: Predictors,
    groups: list[Group],
    weights: np.ndarray | None,
    base: float,
    scale: float,
    form: str,
) -> RowTerm:
    """Keep the predictors that some group uses, numbered anew."""
    used = sorted({node.index for group in groups for node in _nodes(group) if node.op == "eta"})
    place = {old: new for new, old in enumerate(used)}
    kept = tuple(predictors.found[old] for old in used)
    if not kept:
        return _constant(name, count, groups, weights, base, scale)
    renamed = tuple(Group(group.rows, group.program.renumbered(place)) for group in groups)
    return RowTerm(name, count, kept, renamed, weights, base, scale, form)


def _constant(
    name: str, count: int, groups: list[Group], weights: np.ndarray | None, base: float, scale: float
) -> RowTerm:
    """A term that nothing changes."""
    term = RowTerm(name, count, (), tuple(groups), weights, base, 1.0, "constant")
    with np.errstate(all="ignore"):
        value = add_term(term, np.zeros(0), 0, np.zeros(0), None)
    return RowTerm(name, count, (), (), None, value, scale, "constant")


def _nodes(group: Group) -> list[Expr]:
    return in_order(group.program.expression, *group.program.conditions)


def _summands(graph: Any, linear: Linear, scale: float) -> list[tuple[Any, float]]:
    """Elementwise graphs whose sums, times their scales, add up to the sum of a graph."""
    node = graph.owner
    if node is None or not linear.known.depends(graph):
        return [(graph, scale)]
    if isinstance(node.op, (*TRANSPARENT, Sum, DimShuffle)) and not _repeats(node, linear):
        return _summands(node.inputs[0], linear, scale)
    if isinstance(node.op, Alloc) and linear.known.shape(graph) == linear.known.shape(node.inputs[0]):
        return _summands(node.inputs[0], linear, scale)
    if graph.type.ndim == 0 and isinstance(node.op, Elemwise):
        kind = node.op.scalar_op
        if isinstance(kind, ps.Add | ps.Sub | ps.Neg):
            signs = [1.0] * len(node.inputs) if isinstance(kind, ps.Add) else [1.0, -1.0][-len(node.inputs) :]
            pairs = zip(node.inputs, signs, strict=True)
            return [part for v, sign in pairs for part in _summands(v, linear, sign * scale)]
        if isinstance(kind, ps.Mul | ps.TrueDiv):
            return _scaled_summands(graph, node, linear, scale)
    return [(graph, scale)]


def _repeats(node: Any, linear: Linear) -> bool:
    if isinstance(node.op, Sum):
        return False
    sizes = [int(np.prod(linear.known.shape(v))) for v in (node.outputs[0], node.inputs[0])]
    return sizes[0] != sizes[1]


def _scaled_summands(graph: Any, node: Any, linear: Linear, scale: float) -> list[tuple[Any, float]]:
    moving = [v for v in node.inputs if linear.known.depends(v)]
    if len(moving) != 1 or (isinstance(node.op.scalar_op, ps.TrueDiv) and moving[0] is node.inputs[1]):
        return [(graph, scale)]
    for v in node.inputs:
        if v is not moving[0]:
            number = float(linear.known.value(v))
            scale = scale / number if isinstance(node.op.scalar_op, ps.TrueDiv) else scale * number
    return _summands(moving[0], linear, scale)
