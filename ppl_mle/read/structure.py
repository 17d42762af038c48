"""Functions kept by the structure of their graphs: another model of the same shape, with other data, builds nothing."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors, toposort
from pytensor.tensor.type import TensorType
from pytensor.tensor.variable import TensorConstant
from pytensor.xtensor.type import XTensorType

_KEPT = 64
_SMALL = 8
_BUILT: OrderedDict[Any, Any] = OrderedDict()

Build = Callable[[list[Any], list[Any]], Any]


class Filled:
    """A function whose last arguments are data.

    Parameters
    ----------
    function : callable
    data : list of array
    """

    def __init__(self, function: Any, data: list[Any]) -> None:
        self.function, self._data = function, data

    def __call__(self, *arguments: Any) -> Any:
        """Evaluate at the given arguments, with the data put in."""
        return self.function(*arguments, *self._data)


def built_once(purpose: str, inputs: Sequence[Any], outputs: Sequence[Any], build: Build) -> Filled:
    """Build a function of a graph, or find the one that was built for a graph that differs in its data alone.

    Parameters
    ----------
    purpose : str
        What `build` makes of the graph; graphs are compared within one purpose.
    inputs : sequence of graph variables
    outputs : sequence of graph variables
    build : callable
        From inputs (the data last) and outputs to a function of as many arguments.

    Returns
    -------
    Filled
        A function of the inputs.
    """
    leaves = _data_leaves(inputs, outputs)
    return Filled(_compiled(purpose, inputs, leaves, outputs, build), [_value(leaf) for leaf in leaves])


def compiled_once(purpose: str, inputs: Sequence[Any], outputs: Sequence[Any], build: Build) -> Any:
    """The same for a graph whose data are all among its inputs; returns what `build` returns."""
    return _compiled(purpose, inputs, [], outputs, build)


def _compiled(purpose: str, inputs: Sequence[Any], leaves: Sequence[Any], outputs: Sequence[Any], build: Build) -> Any:
    key = (purpose, *_structure(inputs, outputs, leaves))
    if key in _BUILT:
        _BUILT.move_to_end(key)
        return _BUILT[key]
    stand_ins = [variable.type() for variable in [*inputs, *leaves]]
    swap = dict(zip([*inputs, *leaves], stand_ins, strict=True)) | _own_constants(outputs, set(leaves))
    graphs = clone_replace(list(outputs), replace=swap, rebuild_strict=False)
    function = build(stand_ins, list(graphs))
    _BUILT[key] = function
    if len(_BUILT) > _KEPT:
        _BUILT.popitem(last=False)
    return function


def _own_constants(outputs: Sequence[Any], leaves: set[Any]) -> dict[Any, Any]:
    """Copies of the constants that stay in the graph: their arrays may be the user's, who may change them later."""
    kept = [v for v in ancestors(list(outputs)) if isinstance(v, TensorConstant) and v not in leaves]
    return {v: type(v)(v.type, np.array(v.data)) for v in kept if isinstance(v.data, np.ndarray)}


def _data_leaves(inputs: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
    """Arrays that the graphs hold: large constants and shared data, each once, in a reproducible order."""
    given = set(inputs)
    return [var for var in ancestors(list(outputs)) if var not in given and var.owner is None and _is_data(var)]


def _is_data(var: Any) -> bool:
    if not isinstance(var.type, TensorType | XTensorType):
        return False
    if isinstance(var, SharedVariable):
        return True
    return isinstance(var, Constant) and np.size(var.data) > _SMALL


def _value(leaf: Any) -> Any:
    return leaf.get_value(borrow=True) if isinstance(leaf, SharedVariable) else leaf.data


def _structure(inputs: Sequence[Any], outputs: Sequence[Any], leaves: Sequence[Any]) -> tuple[Any, ...]:
    """What two graphs share when they differ in nothing but the numbers in their data."""
    place: dict[Any, Any] = {}
    for kind, variables in (("input", inputs), ("data", leaves)):
        for i, var in enumerate(variables):
            place[var] = (kind, i, var.type)
    lines: list[Any] = []
    for node in toposort(list(outputs)):
        lines.append((node.op, tuple(_named(var, place) for var in node.inputs)))
        for i, var in enumerate(node.outputs):
            place.setdefault(var, ("node", len(lines), i))
    given = tuple(var.type for var in [*inputs, *leaves])
    return given, tuple(lines), tuple(_named(var, place) for var in outputs)


def _named(var: Any, place: dict[Any, Any]) -> Any:
    if var not in place:
        place[var] = _leaf_name(var)
    return place[var]


def _leaf_name(var: Any) -> Any:
    if isinstance(var, Constant) and isinstance(var.data, np.ndarray):
        return ("constant", var.type, var.data.tobytes())
    if isinstance(var, Constant):
        return ("constant", var.type, repr(var.data))
    return ("leaf", id(var), var)
