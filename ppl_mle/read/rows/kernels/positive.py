"""Exponential, gamma and Weibull rows with log links."""

from typing import Any

import numpy as np

from ppl_mle.read.rows.kernels.kernel import Derivatives, Kernel
from ppl_mle.read.rows.kernels.stirling import expm1_less, normalizer

_WIDE = 690.0
_MOST = 1e308


def _exponential(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    root = np.exp(-0.5 * etas[0])
    ratio = y * root * root
    f = -etas[0] - ratio
    return f, (ratio - 1.0,) if order else (), (-ratio,) if order > 1 else ()


def _gamma(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """alpha (d - (exp(d) - 1)) with d the log of response over mean, and what Stirling's formula leaves of alpha."""
    log_mean, log_alpha = etas
    a = np.minimum(np.exp(log_alpha), _MOST)
    d = np.log(y, dtype=float) - log_mean
    rise = np.expm1(d)
    by_mean = a * rise
    deviance = -a * expm1_less(d, rise)
    if max(np.max(d, initial=0.0), -np.min(log_alpha, initial=0.0)) > _WIDE:
        far = (d > _WIDE) | (log_alpha < -_WIDE)
        by_mean = np.where(far, np.exp(d + log_alpha) - a, by_mean)
        deviance = np.where(far, a * d - by_mean, deviance)
    value, slope, curvature = normalizer(log_alpha, order)
    f = deviance + value
    if order == 0:
        return f, (), ()
    first = (by_mean, deviance + slope)
    return f, first, (-np.exp(d + log_alpha), by_mean, deviance + curvature) if order > 1 else ()


def _weibull(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    log_scale, log_shape = etas
    shape = np.minimum(np.exp(log_shape), _MOST / 1e4)
    z = shape * (np.log(y, dtype=float) - log_scale)
    hazard = np.exp(z)
    f = log_shape + z - hazard
    if order == 0:
        return f, (), ()
    excess = np.expm1(z)
    bend = z * excess
    first = (shape * excess, 1.0 - bend)
    if order == 1:
        return f, first, ()
    tilt = z * hazard
    return f, first, (-shape * (shape * hazard), shape * (excess + tilt), -bend - z * tilt)


def _no_base(y: Any, data: tuple[Any, ...]) -> Any:
    return np.zeros(np.shape(y))


def _reciprocal_base(y: Any, data: tuple[Any, ...]) -> Any:
    return -np.log(y, dtype=float)


def _is_nonnegative(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y >= 0) & np.isfinite(y)))


def _is_positive(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y > 0) & np.isfinite(y)))


POSITIVE_KERNELS: tuple[Kernel, ...] = (
    Kernel("exponential", ("log_mean",), (), _exponential, _no_base, _is_nonnegative),
    Kernel("gamma", ("log_mean", "log_alpha"), (), _gamma, _reciprocal_base, _is_positive),
    Kernel("weibull", ("log_scale", "log_shape"), (), _weibull, _reciprocal_base, _is_positive),
)
