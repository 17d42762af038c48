"""Functions from graphs, interpreted: no compiler and no file on the path of a small problem."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytensor
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Variable as GraphVariable
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

# Fusion is left out: a fused graph is interpreted one element at a time and fails above 32 operands.
_INTERPRETED = Mode(
    linker="py", optimizer=RewriteDatabaseQuery(include=("merge", "canonicalize", "stabilize"), exclude=("fusion",))
)


def without_compiler() -> AbstractContextManager:
    """Keep PyTensor from starting a C compiler while graphs are built, rewritten or folded."""
    return pytensor.config.change_flags(cxx="")


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
