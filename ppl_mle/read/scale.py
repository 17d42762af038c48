"""The scale on which one declared number is free: the whole line, a half line, or an interval."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pymc.distributions.transforms import LogExpM1
from pymc.logprob.transforms import IntervalTransform, LogOddsTransform, LogTransform


@dataclass(frozen=True)
class Scale:
    """A monotone map g between the real line and the support of one number, with its inverse.

    Parameters
    ----------
    kind : {"identity", "log", "logit", "softplus"}
        `log` is lower + exp(u), or upper - exp(u) when only `upper` is finite; `logit` is the interval.
    lower, upper : float
        The support on the declared scale.
    """

    kind: Literal["identity", "log", "logit", "softplus"] = "identity"
    lower: float = -np.inf
    upper: float = np.inf

    def to_declared(self, u: Any) -> Any:
        """Map a value of the real line to the declared scale."""
        if self.kind == "log":
            return self.lower + np.exp(u) if np.isfinite(self.lower) else self.upper - np.exp(u)
        if self.kind == "logit":
            return self.lower + (self.upper - self.lower) * _expit(u)
        return np.logaddexp(0.0, u) if self.kind == "softplus" else u

    def to_free(self, x: Any) -> Any:
        """Map a declared value to the real line; a value on the edge gives plus or minus infinity."""
        with np.errstate(divide="ignore"):
            if self.kind == "log":
                return np.log(x - self.lower) if np.isfinite(self.lower) else np.log(self.upper - x)
            if self.kind == "logit":
                return np.log(x - self.lower) - np.log(self.upper - x)
            return x + np.log(-np.expm1(-x)) if self.kind == "softplus" else x

    def slope(self, x: Any) -> Any:
        """Derivative dx/du of the declared value, at the declared value `x`."""
        if self.kind == "log":
            return x - self.lower if np.isfinite(self.lower) else x - self.upper
        if self.kind == "logit":
            return (x - self.lower) * (self.upper - x) / (self.upper - self.lower)
        return -np.expm1(-x) if self.kind == "softplus" else np.ones_like(x)

    def bend(self, x: Any) -> Any:
        """Derivative of log |dx/du| in u, at the declared value `x`."""
        if self.kind == "log":
            return np.ones_like(x)
        if self.kind == "logit":
            return 1 - 2 * (x - self.lower) / (self.upper - self.lower)
        return np.exp(-x) if self.kind == "softplus" else np.zeros_like(x)

    def bend_slope(self, x: Any) -> Any:
        """Second derivative of log |dx/du| in u, at the declared value `x`."""
        if self.kind == "logit":
            return -2 * self.slope(x) / (self.upper - self.lower)
        return -np.exp(-x) * self.slope(x) if self.kind == "softplus" else np.zeros_like(x)

    def has_inside(self, x: float) -> bool:
        """Tell whether `x` lies strictly inside the support."""
        return self.lower < x < self.upper


def _expit(u: Any) -> Any:
    return np.exp(-np.logaddexp(0.0, np.negative(u)))


LINE = Scale()
UNIT_INTERVAL = Scale("logit", 0.0, 1.0)
HALF_LINE = Scale("log", 0.0, np.inf)


def scales_of(rv: Any, transform: Any, size: int, bounds: Any) -> tuple[Scale, ...]:
    """Scales of the `size` elements of one free variable.

    Parameters
    ----------
    rv : free variable
    transform : PyMC transform or None
    size : int
        Number of declared elements.
    bounds : callable
        Evaluates constant bound expressions to arrays; returns None for bounds that depend on free variables.

    Returns
    -------
    tuple of Scale
        `LINE` for every element of a variable that is transformed jointly (ordered, Cholesky factors...); the
        unit interval for the elements of a simplex.
    """
    if transform is None:
        return (LINE,) * size
    if transform.name == "simplex":
        return (UNIT_INTERVAL,) * size
    if isinstance(transform, LogTransform):
        return (HALF_LINE,) * size
    if isinstance(transform, LogOddsTransform):
        return (UNIT_INTERVAL,) * size
    if isinstance(transform, LogExpM1):
        return (Scale("softplus", 0.0, np.inf),) * size
    if isinstance(transform, IntervalTransform):
        return _interval_scales(bounds(*transform.get_a_and_b(rv.owner.inputs)[:2]), rv, size)
    return (LINE,) * size


def is_elementwise(transform: Any) -> bool:
    """Tell whether each element of a variable is transformed by itself."""
    return transform is None or transform.ndim_supp == 0


def _interval_scales(bounds: Any, rv: Any, size: int) -> tuple[Scale, ...]:
    if bounds is None:
        return (LINE,) * size
    lowers, uppers = (np.resize(np.ravel(bound), size) if np.size(bound) == 1 else np.ravel(bound) for bound in bounds)
    if lowers.size != size or uppers.size != size:
        shape = rv.type.shape
        lowers, uppers = (np.ravel(np.broadcast_to(bound, shape)) for bound in bounds)
    return tuple(_interval_scale(float(lower), float(upper)) for lower, upper in zip(lowers, uppers, strict=True))


def _interval_scale(lower: float, upper: float) -> Scale:
    if np.isfinite(lower) and np.isfinite(upper):
        return Scale("logit", lower, upper)
    if np.isfinite(lower) or np.isfinite(upper):
        return Scale("log", lower, upper)
    return LINE
