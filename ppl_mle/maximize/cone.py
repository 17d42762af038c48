"""The cone of directions that no row forbids: a direction inside it, by linear programs, and what it leaves fixed.

Konis (2007), *Linear programming algorithms for detecting separated data*; the direction is one in the relative
interior, so that one limit leads to a model whose maximum exists (Geyer 2009, *Likelihood inference in exponential
families and directions of recession*).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import eye_array, hstack

_RANK = 1e-11
_GAIN = 1e-6
_CAP = 1e-2
_FEASIBLE = 1e-8
_HIGHS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
_ROUNDS = 60
_CUTS = 100
_TIE = 1e-13
_NIL = 1e-11
_CLEAR = 1e-8

Found = tuple[np.ndarray | None, float]
"""Answer of a linear program over some rows, and what the others must rise by at least."""


@dataclass(frozen=True, eq=False)
class Cone:
    """Directions d with rises d >= 0 and fixed d = 0, and one in its relative interior.

    Parameters
    ----------
    direction : array, shape (p,)
        The smallest rise is one.
    gains : array of bool, shape (m,)
        Rows of `rises` that are positive there; on the others every direction of the cone is zero.
    span : array, shape (p, k)
        Basis of what the rows without gain and `fixed` leave free.
    idle : array, shape (p, l)
        Basis of the directions that change nothing at all.
    rises : array, shape (m, p)
    scales : array, shape (p,)
        Sizes of the columns, by which they were divided.
    """

    direction: np.ndarray
    gains: np.ndarray
    span: np.ndarray
    idle: np.ndarray
    rises: np.ndarray
    scales: np.ndarray

    @property
    def rounding(self) -> float:
        """What rounding of the forms, summed over their rows, may amount to at the direction."""
        sizes = np.abs(self.rises) @ np.abs(self.direction)
        return float(4 * np.finfo(float).eps * sizes.max(initial=0.0) * len(sizes))

    def changes(self, weights: np.ndarray, directions: np.ndarray) -> bool:
        """Whether a linear function changes along some directions by more than rounding."""
        sizes = np.abs(weights / self.scales).max(initial=0.0)
        along = weights @ directions
        return bool(np.any(np.abs(along) > _CLEAR * sizes * np.linalg.norm(directions * self.scales[:, None], axis=0)))

    def range_of(self, weights: np.ndarray) -> tuple[float, float]:
        """Least and greatest value of a linear function over the cone, cut off at about one."""
        if not self.changes(weights, self.span):
            return 0.0, 0.0
        key = weights.tobytes()
        if key not in self._ranges:
            self._ranges[key] = self._measure(weights @ self.span)
        return self._ranges[key]

    @cached_property
    def _ranges(self) -> dict[bytes, tuple[float, float]]:
        return {}

    @cached_property
    def _section(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows that rise in coordinates of the span, the way back, a mask of those that have mattered so far."""
        rows, back, _ = _whitened(self.rises[self.gains] @ self.span)
        return rows, back, _spanning(rows)

    def _measure(self, own: np.ndarray) -> tuple[float, float]:
        rows, back, some = self._section
        ends = []
        for sign in (1.0, -1.0):
            cost = sign * (own @ back)
            cost /= max(float(np.abs(cost).max(initial=0.0)), np.finfo(float).tiny)
            z = _with_cuts(rows, partial(_least, cost=cost), some)
            ends.append(np.nan if z is None else sign * float(cost @ z))
        low, high = ends
        return (0.0 if abs(low) < _CLEAR else low), (0.0 if abs(high) < _CLEAR else high)


def find_cone(rises: np.ndarray, fixed: np.ndarray) -> Cone | None:
    """Find a direction in the relative interior of {d : rises d >= 0, fixed d = 0}.

    Parameters
    ----------
    rises : array, shape (m, p)
    fixed : array, shape (r, p)

    Returns
    -------
    Cone or None
        None where no row can rise.
    """
    scales = np.abs(np.vstack([rises, fixed])).max(axis=0, initial=0.0)
    scales[scales == 0] = 1.0
    rises, fixed = rises / scales, fixed / scales
    free = null_space(fixed)
    direction, gains = _climb(rises, free)
    if direction is None:
        return None
    span = null_space(np.vstack([fixed, rises[~gains]]))
    direction = _deepest_inside(rises[gains] @ span, span.T @ direction)
    if direction is None:
        return None
    direction = span @ direction
    direction[np.abs(direction) <= _TIE * np.abs(direction).max()] = 0.0
    slack, size = rises @ direction, np.abs(rises).sum(axis=1) * np.abs(direction).max()
    off = np.abs(fixed @ direction) <= _TIE * np.abs(fixed).sum(axis=1) * np.abs(direction).max()
    exact = bool(np.all(np.abs(slack[~gains]) <= _TIE * size[~gains]) and np.all(off))
    if not (exact and np.all(slack[gains] > _CLEAR * size[gains])):
        return None
    direction = direction / slack[gains].min()
    idle = null_space(np.vstack([fixed, rises]))
    unit = scales[:, None]
    return Cone(direction / scales, gains, span / unit, idle / unit, rises * scales, scales)


def null_space(matrix: np.ndarray) -> np.ndarray:
    """Orthonormal basis of {d : matrix d = 0}, shape (p, k)."""
    p = matrix.shape[1]
    if not len(matrix):
        return np.eye(p)
    triangle = np.linalg.qr(matrix, mode="r") if len(matrix) > p else matrix
    _, sizes, axes = np.linalg.svd(triangle)
    rank = int(np.sum(sizes > _RANK * sizes[0])) if sizes.size and sizes[0] > 0 else 0
    return axes[rank:].T


def _climb(rises: np.ndarray, free: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Add up directions until no row without gain can rise without another one falling."""
    gains = np.zeros(len(rises), bool)
    total: np.ndarray | None = None
    reduced = rises @ free
    reduced[np.linalg.norm(reduced, axis=1) <= _NIL * np.linalg.norm(rises, axis=1)] = 0.0
    least = _RANK * float(np.linalg.norm(reduced))
    for _ in range(free.shape[1]):
        rest = np.flatnonzero(~gains)
        found = _one_direction(reduced[rest], least) if len(rest) else None
        if found is None:
            break
        step, more = found
        if total is not None:
            loss = np.min(reduced[gains] @ step / (reduced[gains] @ total))
            step = step + (1 + 2 * max(0.0, -float(loss))) * total
        total = step
        gains[rest[more]] = True
    return (None if total is None else free @ total), gains


def _one_direction(rows: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray] | None:
    """A direction in which many rows rise and none falls, and which rows rise; None where none can rise."""
    whitened, back, kept = _whitened(rows, least)
    if not whitened.shape[1]:
        return None
    z = _with_cuts(whitened, _most_rising, _spanning(whitened))
    if z is None:
        return None
    more = np.zeros(len(rows), bool)
    more[kept] = whitened @ z > _GAIN
    return (back @ z, more) if np.any(more) else None


def _deepest_inside(rows: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """The direction in which the least rise is greatest, where there is a choice."""
    if rows.shape[1] == 1:
        return known
    whitened, back, _ = _whitened(rows)
    z = _with_cuts(whitened, _deepest, _spanning(whitened))
    return None if z is None else back @ z


def _whitened(rows: np.ndarray, least: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of length one in coordinates z with orthogonal columns, the matrix from z to directions, which rows."""
    left, sizes, axes = np.linalg.svd(rows, full_matrices=False)
    rank = int(np.sum(sizes > max(least, _RANK * sizes[0]))) if sizes.size and sizes[0] > 0 else 0
    lengths = np.linalg.norm(left[:, :rank], axis=1)
    kept = lengths > _RANK * lengths.max(initial=0.0)
    return left[kept, :rank] / lengths[kept, None], (axes[:rank] / sizes[:rank, None]).T, kept


def _with_cuts(rows: np.ndarray, solve: Callable[[np.ndarray], Found], some: np.ndarray) -> np.ndarray | None:
    """Solve a linear program over some rows, and add to these what its answer violates until there is nothing."""
    for _ in range(_ROUNDS):
        z, level = solve(rows[some])
        if z is None:
            return None
        slack = rows @ z - level
        worst = np.argsort(slack)[:_CUTS]
        worst = np.setdiff1d(worst[slack[worst] < -_FEASIBLE], np.flatnonzero(some))
        if not len(worst):
            return z
        some[worst] = True
    return None


def _spanning(rows: np.ndarray) -> np.ndarray:
    """Mask of enough rows to begin with, of the same rank as all."""
    rank = rows.shape[1]
    enough = 5 * rank + _CUTS
    some = np.ones(len(rows), bool)
    if len(rows) <= 4 * enough:
        return some
    some[:] = False
    some[np.random.default_rng(0).choice(len(rows), enough, replace=False)] = True
    while True:
        missing = null_space(rows[some])
        if not missing.shape[1]:
            return some
        some[np.argmax(np.abs(rows @ missing), axis=0)] = True


def _most_rising(rows: np.ndarray) -> Found:
    """Maximize the sum of the rises, each counted up to a cap, so that many rows rise a little and not one much.

    A fall within rounding of ill-conditioned rows is let pass here; the direction that is found is checked exactly.
    """
    count, size = rows.shape
    cost = np.r_[np.zeros(size), -np.ones(count)]
    limits = hstack([-rows, eye_array(count)], format="csr")
    z = _minimized(cost, limits, [(-1.0, 1.0)] * size + [(0.0, _CAP)] * count, _FEASIBLE)
    return (None if z is None else z[:size]), 0.0


def _deepest(rows: np.ndarray) -> Found:
    """Maximize the least rise; half of it is asked of the other rows."""
    cost = np.r_[np.zeros(rows.shape[1]), -1.0]
    z = _minimized(cost, np.column_stack([-rows, np.ones(len(rows))]), [(-1.0, 1.0)] * rows.shape[1] + [(0.0, 1.0)])
    return (None, 0.0) if z is None else (z[:-1], 0.5 * float(z[-1]))


def _least(rows: np.ndarray, cost: np.ndarray) -> Found:
    """Minimize a linear function."""
    return _minimized(cost, -rows, [(-1.0, 1.0)] * len(cost)), 0.0


def _minimized(
    cost: np.ndarray, limits: Any, bounds: list[tuple[float, float]], slack: float = 0.0
) -> np.ndarray | None:
    upper = np.full(limits.shape[0], slack)
    found = linprog(cost, A_ub=limits, b_ub=upper, bounds=bounds, method="highs", options=_HIGHS)
    return found.x if found.status == 0 else None
