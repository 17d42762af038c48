"""Where runaway coordinates lead on the declared scale: an edge of the support, or infinity."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ppl_mle.maximize.drift import Drift
from ppl_mle.maximize.maximum import EdgeValue
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import Variable

_AWAY = 40.0
_AT_EDGE = 1e-6
_NOTHING = 1e-6


@dataclass(frozen=True)
class Destination:
    """Limits of the declared elements that run away.

    Parameters
    ----------
    limits : dict of str to float
        Limit of each element, plus or minus infinity included.
    edges : tuple of EdgeValue
        The finite ones with their scores.
    details : tuple of str
        Why, where a proof tells: the kind of separation and the observations responsible.
    """

    limits: Mapping[str, float]
    edges: tuple[EdgeValue, ...]
    details: tuple[str, ...] = ()

    @property
    def names(self) -> str:
        """The limits as a phrase: `tau = 0`, `b -> +inf`."""
        finite = [f"{edge.label} = {edge.value:.6g}" for edge in self.edges]
        infinite = [f"{k} -> {v:+.0f}" for k, v in self.limits.items() if np.isinf(v)]
        either = [f"{k} -> +inf or -inf or anything between" for k, v in self.limits.items() if np.isnan(v)]
        return ", ".join(finite + infinite + either)

    @property
    def short(self) -> str:
        """The labels alone."""
        return ", ".join([*self.limits, *(edge.label for edge in self.edges if edge.label not in self.limits)])

    @property
    def finite(self) -> bool:
        """Whether every limit is an edge of a support."""
        return all(np.isfinite(v) for v in self.limits.values())

    def told(self, value: float) -> str:
        """The limits with what was proved of them, and what the log-density tends to."""
        if self.finite or not self.details:
            return self.names
        limit = 0.0 if abs(value) < _NOTHING else value
        return f"{self.names} ({'; '.join(self.details)}; the log-density tends to {limit:.6g})"

    def joined(self, other: "Destination") -> "Destination":
        """Both together."""
        limits = dict(self.limits) | dict(other.limits)
        return Destination(limits, self.edges + other.edges, self.details + other.details)


def find_destination(problem: Problem, x: np.ndarray, gradient: np.ndarray, drift: Drift) -> Destination:
    """Follow runaway coordinates to the end of the declared scale.

    Parameters
    ----------
    problem : Problem
    x, gradient : array, shape (p,)
        Last point, and the gradient of minus the log-density there.
    drift : Drift

    Returns
    -------
    Destination
    """
    theta = problem.expand(x)
    slopes = np.zeros_like(theta)
    slopes[problem.free] = -gradient
    way = np.zeros_like(theta)
    way[problem.free[drift.moving]] = drift.step
    signs = np.sign(way)
    limits: dict[str, float] = {}
    edges: list[EdgeValue] = []
    for var in problem.likelihood.variables:
        if var.elementwise and (var.transform is None or all(scale.kind != "identity" for scale in var.scales)):
            _follow_elements(var, theta, signs, slopes, limits, edges)
        elif np.any(way[var.free]):
            follow_joint(problem, var, theta, way, limits, edges)
    return Destination(limits, tuple(edges))


def follow_elements(
    problem: Problem, x: np.ndarray, gradient: np.ndarray, signs: np.ndarray
) -> tuple[dict[str, float], tuple[EdgeValue, ...]]:
    """Follow elements that are functions of one coordinate each.

    Parameters
    ----------
    problem : Problem
    x, gradient : array, shape (size,)
        Last point, and the gradient of minus the log-density there.
    signs : array, shape (p,)
        Direction of each unconstrained coordinate, 0 for those that stay.

    Returns
    -------
    dict of str to float, tuple of EdgeValue
    """
    theta = problem.expand(x)
    slopes = np.zeros_like(theta)
    slopes[problem.free] = -gradient
    limits: dict[str, float] = {}
    edges: list[EdgeValue] = []
    for var in problem.likelihood.variables:
        if var.elementwise:
            _follow_elements(var, theta, signs, slopes, limits, edges)
    return limits, tuple(edges)


def _follow_elements(
    var: Variable,
    theta: np.ndarray,
    signs: np.ndarray,
    slopes: np.ndarray,
    limits: dict[str, float],
    edges: list[EdgeValue],
) -> None:
    positions = range(var.free.start, var.free.stop)
    for label, scale, i in zip(var.labels, var.scales, positions, strict=True):
        if not signs[i]:
            continue
        limits[label] = limit = float(scale.to_declared(signs[i] * np.inf))
        if np.isfinite(limit):
            slope = float(scale.slope(scale.to_declared(theta[i])))
            edges.append(EdgeValue(label, limit, slopes[i] / slope if slope else np.nan))


def follow_joint(
    problem: Problem,
    var: Variable,
    theta: np.ndarray,
    way: np.ndarray,
    limits: dict[str, float],
    edges: list[EdgeValue],
) -> None:
    """Follow the elements of a variable that is transformed as a whole, in one direction.

    Parameters
    ----------
    problem : Problem
    var : Variable
    theta, way : array, shape (p,)
        Last point, and the direction in which unconstrained coordinates run away.
    limits : dict of str to float
        Gets the limit of every element that runs away.
    edges : list of EdgeValue
        Gets those that are edges of the support.
    """
    mine = np.zeros_like(theta)
    mine[var.free] = way[var.free]
    far = theta + _AWAY * mine / np.abs(mine).max()
    mapping = problem.likelihood.mapping
    here, there = (mapping.declared(point)[var.declared] for point in (theta, far))
    for label, scale, a, b in zip(var.labels, var.scales, here, there, strict=True):
        if np.isfinite(scale.lower) and abs(b - scale.lower) < _AT_EDGE * abs(a - scale.lower):
            edge = scale.lower
        elif np.isfinite(scale.upper) and abs(b - scale.upper) < _AT_EDGE * abs(a - scale.upper):
            edge = scale.upper
        elif not np.isfinite(b) or abs(b - a) > 1.0:
            limits[label] = float(np.copysign(np.inf, b - a))
            continue
        else:
            continue
        limits[label] = edge
        edges.append(EdgeValue(label, edge, np.nan))
    if var.transform == "ordered":
        for i in range(1, len(there)):
            if abs(there[i] - there[i - 1]) <= _AT_EDGE * abs(here[i] - here[i - 1]):
                edges.append(EdgeValue(f"{var.labels[i]} - {var.labels[i - 1]}", 0.0, np.nan))
