"""Is there a posterior? With flat priors the density may not integrate: its tails tell."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ppl_mle.maximize import Maximum, Newton, Problem, Status
from ppl_mle.read import Likelihood, has_constant_prior

_LINE = (30.0, 300.0)
_LOG = (8.0, 12.0)
_POWER = -1.3
_RATE = -0.05
_STEPS = 12
_SHOWN = 4
_SETTLED = ("edm", "rounding", "flat")

Height = Callable[[float, tuple[np.ndarray, ...]], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Tail:
    """A direction in which a posterior does not fall fast enough to integrate.

    Parameters
    ----------
    label : str
        Of the declared element.
    toward : float
        Where it goes, on the declared scale: an infinity or an edge of the support.
    slope : float
        Of the log-density with everything else integrated out by Laplace's method: in the logarithm of the distance
        for an element of the line, where less than -1 is needed; else in the unconstrained coordinate, where less than
        0 is. NaN where it could not be followed.
    side : int
        1 or -1, where the unconstrained coordinate goes.
    on_line : bool
        Whether the element is one of the line.
    """

    label: str
    toward: float
    slope: float
    side: int
    on_line: bool

    @property
    def is_heavy(self) -> bool:
        """Whether its mass is infinite."""
        return bool(np.isfinite(self.slope) and self.slope > (_POWER if self.on_line else _RATE))

    def __str__(self) -> str:
        return f"{self.label} -> {self.toward:+g}" if np.isinf(self.toward) else f"{self.label} -> {self.toward:g}"


def why_improper(model: object, mode: Maximum) -> str:
    """Why the posterior of a model does not integrate, as the end of a sentence; empty where nothing says so.

    Parameters
    ----------
    model : pm.Model
    mode : Maximum
        What the maximization of `read_posterior` came to, certified or not.
    """
    flat = [var.name for var in mode.plan.likelihood.variables if has_constant_prior(model, var.name)]
    if not flat and mode.status is not Status.UNBOUNDED:
        return ""
    tails = flat_tails(model, mode)
    heavy = [tail for tail in tails if tail.is_heavy]
    if heavy:
        shown = ", ".join(str(tail) for tail in heavy[:_SHOWN]) + ", ..." * (len(heavy) > _SHOWN)
        return f"its density does not fall off fast enough to integrate as {shown}"
    lost = any(np.isnan(tail.slope) for tail in tails) or not tails
    if mode.status is Status.INFINITE or (mode.status is Status.UNIDENTIFIED and lost):
        return f"its density has no strict mode: {mode.sentence}"
    far = _far_away(tails, mode) if mode.status is Status.UNBOUNDED else []
    return f"its density rises without limit as {', '.join(map(str, far))}" if far else ""


def _far_away(tails: tuple[Tail, ...], mode: Maximum) -> list[Tail]:
    """Tails along which a density without bound runs to infinity; none where one was followed, or runs to an edge."""
    labels = [label for var in mode.plan.likelihood.variables for label in var.labels]
    if mode.plan.likelihood.size != len(labels):
        return []
    place = {label: i for i, label in enumerate(labels)}
    run = {label: float(mode.theta[place[label]]) for label in mode.parameters if label in place}
    found = [t for t in tails if t.label in run and (run[t.label] > 0) == (t.side > 0)]
    unknown = all(np.isinf(t.toward) and np.isnan(t.slope) for t in found)
    return found if unknown and len(found) == len(run) else []


def flat_tails(model: object, mode: Maximum) -> tuple[Tail, ...]:
    """Tails of the elements with a flat prior, or of all where the density has no bound; heavy ones have infinite mass.

    The density is followed along one coordinate, with everything else at its maximum, and the rest is integrated by
    Laplace's method (Tierney and Kadane 1986). What falls off like a power of the distance must do so faster than 1 /
    distance. This finds separated logistic regressions and rank-deficient designs (Chen and Shao 2000), scales of too
    few groups (Gelman 2006), variances of saturated means and ridges. With proper priors alone a posterior is proper
    unless its density has no bound.

    Parameters
    ----------
    model : pm.Model
    mode : Maximum
        What the maximization of `read_posterior` came to, certified or not.

    Returns
    -------
    tuple of Tail
        Both sides of every unconstrained element that is a number of the line or the logarithm of a length.
    """
    posterior, unbounded = mode.plan.likelihood, mode.status is Status.UNBOUNDED
    found = []
    for var in posterior.variables:
        if not (unbounded or has_constant_prior(model, var.name)):
            continue
        for i, scale in enumerate(var.free_scales):
            if scale.kind not in ("identity", "log"):
                continue
            label = var.labels[i] if len(var.labels) == len(var.free_scales) else var.free_labels[i]
            for side in (-1, 1):
                on_line = scale.kind == "identity"
                with np.errstate(all="ignore"):
                    slope = _slope(posterior, mode, var.free.start + i, side, on_line)
                toward = float(scale.to_declared(side * np.inf))
                found.append(Tail(label, toward, slope, side, on_line))
    return tuple(found)


def _slope(posterior: Likelihood, mode: Maximum, coordinate: int, side: int, on_line: bool) -> float:
    """Slope of the marginal log-density between two points far out; NaN where it could not be followed."""
    start = mode.theta if mode.status.converged else posterior.mapping.start(None)
    own = float(np.nan_to_num(mode.observed_covariance[coordinate, coordinate])) if mode.status.converged else 0.0
    unit = np.sqrt(own) if own > 0 else max(1.0, abs(float(start[coordinate])))
    distances = [unit * d for d in _LINE] if on_line else list(_LOG)
    center = float(start[coordinate])

    def height(distance: float, starts: tuple[np.ndarray, ...]) -> tuple[float, np.ndarray]:
        return _marginal(posterior, coordinate, center + side * distance, starts)

    near, far = distances
    first, theta = height(near, (np.array(start), np.array(mode.theta, float)))
    last, _ = height(far, (theta, start + (theta - start) * (far / near)))
    if np.isnan(last) and np.isfinite(first):
        last, far = _walk(height, theta, near, far)
    if not np.isfinite(first):
        return np.nan
    if last == -np.inf:
        return -np.inf
    return float((last - first) / (np.log(far / near) if on_line else far - near))


def _walk(height: Height, theta: np.ndarray, near: float, far: float) -> tuple[float, float]:
    """Height at the farthest distance that small steps reach, each begun along the one before, and that distance."""
    value, at, before = np.nan, far, theta
    for distance in np.geomspace(near, far, _STEPS)[1:].tolist():
        found, point = height(distance, (theta, 2 * theta - before))
        if np.isnan(found):
            break
        value, at, before, theta = found, distance, theta, point
    return value, at


def _marginal(
    posterior: Likelihood, coordinate: int, at: float, starts: tuple[np.ndarray, ...]
) -> tuple[float, np.ndarray]:
    """Log-density with one coordinate held, the others integrated by Laplace's method; NaN where that fails.

    The search begins at the best of `starts`.
    """
    problem = Problem(posterior, {coordinate: at})
    placed = [np.where(np.arange(len(start)) == coordinate, at, start) for start in starts]
    moved = max(placed, key=lambda point: _height(posterior, point))
    if not problem.size:
        return float(posterior.objective.value_and_gradient(moved)[0]), moved
    with np.errstate(all="ignore"):
        start = moved[problem.free]
        if not np.isfinite(problem.value_and_gradient(start)[0]):
            start = posterior.mapping.start(None)[problem.free]
            if not np.isfinite(problem.value_and_gradient(start)[0]):
                return -np.inf, moved
        found = Newton(most=len(moved), iterations=100).search(problem, start, lambda iteration, value: None)
        hessian = problem.hessian(found.x, found.units)
        scaled = hessian * np.outer(found.units, found.units)
        sign, determinant = np.linalg.slogdet(scaled) if np.all(np.isfinite(scaled)) else (0.0, np.nan)
    if found.stop == "flat":
        return -found.value, problem.expand(found.x)
    if found.stop not in _SETTLED or sign <= 0:
        return np.nan, moved
    return -found.value - determinant / 2 + float(np.log(found.units).sum()), problem.expand(found.x)


def _height(posterior: Likelihood, point: np.ndarray) -> float:
    value = posterior.objective.value_and_gradient(point)[0]
    return value if np.isfinite(value) else -np.inf
