"""What a graph is before any parameter has a value: its constants and its shapes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.rewriting import inline_ofg_node
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.graph.op import HasInnerGraph, Op
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.shape import Shape, Shape_i

from ppl_mle.read.form.declined import Declined

Shape_ = tuple[int, ...]

_UNUSABLE = (ValueError, TypeError, IndexError, NotImplementedError, np.linalg.LinAlgError)


class Known:
    """Constants and shapes of a graph over some free values.

    Parameters
    ----------
    shapes : dict of variable to tuple of int
        The free values, with their shapes; all else that has no owner is data.
    data : dict of variable to array, optional
        Values of variables that stand in for data.
    """

    def __init__(self, shapes: Mapping[Any, Shape_], data: Mapping[Any, np.ndarray] | None = None) -> None:
        self._shapes: dict[Any, Shape_] = dict(shapes)
        self._values: dict[Any, np.ndarray] = dict(data or {})
        self._depends: dict[Any, bool] = dict.fromkeys(shapes, True)

    def depends(self, var: Any) -> bool:
        """Whether a variable changes with the free values; its shape alone never does."""
        stack = [var]
        while stack:
            top = stack[-1]
            if top in self._depends:
                stack.pop()
                continue
            if top.owner is None or isinstance(top.owner.op, Shape | Shape_i):
                self._depends[top] = False
                continue
            waiting = [v for v in top.owner.inputs if v not in self._depends]
            if waiting:
                stack += waiting
            else:
                self._depends[top] = any(self._depends[v] for v in top.owner.inputs)
        return self._depends[var]

    def value(self, var: Any) -> np.ndarray:
        """Value of a variable that does not depend on the free values.

        Raises
        ------
        Declined
            It holds a random variable, or an operation that has no plain evaluation.
        """
        if var not in self._values:
            self._values[var] = self._evaluate(var)
        return self._values[var]

    def shape(self, var: Any) -> Shape_:
        """Shape of a variable."""
        if var not in self._shapes:
            static = getattr(var.type, "shape", ())
            if all(length is not None for length in static):
                self._shapes[var] = tuple(static)
            elif not self.depends(var):
                self._shapes[var] = np.shape(self.value(var))
            else:
                self._shapes[var] = self._infer(var)
        return self._shapes[var]

    def learn(self, var: Any, shape: Shape_) -> None:
        """Enter the shape of a variable whose type does not tell it."""
        self._shapes[var] = shape

    def perform(self, node: Any, arrays: Sequence[Any]) -> Any:
        """Apply the operation of a node to arrays, by its Python implementation."""
        if isinstance(node.op, HasInnerGraph | RandomVariable) or type(node.op).perform is Op.perform:
            raise Declined(f"{_name(node)} has no plain evaluation")
        if isinstance(node.op, Elemwise):
            node.op.prepare_node(node, None, None, "py")
        storage: list[list[Any]] = [[None] for _ in node.outputs]
        try:
            with np.errstate(all="ignore"):
                node.op.perform(node, list(arrays), storage)
        except _UNUSABLE as exc:
            raise Declined(f"{_name(node)} cannot be evaluated beforehand ({exc})") from exc
        return [cell[0] for cell in storage]

    def _evaluate(self, var: Any) -> np.ndarray:
        if isinstance(var, Constant):
            return _as_array(var.data)
        if isinstance(var, SharedVariable):
            return _as_array(var.get_value(borrow=True))
        if var.owner is None:
            raise Declined(f"'{var}' has no value yet")
        if isinstance(var.owner.op, Shape):
            return np.array(self.shape(var.owner.inputs[0]), np.int64)
        if isinstance(var.owner.op, Shape_i):
            return np.array(self.shape(var.owner.inputs[0])[var.owner.op.i], np.int64)
        if isinstance(var.owner.op, OpFromGraph):
            return self.value(inline_ofg_node(var.owner)[var.owner.outputs.index(var)])
        arrays = [self.value(v) for v in var.owner.inputs]
        return _as_array(self.perform(var.owner, arrays)[var.owner.outputs.index(var)])

    def _infer(self, var: Any) -> Shape_:
        """Shape by the operation's own rule, from arrays that take no memory."""
        if var.owner is None:
            raise Declined(f"the shape of '{var}' is not known")
        node = var.owner
        if isinstance(node.op, CheckAndRaise):
            return self.shape(node.inputs[0])
        if isinstance(node.op, Elemwise):
            return np.broadcast_shapes(*(self.shape(v) for v in node.inputs))
        arrays = [
            np.broadcast_to(np.zeros((), v.type.dtype), self.shape(v)) if self.depends(v) else self.value(v)
            for v in node.inputs
        ]
        return np.shape(self.perform(node, arrays)[node.outputs.index(var)])


def _as_array(data: Any) -> Any:
    return data if data is None or isinstance(data, np.ndarray) or hasattr(data, "tocsr") else np.asarray(data)


def _name(node: Any) -> str:
    return type(node.op.scalar_op if isinstance(node.op, Elemwise) else node.op).__name__
