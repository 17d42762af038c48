"""The unconstrained vector as one graph variable, and the model's graphs as functions of it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import graph_replace

from ppl_mle.read.interpret import as_tensor, without_compiler, without_dims


class Joined:
    """Value variables of a model, end to end in one vector; what needs it is built when first asked for.

    Parameters
    ----------
    model : pm.Model
    free : sequence of free variables
        In the order of the vector.
    shapes : sequence of tuple of int
        Of their values.
    start : array, shape (p,)
        The initial point, where shapes that no rule tells are looked up.
    """

    def __init__(self, model: Any, free: Sequence[Any], shapes: Sequence[tuple[int, ...]], start: np.ndarray) -> None:
        self.start = start
        self._model = model
        self.values = [model.rvs_to_values[rv] for rv in free]
        self.shapes = list(shapes)
        self._data = {
            data: np.array(data.get_value(borrow=True), copy=None)
            for data in model.data_vars
            if isinstance(data, SharedVariable)
        }

    @property
    def size(self) -> int:
        """Length of the vector."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    @cached_property
    def theta(self) -> Any:
        """The vector as a graph variable."""
        return pt.vector("theta", dtype="float64", shape=(self.size,))

    @cached_property
    def known(self) -> dict[Any, Any]:
        """What replaces value variables: parts of the vector; and `pm.Data`: constants, so a later set is read anew."""
        replacements: dict[Any, Any] = {}
        for value, place, shape in zip(self.values, self.places, self.shapes, strict=True):
            part = self.theta[place.start : place.stop].reshape(shape) if shape else self.theta[place.start]
            part = part.astype(value.type.dtype)
            replacements[value] = value.type.filter_variable(part, allow_convert=True)
        for data, array in self._data.items():
            constant = pt.constant(array, dtype=data.type.dtype)
            replacements[data] = data.type.filter_variable(constant, allow_convert=True)
        return replacements

    @cached_property
    def places(self) -> list[slice]:
        """Where each value lies in the vector."""
        stops = np.cumsum([int(np.prod(shape)) for shape in self.shapes])
        return [slice(int(stop) - int(np.prod(s)), int(stop)) for stop, s in zip(stops, self.shapes, strict=True)]

    def replace(self, graphs: Sequence[Any]) -> list[Any]:
        """Graphs of value variables as functions of the vector."""
        with without_compiler():
            return without_dims(graph_replace([as_tensor(graph) for graph in graphs], self.known, strict=False))

    def of_variables(self, variables: Sequence[Any]) -> list[Any]:
        """Variables of the model as functions of the vector."""
        if not variables:
            return []
        with without_compiler():
            return self.replace(self._model.replace_rvs_by_values(list(variables)))
