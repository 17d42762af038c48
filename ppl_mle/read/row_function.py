"""Functions of the unconstrained vector with one value per row, and their derivatives."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.replace import vectorize_graph

from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.term import RowTerm, length

_PROBES = 2
_UNCHANGED = 1e-9


class Fixed:
    """An array that no parameter changes, in 64 bits.

    Parameters
    ----------
    values : array
    size : int
        Length p of the unconstrained vector.
    """

    term = None

    def __init__(self, values: Any, size: int) -> None:
        array = np.asarray(values)
        wide = {"f": np.float64, "i": np.int64, "u": np.int64}.get(array.dtype.kind, array.dtype)
        self._values, self._size = array.astype(wide, copy=False), size
        self.shape = self._values.shape

    def value(self, theta: np.ndarray) -> np.ndarray:
        """The array."""
        return self._values

    def jacobian(self, theta: np.ndarray, rows: slice) -> np.ndarray:
        """Zeros, shape (rows, p)."""
        return np.zeros((length(rows), self._size))

    def at_draws(self, thetas: np.ndarray, rows: slice) -> np.ndarray:
        """Values of some rows (all have one value where the array is a number), shape (1, rows)."""
        return self._values.reshape(1, -1)[:, rows if self._values.size > 1 else slice(None)]


class ByRows:
    """A function that was read row by row.

    Parameters
    ----------
    term : RowTerm
        Its rows are the elements in C order.
    shape : tuple of int
    size : int
    dtype : str
    """

    def __init__(self, term: RowTerm, shape: tuple[int, ...], size: int, dtype: str = "float64") -> None:
        self.term, self.shape, self._size, self._dtype = term, shape, size, dtype

    def value(self, theta: np.ndarray) -> np.ndarray:
        """Values at `theta`, in their shape; NaN where a condition of the model fails."""
        rows = slice(0, self.term.count, 1)
        with np.errstate(all="ignore"):
            jet = self.term.density(theta, rows, 0)
        flat = np.full(self.term.count, np.nan if jet is None else jet.value)
        return flat.reshape(self.shape).astype(self._dtype, copy=False)

    def jacobian(self, theta: np.ndarray, rows: slice) -> np.ndarray:
        """Derivatives of some elements, shape (rows, p)."""
        count = length(rows)
        matrix = np.zeros((count, self._size))
        with np.errstate(all="ignore"):
            jet = self.term.density(theta, rows, 1)
            if jet is None:
                return np.full(matrix.shape, np.nan)
            for i, weight in self.term.sharing.of_gradient(jet.first).items():
                block = self.term.sharing.blocks[i]
                matrix[:, block.place] += block.weighted(weight, rows, count)
        return matrix

    def at_draws(self, thetas: np.ndarray, rows: slice) -> np.ndarray:
        """Values of some elements at several vectors, shape (k, p); one column where there is one element."""
        rows = rows if self.term.count > 1 else slice(0, 1, 1)
        count, draws = length(rows), len(thetas)
        etas = []
        for predictor in self.term.predictors:
            offset = predictor.offset[rows] if np.ndim(predictor.offset) else predictor.offset
            eta = np.broadcast_to(offset, (draws, count)).astype(float)
            for block in predictor.blocks:
                eta += thetas[:, block.columns] @ block.weighted(1.0, rows, count).T
            etas.append(eta.ravel())
        index = np.tile(np.arange(rows.start, rows.stop), draws)
        return self._evaluate(etas, index).reshape(draws, count)

    def along(self, theta: np.ndarray, position: int, eta: np.ndarray) -> np.ndarray:
        """Values of all elements with one predictor replaced, the others as they are at `theta`."""
        etas = self.term.etas(theta, slice(0, self.term.count, 1))
        return self._evaluate([*etas[:position], eta, *etas[position + 1 :]], np.arange(self.term.count))

    def _evaluate(self, etas: Sequence[Any], index: np.ndarray) -> np.ndarray:
        values = np.full(len(index), np.nan)
        for group in self.term.groups:
            mine: Any = slice(None)
            if group.rows is not None:
                member = np.zeros(self.term.count, bool)
                member[group.rows] = True
                mine = member[index]
            with np.errstate(all="ignore"):
                jet = group.program(index[mine], [eta[mine] if np.ndim(eta) else eta for eta in etas], 0)
            if jet is not None:
                values[mine] = jet.value
        return values.astype(self._dtype, copy=False)

    def driver(self, theta: np.ndarray) -> int | None:
        """Position of the one predictor that changes the values; None where there are none or several.

        A predictor whose derivatives vanish to rounding, here and at points beside, is none (the shape of a negative
        binomial that was declared by its mean).
        """
        rng = np.random.default_rng(0)
        moving: set[int] = set()
        points = [theta, *(theta + 0.1 * rng.standard_normal(len(theta)) for _ in range(_PROBES))]
        for point in points if len(self.term.predictors) > 1 else points[:1]:
            with np.errstate(all="ignore"):
                jet = self.term.density(point, slice(0, self.term.count, 1), 1)
            if jet is None:
                return None
            largest = np.max([np.abs(d) + 0 * jet.value for d in jet.first.values()], axis=0, initial=0.0)
            floor = _UNCHANGED * (np.abs(jet.value) + largest)
            moving |= {k for k, d in jet.first.items() if np.any(np.abs(d) > floor)}
        return moving.pop() if len(moving) == 1 else None

    def predictor(self, position: int) -> Predictor:
        """One of the predictors."""
        return self.term.predictors[position]


class ByGraph:
    """A function that PyTensor evaluates and differentiates.

    Parameters
    ----------
    theta : vector graph variable
    graph : graph variable
    size : int
    shape : tuple of int
    """

    term = None

    def __init__(self, theta: Any, graph: Any, size: int, shape: tuple[int, ...]) -> None:
        self._theta, self._graph, self._size, self.shape = theta, graph, size, shape
        self._last: tuple[bytes, np.ndarray] | None = None

    def value(self, theta: np.ndarray) -> np.ndarray:
        """Values at `theta`, in their shape."""
        with np.errstate(all="ignore"):
            return np.asarray(self._function(np.asarray(theta, float)))

    def jacobian(self, theta: np.ndarray, rows: slice) -> np.ndarray:
        """Derivatives of some elements, shape (rows, p)."""
        key = np.asarray(theta, float).tobytes()
        if self._last is None or self._last[0] != key:
            with np.errstate(all="ignore"):
                self._last = key, self._differentiated(np.asarray(theta, float))
        return self._last[1][rows]

    def at_draws(self, thetas: np.ndarray, rows: slice) -> np.ndarray:
        """Values of some elements at several vectors, shape (k, rows)."""
        size = int(np.prod(self.shape))
        return np.array([np.ravel(self.value(theta))[rows if size > 1 else slice(None)] for theta in thetas])

    def _differentiated(self, theta: np.ndarray) -> np.ndarray:
        return np.asarray(self._slopes(theta, np.zeros(int(np.prod(self.shape)))), float).T

    @cached_property
    def _function(self) -> Any:
        return interpreted([self._theta], self._graph)

    @cached_property
    def _slopes(self) -> Any:
        """One push-forward per coordinate, which is the derivative of a pull-back in its cotangent."""
        with without_compiler():
            flat = pt.cast(self._graph.ravel(), "float64")
            cotangent, direction = pt.dvector("cotangent"), pt.dvector("direction")
            pullback = pt.grad(pt.dot(flat, cotangent), self._theta, disconnected_inputs="ignore")
            product = pt.grad(pt.dot(pullback, direction), cotangent, disconnected_inputs="ignore")
            columns = pt.broadcast_to(
                vectorize_graph(product, {direction: pt.eye(self._size)}), (self._size, flat.shape[0])
            )
        return interpreted([self._theta, cotangent], columns)


RowFunction = Fixed | ByRows | ByGraph
