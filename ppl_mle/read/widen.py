"""Small integer constants as 64-bit ones, so that functions of them are taken in double precision.

PyTensor stores a Python integer in the smallest type that holds it, and NumPy takes the logarithm of an 8-bit integer in
half or single precision: the log-density of `pm.Normal("y", mu, 3)` is then wrong in its eighth digit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.basic import constant
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.variable import TensorConstant

_SMALL = ("int8", "int16", "int32", "uint8", "uint16", "uint32")


def widen_integers(graphs: Sequence[Any]) -> list[Any]:
    """Rebuild graphs with 64-bit integers in the place of the small ones that arithmetic uses.

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
                if isinstance(small, TensorConstant) and small.type.dtype in _SMALL:
                    replacements[small] = constant(np.asarray(small.data, "int64"))
    if not replacements:
        return list(graphs)
    return list(clone_replace(list(graphs), replace=replacements, rebuild_strict=False))


def _seen_through(var: Any) -> Any:
    while not isinstance(var, Constant) and var.owner is not None and isinstance(var.owner.op, DimShuffle):
        var = var.owner.inputs[0]
    return var
