"""Functions from graphs: interpreted, so that a small problem meets no compiler, and compiled where that pays."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Variable as GraphVariable
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import ancestors
from pytensor.scalar.loop import ScalarLoop
from pytensor.tensor.elemwise import Elemwise
from pytensor.xtensor.type import XTensorType

from ppl_mle.read.straight import StraightLine
from ppl_mle.read.ufuncs import WITH_UFUNCS

WORTH_COMPILING = 15.0
_SECONDS_PER_NODE = 0.12
_SLOW_CALL = 0.2
_SECONDS_PER_LOOP = 2e-3

# Fusion is left out: a fused graph is interpreted one element at a time and fails above 32 operands.
_INTERPRETED = Mode(
    linker="py",
    optimizer=RewriteDatabaseQuery(
        include=("lower_xtensor", "inline_ofg_expansion", "merge", "canonicalize", "stabilize"), exclude=("fusion",)
    ),
).register((WITH_UFUNCS, 3))


def without_compiler() -> AbstractContextManager:
    """Keep PyTensor from starting a C compiler, and from tracing where in our code each node was made."""
    return pytensor.config.change_flags(cxx="", traceback__limit=0)


def as_tensor(graph: Any) -> Any:
    """Make an ordinary tensor of a graph that may carry dims."""
    return pt.as_tensor(graph, allow_xtensor_conversion=True)


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
    callable
        Of arrays, unused ones included.
    """
    with without_compiler():
        function = pytensor.function(list(inputs), outputs, mode=_INTERPRETED, on_unused_input="ignore")
    return StraightLine(function) if StraightLine.suits(function, len(inputs)) else function


class LazilyCompiled:
    """A function, made when first called, that is interpreted until its calls took as long as compiling it might.

    Numba takes about 0.12 s for every node of a graph, and seldom less than 15 s. Compiling when calls have taken that
    costs at most twice the better choice in hindsight, whichever it is. Loops over
    scalars (derivatives of incomplete gamma functions) are known beforehand to take milliseconds an element when
    interpreted, and are compiled at once where that adds up.

    Parameters
    ----------
    inputs : sequence of graph variables
    outputs : graph variable or list of them
    rows : int
        Elements that the largest term has.
    """

    def __init__(self, inputs: Sequence[GraphVariable], outputs: Any, rows: int) -> None:
        self._inputs, self._outputs = list(inputs), outputs
        graphs = outputs if isinstance(outputs, list) else [outputs]
        self.compiled = rows * _count_loops(graphs) * _SECONDS_PER_LOOP > _SLOW_CALL
        self._price = max(WORTH_COMPILING, _SECONDS_PER_NODE * _count_nodes(graphs))
        self._spent = 0.0
        self._function: Any = None

    def __call__(self, *arguments: Any) -> Any:
        """Evaluate, and compile for the next call if interpreting has become the dearer choice."""
        if self._function is None:
            self._function = self._compile() if self.compiled else interpreted(self._inputs, self._outputs)
        begun = time.perf_counter()
        result = self._function(*arguments)
        self._spent += time.perf_counter() - begun
        if not self.compiled and self._spent > self._price:
            self.compiled = True
            self._function = self._compile()
        return result

    def _compile(self) -> Any:
        with without_compiler():
            return pytensor.function(self._inputs, self._outputs, mode="NUMBA", on_unused_input="ignore")


def _count_loops(graphs: Sequence[GraphVariable]) -> int:
    owners = {var.owner for var in ancestors(list(graphs)) if var.owner is not None}
    return sum(isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ScalarLoop) for node in owners)


def _count_nodes(graphs: Sequence[GraphVariable]) -> int:
    return len({var.owner for var in ancestors(list(graphs)) if var.owner is not None})
