"""Maxima where the support of the data ends, as of Uniform(0, b) at the largest observation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from ppl_mle.maximize.face import Face, face_directions, falls_off, look_along
from ppl_mle.maximize.maximum import EdgeValue
from ppl_mle.maximize.naming import abbreviated
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.ridge import free_combinations
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.status import Status
from ppl_mle.read import Crossing, RowObjective, find_margins

_NEAR = 1e-5
_SNAPS = 20
_ARRIVED = 1e-6
_INSIDE = 1e-14
_NUDGES = 12
_FACES = 8
_STATIONARY = 1e-6
_DRAWN = 1e-9
_OFF = 1e-4
_DISTANCES = (1e-5, 1e-7, 1e-9, 1e-11)
_GROWING = 1e-2
_LASTING = 0.5


@dataclass(frozen=True)
class Touch:
    """The rows of one margin that are at its edge.

    Parameters
    ----------
    margin : Crossing
    rows : array of int
    size : float
        What is long for the margin: its median over all rows, where it started if all of them are at the edge.
    """

    margin: Crossing
    rows: np.ndarray
    size: float


def settle_at_support(problem: Problem, search: Search) -> Outcome | None:
    """Look for a maximum where observations touch the edge of a support that depends on parameters.

    The point is moved to where the functions that must stay positive vanish; the slopes there must press outwards on
    each of them (multipliers above zero: Karush-Kuhn-Tucker), and along the edge it is a maximum like any other.

    Returns
    -------
    Outcome or None
        BOUNDARY; None where no support depends on parameters, or the point is no such maximum.
    """
    objective = problem.likelihood.objective
    if not isinstance(objective, RowObjective):
        return None
    margins = find_margins(objective.terms)
    x = search.x
    touching: list[Touch] = []
    for _ in range(_FACES if margins else 0):
        found = _touching(problem, x, search.origin, margins)
        if sum(len(touch.rows) for touch in found) <= sum(len(touch.rows) for touch in touching):
            break
        touching = found
        snapped = _snap(problem, x, touching)
        if snapped is None:
            return None
        face = Face(problem, snapped, face_directions(_normals(problem, snapped, touching)))
        at = np.zeros(face.size)
        if face.size:
            at = Newton(most=3000).search(face, at, lambda iteration, value: None).x
        x = face.place(at)
    return _prove(problem, search, x, touching) if touching else None


def _touching(problem: Problem, x: np.ndarray, origin: np.ndarray, margins: Sequence[Crossing]) -> list[Touch]:
    found = []
    for margin in margins:
        u, before = (np.abs(margin.values(problem.expand(place))) for place in (x, origin))
        size, long = float(np.median(u)), float(np.median(before))
        if size <= _NEAR * long < np.inf:
            size = long
        near = u <= _NEAR * max(size, np.finfo(float).tiny)
        if np.any(near):
            found.append(Touch(margin, margin.rows[near], size))
    return found


def _normals(problem: Problem, x: np.ndarray, touching: Sequence[Touch]) -> np.ndarray:
    theta = problem.expand(x)
    return np.vstack([touch.margin.normals(theta, touch.rows)[:, problem.free] for touch in touching])


def _snap(problem: Problem, x: np.ndarray, touching: Sequence[Touch]) -> np.ndarray | None:
    """The nearest point inside where the margins vanish to rounding; None where that is infinitely far."""
    before = x
    for _ in range(_SNAPS):
        x, before = x - np.linalg.lstsq(_normals(problem, x, touching), _at(problem, x, touching))[0], x
        if np.allclose(x, before, rtol=1e-15, atol=0.0):
            break
    if not np.allclose(x, before, rtol=_ARRIVED, atol=_ARRIVED):
        return None
    normals = _normals(problem, x, touching)
    inwards = np.linalg.lstsq(normals, np.ones(len(normals)))[0]
    size = max(touch.size for touch in touching)
    for nudge in range(_NUDGES):
        inside = x + _INSIDE * 2.0**nudge * size * inwards
        if np.isfinite(problem.value_and_gradient(inside)[0]):
            return inside
    return None


def _at(problem: Problem, x: np.ndarray, touching: Sequence[Touch]) -> np.ndarray:
    theta = problem.expand(x)
    return np.concatenate([t.margin.values(theta)[np.isin(t.margin.rows, t.rows)] for t in touching])


def _prove(problem: Problem, search: Search, x: np.ndarray, touching: Sequence[Touch]) -> Outcome | None:
    value, gradient = problem.value_and_gradient(x)
    normals = _normals(problem, x, touching)
    lengths = np.linalg.norm(normals, axis=1)
    basis = face_directions(normals)
    across = gradient - basis @ (basis.T @ gradient)
    if not np.isfinite(value) or not np.linalg.norm(across) > 0:
        return None
    pressed, left = nnls((normals / lengths[:, None]).T, across / np.linalg.norm(across))
    if left > _STATIONARY or not pressed.max() > _DRAWN:
        return None
    end = replace(search, x=x, value=value, gradient=basis @ (basis.T @ gradient), stop="edm", path=((x, gradient),))
    if _is_pole(problem, x, normals, touching):
        return _describe_pole(problem, end, normals, touching)
    face = Face(problem, x, basis)
    local, evidence = look_along(face, np.zeros(face.size), end)
    if evidence is None or evidence.objections:
        return None
    inwards = np.linalg.lstsq(normals, np.ones(len(normals)))[0][:, None]
    if not falls_off(problem, x, _OFF * max(touch.size for touch in touching) * inwards):
        return None
    edges, names, labels = _describe(problem, x, gradient, normals)
    return Outcome(
        problem,
        end,
        Status.BOUNDARY,
        None if local is None else face.embedded(local, end),
        replace(evidence, weakest=basis @ evidence.weakest),
        names=f"{', '.join(names)}, where the support ends at {_rows(touching)}",
        short=abbreviated(labels, problem.likelihood.labels),
        labels=tuple(labels),
        edges=edges,
        ridges=np.linalg.qr(normals.T)[0][:, : np.linalg.matrix_rank(normals)],
        findings=(f"the support of the data depends on {', '.join(labels)}, where only profile intervals apply",),
    )


def _is_pole(problem: Problem, x: np.ndarray, normals: np.ndarray, touching: Sequence[Touch]) -> bool:
    """Whether the log-density keeps rising by the same amount each time the edge comes nearer by a factor."""
    inwards = np.linalg.lstsq(normals, np.ones(len(normals)))[0]
    size = max(touch.size for touch in touching)
    heights = [problem.value_and_gradient(x + distance * size * inwards)[0] for distance in _DISTANCES]
    rises = -np.diff(heights)
    return bool(np.all(np.isfinite(rises)) and rises[-1] > _GROWING and rises[-1] > _LASTING * rises[0])


def _describe_pole(problem: Problem, end: Search, normals: np.ndarray, touching: Sequence[Touch]) -> Outcome:
    edges, names, labels = _describe(problem, end.x, problem.value_and_gradient(end.x)[1], normals)
    places = [f"{edge.label} -> {edge.value:.6g}" for edge in edges] or names
    free = problem.free[np.any(normals != 0, axis=0)]
    return Outcome(
        problem,
        end,
        Status.UNBOUNDED,
        names=f"{', '.join(places)}, where the support ends at {_rows(touching)}",
        short=abbreviated(labels, problem.likelihood.labels),
        labels=tuple(labels),
        limits={edge.label: float("nan") for edge in edges},
        unknown=free,
    )


def _rows(touching: Sequence[Touch]) -> str:
    return ", ".join(f"row {i} of {touch.margin.term.name}" for touch in touching for i in touch.rows[:3])


def _describe(
    problem: Problem, x: np.ndarray, gradient: np.ndarray, normals: np.ndarray
) -> tuple[tuple[EdgeValue, ...], list[str], list[str]]:
    """Edges of single elements with their scores, what is at the edge, and the labels concerned."""
    likelihood = problem.likelihood
    labels = likelihood.scale_labels
    touched = [int(i) for i in np.flatnonzero(np.any(normals != 0, axis=0))]
    alone = [i for i in touched if any(np.flatnonzero(row).tolist() == [i] for row in normals)]
    theta = problem.expand(x)
    declared, jacobian = likelihood.mapping.declared(theta), likelihood.mapping.jacobian(theta)
    edges = []
    for i in alone:
        free = int(problem.free[i])
        element = int(np.argmax(np.abs(jacobian[:, free])))
        slope = -float(gradient[i]) / float(jacobian[element, free])
        edges.append(EdgeValue(likelihood.labels[element], float(declared[element]), slope))
    names = [f"{edge.label} = {edge.value:.6g}" for edge in edges]
    if len(alone) < len(touched):
        rows = normals[[len(np.flatnonzero(row)) > 1 for row in normals]]
        names += free_combinations(rows.T, [labels[i] for i in problem.free])
    others = [labels[problem.free[i]] for i in touched if i not in alone]
    return tuple(edges), names, [edge.label for edge in edges] + others
