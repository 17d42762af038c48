"""Constants in 64 bits, so that functions of them are taken in double precision.

PyTensor stores a Python number in the smallest type that holds it, and then takes `log(3)` and `sqrt(2.0)` in single
precision: the log-densities of `pm.Normal("y", mu, 3)` and of a censored normal are wrong in their eighth digit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant
from pytensor.graph.replace import clone_replace, graph_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.basic import constant
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.variable import TensorConstant

_WIDE = {
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16", "uint32"), "int64"),
    **dict.fromkeys(("float16", "float32"), "float64"),
}


def widen_constants(graphs: Sequence[Any]) -> list[Any]:
    """Rebuild graphs with 64-bit constants in the place of the small ones that arithmetic uses.

    Parameters
    ----------
    graphs : sequence of graph variables

    Returns
    -------
    list of graph variables
    """
    nodes = {var.owner for var in ancestors(list(graphs)) if var.owner is not None}
    replacements: dict[Any, Any] = {}
    for node in nodes:
        if isinstance(node.op, Elemwise):
            for argument in node.inputs:
                small = _seen_through(argument)
                if isinstance(small, TensorConstant) and small.type.dtype in _WIDE:
                    replacements[small] = constant(np.asarray(small.data, _WIDE[small.type.dtype]))
    if not replacements:
        return list(graphs)
    try:
        return list(clone_replace(list(graphs), replace=replacements, rebuild_strict=False))
    except TypeError:  # an operation defined by a graph takes the small type and no other
        return list(graphs)


def mend_reductions(graphs: Sequence[Any]) -> list[Any]:
    """Take out sums along an axis of a number, which PyMC makes (pm.CAR) and NumPy refuses."""
    nodes = {var.owner for var in ancestors(list(graphs)) if var.owner is not None}
    idle = [n for n in nodes if isinstance(n.op, CAReduce) and n.op.axis and n.inputs[0].type.ndim == 0]
    if not idle:
        return list(graphs)
    swap = {node.outputs[0]: node.inputs[0].astype(node.outputs[0].type.dtype) for node in idle}
    return list(graph_replace(list(graphs), swap, strict=False))


def _seen_through(var: Any) -> Any:
    while not isinstance(var, Constant) and var.owner is not None and isinstance(var.owner.op, DimShuffle):
        var = var.owner.inputs[0]
    return var
