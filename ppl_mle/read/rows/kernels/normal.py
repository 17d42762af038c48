"""Normal and log-normal rows."""

from typing import Any

import numpy as np

from ppl_mle.read.rows.kernels.kernel import Derivatives, Kernel
from ppl_mle.read.rows.special import LOG_SQRT_TWO_PI

_MOST = 1e308


def _normal(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    mean, log_sd = etas
    scale = np.minimum(np.exp(-log_sd), _MOST)
    z = np.subtract(y, mean, dtype=float) * scale
    square = z * z
    f = -0.5 * square - log_sd
    if order == 0:
        return f, (), ()
    pull = z * scale
    if order == 1:
        return f, (pull, square - 1.0), ()
    return f, (pull, square - 1.0), (-scale * scale, -2.0 * pull, -2.0 * square)


def _normal_known(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    (sd,) = data
    z = np.subtract(y, etas[0], dtype=float) / sd
    f = -0.5 * z * z
    if order == 0:
        return f, (), ()
    return f, (z / sd,), (-1.0 / (sd * sd) + np.zeros(np.shape(sd)),) if order > 1 else ()


def _lognormal(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    return _normal(np.log(y, dtype=float), data, etas, order)


def _base(y: Any, data: tuple[Any, ...]) -> Any:
    return np.full(np.shape(y), -LOG_SQRT_TWO_PI)


def _known_base(y: Any, data: tuple[Any, ...]) -> Any:
    return _base(y, data) - np.log(data[0])


def _lognormal_base(y: Any, data: tuple[Any, ...]) -> Any:
    return _base(y, data) - np.log(y, dtype=float)


def _is_finite(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all(np.isfinite(y)) and all(np.all((part > 0) & np.isfinite(part)) for part in data))


def _is_positive(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y > 0) & np.isfinite(y)))


NORMAL_KERNELS: tuple[Kernel, ...] = (
    Kernel("normal", ("mu", "log_sd"), (), _normal, _base, _is_finite),
    Kernel("normal_known", ("mu",), ("sd",), _normal_known, _known_base, _is_finite),
    Kernel("lognormal", ("mu", "log_sd"), (), _lognormal, _lognormal_base, _is_positive),
)
