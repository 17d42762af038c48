"""Poisson and negative-binomial rows with a log link."""

from typing import Any

import numpy as np

from ppl_mle.read.rows.kernels.kernel import Derivatives, Kernel
from ppl_mle.read.rows.kernels.stirling import curvature_fall, log1p_less, log_factorial_base, remainder, slope_fall
from ppl_mle.read.rows.special import replaced

_LARGE = 1000.0


def _poisson(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """y (d - (exp(d) - 1)) with d the log of mean over count (Loader 2000), so that large counts do not cancel."""
    mean = np.exp(etas[0])
    d = etas[0] - np.log(np.maximum(y, 1.0))
    f = y * d - (mean - y)
    if np.max(y) > _LARGE:
        (f,) = replaced((f,), np.asarray(y) > _LARGE, lambda count, z: (count * (z - np.expm1(z)),), y, d)
    if order == 0:
        return f, (), ()
    return f, (y - mean,), (-mean,) if order > 1 else ()


def _negative_binomial(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """Deviance form about the Poisson maximum; what remains of the gamma functions vanishes as alpha grows.

    With t = (y - mu) / (alpha + mu) and R Stirling's remainder, f = y (log mu - log y) + (y + alpha) log(1 + t)
    - log(1 + y / alpha) / 2 + R(y + alpha) - R(alpha), and the derivatives in log alpha come from log(1 + t) - t and
    from differences of R' and R'' (after Lawless 1987).
    """
    m, log_alpha = etas
    a, mean, count = np.exp(log_alpha), np.exp(m), np.asarray(y, float)
    d = m - np.log(np.maximum(count, 1.0))
    rest = np.where(count > 0, -count * np.expm1(d), -mean)
    total = a + mean
    t = rest / total
    remains, slopes, curvatures = _remainders(y, a, order)
    f = count * d + (count + a) * np.log1p(t) + remains
    if order == 0:
        return f, (), ()
    by_mean = a * t
    by_alpha = a * (log1p_less(t) + slopes)
    if order == 1:
        return f, (by_mean, by_alpha), ()
    weight = a * mean / (total * total)
    second = (-(count + a) * weight, rest * weight, by_alpha + a * a * (t * t / (count + a) - curvatures))
    return f, (by_mean, by_alpha), second


def _remainders(y: Any, a: Any, order: int) -> tuple[Any, Any, Any]:
    """The parts that depend on the count and on alpha alone; by a table where few counts share one alpha."""
    if np.ndim(a) == 0 and np.asarray(y).dtype.kind in "iu" and 4 * int(np.max(y, initial=0)) < np.size(y):
        counts = np.arange(int(np.max(y, initial=0)) + 1, dtype=float)
        return tuple(None if part is None else part[y] for part in _remainders_of(counts, a, order))  # type: ignore[return-value]
    return _remainders_of(np.asarray(y, float), a, order)


def _remainders_of(count: Any, a: Any, order: int) -> tuple[Any, Any, Any]:
    above = count + a
    value = remainder(above) - remainder(a) - 0.5 * np.log1p(count / a)
    wide = np.broadcast_to(a, np.shape(above))
    slopes = slope_fall(wide, above) if order else None
    return value, slopes, curvature_fall(wide, above) if order > 1 else None


def _base(y: Any, data: tuple[Any, ...]) -> Any:
    return log_factorial_base(y)


def _is_count(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y >= 0) & np.isfinite(y) & (y == np.round(y))))


COUNT_KERNELS: tuple[Kernel, ...] = (
    Kernel("poisson_log", ("eta",), (), _poisson, _base, _is_count),
    Kernel("negative_binomial", ("log_mu", "log_alpha"), (), _negative_binomial, _base, _is_count),
)
