"""Functions from graphs, interpreted: no compiler and no file on the path of a small problem."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytensor
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Variable as GraphVariable
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import ancestors
from pytensor.xtensor.type import XTensorType

# Fusion is left out: a fused graph is interpreted one element at a time and fails above 32 operands.
_INTERPRETED = Mode(
    linker="py",
    optimizer=RewriteDatabaseQuery(
        include=("lower_xtensor", "inline_ofg_expansion", "merge", "canonicalize", "stabilize"), exclude=("fusion",)
    ),
)


def without_compiler() -> AbstractContextManager:
    """Keep PyTensor from starting a C compiler, and from tracing where in our code each node was made."""
    return pytensor.config.change_flags(cxx="", traceback__limit=0)


def without_dims(graphs: Sequence[Any]) -> list[Any]:
    """Rewrite graphs of dims models into ordinary tensor operations, which is what PyTensor can differentiate."""
    if not any(isinstance(var.type, XTensorType) for var in ancestors(list(graphs))):
        return list(graphs)
    with without_compiler():
        return list(rewrite_graph(list(graphs), include=("lower_xtensor", "canonicalize")))


def interpreted(inputs: Sequence[GraphVariable], outputs: Any) -> Any:
    """Make a function of `outputs`, stabilized numerically and evaluated by the Python interpreter.

    Parameters
    ----------
    inputs : sequence of graph variables
    outputs : graph variable or list of them

    Returns
    -------
    pytensor function
        Unused inputs are ignored.
    """
    with without_compiler():
        return pytensor.function(list(inputs), outputs, mode=_INTERPRETED, on_unused_input="ignore")
