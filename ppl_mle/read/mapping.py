"""Between the unconstrained vector and what the user declared: values, Deterministics, starts."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable

from ppl_mle.errors import RequestError
from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.joined import Joined
from ppl_mle.read.scale import Scale
from ppl_mle.read.starting import Starts


class Mapping:
    """Functions of the unconstrained vector that give declared values.

    Parameters
    ----------
    joined : Joined
        Gives variables of the model as functions of the vector.
    free, deterministics : sequence of variables of the model
    start : Starts
        From declared initial values (or None) to an unconstrained vector.
    scales : sequence of Scale or None
        Scale of every declared element, where each is that function of its own unconstrained element.
    """

    def __init__(
        self,
        joined: Joined,
        free: Sequence[Any],
        deterministics: Sequence[Any],
        start: Starts,
        scales: Sequence[Scale] | None = None,
    ) -> None:
        self._scales = scales
        self.joined = joined
        self._free = list(free)
        self._deterministics = {det.name: det for det in deterministics}
        self.start = start

    def declared(self, theta: np.ndarray) -> np.ndarray:
        """Flat declared values at `theta`; shape (q,) for shape (p,), or (k, q) for k rows (k, p)."""
        if self._is_plain:
            return np.array(theta, float)
        if self._scales is not None:
            with np.errstate(all="ignore"):
                columns = [
                    scale.to_declared(column) for scale, column in zip(self._scales, np.transpose(theta), strict=True)
                ]
            return np.transpose(np.array(columns, float))
        function = self._declare if np.ndim(theta) == 1 else self._declare_rows
        with np.errstate(all="ignore"):
            return np.asarray(function(np.asarray(theta, float)), float)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the declared values, shape (q, p)."""
        if self._is_plain:
            return np.eye(len(theta))
        if self._scales is not None:
            values = self.declared(theta)
            return np.diag([float(scale.slope(x)) for scale, x in zip(self._scales, values, strict=True)])
        with np.errstate(all="ignore"):
            return np.asarray(self._jacobian(np.asarray(theta, float)), float)

    @property
    def deterministic_names(self) -> list[str]:
        """Names of the Deterministics that depend on the free variables alone."""
        return list(self._deterministics)

    def deterministic(self, name: str, theta: np.ndarray) -> np.ndarray:
        """Value of one Deterministic at `theta`, in its own shape."""
        return self.derive(name).value(theta)

    def deterministic_jacobian(self, name: str, theta: np.ndarray) -> np.ndarray:
        """Derivatives of one raveled Deterministic of size d, shape (d, p)."""
        return self.derive(name).jacobian(theta)

    def derive(self, wanted: Any) -> "Derived":
        """Functions of the vector for a Deterministic, by name, or for an expression of the model's variables.

        Raises
        ------
        RequestError
            The expression depends on random variables other than the free ones, or on none.
        """
        key = wanted if isinstance(wanted, str) else id(wanted)
        if key not in self._built:
            variable = self._deterministics[wanted] if isinstance(wanted, str) else self._checked(wanted)
            (graph,) = self.joined.of_variables([variable])
            derivative = _jacobian_graph(pt.cast(graph.ravel(), "float64"), self._theta)
            functions = interpreted([self._theta], graph), interpreted([self._theta], derivative)
            self._built[key] = Derived(variable, *functions, (graph, self._theta))
        return self._built[key]

    def _checked(self, expression: Any) -> Any:
        above = list(ancestors([expression]))
        drawn = [v for v in above if v.owner is not None and isinstance(v.owner.op, RandomVariable)]
        foreign = [v for v in drawn if v not in self._free]
        if foreign or not any(v in self._free for v in above):
            about = f"{foreign[0].name or 'a random variable of its own'}" if foreign else "no variable of the model"
            names = ", ".join(v.name for v in self._free)
            raise RequestError(
                f"the expression depends on {about}; write it in the free variables of the model: {names}"
            )
        return expression

    @cached_property
    def _is_plain(self) -> bool:
        """Whether no variable is transformed."""
        return self._scales is not None and all(scale.kind == "identity" for scale in self._scales)

    @property
    def _theta(self) -> Any:
        return self.joined.theta

    @cached_property
    def _declared(self) -> Any:
        return _end_to_end(self.joined.of_variables(self._free))

    @cached_property
    def _declare(self) -> Any:
        return interpreted([self._theta], self._declared)

    @cached_property
    def _declare_rows(self) -> Any:
        rows = pt.dmatrix("rows")
        with without_compiler():
            graph = vectorize_graph(self._declared, {self._theta: rows})
        return interpreted([rows], graph)

    @cached_property
    def _jacobian(self) -> Any:
        return interpreted([self._theta], _jacobian_graph(self._declared, self._theta))

    @cached_property
    def _built(self) -> dict[Any, "Derived"]:
        return {}


class Derived:
    """A quantity that the unconstrained vector determines.

    Parameters
    ----------
    variable : graph variable
        Kept, so that its identity stays its own.
    value, jacobian : callable
        Interpreted functions of the vector.
    graph : (graph variable, graph variable)
        The quantity and the vector.
    """

    def __init__(self, variable: Any, value: Any, jacobian: Any, graph: tuple[Any, Any]) -> None:
        self.variable, self._value, self._jacobian, self._graph = variable, value, jacobian, graph

    def value(self, theta: np.ndarray) -> np.ndarray:
        """Value at `theta`, in its own shape."""
        with np.errstate(all="ignore"):
            return np.asarray(self._value(np.asarray(theta, float)), float)

    def values(self, points: np.ndarray) -> np.ndarray:
        """Values at rows of vectors, shape (m, p), in one call; shape (m, ...)."""
        with np.errstate(all="ignore"):
            return np.asarray(self._many(np.asarray(points, float)), float)

    @cached_property
    def _many(self) -> Any:
        graph, theta = self._graph
        rows = pt.dmatrix("rows")
        with without_compiler():
            many = vectorize_graph(graph, {theta: rows})
            many = pt.broadcast_to(many, (rows.shape[0], *graph.shape)) if many.type.ndim == graph.type.ndim else many
        return interpreted([rows], many)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the raveled value of size d at `theta`, shape (d, p)."""
        with np.errstate(all="ignore"):
            return np.asarray(self._jacobian(np.asarray(theta, float)), float)


def _end_to_end(parts: Sequence[Any]) -> Any:
    flat = [pt.cast(part.ravel(), "float64") for part in parts]
    return pt.concatenate(flat) if len(flat) > 1 else flat[0]


def _jacobian_graph(outputs: Any, theta: Any) -> Any:
    """Jacobian of a vector by one pull-back per output, all in one batch."""
    cotangent = pt.dvector("cotangent")
    with without_compiler():
        pullback = pt.grad(pt.dot(outputs, cotangent), theta, disconnected_inputs="ignore")
        rows = vectorize_graph(pullback, {cotangent: pt.eye(outputs.shape[0])})
        return pt.broadcast_to(rows, (outputs.shape[0], theta.shape[0]))
