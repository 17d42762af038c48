"""From a direction of recession to its limit: what is held far out, what remains, and the words for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import qr

from ppl_mle.maximize.edges import Destination, follow_elements, follow_joint
from ppl_mle.maximize.maximum import EdgeValue
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.recession import Recession
from ppl_mle.maximize.ridge import free_combinations
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.witness import seen_nearer
from ppl_mle.read import Variable

_LENGTHS = (0.0, 5.0, 20.0, 45.0)
_DOUBLINGS = 24
_REACHED = 1e-14
_NO_SLOPE = 1e-6
_NEAR = -5.0
_ROUNDING = 1e-9
_LIFTED_LAST = 1e-6
_SMALL = 1e-8
_SAME = 1e-6
_ROWS_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Limit:
    """The model that the log-density tends to along a direction of recession.

    Parameters
    ----------
    problem : Problem
        With one coordinate held far out for each dimension that is lost, and one for each that never mattered.
    x : array
        Where to begin in the coordinates that remain.
    recession : Recession
    length : float
        How far out the held coordinates lie.
    """

    problem: Problem
    x: np.ndarray
    recession: Recession
    length: float

    def directions(self, x: np.ndarray) -> np.ndarray:
        """Directions about which nothing is known, as columns, shape (p, k)."""
        found = self.recession.at(self.problem.expand(x), self.recession.cone.span)
        return found / np.linalg.norm(found, axis=0)

    def is_level(self, x: np.ndarray, value: float) -> bool:
        """Whether going on along the direction changes nothing any more."""
        further = self.recession.move(self.problem.expand(x), self.length)
        beyond = -self.problem.likelihood.objective.value_and_gradient(further)[0]
        noise = 2 * self.length * self.recession.cone.rounding
        return abs(beyond - value) <= _ROUNDING * max(1.0, abs(value)) + noise


def search_limit(limit: Limit, search: Search, climb: Callable[[Problem, np.ndarray], Search]) -> Search:
    """Search in the coordinates that remain, if any, and count the way there."""
    if limit.problem.size:
        found = climb(limit.problem, limit.x)
        return replace(found, iterations=found.iterations + search.iterations)
    value, gradient = limit.problem.value_and_gradient(limit.x)
    return replace(search, x=limit.x, value=value, gradient=gradient, units=np.zeros(0), path=())


def reach_limit(problem: Problem, search: Search, recession: Recession) -> Limit | None:
    """Go out along a direction of recession until nothing is gained, and hold there what is lost.

    Returns
    -------
    Limit or None
        None where the log-density falls on the way or has no limit, which a proof by formulas may have missed.
    """
    theta = problem.expand(search.x)
    size = max(1.0, abs(search.value))
    if not all(never_falls(problem, problem.expand(x), recession) for x in (search.x, search.origin)):
        return None
    length = _LENGTHS[-1]
    for _ in range(_DOUBLINGS):
        here, there = (_value(problem, recession.move(theta, far)) for far in (length, 2 * length))
        noise = 2 * length * recession.cone.rounding
        if not np.isfinite(there) or there < here - _ROUNDING * size - noise:
            return None
        if there - here <= max(_REACHED * size, noise):
            far = recession.move(theta, length)
            return _hold(problem, search, recession, length) if _is_flat(problem, recession, far) else None
        length *= 2
    return None


def never_falls(problem: Problem, theta: np.ndarray, recession: Recession) -> bool:
    """Whether the log-density does not fall along the direction by more than rounding."""
    values = [_value(problem, recession.move(theta, length)) for length in _LENGTHS]
    noise = _ROUNDING * max(1.0, abs(values[0])) + _LENGTHS[-1] * recession.cone.rounding
    return bool(np.all(np.diff(values) >= -noise))


def _value(problem: Problem, theta: np.ndarray) -> float:
    return float(problem.likelihood.objective.value_and_gradient(theta)[0])


def _is_flat(problem: Problem, recession: Recession, far: np.ndarray) -> bool:
    """Whether the log-density rises no more: a rise for ever may be hidden in the rounding of a large value."""
    tangent = recession.at(far, recession.cone.direction[:, None])[:, 0]
    return bool(abs(problem.likelihood.objective.value_and_gradient(far)[1] @ tangent) <= _NO_SLOPE)


def _hold(problem: Problem, search: Search, recession: Recession, length: float) -> Limit:
    """Hold what is lost far out; gaps that the search had closed begin open, to see whether they close again.

    The witness may be asked as near as the search began, counted along the direction.
    """
    theta, origin = problem.expand(search.x), problem.expand(search.origin)
    far = recession.move(theta, length)
    held = {int(recession.columns[i]): float(far[recession.columns[i]]) for i in _pivots(recession)}
    back = _back(theta, origin, recession)
    near = np.where(np.isin(np.arange(len(far)), recession.columns[recession.lifted]), far, back)
    rest = Problem(seen_nearer(problem.likelihood, far, near), problem.held | held)
    rest.evaluations = problem.evaluations
    gaps = recession.columns[recession.lifted]
    far[gaps] = np.maximum(far[gaps], _NEAR)
    return Limit(rest, far[rest.free], recession, length)


def _back(theta: np.ndarray, origin: np.ndarray, recession: Recession) -> np.ndarray:
    """Where the way from theta against a direction of recession passes an origin."""
    way = np.zeros(len(theta))
    way[recession.columns] = np.where(recession.lifted, 0.0, recession.cone.direction)
    came = float((theta - origin) @ way) / (float(way @ way) or 1.0)
    return theta - max(0.0, came) * way


def _pivots(recession: Recession) -> list[int]:
    """Positions of the columns to hold: one for each direction that is idle, and one for each that is lost."""
    idle, places = _reduced_idle(recession)
    lost = recession.cone.span - idle @ recession.cone.span[places]
    left, _, _ = np.linalg.svd(lost * recession.cone.scales[:, None], full_matrices=False)
    count = recession.cone.span.shape[1] - len(places)
    basis = left[:, :count] * np.where(recession.lifted, _LIFTED_LAST, 1.0)[:, None]
    order = qr(basis.T, mode="r", pivoting=True)[1]
    return [*places, *(int(i) for i in order[:count])]


def _reduced_idle(recession: Recession) -> tuple[np.ndarray, list[int]]:
    """The idle directions in echelon form, and the coordinate that each is held at, so that few others move."""
    cone = recession.cone
    idle = cone.idle * cone.scales[:, None]
    direction = cone.direction * cone.scales
    places: list[int] = []
    for i in range(idle.shape[1]):
        column = idle[:, i]
        choices = np.flatnonzero(np.abs(column) > 0.1 * np.abs(column).max())
        moved = [int(np.sum(np.abs(direction - column * direction[j] / column[j]) > _SMALL)) for j in choices]
        place = int(choices[int(np.argmin(moved))])
        direction = direction - column * direction[place] / column[place]
        idle[:, i] = column = column / column[place]
        others = np.arange(idle.shape[1]) != i
        idle[:, others] -= np.outer(column, idle[place, others])
        places.append(place)
    if not places:
        return idle, places
    return idle / cone.scales[:, None] * cone.scales[places], places


def describe_limit(problem: Problem, search: Search, recession: Recession) -> Destination | None:
    """Limits of the declared elements that do not stay finite, with their signs where all directions agree.

    Returns
    -------
    Destination or None
        None where a jointly transformed variable is concerned whose elements cannot be followed.
    """
    signs = np.zeros(problem.likelihood.size)
    theta = problem.expand(search.x)
    limits: dict[str, float] = {}
    joint: list[EdgeValue] = []
    idle, places = _reduced_idle(recession)
    for var in problem.likelihood.variables:
        inside = [i for i, column in enumerate(recession.columns) if var.free.start <= column < var.free.stop]
        if not inside:
            continue
        if var.transform == "simplex":
            way = recession.at(theta, recession.cone.direction[:, None])[:, 0]
            if np.any(way[var.free]):
                follow_joint(problem, var, theta, way, limits, joint)
            continue
        weights = _weights_of(problem, search, recession, var)
        if weights is None:
            if any(recession.cone.changes(row, recession.cone.span) for row in np.eye(len(recession.columns))[inside]):
                return None
            continue
        weights[:, places] -= weights @ idle
        for row, (label, weight) in enumerate(zip(var.labels, weights, strict=True)):
            low, high = recession.cone.range_of(weight)
            if not (low or high):
                continue
            sign = 0.0 if low * high < 0 or np.isnan(low * high) else np.sign(low + high)
            if var.elementwise and sign:
                signs[var.free.start + row] = sign
            else:
                limits[label] = sign * np.inf if sign else np.nan
    followed, edges = follow_elements(problem, search.x, search.gradient, signs)
    return Destination(limits | followed, (*joint, *edges), (_tell(recession, problem),))


def _weights_of(problem: Problem, search: Search, recession: Recession, var: Variable) -> np.ndarray | None:
    """Declared elements as linear functions of the columns, shape (elements, columns); None where they are not."""
    columns = recession.columns
    if var.elementwise:
        positions = np.arange(var.free.start, var.free.stop)
        return (positions[:, None] == columns) * 1.0
    theta = problem.expand(search.x)
    mine = (columns >= var.free.start) & (columns < var.free.stop)
    found = []
    for point in (theta, recession.move(theta, 1.0)):
        rates = np.where(recession.lifted, np.exp(-point[columns]), 1.0)
        found.append(problem.likelihood.mapping.jacobian(point)[var.declared][:, columns] * rates * mine)
    here, there = found
    return here if np.allclose(here, there, rtol=_SAME, atol=_ROUNDING) else None


def _tell(recession: Recession, problem: Problem) -> str:
    """What kind of recession it is, and the observations responsible."""
    kind = f"{'complete' if recession.is_complete else 'quasi-complete'} separation"
    if recession.only_counts:
        kind = "a cell without counts"
    elif _only_tied(recession, problem):
        kind = "an empty category"
    parts = []
    for name, rows in recession.gaining.items():
        shown = ", ".join(str(int(row)) for row in rows[:_ROWS_SHOWN])
        more = ", ..." if len(rows) > _ROWS_SHOWN else ""
        parts.append(f"rows {shown}{more} of '{name}', {len(rows)} of {recession.rows[name]}")
    told = f"{kind}: responsible are {'; '.join(parts)}"
    if not recession.cone.idle.shape[1]:
        return told
    labels = [problem.likelihood.scale_labels[i] for i in recession.columns]
    free = ", ".join(free_combinations(recession.cone.idle, labels))
    return f"{told}; besides, {free} can change without changing the likelihood"


def _only_tied(recession: Recession, problem: Problem) -> bool:
    """Whether only a variable whose elements are tied, the cutpoints, moves."""
    tied = {i for v in problem.likelihood.variables if not v.elementwise for i in range(v.free.start, v.free.stop)}
    moving = recession.columns[np.abs(recession.cone.direction * recession.cone.scales) > _SMALL]
    return all(int(column) in tied for column in moving)
