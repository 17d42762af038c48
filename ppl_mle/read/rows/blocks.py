"""The parts of a design matrix: a constant row, a dense matrix, an index into levels, a sparse matrix."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

_WORK = 1_000_000
_SHORTEST = 256


class _Placed:
    """What all blocks have: where their columns are."""

    columns: np.ndarray

    @cached_property
    def place(self) -> Any:
        """The columns as an index: a slice where they follow one another, which NumPy takes faster."""
        first = int(self.columns[0]) if len(self.columns) else 0
        run = slice(first, first + len(self.columns))
        return run if np.array_equal(self.columns, np.arange(run.start, run.stop)) else self.columns


@dataclass(frozen=True, eq=False)
class Constant(_Placed):
    """The same row for every observation: an intercept, or a parameter that all rows share.

    Parameters
    ----------
    columns : array of int, shape (q,)
        Coordinates of the unconstrained vector.
    coefficients : array, shape (q,)
    """

    columns: np.ndarray
    coefficients: np.ndarray
    kind: ClassVar[str] = "constant"

    def times(self, theta: np.ndarray, rows: slice) -> Any:
        """The part of the predictor that the block gives, one number for all rows."""
        return float(self.coefficients @ theta[self.place])

    def summed(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """A'w over some rows, shape (q,) or (q, k); a scalar weight counts in each row."""
        total = weights * count if np.ndim(weights) == 0 else weights.sum(axis=0)
        return np.multiply.outer(self.coefficients, total)

    def weighted(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """diag(w) A over some rows, shape (rows, q)."""
        return np.multiply.outer(np.broadcast_to(weights, (count,)), self.coefficients)


@dataclass(frozen=True, eq=False)
class Dense(_Placed):
    """A matrix as the model holds it.

    Parameters
    ----------
    columns : array of int, shape (q,)
    matrix : array, shape (n, q)
    """

    columns: np.ndarray
    matrix: np.ndarray
    kind: ClassVar[str] = "dense"

    def times(self, theta: np.ndarray, rows: slice) -> Any:
        """A theta over some rows."""
        return self.matrix[rows] @ theta[self.place]

    def summed(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """A'w over some rows."""
        part = self.matrix[rows]
        if np.ndim(weights) == 0:
            return part.sum(axis=0) * weights
        return part.T @ weights if weights.ndim == 1 else _product(part, weights)

    def weighted(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """diag(w) A over some rows."""
        part = self.matrix[rows]
        return part * weights if np.ndim(weights) == 0 else part * weights[:, None]


@dataclass(frozen=True, eq=False)
class Indexed(_Placed):
    """One level per row: a one-hot matrix that is never formed.

    Parameters
    ----------
    columns : array of int, shape (q,)
        Coordinate of each level.
    codes : array of int, shape (n,)
        Level of each row.
    factor : array of shape (n,), or float
        What the level's value is multiplied by.
    """

    columns: np.ndarray
    codes: np.ndarray
    factor: Any = 1.0
    kind: ClassVar[str] = "indexed"

    def _factors(self, rows: slice) -> Any:
        return self.factor[rows] if np.ndim(self.factor) else self.factor

    def times(self, theta: np.ndarray, rows: slice) -> Any:
        """A theta over some rows."""
        values = theta[self.place][self.codes[rows]]
        return values if np.ndim(self.factor) == 0 and self.factor == 1.0 else values * self._factors(rows)

    def summed(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """A'w over some rows."""
        if np.ndim(weights) == 2:
            return self.times_matrix(weights, 1.0, rows, count)
        return np.bincount(self.codes[rows], self._scaled(weights, rows, count), len(self.columns))

    def times_matrix(self, matrix: np.ndarray, weights: Any, rows: slice, count: int) -> np.ndarray:
        """A'diag(w)M over some rows, for a matrix with those rows."""
        one_hot = (self._scaled(weights, rows, count), self.codes[rows], np.arange(count + 1))
        return np.asarray(sparse.csc_array(one_hot, shape=(len(self.columns), count)) @ matrix)

    def weighted(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """diag(w) A over some rows."""
        matrix = np.zeros((count, len(self.columns)))
        matrix[np.arange(count), self.codes[rows]] = self._scaled(weights, rows, count)
        return matrix

    def table(self, other: "Indexed", weights: Any, rows: slice, count: int) -> np.ndarray:
        """A'diag(w)B with another index, shape (q, q of the other); with itself the diagonal alone, shape (q,)."""
        scaled = other._scaled(self._scaled(weights, rows, count), rows, count)
        shape = (len(self.columns), len(other.columns))
        if other is self:
            return np.bincount(self.codes[rows], scaled, shape[0])
        cells = self.codes[rows] * shape[1] + other.codes[rows]
        return np.bincount(cells, scaled, shape[0] * shape[1]).reshape(shape)

    def _scaled(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        factors = self._factors(rows)
        if np.ndim(factors) == 0 and factors == 1.0 and np.ndim(weights):
            return np.asarray(weights)
        return np.broadcast_to(weights * factors, (count,))


@dataclass(frozen=True, eq=False)
class Sparse(_Placed):
    """A sparse matrix.

    Parameters
    ----------
    columns : array of int, shape (q,)
    matrix : scipy.sparse.csr_array, shape (n, q)
    """

    columns: np.ndarray
    matrix: Any = field(repr=False)
    kind: ClassVar[str] = "sparse"

    def times(self, theta: np.ndarray, rows: slice) -> Any:
        """A theta over some rows."""
        return self.matrix[rows] @ theta[self.place]

    def summed(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """A'w over some rows."""
        full = weights if np.ndim(weights) else np.full(count, float(weights))
        return self.matrix[rows].T @ full

    def weighted(self, weights: Any, rows: slice, count: int) -> np.ndarray:
        """diag(w) A over some rows."""
        return self.matrix[rows].toarray() * np.broadcast_to(weights, (count,))[:, None]


Block = Constant | Dense | Indexed | Sparse


def cross(left: Block, right: Block, weights: Any, rows: slice, count: int) -> np.ndarray:
    """A'diag(w)B of two blocks over some rows; a scalar weight counts in each row.

    Returns
    -------
    array, shape (q of left, q of right)
        For an index with itself the diagonal alone, shape (q,).
    """
    if isinstance(left, Constant):
        return np.multiply.outer(left.coefficients, right.summed(weights, rows, count))
    if isinstance(right, Constant):
        return np.multiply.outer(left.summed(weights, rows, count), right.coefficients)
    if isinstance(left, Indexed) and isinstance(right, Indexed):
        return left.table(right, weights, rows, count)
    if isinstance(left, Indexed) and isinstance(right, Dense):
        return left.times_matrix(right.matrix[rows], weights, rows, count)
    if isinstance(right, Indexed) and isinstance(left, Dense):
        return right.times_matrix(left.matrix[rows], weights, rows, count).T
    if isinstance(right, Dense) or not isinstance(left, Dense):
        return left.summed(right.weighted(weights, rows, count), rows, count)
    return right.summed(left.weighted(weights, rows, count), rows, count).T


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A'B of matrices with many rows and few columns, in pieces of as much work as BLAS does without packing them."""
    step = max(1, _WORK // (left.shape[1] * right.shape[1]))
    if step >= len(left) or step < _SHORTEST:
        return left.T @ right
    whole = len(left) // step * step
    rows, columns = (m[:whole].T.reshape(m.shape[1], -1, step) for m in (left, right))
    pieces = rows.transpose(1, 0, 2) @ columns.transpose(1, 2, 0)
    return np.asarray(pieces.sum(axis=0) + left[whole:].T @ right[whole:])


def add_cross(hessian: np.ndarray, left: Block, right: Block, matrix: np.ndarray) -> None:
    """Put what `cross` gave into a Hessian, at both places where the blocks differ."""
    if matrix.ndim == 1:
        hessian[left.columns, left.columns] += matrix
        return
    if isinstance(left.place, slice) and isinstance(right.place, slice):
        hessian[left.place, right.place] += matrix
        if left is not right:
            hessian[right.place, left.place] += matrix.T
        return
    hessian[left.columns[:, None], right.columns] += matrix
    if left is not right:
        hessian[right.columns[:, None], left.columns] += matrix.T
