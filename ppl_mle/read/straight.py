"""Calls of an interpreted function without what PyTensor does around every node: its operations one after the other."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant
from pytensor.graph.op import Op
from pytensor.link.c.op import COp
from pytensor.scalar.basic import Add, Mul
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.type import TensorType

_ORDINARY = (Op.make_thunk, COp.make_thunk)

Step = tuple[Callable[..., Any], tuple[int, ...], int | tuple[int, ...], tuple[int, ...]]


class StraightLine:
    """A PyTensor function of arrays that is evaluated node by node.

    Arguments of shapes that were not met before go through the function itself, with all its checks. An interpreted
    elementwise operation on a thousand numbers takes longer to be checked and stored than to be computed.

    Parameters
    ----------
    function : pytensor function
        Interpreted; its operations leave their arguments as they are.
    """

    def __init__(self, function: Any) -> None:
        self._function = function
        graph = function.maker.fgraph
        self._single = bool(getattr(function, "unpack_single", False))
        self._types = [np.dtype(var.type.dtype) for var in graph.inputs]
        place = {var: i for i, var in enumerate(graph.inputs)}
        nodes = graph.toposort()
        for var in [v for node in nodes for v in (*node.inputs, *node.outputs)] + list(graph.outputs):
            place.setdefault(var, len(place))
        self._blank: list[Any] = [None] * len(place)
        for var, i in place.items():
            if isinstance(var, Constant):
                self._blank[i] = var.data
        self._steps = _plan_steps(nodes, graph, place)
        self._outputs = [place[var] for var in graph.outputs]
        self._lent = {place[var] for var in graph.outputs if var.owner is None}
        self._met: set[tuple[Any, ...]] = set()

    @staticmethod
    def suits(function: Any, inputs: int) -> bool:
        """Whether every operation of a function is of the plain kind, from arrays to new arrays."""
        graph = function.maker.fgraph
        plain = all(type(node.op).make_thunk in _ORDINARY for node in graph.apply_nodes)
        return (
            len(graph.inputs) == inputs
            and plain
            and not any(node.op.destroy_map for node in graph.apply_nodes)
            and all(isinstance(var.type, TensorType) for var in [*graph.inputs, *graph.outputs])
        )

    def __call__(self, *arguments: Any) -> Any:
        """Evaluate; what PyTensor's operations raise is raised as it is."""
        arrays = [np.asarray(argument) for argument in arguments]
        shapes = tuple([array.shape for array in arrays])
        if shapes not in self._met or any(a.dtype != t for a, t in zip(arrays, self._types, strict=True)):
            result = self._function(*arguments)
            self._met.add(shapes)
            return result
        found = self._run(arrays)
        return found[0] if self._single else found

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        store = self._blank.copy()
        store[: len(arrays)] = arrays
        with np.errstate(all="ignore"):
            for work, given, made, spent in self._steps:
                result = work(*[store[i] for i in given])
                if isinstance(made, int):
                    store[made] = result
                else:
                    for i, part in zip(made, result, strict=True):
                        store[i] = part
                for i in spent:
                    store[i] = None
        return [_own(store[i], i in self._lent) for i in self._outputs]


def _own(array: Any, lent: bool) -> np.ndarray:
    array = np.asarray(array)
    return array.copy() if lent or not array.flags.owndata else array


def _plan_steps(nodes: list[Any], graph: Any, place: dict[Any, int]) -> list[Step]:
    last = {var: i for i, node in enumerate(nodes) for var in node.inputs}
    kept = {*graph.outputs, *graph.inputs}
    steps: list[Step] = []
    for i, node in enumerate(nodes):
        made = tuple(place[var] for var in node.outputs)
        spent = {v for v in node.inputs if last[v] == i and v not in kept and not isinstance(v, Constant)}
        given = tuple(place[var] for var in node.inputs)
        gone = tuple(place[var] for var in spent)
        steps.append((_work(node), given, made[0] if len(made) == 1 else made, gone))
    return steps


def _work(node: Any) -> Callable[..., Any]:
    """The function of arrays that a node stands for."""
    op = node.op
    if isinstance(op, Elemwise) and len(node.outputs) == 1 and not op.inplace_pattern:
        ufunc, dtype = _numpy_function(op, node), np.dtype(node.outputs[0].type.dtype)
        if ufunc is not None:
            return lambda *arrays: np.asarray(ufunc(*arrays), dtype)
    perform, single = op.perform, len(node.outputs) == 1

    def work(*arrays: Any) -> Any:
        storage: list[list[Any]] = [[None] for _ in node.outputs]
        perform(node, list(arrays), storage)
        return storage[0][0] if single else [cell[0] for cell in storage]

    return work


def _numpy_function(op: Elemwise, node: Any) -> Callable[..., Any] | None:
    """What evaluates an elementwise operation in NumPy or SciPy; None where that is done element by element."""
    if op.nfunc is None or op.nfunc_spec is None or hasattr(node.tag, "sig"):
        return None
    if len(node.inputs) == op.nfunc_spec[1]:
        return op.nfunc if op.nfunc_spec[2] == 1 else None
    if isinstance(op.scalar_op, Add | Mul) and len(node.inputs) > 2:
        binary = op.nfunc
        return lambda *arrays: reduce(binary, arrays)
    return None
