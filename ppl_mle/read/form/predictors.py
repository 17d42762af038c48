"""From affine arrays to predictors with designs: which matrix, which index, which constant row."""

from hashlib import blake2b
from typing import Any

import numpy as np
from scipy import sparse

from ppl_mle.read.form.affine import Affine, Gather, Product
from ppl_mle.read.form.declined import Declined
from ppl_mle.read.rows.blocks import Block, Constant, Dense, Indexed, Sparse
from ppl_mle.read.rows.build import Mixed
from ppl_mle.read.rows.predictor import Predictor

_MOST = 40
_MOST_CHOICES = 32


class Predictors:
    """The predictors of one term, each kept once, with designs that they share.

    Parameters
    ----------
    count : int
        Number of rows.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.found: list[Predictor] = []
        self._positions: dict[Any, int] = {}
        self._blocks: dict[Any, Block] = {}
        self._kept: list[Any] = []

    def add(self, affine: Affine, want: Any, rows: np.ndarray | None) -> int:
        """Position of the predictor that an affine array gives for the rows.

        Parameters
        ----------
        affine : Affine
        want : None, int or array of int
            Which elements belong to the rows.
        rows : array of int or None
            The rows that count; what the predictor is elsewhere does not matter.

        Raises
        ------
        Declined
            The term has too many predictors.
        Mixed
            The rows that count choose different columns of a matrix of parameters.
        """
        shared = isinstance(want, int)
        key = (id(affine), want if shared or want is None else id(want), None if shared else id(rows))
        if key not in self._positions:
            self._kept.append((affine, want, rows))
            made = self._shared(affine, want) if shared else self._by_row(affine, want, rows)
            self._positions[key] = self._position(made)
        return self._positions[key]

    def _position(self, made: Predictor) -> int:
        offset = made.offset if np.ndim(made.offset) == 0 else _digest(made.offset)
        name = ("predictor", offset, *(id(block) for block in made.blocks))
        if name not in self._positions:
            if len(self.found) >= _MOST:
                raise Declined(f"a row depends on more than {_MOST} predictors")
            self.found.append(made)
            self._positions[name] = len(self.found) - 1
        return self._positions[name]

    def _shared(self, affine: Affine, element: int) -> Predictor:
        """One element of the array, for all rows."""
        one = affine.picked(np.array([element]))
        terms: dict[int, float] = {}
        for piece in one.pieces:
            if isinstance(piece, Gather):
                _accumulate(terms, piece.position.ravel(), piece.factor.ravel())
            else:
                _accumulate(terms, piece.table[int(np.ravel(piece.choice)[0])], _row_of(piece))
        return Predictor(float(np.ravel(one.offset)[0]), self._constants(terms))

    def _by_row(self, affine: Affine, want: np.ndarray | None, rows: np.ndarray | None) -> Predictor:
        whole = affine.reshaped((affine.size,)) if want is None else affine.picked(want)
        constants: dict[int, float] = {}
        single: dict[int, np.ndarray] = {}
        blocks: list[Block] = []
        for piece in whole.pieces:
            if isinstance(piece, Product) and _picks_one(piece):
                _accumulate(constants, piece.table[int(np.ravel(piece.choice)[0])], _row_of(piece))
            elif isinstance(piece, Product):
                blocks.append(self._product(piece, rows))
            elif _is_one(piece.position):
                self._column(piece, constants, single)
            else:
                blocks.append(self._index(piece))
        if single:
            blocks.append(self._columns(single))
        offset = whole.offset
        flat: Any = float(np.ravel(offset)[0]) if offset.size == 1 else np.ascontiguousarray(offset, float)
        return Predictor(flat, (*self._constants(constants), *blocks))

    def _column(self, piece: Gather, constants: dict[int, float], single: dict[int, np.ndarray]) -> None:
        """One parameter times a number, or times a column."""
        place = int(piece.position.flat[0])
        if piece.factor.size == 1 or _is_one(piece.factor):
            _accumulate(constants, np.array([place]), np.ravel(piece.factor)[:1])
        else:
            single[place] = single[place] + piece.factor if place in single else piece.factor

    def _columns(self, single: dict[int, np.ndarray]) -> Block:
        places = sorted(single)
        key = ("columns", tuple(places), tuple(_digest(single[place]) for place in places))
        return self._intern(key, lambda: Dense(np.array(places), np.column_stack([single[p] for p in places])))

    def _constants(self, terms: dict[int, float]) -> tuple[Block, ...]:
        if not terms:
            return ()
        places = sorted(terms)
        key = ("constant", tuple(places), tuple(terms[place] for place in places))
        coefficients = np.array([terms[place] for place in places])
        return (self._intern(key, lambda: Constant(np.array(places), coefficients)),)

    def _index(self, piece: Gather) -> Block:
        """One level per row: positions renumbered over the levels that occur."""
        position = np.broadcast_to(piece.position, (self.count,))
        factor: Any = float(piece.factor.flat[0]) if piece.factor.size == 1 else np.asarray(piece.factor, float)
        if np.ndim(factor) and _is_one(factor):
            factor = float(factor[0])
        present = np.flatnonzero(np.bincount(position))
        key = ("indexed", _digest(position), factor if np.ndim(factor) == 0 else _digest(factor))
        lookup = np.zeros(int(present[-1]) + 1, np.int64)
        lookup[present] = np.arange(len(present))
        return self._intern(key, lambda: Indexed(present, lookup[position], factor))

    def _product(self, piece: Product, rows: np.ndarray | None) -> Block:
        row = None if _keeps_rows(piece, rows) else piece.row
        choice = np.broadcast_to(piece.choice, (self.count,))
        mine = choice if rows is None else choice[rows]
        if not _is_one(mine):
            if len(piece.table) <= _MOST_CHOICES:
                raise Mixed(choice == mine[0])
            return self._chosen(piece)
        places = piece.table[int(mine[0])]
        key = ("product", _address(piece.matrix), tuple(places), None if row is None else _digest(row))
        return self._intern(key, lambda: _design(piece.matrix if row is None else piece.matrix[row], places))

    def _chosen(self, piece: Product) -> Block:
        """Rows whose coordinates differ: a sparse matrix."""
        matrix = piece.matrix if piece.row is None else piece.matrix[np.broadcast_to(piece.row, (self.count,))]
        table = piece.table[np.broadcast_to(piece.choice, (self.count,))]
        if sparse.issparse(matrix):
            raise Declined("a sparse matrix times a choice of parameters")
        columns, indices = np.unique(table, return_inverse=True)
        starts = np.arange(0, table.size + 1, table.shape[1])
        data = (np.asarray(matrix, float).ravel(), indices.ravel(), starts)
        return Sparse(columns, sparse.csr_array(data, shape=(self.count, len(columns))))

    def _intern(self, key: Any, build: Any) -> Block:
        if key not in self._blocks:
            self._blocks[key] = build()
        return self._blocks[key]


def _design(matrix: Any, places: np.ndarray) -> Block:
    """The block of a constant matrix; a one-hot matrix is kept as an index."""
    places = np.asarray(places)
    if len(np.unique(places)) < len(places):
        unique, inverse = np.unique(places, return_inverse=True)
        fold = sparse.csr_array((np.ones(len(places)), (np.arange(len(places)), inverse)))
        return _design(matrix @ fold if sparse.issparse(matrix) else np.asarray(matrix) @ fold.toarray(), unique)
    if sparse.issparse(matrix):
        return Sparse(places, sparse.csr_array(matrix))
    if _is_one_hot(matrix):
        return Indexed(places, np.argmax(matrix, axis=1))
    return Dense(places, np.asarray(matrix, float))


def _is_one_hot(matrix: np.ndarray) -> bool:
    if matrix.shape[1] < 2 or not _has_single_ones(matrix[:16]):
        return False
    return _has_single_ones(matrix)


def _has_single_ones(matrix: np.ndarray) -> bool:
    ones = matrix == 1
    return bool(np.all(ones.sum(axis=1) == 1) and np.count_nonzero(matrix) == len(matrix))


def _accumulate(terms: dict[int, float], places: np.ndarray, factors: np.ndarray) -> None:
    for place, factor in zip(places, factors, strict=True):
        terms[int(place)] = terms.get(int(place), 0.0) + float(factor)


def _is_one(array: np.ndarray) -> bool:
    """Whether all elements are the same."""
    flat = array.ravel() if array.size < 2 or array.strides != (0,) * array.ndim else array.flat[:1]
    return bool(flat.size < 2 or (flat[0] == flat[-1] and np.all(flat == flat[0])))


def _picks_one(piece: Product) -> bool:
    """Whether all elements are the same row of the matrix times the same coordinates."""
    return piece.row is not None and _is_one(piece.row) and _is_one(piece.choice)


def _row_of(piece: Product) -> np.ndarray:
    """The row of the matrix that the first element takes; a picked element names it."""
    assert piece.row is not None
    row = piece.matrix[int(np.ravel(piece.row)[0])]
    return np.ravel(row.toarray() if sparse.issparse(row) else row)


def _keeps_rows(piece: Product, rows: np.ndarray | None) -> bool:
    """Whether each row that counts is the row of the matrix."""
    if piece.row is None:
        return True
    row, count = np.ravel(piece.row), piece.matrix.shape[0]
    if row.size != count:
        return False
    return bool(np.array_equal(row, np.arange(count)) if rows is None else np.array_equal(row[rows], rows))


def _digest(array: np.ndarray) -> bytes:
    return blake2b(np.ascontiguousarray(array), digest_size=16).digest()


def _address(array: Any) -> Any:
    """What tells whether two arrays are the same memory."""
    if sparse.issparse(array):
        return id(array)
    return (array.__array_interface__["data"][0], array.shape, array.strides)
