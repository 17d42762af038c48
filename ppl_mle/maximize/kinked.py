"""Maxima at a kink of the log-density, as of least absolute deviations or under a Laplace prior."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from ppl_mle.maximize.face import Face, face_directions, falls_off, look_along
from ppl_mle.maximize.naming import abbreviated
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.ridge import free_combinations
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.status import Status
from ppl_mle.read import Crossing, RowObjective, find_crossings, soften

_WIDTHS = 10.0 ** -np.arange(10)
_ACTIVE = 1e-5
_CONSISTENT = 1e-9
_RANK = 1e-10
_INSIDE = 1e-9
_STATIONARY = 1e-6
_MOST_ROWS = 20_000
_SETTLED = 1e-8
_OFF = 1e-4
_FLAT = 1e-9
_UNCHANGED = 1e-12


@dataclass(frozen=True)
class Kink:
    """The rows whose kinks meet at a point.

    Parameters
    ----------
    x : array, shape (size,)
        Where every one of their kink functions is zero.
    crossings : tuple of (Crossing, array of int)
        With the rows concerned.
    normals : array, shape (k, size)
        Gradients of the kink functions in the free coordinates.
    """

    x: np.ndarray
    crossings: tuple[tuple[Crossing, np.ndarray], ...]
    normals: np.ndarray


def settle_at_kink(problem: Problem, search: Search) -> Outcome | None:
    """Look for a maximum at a kink where a search ended in nothing that could be certified.

    The kinks are rounded over ever smaller lengths, and the maximum is followed to where rows meet theirs. The higher
    of that point and the end of the search is proved: a subgradient vanishes strictly inside, and along the face on
    which those rows stay at their kinks it is a maximum like any other (Rockafellar and Wets 2009, theorem 13.24).

    Returns
    -------
    Outcome or None
        None where the log-density has no kinks that can be followed, or the point is no strict maximum.
    """
    objective = problem.likelihood.objective
    if not isinstance(objective, RowObjective) or objective.rows > _MOST_ROWS:
        return None
    crossings = find_crossings(objective.terms)
    if crossings is None:
        return None
    sizes = [_typical(c.values(problem.expand(search.x))) for c in crossings]
    places = (_follow(problem, search, crossings, sizes), search.x)
    kinks = [_meet(problem, place, crossings, sizes) for place in places]
    proved = [_prove(problem, search, kink, crossings) for kink in kinks if kink is not None]
    return min((o for o in proved if o is not None), key=lambda outcome: outcome.search.value, default=None)


def _typical(values: np.ndarray) -> float:
    size = np.abs(values[np.isfinite(values)])
    return float(np.median(size)) or float(size.max(initial=0.0)) or 1.0


def _follow(problem: Problem, search: Search, crossings: Sequence[Crossing], sizes: Sequence[float]) -> np.ndarray:
    x = search.origin
    objective = problem.likelihood.objective
    for width in _WIDTHS:
        widths = {id(c.group): width * size for c, size in zip(crossings, sizes, strict=True)}
        terms = [soften(term, widths) for term in objective.terms]
        part = Problem(replace(problem.likelihood, objective=objective.with_terms(terms)), problem.held)
        x = Newton(most=3000).search(part, x, lambda iteration, value: None).x
    return x


def _meet(problem: Problem, x: np.ndarray, crossings: Sequence[Crossing], sizes: Sequence[float]) -> Kink | None:
    """Move to where the kink functions that nearly vanish do vanish."""
    theta = problem.expand(x)
    active, values, normals = [], [], []
    for crossing, size in zip(crossings, sizes, strict=True):
        u = crossing.values(theta)
        near = np.flatnonzero(np.abs(u) <= _ACTIVE * size)
        if len(near):
            rows = crossing.rows[near]
            active.append((crossing, rows))
            values.append(u[near])
            normals.append(crossing.normals(theta, rows)[:, problem.free])
    if not active:
        return Kink(x, (), np.zeros((0, problem.size)))
    a, u = np.vstack(normals), np.concatenate(values)
    units = 1 / np.maximum(np.abs(a).max(axis=0), np.finfo(float).tiny)
    units[~np.isfinite(units) | (np.abs(a).max(axis=0) == 0)] = 1.0
    move = units * np.linalg.lstsq(a * units, -u, rcond=_RANK)[0]
    if np.max(np.abs(a @ move + u)) > _CONSISTENT * max(np.max(np.abs(u)), np.finfo(float).tiny):
        return None
    return Kink(x + move, tuple(active), a)


def _prove(problem: Problem, search: Search, kink: Kink, crossings: Sequence[Crossing]) -> Outcome | None:
    basis = face_directions(kink.normals)
    face = Face(problem, kink.x, basis)
    at = np.zeros(basis.shape[1])
    if basis.shape[1]:
        at = Newton(most=3000).search(face, at, lambda iteration, value: None).x
    kink = replace(kink, x=face.place(at))
    value, gradient = problem.value_and_gradient(kink.x)
    if not (np.isfinite(value) and _is_stationary(problem, kink, gradient)):
        return None
    still = np.zeros(problem.size)
    end = replace(search, x=kink.x, value=value, gradient=still, stop="edm", path=((kink.x, still),))
    flat = _flat_axes(problem, kink.x, basis, crossings)
    if flat.shape[1]:
        level = np.max(np.abs(flat.T @ gradient)) <= _SETTLED * max(1.0, abs(value))
        return _describe_plateau(problem, end, flat, crossings) if level else None
    local, evidence = look_along(face, at, end)
    if local is not None and (not local.exists or local.has_descent or np.any(local.null)):
        return None
    if evidence is None or evidence.objections or not len(kink.normals):
        return None
    if not falls_off(problem, kink.x, _moves(problem, kink)):
        return None
    return Outcome(
        problem,
        end,
        Status.CONVERGED,
        None if local is None else face.embedded(local, end),
        replace(evidence, weakest=basis @ evidence.weakest),
        ridges=np.linalg.qr(kink.normals.T)[0],
        findings=(_describe(problem, kink),),
    )


def _describe_plateau(problem: Problem, end: Search, axes: np.ndarray, crossings: Sequence[Crossing]) -> Outcome | None:
    """A ridge between kinks, if one can move along it half the way to the next kink without a change."""
    for axis in axes.T:
        reach = 0.5 * _nearest_kink(problem, end.x, axis, crossings)
        moved = [problem.value_and_gradient(end.x + sign * reach * axis)[0] for sign in (1, -1)]
        if not (np.isfinite(reach) and np.allclose(moved, end.value, rtol=_UNCHANGED, atol=_UNCHANGED)):
            return None
    labels = problem.likelihood.scale_labels
    names = free_combinations(axes, [labels[i] for i in problem.free])
    touched = [labels[i] for i in problem.free[np.any(axes != 0, axis=1)]]
    return Outcome(
        problem,
        end,
        Status.UNIDENTIFIED,
        names=", ".join(names),
        short=abbreviated(touched, problem.likelihood.labels),
        labels=tuple(touched),
        ridges=axes / np.linalg.norm(axes, axis=0),
        findings=("the ridge is a plateau between kinks of the log-density, which falls off at its ends",),
    )


def _flat_axes(problem: Problem, x: np.ndarray, basis: np.ndarray, crossings: Sequence[Crossing]) -> np.ndarray:
    """Directions on the face without curvature, in units in which rows meet their kinks after about one, as columns."""
    theta, reach = problem.expand(x), np.zeros(problem.size)
    for crossing in crossings:
        slopes = np.abs(crossing.normals(theta, crossing.rows)[:, problem.free])
        reach = np.maximum(reach, slopes.max(axis=0) / _typical(crossing.values(theta)))
    units = np.where(reach > 0, 1 / np.where(reach > 0, reach, 1.0), 1.0)
    axes = np.linalg.qr(basis / units[:, None])[0] * units[:, None] if basis.shape[1] else basis
    matrix = problem.curvature(x, axes)
    if not (axes.shape[1] and np.all(np.isfinite(matrix))):
        return axes[:, :0]
    values, vectors = np.linalg.eigh(matrix)
    return axes @ vectors[:, np.abs(values) <= _FLAT * max(1.0, float(np.abs(values).max()))]


def _nearest_kink(problem: Problem, x: np.ndarray, axis: np.ndarray, crossings: Sequence[Crossing]) -> float:
    """How far along an axis the first row meets its kink that is not at it already."""
    theta, nearest = problem.expand(x), np.inf
    for crossing in crossings:
        u = crossing.values(theta)
        slopes = crossing.normals(theta, crossing.rows)[:, problem.free] @ axis
        away = (np.abs(u) > _ACTIVE * _typical(u)) & (slopes != 0)
        nearest = min(nearest, float(np.min(np.abs(u[away] / slopes[away]), initial=np.inf)))
    return nearest


def _moves(problem: Problem, kink: Kink) -> np.ndarray:
    """Moves that take each row a little off its kink, to both sides, as columns."""
    theta = problem.expand(kink.x)
    sizes = np.concatenate([np.full(len(rows), _typical(c.values(theta))) for c, rows in kink.crossings])
    moves = _OFF * np.linalg.pinv(kink.normals, rcond=_RANK) * sizes
    return np.hstack([moves, -moves])


def _is_stationary(problem: Problem, kink: Kink, gradient: np.ndarray) -> bool:
    """Whether one-sided gradients of the rows at their kinks, mixed strictly inside, make the whole zero."""
    if not kink.crossings:
        return True
    theta = problem.expand(kink.x)
    parts = [crossing.gradients(theta, rows) for crossing, rows in kink.crossings]
    here, below, above = (np.vstack(side)[:, problem.free] for side in zip(*parts, strict=True))
    fall = below - above
    if not (np.all(np.isfinite(fall)) and np.all(np.sum(fall * kink.normals, axis=1) > 0)):
        return False
    rest = -gradient - here.sum(axis=0) + below.sum(axis=0)
    seen = np.any(kink.normals != 0, axis=0)
    units = 1 / np.abs(fall[:, seen]).max(axis=0)
    return _can_mix((fall[:, seen] * units).T, rest[seen] * units)


def _can_mix(fall: np.ndarray, rest: np.ndarray) -> bool:
    """Whether shares strictly between 0 and 1 exist with fall @ shares = rest."""
    shares = np.linalg.lstsq(fall, rest, rcond=_RANK)[0]
    if not np.max(np.abs(fall @ shares - rest), initial=0.0) <= _STATIONARY:
        return False
    if np.all((shares > _INSIDE) & (shares < 1 - _INSIDE)):
        return True
    count = fall.shape[1]
    ones, eye = np.ones((count, 1)), np.eye(count)
    found = linprog(
        np.r_[np.zeros(count), -1.0],
        A_ub=np.vstack([np.hstack([-eye, ones]), np.hstack([eye, ones])]),
        b_ub=np.r_[np.zeros(count), np.ones(count)],
        A_eq=np.hstack([fall, np.zeros((len(fall), 1))]),
        b_eq=fall @ shares,
        bounds=[(0, 1)] * count + [(0, 1)],
        method="highs",
    )
    return found.status == 0 and bool(found.x[-1] > _INSIDE)


def _describe(problem: Problem, kink: Kink) -> str:
    touched = problem.declared_labels(problem.free[np.any(kink.normals != 0, axis=0)])
    where = " and ".join(f"{_shown(rows)} of {crossing.term.name}" for crossing, rows in kink.crossings)
    return (
        f"the maximum is at a kink of the log-density, made by {where}: standard errors from curvature do not apply to "
        f"{', '.join(touched)}; use profile or bootstrap intervals"
    )


def _shown(rows: np.ndarray) -> str:
    return f"row{'s' * (len(rows) > 1)} " + ", ".join(str(row) for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
