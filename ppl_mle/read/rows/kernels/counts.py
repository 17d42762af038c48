"""Poisson and negative-binomial rows with a log link."""

from typing import Any

import numpy as np

from ppl_mle.read.rows.kernels.kernel import Derivatives, Kernel
from ppl_mle.read.rows.kernels.stirling import gap, log_factorial_base, log_less, log_ratio, mended

_LARGE = 1000.0
_WIDE = 690.0
_TINY = 1e-290


def _poisson(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """y (d - (exp(d) - 1)) with d the log of mean over count (Loader 2000), so that large counts do not cancel."""
    mean, count = np.exp(etas[0]), np.asarray(y, float)
    d = etas[0] - np.log(np.maximum(count, 1.0))
    rest = count - mean
    f = count * d + rest
    if np.max(count, initial=0.0) > _LARGE:
        f = mended(f, count > _LARGE, lambda large, z: large * (z - np.expm1(z)), count, d)
    return f, (rest,) if order else (), (-mean,) if order > 1 else ()


def _negative_binomial(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """Deviance form about the Poisson maximum; what remains of the gamma functions vanishes as alpha grows.

    With t = (y - mu) / (alpha + mu), f = y log(1 - alpha t / y) + alpha log(1 + t) + a remainder, see `gap`, and the
    derivatives in log alpha come from log(1 + t) - t and the derivatives of the remainder (after Lawless 1987).
    """
    m, log_alpha = etas
    if max(np.max(m, initial=0.0), np.max(log_alpha, initial=0.0), -np.min(log_alpha, initial=0.0)) > _WIDE:
        return _overflowing(y, etas, order)
    a, mean, count = np.exp(log_alpha), np.exp(m), np.asarray(y, float)
    some = np.maximum(count, 1.0)
    rest = count - mean
    if np.max(count, initial=0.0) > _LARGE:
        rest = mended(rest, count > _LARGE, lambda large, eta: -large * np.expm1(eta - np.log(large)), count, m)
    total, above = a + mean, a + count
    t, share = rest / total, a / total
    by_mean = rest * share
    ratio = above / total
    log = log_ratio(ratio, t)
    odds = mean / some * ratio
    log_odds = log_ratio(odds, -by_mean / some)
    if np.min(odds, initial=1.0) < _TINY or np.min(ratio, initial=1.0) < _TINY:
        log = np.where(ratio < _TINY, np.log(above) - np.log(total), log)
        log_odds = np.where(odds < _TINY, m - np.log(some) + log, log_odds)
    value, slope, curvature = _gap(y, a, order)
    f = count * log_odds + a * log + value
    if order == 0:
        return f, (), ()
    by_alpha = a * log_less(t, log) + slope
    if order == 1:
        return f, (by_mean, by_alpha), ()
    second = (-ratio * (share * mean), by_mean * (mean / total), by_alpha + by_mean * (by_mean / above) - curvature)
    return f, (by_mean, by_alpha), second


def _gap(y: Any, a: Any, order: int) -> tuple[Any, Any, Any]:
    """The parts that depend on the count and on alpha alone; by a table where few counts share one alpha."""
    most = int(np.max(y, initial=0))
    if np.ndim(a) or most >= np.size(y):
        return gap(np.asarray(y, float), a, order)
    value, slope, curvature = gap(np.arange(most + 1.0), a, order)
    at = np.asarray(y).astype(np.intp, copy=False)
    return value[at], slope[at] if order else None, curvature[at] if order > 1 else None


def _overflowing(y: Any, etas: tuple[Any, ...], order: int) -> Derivatives:
    """Where mu, alpha or 1 / alpha is no number: by the limits, from predictors at the edge.

    A larger alpha changes nothing; a smaller one, with mu / alpha as it is, is a factor of the chance of a count above
    zero; a larger mu is the power -alpha of every chance.
    """
    m, log_alpha = etas
    held = np.clip(log_alpha, -_WIDE, _WIDE)
    low = log_alpha < -_WIDE
    moved = m + np.where(low, held - log_alpha, 0.0)
    kept = np.minimum(moved, _WIDE)
    loss = np.exp(held) * (moved - kept)
    f, first, second = _negative_binomial(y, (), (kept, held), order)
    f = f - loss + np.where(low & (np.asarray(y) > 0), log_alpha - held, 0.0)
    if order:
        first = (first[0], first[1] - loss)
    return f, first, (second[0], second[1], second[2] - loss) if order > 1 else ()


def _base(y: Any, data: tuple[Any, ...]) -> Any:
    return log_factorial_base(y)


def _is_count(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y >= 0) & np.isfinite(y) & (y == np.round(y))))


COUNT_KERNELS: tuple[Kernel, ...] = (
    Kernel("poisson_log", ("eta",), (), _poisson, _base, _is_count),
    Kernel("negative_binomial", ("log_mu", "log_alpha"), (), _negative_binomial, _base, _is_count),
)
