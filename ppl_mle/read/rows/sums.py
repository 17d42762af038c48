"""Sums over the rows of a term, block by block and on every core, with no temporary as long as the data."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ppl_mle.read.rows.blocks import Block, Dense, add_cross, cross
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.term import RowTerm, length
from ppl_mle.read.rows.threads import on_every_core

_BLOCK_BYTES = 1 << 22
_FEWEST_ROWS = 4096
_WORTH_THREADS = 400_000
_CONVEX = 1e-6


def add_term(term: RowTerm, theta: np.ndarray, order: int, gradient: np.ndarray, hessian: np.ndarray | None) -> float:
    """Add a term's derivatives at `theta` to `gradient` (p,) and `hessian` (p, p), in place, and return its value.

    Parameters
    ----------
    term : RowTerm
    theta : array, shape (p,)
    order : {0, 1, 2}
        Derivatives wanted.

    Returns
    -------
    float
        Minus infinity where a condition of the density fails; the sums are then not complete.
    """
    if not term.groups:
        return term.scale * term.base

    def work(run: Sequence[slice]) -> Any:
        total = _Total(term, order, len(theta))
        return total if all(total.take(theta, rows) for rows in run) else None

    totals = over_rows(term, work)
    if any(total is None for total in totals):
        return -np.inf
    for total in totals:
        if order:
            gradient += term.scale * total.gradient
        if hessian is not None:
            total.add_to(hessian)
    return term.scale * (term.base + sum(total.value for total in totals))


def add_curvature(term: RowTerm, theta: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """T' H T of a term for the columns of a basis (p, k), from A T and not from H, so that no digits cancel."""
    size = basis.shape[1]

    def block(rows: slice) -> np.ndarray:
        jet, count = term.density(theta, rows, 2), length(rows)
        total = np.zeros((size, size))
        if jet is None:
            return np.full((size, size), np.nan)
        parts = [_moved(b, basis, rows, count) for b in term.sharing.blocks]
        moved: list[Any] = [sum(parts[i] for i in members) for members in term.sharing.members]
        for (k, m), weight in jet.second.items():
            part = moved[k].T @ (np.reshape(weight, (-1, 1)) * moved[m])
            total += part if k == m else part + part.T
        return total

    return _summed(term, block)


def add_products(term: RowTerm, theta: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Hessian of a term times directions, shape (k, p), without the Hessian."""
    blocks = term.sharing.blocks

    def block(rows: slice) -> np.ndarray:
        jet, count = term.density(theta, rows, 2), length(rows)
        if jet is None:
            return np.full(directions.shape, np.nan)
        products = np.zeros(directions.shape)
        for (i, j), weight in term.sharing.of_hessian(jet.second).items():
            for left, right in {(i, j), (j, i)}:
                moved = np.reshape(weight, (-1, 1)) * _moved(blocks[right], directions.T, rows, count)
                products[:, blocks[left].columns] += blocks[left].summed(moved, rows, count).T
        return products

    return _summed(term, block)


def gram_matrix(term: RowTerm, predictor: Predictor) -> np.ndarray:
    """A'A of the design of a predictor, shape (p, p) with p one more than its last coordinate."""
    size = int(predictor.columns[-1]) + 1

    def block(rows: slice) -> np.ndarray:
        total = np.zeros((size, size))
        for left in predictor.blocks:
            for right in predictor.blocks:
                part = cross(left, right, 1.0, rows, length(rows))
                if part.ndim == 1:
                    part = np.diag(part)
                total[left.columns[:, None], right.columns] += part
        return total

    return _summed(term, block) / term.scale


def row_values(term: RowTerm, theta: np.ndarray) -> np.ndarray:
    """Value of each row, the base left out, shape (count,)."""
    jet = term.density(theta, slice(0, term.count, 1), 0)
    return np.full(term.count, -np.inf) if jet is None else np.broadcast_to(jet.value, (term.count,))


def has_convex_rows(term: RowTerm, theta: np.ndarray, on_line: np.ndarray) -> bool:
    """Whether some row's log-density is convex, beyond rounding, in a predictor.

    Asked are predictors that differ between rows, and those of coordinates that are free on the real line, for which
    `on_line` is True, shape (p,). The closed-form row densities are concave in theirs.
    """
    own = [k for k, eta in enumerate(term.predictors) if not eta.is_shared or np.any(on_line[eta.columns])]
    if term.is_closed or not own:
        return False

    def convex(rows: slice) -> bool:
        jet = term.density(theta, rows, 2)
        bends = [np.asarray(jet.second.get((k, k), 0.0)) for k in own] if jet is not None else []
        return any(bool(np.max(bend) > _CONVEX * np.max(np.abs(bend))) for bend in bends)

    return any(any(found) for found in over_rows(term, lambda run: [convex(rows) for rows in run]))


class _Total:
    """What a run of row blocks gives; designs enter the Hessian once, at the end."""

    def __init__(self, term: RowTerm, order: int, size: int) -> None:
        self.term, self.order = term, order
        self.value = 0.0
        self.gradient = np.zeros(size if order else 0)
        self._crosses: dict[tuple[int, int], np.ndarray] = {}

    def take(self, theta: np.ndarray, rows: slice) -> bool:
        """Add one block; False where a condition fails."""
        jet = self.term.density(theta, rows, self.order)
        if jet is None:
            return False
        sharing, count = self.term.sharing, length(rows)
        self.value += float(jet.value.sum()) if np.ndim(jet.value) else float(jet.value) * count
        for i, weight in sharing.of_gradient(jet.first).items():
            block = sharing.blocks[i]
            self.gradient[block.place] += block.summed(weight, rows, count)
        for pair, weight in sharing.of_hessian(jet.second).items():
            matrix = cross(sharing.blocks[pair[0]], sharing.blocks[pair[1]], weight, rows, count)
            if pair in self._crosses:
                self._crosses[pair] += matrix
            else:
                self._crosses[pair] = matrix
        return True

    def add_to(self, hessian: np.ndarray) -> None:
        """Add the second derivatives to a Hessian, scaled as the term is."""
        blocks = self.term.sharing.blocks
        for (i, j), matrix in self._crosses.items():
            add_cross(hessian, blocks[i], blocks[j], self.term.scale * matrix)


def _summed(term: RowTerm, block: Callable[[slice], np.ndarray]) -> np.ndarray:
    parts = over_rows(term, lambda run: sum(block(rows) for rows in run))
    return np.asarray(term.scale * sum(parts))


def over_rows(term: RowTerm, work: Callable[[Sequence[slice]], Any]) -> list[Any]:
    """Apply `work` to runs of row blocks; only where rows are many, on several cores."""
    stride = _block_rows(term) * term.step
    blocks = [slice(i, min(i + stride, term.count), term.step) for i in range(0, term.count, stride)]
    if term.count < _WORTH_THREADS * term.step or len(blocks) == 1:
        return [work(blocks)]
    return on_every_core(work, blocks)


def _block_rows(term: RowTerm) -> int:
    """Rows in one block: what keeps its part of the designs within a core's cache."""
    width = 8 + sum(block.matrix.shape[1] for block in term.sharing.blocks if isinstance(block, Dense))
    return max(_FEWEST_ROWS, _BLOCK_BYTES // (8 * width))


def _moved(block: Block, basis: np.ndarray, rows: slice, count: int) -> np.ndarray:
    """A T over some rows, shape (count, k)."""
    return np.column_stack([np.broadcast_to(block.times(column, rows), (count,)) for column in basis.T])
