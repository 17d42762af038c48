"""Newton's method on many functions at once, each with its own steps, halvings and end."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_GOAL = 1e-12
_CONTRACTS = 1e-1
_LIMIT = 24
_LEAST_CURVATURE = 1e-8
_FLOOR = 0.1
_FLAT = 1e-4
_LONGEST = 5.0
_SHORTEST = 1e-3
_ENOUGH = 1e-4
_VISIBLE = 1e-12

Found = tuple[np.ndarray, np.ndarray, np.ndarray]
Evaluate = Callable[[np.ndarray, np.ndarray | None], Found]
"""From positions (m,) and points (m, q), None for all at the origin, to values, gradients and Hessians."""


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the searches ended.

    Parameters
    ----------
    settled : array of bool, shape (m,)
        Whether Newton steps contracted to a point with the curvature of a maximum.
    gain : array, shape (m,)
        How much the next step promises; infinite where the Hessian bends upwards.
    u : array, shape (m, q)
    curvature : array, shape (m, q, q)
        Minus the Hessian.
    """

    settled: np.ndarray
    gain: np.ndarray
    u: np.ndarray
    curvature: np.ndarray


def climb_together(evaluate: Evaluate, count: int, size: int) -> Ends:
    """Maximize functions from the origin of coordinates in which their Hessians are near minus the identity.

    A search ends one step after the decrement g'H^-1 g / 2 has fallen to 1e-12, if it fell by at least ten times in the
    step before. Where the Hessian is indefinite, the absolute values of its eigenvalues make the step (Gill, Murray and
    Wright 1981, 4.4.2). Searches that take more than 24 steps, as they do towards infinity, are not settled.

    Parameters
    ----------
    evaluate : callable
    count : int
        m.
    size : int
        q.

    Returns
    -------
    Ends
    """
    unknown = np.full(count, np.inf)
    ends = Ends(np.zeros(count, bool), unknown, np.zeros((count, size)), np.zeros((count, size, size)))
    walk = _Walk(np.arange(count), np.zeros((count, size)), *evaluate(np.arange(count), None))
    for _ in range(_LIMIT):
        walk = walk.kept(walk.exists())
        walk.look()
        over = (walk.edm <= _GOAL) & (walk.edm <= _CONTRACTS * walk.before)
        mine = walk.members
        ends.settled[mine], ends.gain[mine], ends.curvature[mine] = over, walk.gain, -walk.hessian
        ends.u[mine] = walk.u + over[:, None] * walk.step
        walk = walk.kept(~over)
        if not len(walk.members) or not _advance(walk, evaluate):
            break
    return ends


@dataclass(eq=False)
class _Walk:
    """Points of the searches that go on, and what is known there."""

    members: np.ndarray
    u: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray

    def __post_init__(self) -> None:
        self.step = np.zeros_like(self.u)
        self.edm = self.before = self.gain = np.full(len(self.members), np.inf)

    def kept(self, mask: np.ndarray) -> "_Walk":
        """Those of a mask, as a new record."""
        if np.all(mask):
            return self
        some = _Walk(*(part[mask] for part in (self.members, self.u, self.value, self.gradient, self.hessian)))
        some.step, some.edm = self.step[mask], self.edm[mask]
        return some

    def exists(self) -> np.ndarray:
        """Whether value and derivatives exist, shape (m,)."""
        fine = np.isfinite(self.value) & np.isfinite(self.gradient).all(axis=1)
        return np.asarray(fine & np.isfinite(self.hessian).all((1, 2)))

    def look(self) -> None:
        """Newton's steps from the points, and half the squared lengths of the gradients in standard errors."""
        self.before, definite = self.edm, self._is_definite()
        self.edm = np.full(len(self.members), np.inf)
        gradient = self.gradient[definite]
        self.step[definite] = np.linalg.solve(-self.hessian[definite], gradient[:, :, None])[:, :, 0]
        self.edm[definite] = 0.5 * np.einsum("ij,ij->i", gradient, self.step[definite])
        self.gain = self.edm.copy()
        self._look_at_saddles(~definite)
        lengths = np.linalg.norm(self.step, axis=1, keepdims=True)
        self.step *= np.minimum(1.0, _LONGEST * np.sqrt(self.u.shape[1]) / np.maximum(lengths, _SHORTEST))

    def _look_at_saddles(self, mask: np.ndarray) -> None:
        """Steps that go up along every axis of the Hessian."""
        values, vectors = np.linalg.eigh(-self.hessian[mask])
        along = np.einsum("ijk,ij->ik", vectors, self.gradient[mask]) / np.maximum(np.abs(values), _FLOOR)
        self.step[mask] = np.einsum("ijk,ik->ij", vectors, along)
        gain = 0.5 * np.einsum("ij,ij->i", self.gradient[mask], self.step[mask])
        self.gain[mask] = np.where(values.min(axis=1, initial=0.0) > -_FLAT, gain, np.inf)

    def _is_definite(self) -> np.ndarray:
        """Whether the Hessian is clearly that of a maximum, shape (m,)."""
        try:
            factors = np.linalg.cholesky(-self.hessian)
        except np.linalg.LinAlgError:
            return np.asarray(np.linalg.eigvalsh(-self.hessian)[:, 0] > _LEAST_CURVATURE)
        return np.asarray(np.diagonal(factors, axis1=1, axis2=2).min(axis=1, initial=1.0) ** 2 > _LEAST_CURVATURE)


def _advance(walk: _Walk, evaluate: Evaluate) -> bool:
    """Take the longest of 1, 1/4, 1/16... of every step that raises the value enough, in place; False if none does.

    A search without such a step gets a Hessian of NaN, which ends it.
    """
    waiting, part = np.arange(len(walk.members)), 1.0
    slope = np.einsum("ij,ij->i", walk.gradient, walk.step)
    while len(waiting) and part > _SHORTEST:
        u = walk.u[waiting] + part * walk.step[waiting]
        value, gradient, hessian = evaluate(walk.members[waiting], u)
        before = walk.value[waiting]
        needed = _ENOUGH * part * slope[waiting] - _VISIBLE * np.maximum(1.0, np.abs(before))
        up = value - before >= needed  # False also for NaN
        mine = waiting[up]
        walk.u[mine], walk.value[mine] = u[up], value[up]
        walk.gradient[mine], walk.hessian[mine] = gradient[up], hessian[up]
        waiting, part = waiting[~up], part / 4
    walk.hessian[waiting] = np.nan
    return len(waiting) < len(walk.members)
