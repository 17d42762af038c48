"""The log-density that is maximized, with its gradient and its Hessian, from PyTensor's derivatives."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.logprob.utils import ParameterValueError
from pymc.pytensorf import rewrite_pregrad
from pytensor.gradient import NullTypeGradError
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.graph.utils import MethodNotDefined

from ppl_mle.errors import ModelError
from ppl_mle.read.interpret import LazilyCompiled, interpreted, without_compiler
from ppl_mle.read.structure import built_once

_NO_DERIVATIVE = (NotImplementedError, NullTypeGradError, MethodNotDefined)
_ELEMENTS_PER_BLOCK = 2_000_000
_STEP = 1e-2
_FARTHEST = 0.05


class Objective:
    """A scalar log-density of a vector.

    Parameters
    ----------
    theta : vector graph variable
        The unconstrained vector, shape (p,).
    terms : sequence of scalar graph variables
        Summands of the log-density.
    support : scalar graph variable or None
        0 inside the support of the parameters and minus infinity outside; has no gradient.
    rows : int
        Largest number of rows of a term, which with the largest array on the way sets how many directions are
        differentiated at once.

    Raises
    ------
    ModelError
        PyTensor has no gradient of the log-density.
    """

    def __init__(self, theta: Any, terms: Sequence[Any], support: Any, rows: int) -> None:
        self._theta = theta
        self._terms = list(terms)
        self._rows = rows
        self._block = max(1, _ELEMENTS_PER_BLOCK // max(1, rows, _largest(self._terms)))
        outputs = self._terms if support is None else [*self._terms, support]
        purpose = f"value and gradient of {len(self._terms)} terms, {rows} rows"
        self._function = built_once(purpose, [theta], outputs, self._build_gradient)

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-density and gradient at `theta`; minus infinity and NaN where the density does not exist."""
        try:
            with np.errstate(all="ignore"):
                value, gradient = self._function(np.asarray(theta, float))
        except (ParameterValueError, np.linalg.LinAlgError):
            return -np.inf, np.full(np.shape(theta), np.nan)
        return float(value), np.asarray(gradient, float)

    @property
    def compiled(self) -> bool:
        """Whether evaluating the log-density was slow enough to be compiled."""
        return bool(self._function.function.compiled)

    @property
    def exact(self) -> bool:
        """Whether PyTensor has second derivatives of the log-density."""
        return self._product is not None

    def hessian_product(self, theta: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Products of the Hessian at `theta` with several directions.

        Parameters
        ----------
        theta : array, shape (p,)
        directions : array, shape (k, p)

        Returns
        -------
        array, shape (k, p)
            Row i is the Hessian times row i of `directions`; NaN where the density does not exist. Without second
        derivatives in PyTensor, Richardson-extrapolated differences of exact gradients, for which the directions
        should be about one standard error long.
        """
        if self._product is None:
            return np.array([self._difference(np.asarray(theta, float), row) for row in directions])
        try:
            with np.errstate(all="ignore"):
                blocks = [
                    self._product(theta, directions[i : i + self._block])
                    for i in range(0, len(directions), self._block)
                ]
        except (ParameterValueError, np.linalg.LinAlgError):
            return np.full(directions.shape, np.nan)
        return np.concatenate(blocks)

    def curvature(self, theta: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """T' H T for the columns of a basis, shape (p, k).

        Products H T are taken by differentiation and not from a formed H, so that a basis that whitens an
        ill-conditioned H loses digits with the condition number of T and not with its square.
        """
        return self.hessian_product(theta, basis.T) @ basis

    def term_values(self, theta: np.ndarray) -> list[float]:
        """Value of every term at `theta`; a term that does not exist there is minus infinity."""
        values = []
        for function in self._term_functions:
            try:
                with np.errstate(all="ignore"):
                    values.append(float(function(np.asarray(theta, float))))
            except (ParameterValueError, np.linalg.LinAlgError):
                values.append(-np.inf)
        return values

    def _difference(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Central differences with steps h and h/2, extrapolated: the error is of order h^4 (Richardson 1911)."""
        longest = float(np.max(np.abs(direction) / np.maximum(1.0, np.abs(theta)), initial=0.0))
        step = min(_STEP, _FARTHEST / longest) if longest else _STEP
        wide, narrow = (
            (self.value_and_gradient(theta + h * direction)[1] - self.value_and_gradient(theta - h * direction)[1])
            / (2 * h)
            for h in (step, step / 2)
        )
        return (4 * narrow - wide) / 3

    @cached_property
    def _product(self) -> Any:
        inputs = [self._theta, pt.dmatrix("directions")]
        found = built_once(f"Hessian product, {self._rows} rows", inputs, self._terms, self._build_product)
        return None if found.function is None else found

    @cached_property
    def _term_functions(self) -> list[Any]:
        return [
            built_once("term", [self._theta], [term], lambda inputs, outputs: interpreted(inputs, outputs[0]))
            for term in self._terms
        ]

    def _build_gradient(self, inputs: list[Any], outputs: list[Any]) -> LazilyCompiled:
        total, gradient = _differentiated(outputs[: len(self._terms)], inputs[0])
        support = outputs[len(self._terms) :]
        return LazilyCompiled(inputs, [total + support[0] if support else total, gradient], self._rows)

    def _build_product(self, inputs: list[Any], outputs: list[Any]) -> LazilyCompiled | None:
        theta, directions, *_ = inputs
        direction = pt.dvector("direction")
        gradient = _differentiated(outputs, theta)[1]
        with without_compiler():
            try:
                product = pt.grad(pt.dot(gradient, direction), theta, disconnected_inputs="ignore")
                products = pt.broadcast_to(vectorize_graph(product, {direction: directions}), directions.shape)
            except (*_NO_DERIVATIVE, TypeError):  # TypeError: an operation of the user's that differentiates once
                return None
        return LazilyCompiled(inputs, products, self._rows)


def _differentiated(terms: Sequence[Any], theta: Any) -> tuple[Any, Any]:
    """Sum of the terms, written for differentiation, and its gradient."""
    with without_compiler():
        total = rewrite_pregrad(pt.add(*terms) if len(terms) > 1 else terms[0])
        try:
            return total, pt.grad(total, theta, disconnected_inputs="ignore")
        except _NO_DERIVATIVE as exc:
            raise ModelError(
                f"the log-density has no gradient in PyTensor ({exc}); write it with differentiable functions"
            ) from exc


def _largest(terms: Sequence[Any]) -> int:
    """Elements of the largest array on the way to the terms, as far as shapes are known beforehand."""
    shapes = [getattr(var.type, "shape", ()) for var in ancestors(list(terms))]
    return max(math.prod(length or 1 for length in shape) for shape in shapes)
