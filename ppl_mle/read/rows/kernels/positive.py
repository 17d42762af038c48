"""Exponential, gamma and Weibull rows with log links."""

from typing import Any

import numpy as np

from ppl_mle.read.rows.kernels.kernel import Derivatives, Kernel
from ppl_mle.read.rows.kernels.stirling import remainder, remainder_curvature, remainder_slope
from ppl_mle.read.rows.special import LOG_SQRT_TWO_PI


def _exponential(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    ratio = y * np.exp(-etas[0])
    f = -etas[0] - ratio
    if order == 0:
        return f, (), ()
    return f, (ratio - 1.0,), (-ratio,) if order > 1 else ()


def _gamma(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """alpha (d - (exp(d) - 1)) with d the log of response over mean, and what Stirling's formula leaves of alpha."""
    log_mean, log_alpha = etas
    a = np.exp(log_alpha)
    d = np.log(y) - log_mean
    rise = np.expm1(d)
    deviance = a * (d - rise)
    f = deviance + (0.5 * log_alpha - LOG_SQRT_TWO_PI - remainder(a))
    if order == 0:
        return f, (), ()
    by_mean = a * rise
    by_alpha = deviance + a * remainder_slope(a)
    if order == 1:
        return f, (by_mean, by_alpha), ()
    return f, (by_mean, by_alpha), (-a * (rise + 1.0), by_mean, by_alpha - a * a * remainder_curvature(a))


def _weibull(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    log_scale, log_shape = etas
    shape = np.exp(log_shape)
    z = shape * (np.log(y) - log_scale)
    hazard = np.exp(z)
    f = log_shape + z - hazard
    if order == 0:
        return f, (), ()
    excess = np.expm1(z)
    first = (shape * excess, 1.0 - z * excess)
    if order == 1:
        return f, first, ()
    cross = shape * (excess + hazard * z)
    return f, first, (-shape * shape * hazard, cross, -z * excess - z * z * hazard)


def _no_base(y: Any, data: tuple[Any, ...]) -> Any:
    return np.zeros(np.shape(y))


def _reciprocal_base(y: Any, data: tuple[Any, ...]) -> Any:
    return -np.log(y)


def _is_nonnegative(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y >= 0) & np.isfinite(y)))


def _is_positive(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y > 0) & np.isfinite(y)))


POSITIVE_KERNELS: tuple[Kernel, ...] = (
    Kernel("exponential", ("log_mean",), (), _exponential, _no_base, _is_nonnegative),
    Kernel("gamma", ("log_mean", "log_alpha"), (), _gamma, _reciprocal_base, _is_positive),
    Kernel("weibull", ("log_scale", "log_shape"), (), _weibull, _reciprocal_base, _is_positive),
)
