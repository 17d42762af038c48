"""Arrays whose elements are affine functions of the unconstrained vector, without their matrix being formed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from ppl_mle.read.form.declined import Declined

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Gather:
    """factor * theta[position], element by element; both arrays broadcast to the shape of the whole."""

    position: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix times parts of theta: element s is matrix[row[s]] @ theta[table[choice[s]]].

    Parameters
    ----------
    matrix : array or sparse matrix, shape (r, q)
    table : array of int, shape (t, q)
        Coordinates that each choice multiplies.
    row : array of int, or None
        None where element s in C order is row s.
    choice : array of int
    """

    matrix: Any
    table: np.ndarray
    row: np.ndarray | None
    choice: np.ndarray


Piece = Gather | Product


@dataclass(frozen=True, eq=False)
class Affine:
    """offset + sum of pieces, an array of the given shape.

    Parameters
    ----------
    shape : tuple of int
    offset : array that broadcasts to `shape`
    pieces : tuple of Gather or Product
    """

    shape: Shape
    offset: np.ndarray
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))

    @property
    def has_products(self) -> bool:
        """Whether a matrix is part of it, which scaling would copy."""
        return any(isinstance(piece, Product) for piece in self.pieces)

    def plus(self, other: "Affine", sign: float = 1.0) -> "Affine":
        """Add another, or subtract it."""
        shape = np.broadcast_shapes(self.shape, other.shape)
        right = other if sign == 1.0 else other.scaled(np.array(sign))
        a, b = self.broadcast(shape), right.broadcast(shape)
        return Affine(shape, a.offset + b.offset, a.pieces + b.pieces)

    def scaled(self, factor: np.ndarray) -> "Affine":
        """Multiply each element by a constant."""
        shape = np.broadcast_shapes(self.shape, factor.shape)
        wide = self.broadcast(shape)
        factor = _aligned(factor, shape)
        return Affine(shape, wide.offset * factor, tuple(_scale(piece, factor, shape) for piece in wide.pieces))

    def broadcast(self, shape: Shape) -> "Affine":
        """Repeat along axes, as NumPy does."""
        if shape == self.shape:
            return self
        extended = (1,) * (len(shape) - len(self.shape)) + self.shape
        if self.has_products and int(np.prod(shape)) != self.size:
            index = np.broadcast_to(np.arange(self.size).reshape(extended), shape)
            return self.picked(index)
        offset = self.offset.reshape((1,) * (len(shape) - self.offset.ndim) + self.offset.shape)
        pieces = tuple(_lifted(piece, shape) for piece in self.pieces)
        return Affine(shape, offset, pieces)

    def reshaped(self, shape: Shape) -> "Affine":
        """Change the shape and keep the order of the elements."""

        def move(array: np.ndarray) -> np.ndarray:
            if array.size == 1:
                return array.reshape((1,) * len(shape))
            return np.broadcast_to(array, self.shape).reshape(shape)

        return Affine(shape, move(self.offset), tuple(_moved(piece, move, self.shape) for piece in self.pieces))

    def picked(self, index: np.ndarray) -> "Affine":
        """Take elements by their positions in C order; the result has the shape of `index`."""
        where = (index,) if len(self.shape) == 1 else np.unravel_index(index, self.shape) if self.shape else ()

        def move(array: np.ndarray) -> np.ndarray:
            if array.size == 1:
                return array.reshape((1,) * index.ndim)
            return np.broadcast_to(array, self.shape)[where]

        pieces = tuple(
            replace(_moved(piece, move, self.shape), row=index if piece.row is None else move(piece.row))
            if isinstance(piece, Product)
            else _moved(piece, move, self.shape)
            for piece in self.pieces
        )
        return Affine(index.shape, move(self.offset), pieces)


def _aligned(array: np.ndarray, shape: Shape) -> np.ndarray:
    return array.reshape((1,) * (len(shape) - array.ndim) + array.shape)


def _lifted(piece: Piece, shape: Shape) -> Piece:
    if isinstance(piece, Gather):
        return Gather(_aligned(piece.position, shape), _aligned(piece.factor, shape))
    row = None if piece.row is None else _aligned(piece.row, shape)
    return replace(piece, row=row, choice=_aligned(piece.choice, shape))


def _moved(piece: Piece, move: Callable[[np.ndarray], np.ndarray], shape: Shape) -> Any:
    if isinstance(piece, Gather):
        return Gather(move(piece.position), move(piece.factor))
    return replace(piece, row=None if piece.row is None else move(piece.row), choice=move(piece.choice))


def _scale(piece: Piece, factor: np.ndarray, shape: Shape) -> Piece:
    if isinstance(piece, Gather):
        return Gather(piece.position, piece.factor * factor)
    if factor.size == 1:
        return replace(piece, matrix=piece.matrix * factor.item())
    flat = np.broadcast_to(factor, shape).ravel()
    row = np.arange(flat.size) if piece.row is None else np.broadcast_to(piece.row, shape).ravel()
    matrix = piece.matrix[row]
    scaled = matrix.multiply(flat[:, None]).tocsr() if hasattr(matrix, "tocsr") else matrix * flat[:, None]
    return Product(scaled, piece.table, None, piece.choice)


def leaf(positions: np.ndarray, shape: Shape) -> Affine:
    """The free values themselves, which lie at `positions` of the unconstrained vector."""
    return Affine(shape, np.zeros((1,) * len(shape)), (Gather(positions.reshape(shape), np.ones((1,) * len(shape))),))


_NOTHING = Gather(np.zeros((), int), np.zeros(()))


def joined(parts: Sequence[Affine | np.ndarray], axis: int) -> Affine:
    """Concatenate along an axis; constants count as offsets."""
    wholes = [p if isinstance(p, Affine) else Affine(p.shape, np.asarray(p, float), ()) for p in parts]
    gathers = [[piece for piece in p.pieces if isinstance(piece, Gather)] for p in wholes]
    if any(p.has_products for p in wholes):
        raise Declined("a joined array holds a matrix product")
    most = max(len(p.pieces) for p in wholes)

    def spread(array: np.ndarray, whole: Affine) -> np.ndarray:
        return np.broadcast_to(array, whole.shape)

    offset = np.concatenate([spread(p.offset, p) for p in wholes], axis=axis)
    pieces = []
    for i in range(most):
        got = [own[i] if i < len(own) else _NOTHING for own in gathers]
        position = np.concatenate([spread(g.position, p) for g, p in zip(got, wholes, strict=True)], axis=axis)
        factor = np.concatenate([spread(g.factor, p) for g, p in zip(got, wholes, strict=True)], axis=axis)
        pieces.append(Gather(position, factor))
    return Affine(offset.shape, offset, tuple(pieces))


def summed(whole: Affine, axes: tuple[int, ...]) -> Affine:
    """Sum over axes."""
    kept = [i for i in range(len(whole.shape)) if i not in axes]
    count = int(np.prod([whole.shape[i] for i in axes]))
    shape = tuple(whole.shape[i] for i in kept)

    def folded(array: np.ndarray) -> np.ndarray:
        """Kept axes first, as one axis; summed axes second."""
        return np.broadcast_to(array, whole.shape).transpose(*kept, *axes).reshape(-1, count)

    offset = folded(whole.offset).sum(axis=1).reshape(shape)
    pieces = []
    for piece in whole.pieces:
        if isinstance(piece, Product):
            raise Declined("a sum over elements of a matrix product")
        position, factor = folded(piece.position), folded(piece.factor)
        pieces += _sum_gather(position, factor, shape)
    return Affine(shape, offset, tuple(pieces))


def _sum_gather(position: np.ndarray, factor: np.ndarray, shape: Shape) -> list[Piece]:
    """Rows of (size, count) positions and factors as one product, if all rows use the same coordinates."""
    if len(position) and (position.strides[0] == 0 or np.all(position == position[:1])):
        return [Product(np.ascontiguousarray(factor), position[:1], None, np.zeros((1,) * len(shape), int))]
    if position.shape[1] > _MOST_SUMMED:
        raise Declined("a sum over many elements that use different parameters in each row")
    return [Gather(position[:, j].reshape(shape), factor[:, j].reshape(shape)) for j in range(position.shape[1])]


_MOST_SUMMED = 32


def multiplied(matrix: Any, vector: Affine) -> Affine:
    """A constant matrix (r, q) times an affine matrix (q, t); the result has shape (r, t)."""
    r, (q, t) = matrix.shape[0], vector.shape
    constant = np.broadcast_to(vector.offset, vector.shape)
    offset = np.zeros((1, 1)) if not np.any(constant) else np.asarray(matrix @ constant)
    row = None if t == 1 else np.broadcast_to(np.arange(r)[:, None], (r, t))
    choice = np.broadcast_to(np.arange(t)[None, :], (r, t)) if t > 1 else np.zeros((1, 1), int)
    pieces = []
    for piece in vector.pieces:
        if isinstance(piece, Product):
            pieces.append(_chained(matrix, piece, (q, t), row, choice))
            continue
        factor = np.broadcast_to(piece.factor, vector.shape)
        table = np.broadcast_to(piece.position, vector.shape).T
        if np.all(factor == factor[:, :1]):
            scaled = matrix if np.all(factor[:, 0] == 1.0) else _columns_scaled(matrix, factor[:, 0])
            pieces.append(Product(scaled, table, row, choice))
        else:
            below = r * np.arange(t)[None, :] + np.arange(r)[:, None]
            pieces.append(Product(_stacked(matrix, factor), table, below, choice))
    return Affine((r, t), offset, tuple(pieces))


def _columns_scaled(matrix: Any, factors: np.ndarray) -> Any:
    return matrix.multiply(factors).tocsr() if sparse.issparse(matrix) else matrix * factors


def _stacked(matrix: Any, factor: np.ndarray) -> Any:
    """The matrix with its columns scaled by each column of factors, one below the other."""
    parts = [_columns_scaled(matrix, column) for column in factor.T]
    return sparse.vstack(parts).tocsr() if sparse.issparse(matrix) else np.vstack(parts)


def _chained(matrix: Any, piece: Product, shape: Shape, row: Any, choice: np.ndarray) -> Product:
    """A matrix times a matrix product, as one product."""
    if shape[1] != 1 or np.any(piece.choice != piece.choice.flat[0]):
        raise Declined("a product of matrices with a matrix of parameters between")
    inner = piece.matrix if piece.row is None else piece.matrix[np.broadcast_to(piece.row, shape)[:, 0]]
    table = piece.table[[int(piece.choice.flat[0])]]
    return Product(matrix @ inner, table, row, np.zeros((1, 1), int))
