"""Conditions that a log-density checks: those that are comparisons in every row are kept with the rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.scalar.basic import GE, GT, LE, LT
from pytensor.tensor.basic import MakeVector
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import All

from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.linear import TRANSPARENT
from ppl_mle.read.form.requests import LONGEST_EVENT, Request, RowReader
from ppl_mle.read.rows.expression import Expr

_COMPARISONS = ("const", "lt", "le", "gt", "ge")


def checked(reader: RowReader, var: Any, want: Request) -> Expr:
    """The value passes; conditions that can be read are kept, the rest is left to PyMC's own log-density."""
    node = var.owner
    for condition in node.inputs[1:]:
        for part in _conjuncts(condition):
            _keep(reader, part)
    return reader.read(node.inputs[0], want)


def _keep(reader: RowReader, condition: Any) -> None:
    if not _compares(condition):
        return
    size = int(np.prod(reader.known.shape(condition)))
    whole = size == reader.count
    if not (whole or size <= LONGEST_EVENT):
        return
    try:
        wants: Sequence[Request] = [None] if whole else list(range(size))
        read = [reader.read(condition, want) for want in wants]
    except Declined:
        return
    kept = [r for r in read if not (r.op == "const" and np.all(r.value))]
    if all(r.op in _COMPARISONS for r in kept):
        reader.conditions += [r for r in kept if not any(r is c for c in reader.conditions)]


def _compares(condition: Any) -> bool:
    """Whether a condition is a comparison; others (sums that are one, up to rounding) cost more than they tell."""
    node = condition.owner
    return node is None or (isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, LT | LE | GT | GE))


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
