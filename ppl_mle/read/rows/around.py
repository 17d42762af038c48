"""Terms around a point, for many points and many sets of weights at once: values, gradients, Hessians."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.refits import Densities
from ppl_mle.read.rows.term import RowTerm

_MOST_PRODUCTS = 4_000_000
_MOST_DESIGN = 5_000_000


@dataclass(frozen=True, eq=False)
class _Design:
    """One predictor around a point: eta = center + matrix u over some coordinates.

    Parameters
    ----------
    center : array, shape (1, n) or (1, 1)
    columns : array of int
        Coordinates of u.
    matrix : array, shape (n, q) or (1, q)
    """

    center: np.ndarray
    columns: np.ndarray
    matrix: np.ndarray

    @property
    def is_shared(self) -> bool:
        return len(self.matrix) == 1

    def etas(self, u: np.ndarray | None) -> np.ndarray:
        return self.center if u is None else self.center + u[:, self.columns] @ self.matrix.T

    def summed(self, weights: np.ndarray) -> np.ndarray:
        """A'w for rows of weights (m, n), shape (m, q)."""
        return weights.sum(axis=1, keepdims=True) * self.matrix if self.is_shared else weights @ self.matrix


class _Pair:
    """A'diag(w)B of two designs, for rows of weights at once."""

    def __init__(self, left: _Design, right: _Design) -> None:
        self.left, self.right = left, right
        self._upper = np.triu_indices(len(left.columns))

    @cached_property
    def _products(self) -> np.ndarray | None:
        """Products of the columns, row by row (the Khatri-Rao product), where they take little memory."""
        if self.left.is_shared or self.right.is_shared:
            return None
        a, b = self.left.matrix, self.right.matrix
        width = len(self._upper[0]) if self.left is self.right else a.shape[1] * b.shape[1]
        if len(a) * width > _MOST_PRODUCTS:
            return None
        if self.left is self.right:
            return a[:, self._upper[0]] * a[:, self._upper[1]]
        return np.reshape(a[:, :, None] * b[:, None, :], (len(a), width))

    def add(self, hessian: np.ndarray, weights: np.ndarray) -> None:
        """Add to Hessians (m, q, q), in place, both ways round where the designs differ."""
        block = self._block(weights)
        rows, columns = self.left.columns, self.right.columns
        hessian[:, rows[:, None], columns] += block
        if self.left is not self.right:
            hessian[:, columns[:, None], rows] += block.transpose(0, 2, 1)

    def _block(self, weights: np.ndarray) -> np.ndarray:
        left, right = self.left, self.right
        if left.is_shared:
            return left.matrix[0][:, None] * right.summed(weights)[:, None, :]
        if right.is_shared:
            return left.summed(weights)[:, :, None] * right.matrix[0]
        shape = (len(weights), len(left.columns), len(right.columns))
        if self._products is None:
            return np.array([(left.matrix.T * row) @ right.matrix for row in weights]).reshape(shape)
        flat = weights @ self._products
        if left is not right:
            return flat.reshape(shape)
        block = np.empty(shape)
        block[:, self._upper[0], self._upper[1]] = block[:, self._upper[1], self._upper[0]] = flat
        return block


class Around:
    """A term around a point, in local coordinates u: theta = origin + basis u.

    Parameters
    ----------
    term : RowTerm
    origin : array, shape (p,)
    basis : array, shape (p, q)
        Columns near one standard error long, so that designs are of one size.
    """

    def __init__(self, term: RowTerm, origin: np.ndarray, basis: np.ndarray) -> None:
        self.term, self.size = term, basis.shape[1]
        with np.errstate(all="ignore"):
            centers = term.etas(origin, slice(0, term.count, 1))
        self._designs = [
            _design(predictor, term.count, center, basis)
            for predictor, center in zip(term.predictors, centers, strict=True)
        ]
        self._pairs: dict[tuple[int, int], _Pair] = {}

    def evaluate(
        self, densities: Densities, weights: np.ndarray | None, u: np.ndarray | None, count: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values (m,), gradients (m, q) and Hessians (m, q, q) at rows of u; NaN where the density does not exist.

        Parameters
        ----------
        densities : callable
        weights : array of shape (m, n), or None
        u : array of shape (m, q), or None
            None for the origin in all.
        count : int
            m.
        """
        shape = (count, self.term.count)
        jet, exists = densities([design.etas(u) for design in self._designs], 2)
        gradient, hessian = np.zeros((count, self.size)), np.zeros((count, self.size, self.size))
        for k, d in jet.first.items():
            gradient[:, self._designs[k].columns] += self._designs[k].summed(_weighed(d, weights, shape))
        for pair, d in jet.second.items():
            self._pair(pair).add(hessian, _weighed(d, weights, shape))
        value = _weighed(jet.value, weights, shape).sum(axis=1)
        scale = np.where(np.all(np.broadcast_to(exists, shape), axis=1), self.term.scale, np.nan)
        return (
            scale * (value + self.term.base),
            np.reshape(scale, (-1, 1)) * gradient,
            np.reshape(scale, (-1, 1, 1)) * hessian,
        )

    def scores(self, densities: Densities) -> np.ndarray:
        """Gradient of each row at the origin, weights left out, shape (n, q)."""
        jet, _ = densities([design.etas(None) for design in self._designs], 1)
        scores = np.zeros((self.term.count, self.size))
        for k, d in jet.first.items():
            design = self._designs[k]
            scores[:, design.columns] += np.broadcast_to(d, (1, self.term.count)).T * design.matrix
        return self.term.scale * scores

    def _pair(self, key: tuple[int, int]) -> _Pair:
        if key not in self._pairs:
            self._pairs[key] = _Pair(self._designs[key[0]], self._designs[key[1]])
        return self._pairs[key]


def design_elements(terms: Sequence[RowTerm], size: int) -> int:
    """Numbers that dense designs over `size` coordinates would hold."""
    return sum(term.count * min(size, len(p.columns)) for term in terms for p in term.predictors if not p.is_shared)


def is_stackable(terms: Sequence[RowTerm], size: int) -> bool:
    """Whether dense designs over `size` coordinates fit into memory, for terms that hold every row."""
    return all(term.step == 1 for term in terms) and design_elements(terms, size) <= _MOST_DESIGN


def _design(predictor: Predictor, count: int, center: Any, basis: np.ndarray) -> _Design:
    used = np.flatnonzero(np.any(basis[predictor.columns] != 0, axis=0))
    rows = 1 if predictor.is_shared else count
    matrix = predictor.matrix(predictor.columns, rows) @ basis[np.ix_(predictor.columns, used)]
    return _Design(np.reshape(np.asarray(center, float), (1, -1)), used, matrix)


def _weighed(d: Any, weights: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    if weights is None:
        return np.broadcast_to(d, shape)
    return weights * d
