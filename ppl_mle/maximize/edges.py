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


@dataclass(frozen=True)
class Destination:
    """Limits of the declared elements that run away.

    Parameters
    ----------
    limits : dict of str to float
        Limit of each element, plus or minus infinity included.
    edges : tuple of EdgeValue
        The finite ones with their scores.
    """

    limits: Mapping[str, float]
    edges: tuple[EdgeValue, ...]

    @property
    def names(self) -> str:
        """The limits as a phrase: `tau = 0`, `b -> +inf`."""
        finite = [f"{edge.label} = {edge.value:.6g}" for edge in self.edges]
        return ", ".join(finite + [f"{k} -> {v:+.0f}" for k, v in self.limits.items() if np.isinf(v)])

    @property
    def short(self) -> str:
        """The labels alone."""
        return ", ".join(self.limits)

    @property
    def finite(self) -> bool:
        """Whether every limit is an edge of a support."""
        return all(np.isfinite(v) for v in self.limits.values())


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
    far = theta.copy()
    far[problem.free[drift.moving]] += _AWAY * drift.signs
    signs = np.sign(far - theta)
    limits: dict[str, float] = {}
    edges: list[EdgeValue] = []
    for var in problem.likelihood.variables:
        if var.elementwise and (var.transform is None or all(scale.kind != "identity" for scale in var.scales)):
            _follow_elements(var, theta, signs, slopes, limits, edges)
        elif np.any(signs[var.free]):
            _follow_joint(problem, var, theta, far, limits, edges)
    return Destination(limits, tuple(edges))


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


def _follow_joint(
    problem: Problem,
    var: Variable,
    theta: np.ndarray,
    far: np.ndarray,
    limits: dict[str, float],
    edges: list[EdgeValue],
) -> None:
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
