"""The log-density as PyMC declares it, built apart from the objective: the witness of every certificate."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.logprob.utils import ParameterValueError
from pymc.pytensorf import rewrite_pregrad
from pytensor.graph.traversal import ancestors
from pytensor.tensor.type import TensorType

from ppl_mle.read.blockwise import Blockwise
from ppl_mle.read.interpret import LazilyCompiled, interpreted, without_compiler, without_dims
from ppl_mle.read.structure import built_once


class Original:
    """PyMC's own sum of terms over its own value variables, nothing joined.

    Parameters
    ----------
    values : sequence of value variables
        In the order of the unconstrained vector.
    shapes : sequence of tuple of int
    terms : sequence of scalar graph variables
    rows : int
        Elements that the largest term has.
    blocks : sequence of Blockwise
        Terms with very many rows, which are summed in blocks; `terms` are the others.
    whole : sequence of scalar graph variables
        The terms that `blocks` stand for, in case slices do not fit their graphs.
    """

    def __init__(
        self,
        values: Sequence[Any],
        shapes: Sequence[tuple[int, ...]],
        terms: Sequence[Any],
        rows: int,
        blocks: Sequence[Blockwise] = (),
        whole: Sequence[Any] = (),
    ) -> None:
        self._rows = rows
        self._values = list(values)
        self._shapes = list(shapes)
        self._terms, self._blocks, self._whole = list(terms), list(blocks), list(whole)
        self._last: tuple[bytes, tuple[float, np.ndarray]] | None = None

    @cached_property
    def _total(self) -> Any:
        return pt.add(*self._terms) if len(self._terms) > 1 else self._terms[0]

    @cached_property
    def _function(self) -> Any:
        return built_once(f"original, {self._rows} rows, {self._shapes}", self._values, [self._total], self._build)

    def _build(self, inputs: list[Any], outputs: list[Any]) -> LazilyCompiled:
        (total,) = outputs
        values = inputs[: len(self._values)]
        with without_compiler():
            slope = pt.grad(
                rewrite_pregrad(without_dims([total])[0]),
                values,
                disconnected_inputs="ignore",
                return_disconnected="none",
            )
        pairs = zip(slope, self._shapes, strict=True)
        gradients = [pt.zeros(shape) if gradient is None else gradient for gradient, shape in pairs]
        return LazilyCompiled(inputs, [total, *gradients], self._rows)

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-density and gradient at the unconstrained vector `theta`, shape (p,); the last point is remembered.

        Returns
        -------
        value : float
        gradient : array, shape (p,)
            Minus infinity and NaN where the density does not exist.
        """
        key = theta.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = (key, self._at(theta))
        return self._last[1]

    def value(self, theta: np.ndarray) -> float:
        """Log-density alone, for where its gradient is not to be had."""
        if self._blocks:
            return self.value_and_gradient(theta)[0]
        try:
            with np.errstate(all="ignore"):
                return float(self._value_alone(*self._parts(theta)))
        except (ParameterValueError, np.linalg.LinAlgError):
            return -np.inf

    def rounding(self, theta: np.ndarray) -> float:
        """What rounding of the largest numbers inside the log-density may make of it; NaN where that is not known."""
        try:
            with np.errstate(all="ignore"):
                found = [np.abs(part) for part in self._inside(*self._parts(theta))]
        except (ParameterValueError, np.linalg.LinAlgError):
            return float("nan")
        sizes = [float(np.sum(part[np.isfinite(part)])) for part in map(np.asarray, found)]
        return float(np.finfo(float).eps * max(sizes, default=np.nan))

    @property
    def _inside(self) -> Any:
        """Every floating-point number on the way to the log-density."""
        kinds = [v for v in ancestors([self._total]) if isinstance(v.type, TensorType) and v.type.dtype == "float64"]
        return interpreted(self._values, kinds)

    @cached_property
    def _value_alone(self) -> Any:
        purpose = f"original alone, {self._rows} rows, {self._shapes}"
        return built_once(purpose, self._values, [self._total], lambda inputs, outputs: interpreted(inputs, *outputs))

    def _parts(self, theta: np.ndarray) -> list[np.ndarray]:
        parts, start = [], 0
        for value, shape in zip(self._values, self._shapes, strict=True):
            stop = start + int(np.prod(shape))
            parts.append(theta[start:stop].reshape(shape).astype(value.type.dtype))
            start = stop
        return parts

    def _at(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            with np.errstate(all="ignore"):
                total, *gradients = self._evaluate(self._parts(theta))
        except (ParameterValueError, np.linalg.LinAlgError):
            return -np.inf, np.full(theta.shape, np.nan)
        return float(total), np.concatenate([np.ravel(g) for g in gradients]).astype(float)

    def forget(self) -> None:
        """Drop the remembered point."""
        self._last = None

    @property
    def is_blockwise(self) -> bool:
        """Whether some term is evaluated in blocks of rows."""
        return bool(self._blocks)

    def without_blocks(self) -> None:
        """Evaluate every term whole from now on."""
        self._terms, self._blocks, self._whole = [*self._terms, *self._whole], [], []
        self._last = None
        for built in ("_total", "_function", "_value_alone"):
            self.__dict__.pop(built, None)

    def _evaluate(self, parts: list[Any]) -> list[Any]:
        try:
            sums = [block(*parts) for block in self._blocks]
        except ParameterValueError:
            raise
        except (ValueError, IndexError, TypeError):
            self.without_blocks()
            sums = []
        if self._terms:
            sums.append(self._function(*parts))
        return [sum(own) for own in zip(*sums, strict=True)]
