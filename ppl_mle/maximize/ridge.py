"""Ridges: directions along which the maximum does not change, confirmed by moving along them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ppl_mle.maximize.evidence import value_noise
from ppl_mle.maximize.face import Face
from ppl_mle.maximize.local import Local, look_closely
from ppl_mle.maximize.naming import combined
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search

_SAME = 1e-8
_STRAIGHT = 1e-11
_TIMES_NOISE = 4.0
_NEGLIGIBLE = 1e-6
_TERMS_SHOWN = 6


def confirm_ridges(
    problem: Problem, local: Local, value: float, origin: np.ndarray, climb: Callable[[np.ndarray], Search]
) -> np.ndarray:
    """Keep the null directions along which one can move and find the same maximum again.

    One of the moves goes back as far as the search came: a plateau that the density reaches only far out, as with
    separated data, is not flat there.

    Parameters
    ----------
    problem : Problem
    local : Local
    value : float
        Minus log-density at the point.
    origin : array, shape (p,)
        Where the search began.
    climb : callable
        Maximizes again from a displaced point.

    Returns
    -------
    array, shape (p, k)
        Confirmed directions as columns, in reduced echelon form in the units of the coordinates, so that directions
        that have nothing to do with each other are not mixed in whatever units the data have.
    """
    confirmed = [
        axis
        for axis in local.null_axes.T
        if all(_stays(problem, local, value, s * axis, climb) for s in (1.0, -1.0, _way_back(local, origin, axis)))
    ]
    scaled = _reduced(np.array(confirmed).reshape(len(confirmed), len(local.x)) / local.units)
    return (np.where(np.abs(scaled) > _NEGLIGIBLE, scaled, 0.0) * local.units).T


def settle_across(problem: Problem, search: Search, local: Local, ridges: np.ndarray) -> tuple[Search, Local]:
    """Go to the maximum across a ridge, at the point of the ridge that is nearest to zero if the ridge is straight.

    Across it nothing is flat, so the search ends as at a strict maximum, and the point does not depend on its start.

    Parameters
    ----------
    problem : Problem
    search : Search
        Ended on the ridge.
    local : Local
        There.
    ridges : array, shape (p, k)
        Confirmed directions.

    Returns
    -------
    Search, Local
        Those given where more directions are flat than were confirmed.
    """
    if ridges.shape[1] < np.count_nonzero(local.null) or not local.solid.shape[1]:
        return search, local
    along = np.linalg.lstsq(ridges / local.units[:, None], search.x / local.units)[0]
    nearest = search.x - ridges @ along
    rise = problem.value(nearest) - search.value
    straight = rise <= _STRAIGHT * max(1.0, abs(search.value)) + _TIMES_NOISE * value_noise(problem, search.x)
    for x in (nearest, search.x) if straight else (search.x,):
        end, seen = search_across(problem, search, x, local.solid)
        strict = seen.exists and not seen.has_descent and not np.any(seen.null)
        if strict and end.value - search.value <= _SAME * max(1.0, abs(search.value)):
            return end, seen
    return search, local


def search_across(problem: Problem, search: Search, x: np.ndarray, across: np.ndarray) -> tuple[Search, Local]:
    """The maximum over the directions across a ridge, shape (p, k), from a point of it, and what is seen there."""
    face = Face(problem, x, across)
    found = Newton().search(face, np.zeros(face.size), lambda iteration, value: None)
    place = face.place(found.x)
    value, gradient = problem.value_and_gradient(place)
    end = replace(search, x=place, value=value, gradient=gradient, stop="flat", path=((place, gradient),))
    return end, face.embedded(look_closely(face, found.x, found.gradient, found.units), end)


def free_combinations(ridges: np.ndarray, labels: Sequence[str]) -> list[str]:
    """Write each direction of a ridge as a combination of labels that is free to change.

    Parameters
    ----------
    ridges : array, shape (p, k)
    labels : sequence of str

    Returns
    -------
    list of str
        One per direction, in reduced echelon form, so that each names as few parameters as it can.

    Examples
    --------
    >>> free_combinations(np.array([[1.0], [-1.0], [0.0]]), ["a", "b", "c"])
    ['a - b']
    >>> free_combinations(np.array([[1.0], [-1.0], [-1.0]]), ["a", "u[0]", "u[1]"])
    ['a - u[*]']
    """
    return [_written(row, labels) for row in _reduced(ridges.T)]


def touched(ridges: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Mask of the coordinates that change along some ridge, shape (p,)."""
    return np.abs(ridges / units[:, None]).max(axis=1, initial=0) > _NEGLIGIBLE


def _stays(
    problem: Problem, local: Local, value: float, move: np.ndarray, climb: Callable[[np.ndarray], Search]
) -> bool:
    start = local.x + move
    if not np.isfinite(problem.value_and_gradient(start)[0]):
        return False
    end = climb(start)
    kept = np.sum((end.x - local.x) * move / local.units**2) / np.sum(move**2 / local.units**2)
    return abs(end.value - value) <= _SAME * max(1.0, abs(value)) and kept > 0.5


def _way_back(local: Local, origin: np.ndarray, axis: np.ndarray) -> float:
    """How far along an axis the search came, at least one unit."""
    came = float(np.sum((origin - local.x) * axis / local.units**2) / np.sum(axis**2 / local.units**2))
    return came if abs(came) > 1 else 1.0


def _reduced(rows: np.ndarray) -> np.ndarray:
    rows = np.array(rows, float)
    for i in range(len(rows)):
        pivot = int(np.argmax(np.abs(rows[i])))
        rows[i] /= rows[i, pivot]
        for j in range(len(rows)):
            if j != i:
                rows[j] -= rows[j, pivot] * rows[i]
    return rows


def _written(row: np.ndarray, labels: Sequence[str]) -> str:
    moving = {label: float(c) for c, label in zip(row, labels, strict=True) if abs(c) > _NEGLIGIBLE}
    parts = combined(moving, labels)
    if parts and parts[0][0] < 0:
        parts = [(-coefficient, label) for coefficient, label in parts]
    text = ""
    for position, (coefficient, label) in enumerate(parts[:_TERMS_SHOWN]):
        size = "" if abs(abs(coefficient) - 1) < _NEGLIGIBLE else f"{abs(coefficient):.3g} "
        sign = "-" if coefficient < 0 else "+"
        text += f" {sign} {size}{label}" if position else f"{'-' if coefficient < 0 else ''}{size}{label}"
    return text + (f" ... ({len(parts)} terms)" if len(parts) > _TERMS_SHOWN else "")
