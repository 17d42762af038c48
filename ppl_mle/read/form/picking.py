"""Operations that pick, repeat or join elements: the rows ask for other elements of the arrays below."""

from typing import Any

import numpy as np

from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.linear import index_map, set_map
from ppl_mle.read.form.requests import Request, RowReader, name_of, read_repeated, shared
from ppl_mle.read.rows.build import Mixed
from ppl_mle.read.rows.expression import Expr


def moved(reader: RowReader, var: Any, want: Request) -> Expr:
    """Operations that keep the order of the elements, or pick some of them."""
    node = var.owner
    inputs = node.inputs
    if any(reader.known.depends(v) for v in inputs[1:]):
        raise Declined(f"{type(node.op).__name__} with indices that depend on parameters")
    if var not in reader.maps:
        reader.maps[var] = index_map(reader.known, var, reader.known.shape(inputs[0]))
    index = reader.maps[var]
    if index is None:
        return reader.read(inputs[0], want)
    name = ("picked", var, name_of(want))
    if name not in reader.memo:
        reader.memo[name] = shared(index.ravel() if want is None else index.ravel()[want])
    return reader.read(inputs[0], reader.memo[name])


def allocated(reader: RowReader, var: Any, want: Request) -> Expr:
    """An array that is repeated."""
    return read_repeated(reader, var.owner.inputs[0], reader.known.shape(var), want)


def joined(reader: RowReader, var: Any, want: Request) -> Expr:
    """One of several arrays, by row."""
    node = var.owner
    axis = int(node.op.axis) if hasattr(node.op, "axis") else int(reader.known.value(node.inputs[0]))
    arrays = node.inputs if hasattr(node.op, "axis") else node.inputs[1:]
    shapes = [reader.known.shape(v) for v in arrays]
    sizes = np.cumsum([0] + [int(np.prod(s)) for s in shapes])
    parts = [low + np.arange(int(np.prod(s))).reshape(s) for low, s in zip(sizes, shapes, strict=False)]
    return _select(reader, var, arrays, sizes, np.concatenate(parts, axis=axis).ravel(), want)


def stacked(reader: RowReader, var: Any, want: Request) -> Expr:
    """One of several numbers, by row."""
    inputs = var.owner.inputs
    sizes = np.arange(len(inputs) + 1)
    return _select(reader, var, inputs, sizes, sizes[:-1], want)


def set_elements(reader: RowReader, var: Any, want: Request) -> Expr:
    """An array with some elements set."""
    node = var.owner
    if not node.op.set_instead_of_inc or any(reader.known.depends(v) for v in node.inputs[2:]):
        raise Declined(f"{type(node.op).__name__} adds to elements")
    counts = [int(np.prod(reader.known.shape(v))) for v in node.inputs[:2]]
    return _select(reader, var, node.inputs[:2], np.cumsum([0, *counts]), set_map(reader.known, node).ravel(), want)


def _select(reader: RowReader, var: Any, arrays: Any, sizes: np.ndarray, index: np.ndarray, want: Request) -> Expr:
    """Elements of several arrays end to end; rows that take them from different arrays are read apart."""
    memo, name = reader.memo, ("selected", var, name_of(want))
    if name not in memo:
        elements = index if want is None else index[want]
        which = np.searchsorted(sizes, elements, side="right") - 1
        mine = which if np.ndim(which) == 0 or reader.make.rows is None else which[reader.make.rows]
        chosen = int(np.ravel(mine)[0])
        if np.any(mine != chosen):
            raise Mixed(which == chosen)
        local = np.where(which == chosen, elements - sizes[chosen], 0)
        memo[name] = chosen, shared(local)
    chosen, local = memo[name]
    return reader.read(arrays[chosen], local)
