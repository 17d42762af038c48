"""Coordinates that run away: steps that do not shrink, towards a finite limit of the log-density or without bound."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ppl_mle.maximize.local import Local, look_closely
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Path, Search
from ppl_mle.read import RowObjective, find_margins

_STEPS = 6
_SHRINKS = 0.3
_LASTS = 0.9
_AHEAD = (1.0, 2.0, 5.0)
_ROUNDING = 1e-3
_NEGLIGIBLE = 1e-2
_VISIBLE = 5e-3
_ABOVE_ROUNDING = 1e-14
_FAR = 2.0
_SPENT = 1e-3
_DRAWN = 0.1
_ESCAPED = 8.0
_STRIDE = 0.1
_FAR_OUT = 30.0
_NEAR = 20.0
_ADJUSTING = 40
_SETTLED = 1e-16
_NEWTON = 1e-2


@dataclass(frozen=True)
class Drift:
    """A runaway.

    Parameters
    ----------
    moving : array of int
        Positions of the free coordinates that run away.
    step : array, shape (len(moving),)
        The last step of each.
    bounded : bool
        The log-density tends to a limit.
    """

    moving: np.ndarray
    step: np.ndarray
    bounded: bool

    @property
    def signs(self) -> np.ndarray:
        """Direction of each coordinate, +1 or -1."""
        return np.sign(self.step)


def find_drift(path: Path, units: np.ndarray) -> Drift | None:
    """Look for coordinates whose steps keep their sign and size over the last steps of a path.

    Newton steps towards a strict maximum shrink quadratically. Towards a maximum at infinity they do not shrink:
    they are constant for exponential tails and grow for algebraic ones. Meanwhile slope and curvature along the steps
    die out, which on an ill-conditioned but strict maximum the curvature does not.

    Parameters
    ----------
    path : tuple of (array, array)
        Points and gradients of minus the log-density, in the order visited.
    units : array, shape (p,)

    Returns
    -------
    Drift or None
    """
    if len(path) < _STEPS + 1:
        return None
    points, gradients = (np.array(part) for part in zip(*path[-_STEPS - 1 :], strict=True))
    steps = np.diff(points, axis=0)
    size = np.abs(steps)
    one_way = np.all(np.sign(steps) == np.sign(steps[-1]), axis=0) & (steps[-1] != 0)
    lasting = np.median(size[1:] / size[:-1], axis=0) >= _LASTS
    visible = size.sum(axis=0) > np.maximum(_VISIBLE * np.abs(points[-1]), _ABOVE_ROUNDING * units)
    moving = np.flatnonzero(one_way & lasting & visible)
    if not len(moving):
        return None
    gains = -np.sum(gradients[1:] * steps, axis=1)
    if abs(gains[-1]) > _SPENT:
        return None
    lead = moving[np.argmax((size.sum(axis=0) / (1 + np.abs(points[-1])))[moving])]
    curvatures = np.sum(np.diff(gradients, axis=0) * steps, axis=1) / size[:, lead] ** 2
    if not (_dies_out(gains / size[:, lead]) and _dies_out(curvatures)):
        return None
    return Drift(moving, steps[-1][moving], bounded=True)


def goes_on(problem: Problem, search: Search, drift: Drift) -> bool:
    """Tell whether the log-density does not fall again ahead along a drift by more than rounding can, others held.

    Newton's steps also shrink slowly towards a flat strict maximum: behind that the density falls. And in rounding they
    keep their size along a direction of nearly no curvature, but then the curvature stays as it is.
    """
    ahead = np.zeros(problem.size)
    ahead[drift.moving] = drift.step
    values = [problem.value_and_gradient(search.x + steps * ahead)[0] for steps in _AHEAD]
    worst = search.value + min(_ROUNDING * max(1.0, abs(search.value)), _NEGLIGIBLE)
    if any(value > worst for value in values if np.isfinite(value)):
        return False
    curvatures = [problem.curvature(search.x + steps * ahead, ahead[:, None])[0, 0] for steps in (0.0, *_AHEAD)]
    return not min(curvatures) > max(curvatures) / _FAR


def _dies_out(values: np.ndarray) -> bool:
    return bool(np.median(np.abs(values[-2:])) < _SHRINKS * np.median(np.abs(values[:2])))


def find_escape(problem: Problem, search: Search) -> Drift | None:
    """Look for coordinates that went far towards an edge of their support and are still drawn outwards.

    The log-density then rises by a constant amount for every factor by which the declared value approaches its edge.

    Returns
    -------
    Drift or None
    """
    travelled = search.x - search.origin
    far = problem.is_logarithm & (np.abs(travelled) > _ESCAPED)
    drawn = far & (-search.gradient * np.sign(travelled) > _DRAWN)
    if not np.any(drawn) or _is_stopped(problem, search, far):
        return None
    moving = np.flatnonzero(far)
    return Drift(moving, travelled[moving], bounded=False)


def _is_stopped(problem: Problem, search: Search, far: np.ndarray) -> bool:
    """Whether the density falls ahead, or ends there at an observation that its support must not exclude."""
    direction = far * np.sign(search.x - search.origin)
    fall = problem.value_and_gradient(search.x + direction)[0] - search.value
    if np.isfinite(fall) and fall > _NEGLIGIBLE and _falls_beyond(problem, search, far):
        return True
    objective = problem.likelihood.objective
    if not isinstance(objective, RowObjective) or not find_margins(objective.terms):
        return False
    beyond = np.abs(search.x[far]).max() > _FAR_OUT
    return not beyond and not problem.value_and_gradient(search.x + _STRIDE * direction)[0] < search.value


def _falls_beyond(problem: Problem, search: Search, far: np.ndarray) -> bool:
    """Whether the maximum over all others falls as the far coordinates go on.

    Where it cannot be found there, because arithmetic gives out, it must have risen steadily nearer by and since.
    """
    way = np.where(far, search.x - search.origin, 0.0)
    direction = np.sign(way)
    beyond, found = _adjust_others(problem, search.x + direction, far)
    if found:
        return beyond > search.value + _NEGLIGIBLE
    near = search.x - way * max(0.0, 1 - _NEAR / float(np.abs(way).max()))
    values = [_adjust_others(problem, near + step * direction, far)[0] for step in (-_FAR, 0.0, _FAR)]
    rises = -np.diff([*values, search.value])
    return not (rises.min() > _DRAWN * _FAR and rises[1] > rises[0] / _FAR)


def _adjust_others(problem: Problem, x: np.ndarray, still: np.ndarray) -> tuple[float, bool]:
    """Minus the log-density with some coordinates held and the others at their maximum, and whether that was found."""
    if np.all(still):
        return problem.value_and_gradient(x)[0], True
    rest = Problem(problem.likelihood, problem.held | dict(zip(problem.free[still].tolist(), x[still], strict=True)))
    if not np.isfinite(rest.value_and_gradient(x[~still])[0]):
        return np.inf, False
    search = Newton(iterations=_ADJUSTING).search(rest, x[~still], lambda iteration, value: None)
    return search.value, search.stop in ("edm", "rounding", "flat")


def continue_newton(problem: Problem, search: Search) -> Path:
    """Take pure Newton steps from the end of a search, as long as they exist, to see whether they shrink.

    Returns
    -------
    tuple of (array, array)
        Points and gradients, the end of the search first.
    """
    x, gradient, units = search.x, search.gradient, search.units
    path = [(x, gradient)]
    for _ in range(_STEPS):
        local = look_closely(problem, x, gradient, units)
        if not local.exists or local.has_descent or np.any(local.null):
            break
        value, gradient = problem.value_and_gradient(x + local.step)
        if not np.isfinite(value):
            break
        x, units = x + local.step, local.units
        path.append((x, gradient))
    return tuple(path)


def curvature_is_steady(problem: Problem, local: Local, path: Path) -> bool:
    """Tell whether the curvature along a Newton step is the same at both of its ends.

    At a strict maximum the last steps are tiny against the scale on which the curvature changes. On the way to a
    maximum at infinity they are as long as that scale, however small the gradient has become. The last step that was
    longer than rounding is asked first, whose ends are known already; else the step that would come next.
    """
    for (start, gradient), (end, _) in reversed(list(pairwise(path))):
        decrement = local.decrement(gradient)
        if decrement > _SETTLED:
            if decrement < _NEWTON and _same_curvature(problem, (start, end), end - start, decrement):
                return True
            break
    return _same_curvature(problem, (local.x, local.x + local.step), local.step, local.decrement(local.gradient))


def _same_curvature(problem: Problem, ends: tuple[np.ndarray, ...], step: np.ndarray, decrement: float) -> bool:
    length = np.sqrt(2 * decrement)
    if not length > 0:
        return True
    direction = step[:, None] / length
    here, there = (float(problem.curvature(x, direction)[0, 0]) for x in ends)
    return here > 0 and 1 / _FAR < there / here < _FAR
