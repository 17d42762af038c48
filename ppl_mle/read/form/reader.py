"""Reads a log-density elementwise: what lies above the affine parts, one row at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
from pymc.logprob.utils import CheckParameterValue
from pytensor.compile.builders import OpFromGraph
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import Alloc, Join, MakeVector
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.math import Dot, Max
from pytensor.tensor.special import LogAddExp, LogSoftmax, LogSumExp, Softmax, XLogY

from ppl_mle.read.form.conditions import checked
from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.events import cumulated, log_add_exp, log_sum_exp, product, reduced, softmax, x_log_y
from ppl_mle.read.form.linear import INDEXING, KEEPS_ORDER, SETTING, TRANSPARENT, Linear
from ppl_mle.read.form.picking import allocated, joined, moved, set_elements, stacked
from ppl_mle.read.form.predictors import Predictors
from ppl_mle.read.form.requests import Request, RowReader, name_of, read_repeated, taken
from ppl_mle.read.form.scalars import elementwise
from ppl_mle.read.rows.build import Builder
from ppl_mle.read.rows.expression import Expr


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
        self.memo: dict[Any, Any] = {}  # requests by the operation and the request they come from
        self.maps: dict[Any, Any] = {}  # index maps by variable, inlined graphs by node
        self._done: dict[tuple[Any, Any], Expr] = {}
        self._kept: dict[int, np.ndarray] = {}

    def read(self, var: Any, want: Request) -> Expr:
        """Read the elements of a variable that belong to the rows.

        Raises
        ------
        Declined
            An operation that is not elementwise, with its name.
        Mixed
            The rows of the group take different branches.
        """
        if isinstance(want, np.ndarray):
            self._kept[id(want)] = want
        if int(np.prod(self.known.shape(var))) == 1:
            want = 0
        key = (var, name_of(want))
        if key not in self._done:
            self._done[key] = self._read(var, want)
        return self._done[key]

    def _read(self, var: Any, want: Request) -> Expr:
        if not self.known.depends(var):
            return self.make.constant(taken(self.known.value(var), want))
        affine = self.linear.read(var)
        node = var.owner
        if affine is not None and (node is None or not _splits(node, affine, self.linear)):
            return self.make.predictor(self.predictors.add(affine, want, self.make.rows))
        op = node.op
        if isinstance(op, Elemwise):
            shape = self.known.shape(var)
            return elementwise(self.make, node, [read_repeated(self, v, shape, want) for v in node.inputs])
        if isinstance(op, TRANSPARENT):
            return self.read(node.inputs[0], want)
        for kinds, rule in _RULES:
            if isinstance(op, kinds):
                return rule(self, var, want)
        if isinstance(op, OpFromGraph):
            return self.read(self.linear.opened(var), want)
        raise Declined(f"{type(op).__name__} is not elementwise")

    def read_broadcast(self, var: Any, shape: tuple[int, ...]) -> Expr:
        """Read a variable that is broadcast to the shape of the rows."""
        return read_repeated(self, var, shape, None)


def _splits(node: Any, affine: Any, linear: Linear) -> bool:
    """Whether to cut below an affine node rather than at it, so that no matrix is scaled and so copied."""
    if not isinstance(node.op, Elemwise):
        return False
    name = type(node.op.scalar_op).__name__
    if name == "Sub" and not linear.known.depends(node.inputs[0]):
        return True
    if name in ("Neg", "Mul", "TrueDiv"):
        return affine.has_products or _scales_alone(node, linear)
    if name != "Sub" or not affine.has_products:
        return False
    right = linear.read(node.inputs[1])
    return right is not None and right.has_products


def _scales_alone(node: Any, linear: Linear) -> bool:
    """Whether one number scales every element, which the expression above can take up."""
    constants = [v for v in node.inputs if not linear.known.depends(v)]
    return all(int(np.prod(linear.known.shape(v))) == 1 for v in constants)


_RULES: tuple[tuple[Any, Callable[[RowReader, Any, Request], Expr]], ...] = (
    ((CheckParameterValue, CheckAndRaise), checked),
    ((DimShuffle, *KEEPS_ORDER, *INDEXING), moved),
    (Alloc, allocated),
    (Join, joined),
    (MakeVector, stacked),
    (SETTING, set_elements),
    (LogSumExp, log_sum_exp),
    (LogAddExp, log_add_exp),
    ((Softmax, LogSoftmax), softmax),
    (XLogY, x_log_y),
    (CumOp, cumulated),
    ((Dot, Blockwise), product),
    ((CAReduce, Max), reduced),
)
