"""Is there a posterior? With flat priors the density may not integrate: its tails tell."""

from dataclasses import dataclass

import numpy as np

from ppl_mle.maximize import Maximum, Newton, Problem, Status
from ppl_mle.read import Likelihood, has_constant_prior

_LINE = (30.0, 300.0)
_LOG = (8.0, 12.0)
_POWER = -1.3
_RATE = -0.05
_SHOWN = 4
_SETTLED = ("edm", "rounding", "flat")


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
        0 is.
    """

    label: str
    toward: float
    slope: float

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
    if not flat:
        return ""
    tails = improper_tails(model, mode)
    if tails:
        shown = ", ".join(str(tail) for tail in tails[:_SHOWN]) + ", ..." * (len(tails) > _SHOWN)
        return f"its density does not fall off fast enough to integrate as {shown}"
    if mode.status in (Status.UNIDENTIFIED, Status.INFINITE):
        return f"its density has no strict mode: {mode.sentence}"
    return ""


def improper_tails(model: object, mode: Maximum) -> tuple[Tail, ...]:
    """Tails of the elements with a flat prior along which a posterior has infinite mass.

    The density is followed along one coordinate, with everything else at its maximum, and the rest is integrated by
    Laplace's method (Tierney and Kadane 1986). What falls off like a power of the distance must do so faster than 1 /
    distance. This finds separated logistic regressions and rank-deficient designs (Chen and Shao 2000), scales of too
    few groups (Gelman 2006), variances of saturated means and ridges; it asks nothing of proper priors.

    Parameters
    ----------
    model : pm.Model
    mode : Maximum
        What the maximization of `read_posterior` came to, certified or not.

    Returns
    -------
    tuple of Tail
        Empty where each falls fast enough, or could not be followed.
    """
    posterior = mode.plan.likelihood
    found = []
    for var in posterior.variables:
        if not (var.elementwise and has_constant_prior(model, var.name)):
            continue
        for i, scale in enumerate(var.scales):
            if scale.kind not in ("identity", "log"):
                continue
            coordinate = var.free.start + i
            for side in (-1, 1):
                slope = _slope(posterior, mode, coordinate, side, scale.kind == "identity")
                if np.isfinite(slope) and slope > (_POWER if scale.kind == "identity" else _RATE):
                    toward = float(scale.to_declared(side * np.inf))
                    found.append(Tail(var.labels[i], toward, slope))
    return tuple(found)


def _slope(posterior: Likelihood, mode: Maximum, coordinate: int, side: int, on_line: bool) -> float:
    """Slope of the marginal log-density between two points far out; NaN where it could not be followed."""
    start = mode.theta if mode.status.converged else posterior.mapping.start(None)
    own = float(np.nan_to_num(mode.observed_covariance[coordinate, coordinate])) if mode.status.converged else 0.0
    unit = np.sqrt(own) if own > 0 else max(1.0, abs(float(start[coordinate])))
    distances = [unit * d for d in _LINE] if on_line else list(_LOG)
    center = float(start[coordinate])
    values = []
    theta = np.array(start)
    for distance in distances:
        value, theta = _marginal(posterior, coordinate, center + side * distance, theta)
        values.append(value)
    if not np.isfinite(values[0]):
        return np.nan
    if values[1] == -np.inf:
        return -np.inf
    run = np.log(distances[1] / distances[0]) if on_line else distances[1] - distances[0]
    return float((values[1] - values[0]) / run)


def _marginal(posterior: Likelihood, coordinate: int, at: float, theta: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-density with one coordinate held, the others integrated by Laplace's method; NaN where that fails."""
    problem = Problem(posterior, {coordinate: at})
    moved = np.array(theta)
    moved[coordinate] = at
    if not problem.size:
        return float(posterior.objective.value_and_gradient(moved)[0]), moved
    with np.errstate(all="ignore"):
        start = moved[problem.free]
        if not np.isfinite(problem.value_and_gradient(start)[0]):
            start = posterior.mapping.start(None)[problem.free]
            if not np.isfinite(problem.value_and_gradient(start)[0]):
                return -np.inf, moved
        found = Newton(most=len(theta), iterations=100).search(problem, start, lambda iteration, value: None)
        hessian = problem.hessian(found.x, found.units)
        scaled = hessian * np.outer(found.units, found.units)
        sign, determinant = np.linalg.slogdet(scaled) if np.all(np.isfinite(scaled)) else (0.0, np.nan)
    if found.stop == "flat":
        return -found.value, problem.expand(found.x)
    if found.stop not in _SETTLED or sign <= 0:
        return np.nan, moved
    return -found.value - determinant / 2 + float(np.log(found.units).sum()), problem.expand(found.x)
