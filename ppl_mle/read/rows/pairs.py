"""Functions of two arguments with first and second derivatives: rules of forward differentiation over arrays."""

from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np
from scipy import special

from ppl_mle.read.rows.scalar import UNARY
from ppl_mle.read.rows.special import (
    LOG_SQRT_TWO_PI,
    choose,
    finite,
    horner,
    hurwitz,
    mills_excess,
    normal_density,
    replaced,
)

type PairRule = Callable[..., tuple[Any, Any, Any]]

_ONE, _ZERO = np.float64(1.0), np.float64(0.0)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_BERNOULLI = tuple(map(float, special.bernoulli(20)[2::2]))
_PSI = tuple(value / (2 * k) for k, value in enumerate(_BERNOULLI, 1))
_STIRLING = tuple(value / (2 * k - 1) for k, value in enumerate(_PSI[:7], 1))


def _mul(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    return a * b, (b, a) if order else None, (_ZERO, _ONE, _ZERO) if order > 1 else None


def _true_div(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    u = a / b
    if order == 0:
        return u, None, None
    inverse = 1 / b
    ub = -u * inverse
    return u, (inverse, ub), (_ZERO, -inverse * inverse, -2 * ub * inverse) if order > 1 else None


def _pow(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.power(a, b)
    if order == 0:
        return u, None, None
    below, logarithm = u / a, np.log(a)
    ub = u * logarithm
    slopes: tuple[Any, ...] = (b * below, ub)
    if order > 1:
        slopes += (b * (b - 1) * below / a, below * (1 + b * logarithm), ub * logarithm)
    size = np.abs(u)
    slopes = replaced(slopes, ~((size > 1e-280) & (size < 1e280)) | (a == 0), _pow_at_edges, a, b)
    return u, slopes[:2], slopes[2:] if order > 1 else None


def _pow_at_edges(a: Any, b: Any) -> tuple[Any, ...]:
    u, logarithm = np.power(a, b), np.log(a)
    below = np.power(a, b - 1)
    ua = np.where(b == 0, 0.0, b * below)
    uaa = np.where((b == 0) | (b == 1), 0.0, b * (b - 1) * np.power(a, b - 2))
    ub = np.where(u == 0, 0.0, u * logarithm)
    uab = np.where(below == 0, 0.0, below * (1 + b * logarithm))
    return ua, ub, uaa, uab, np.where(u == 0, 0.0, ub * logarithm)


def _maximum(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    return np.maximum(a, b), _pick(a >= b) if order else None, (_ZERO,) * 3 if order > 1 else None


def _minimum(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    return np.minimum(a, b), _pick(a <= b) if order else None, (_ZERO,) * 3 if order > 1 else None


def _pick(first: Any) -> tuple[Any, Any]:
    taken = first.astype(float)
    return taken, 1 - taken


def _logaddexp(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    gap = choose(a == b, 0.0, a - b)
    e = np.exp(-np.abs(gap))
    u = np.maximum(a, b) + np.log1p(e)
    if order == 0:
        return u, None, None
    d = 1 / (1 + e)
    other = e * d
    first = (choose(gap < 0, other, d), choose(gap < 0, d, other))
    if order == 1:
        return u, first, None
    curvature = other * d
    return u, first, (curvature, -curvature, curvature)


def _log_exp_difference(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    level, slope, curvature = UNARY["log1mexp"](b - a, order)
    second = (curvature, -curvature, curvature) if order > 1 else None
    return a + level, (1 - slope, slope) if order else None, second


def _log_sigmoid_difference(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    upper, lower = UNARY["log_sigmoid"](a, order), UNARY["log_sigmoid"](-b, order)
    between = UNARY["log1mexp"](b - a, order)
    u = upper[0] + lower[0] + between[0]
    if order == 0:
        return u, None, None
    first = (upper[1] - between[1], between[1] - lower[1])
    if order == 1:
        return u, first, None
    return u, first, (upper[2] + between[2], -between[2], lower[2] + between[2])


def _log_ndtr_difference(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    a, b = (finite(side) for side in (a, b))
    flip = a + b > 0
    high, low = choose(flip, -b, a), choose(flip, -a, b)
    u, p, q, relative = _lower_interval(high, low, order)
    if order == 0:
        return u, None, None
    first = (choose(flip, q, p), -choose(flip, p, q))
    if order == 1:
        return u, first, None
    of_high, of_low = -p * relative, -q * (q - low)
    return u, first, (choose(flip, of_low, of_high), p * q, choose(flip, of_high, of_low))


def _lower_interval(high: Any, low: Any, order: int) -> tuple[Any, Any, Any, Any]:
    """Log of Phi(high) - Phi(low) for high + low <= 0, phi(high) and phi(low) over it, and high + phi(high) over it.

    With m the inverse Mills ratio and k = phi(low) / phi(high), the difference over phi(high) is 1/m(-high) -
    k/m(-low), which cancels only for narrow intervals, whose integral is left to Gauss-Legendre quadrature.
    """
    near, far = np.abs(high), -low
    width = high - low
    excess = mills_excess(near)
    inner, outer = 1 / (near + excess), 1 / (far + mills_excess(far))
    ratio = np.exp(0.5 * width * (high + low))
    narrow = width * np.maximum(far, 1.0) < 1
    (scaled,) = replaced((inner - ratio * outer,), narrow, _narrow_interval, high, width)
    central = (high > 0) & ~narrow
    density = normal_density(high)
    outside = density * (inner + ratio * outer)
    rest = 1 - outside
    shift = choose(central, ((1 - rest) - outside) / rest, -0.5 * high * high - LOG_SQRT_TWO_PI)
    u = np.log(choose(central, rest, scaled)) + shift
    if order == 0:
        return u, None, None, None
    p = choose(central, density / rest, 1 / scaled)
    relative = choose(high > 0, high + p, p * (excess * inner + near * ratio * outer)) if order > 1 else None
    return u, p, ratio * p, relative


def _narrow_interval(high: Any, width: Any) -> tuple[Any]:
    total = np.zeros(np.shape(high))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        step = 0.5 * (1 + node) * width
        total += 0.5 * weight * np.exp(step * (high - 0.5 * step))
    return (width * total,)


def _betaln(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    large, small = np.maximum(a, b), np.minimum(a, b)
    total = a + b
    series = horner(_STIRLING, 1 / (large * large)) / large - horner(_STIRLING, 1 / (total * total)) / total
    u = special.gammaln(small) - (large - 0.5) * np.log1p(small / large) - small * (np.log(total) - 1) + series
    (u,) = replaced((u,), large < 10, lambda a, b: (special.betaln(a, b),), a, b)
    if order == 0:
        return u, None, None
    of_a, of_b = _digamma_rise(a, b, order), _digamma_rise(b, a, order)
    second = (of_a[1], -hurwitz(total, 2)[0], of_b[1]) if order > 1 else None
    return u, (-of_a[0], -of_b[0]), second


def _log_rising(a: Any, k: Any, order: int) -> tuple[Any, Any, Any]:
    """log Gamma(a + k) - log Gamma(a) for a constant k >= 0, without a derivative in k."""
    steps = np.where(k > 0, k, 1.0)
    u = choose(k > 0, special.gammaln(steps) - _betaln(a, steps, 0)[0], 0.0)
    if order == 0:
        return u, None, None
    slope, bend = _digamma_rise(a, k, order)
    return u, (slope, None), (-bend, None, None) if order > 1 else None


def _digamma_rise(a: Any, b: Any, order: int) -> tuple[Any, Any]:
    """psi(a + b) - psi(a) and psi'(a) - psi'(a + b), as sums of positive terms with the asymptotic rest after ten."""
    inverse, other = 1 / (a + 10), 1 / (a + 10 + b)
    gap = b * inverse * other
    square, smaller = inverse * inverse, other * other
    tail = square * horner(_PSI, square) - smaller * horner(_PSI, smaller)
    rise = np.log1p(b * inverse) + 0.5 * gap + tail
    bend = None
    if order > 1:
        tail = square * inverse * horner(_BERNOULLI, square) - smaller * other * horner(_BERNOULLI, smaller)
        bend = gap * (1 + 0.5 * (inverse + other)) + tail
    for shift in range(10):
        low, high = a + shift, a + shift + b
        product = low * high
        gap = b / product
        rise = rise + gap
        if order > 1:
            bend = bend + gap * (low + high) / product
    return rise, bend


def _arctan2(a: Any, b: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.arctan2(a, b)
    if order == 0:
        return u, None, None
    radius = np.hypot(a, b)
    sine, cosine = a / radius, b / radius
    first = (cosine / radius, -sine / radius)
    if order == 1:
        return u, first, None
    turned = 2 * first[0] * first[1]
    return u, first, (turned, ((a - b) / radius / radius) * ((sine + cosine) / radius), -turned)


def _gamma_density(k: Any, x: Any) -> Any:
    """Density x**(k - 1) exp(-x) / Gamma(k) by its deviance (Loader 2000, *Computation of Binomial Probabilities*)."""
    density = np.exp(special.xlogy(k - 1, x) - x - special.gammaln(k))
    return replaced((density,), np.broadcast_to(k >= 10, np.shape(density)), _gamma_saddle, k, x)[0]


def _gamma_saddle(k: Any, x: Any) -> tuple[Any]:
    gap = (x - k) / k
    exponent = k * (np.log1p(gap) - gap) - horner(_STIRLING, 1 / (k * k)) / k
    return (np.sqrt(k / (2 * pi)) * np.exp(exponent) / np.maximum(x, 1e-300),)


def _gammainc(k: Any, x: Any, order: int) -> tuple[Any, Any, Any]:
    return _incomplete(special.gammainc(k, x), 1.0, k, x, order)


def _gammaincc(k: Any, x: Any, order: int) -> tuple[Any, Any, Any]:
    return _incomplete(special.gammaincc(k, x), -1.0, k, x, order)


def _incomplete(u: Any, sign: float, k: Any, x: Any, order: int) -> tuple[Any, Any, Any]:
    if order == 0:
        return u, None, None
    slope = sign * _gamma_density(k, x)
    return u, (None, slope), (None, None, slope * ((k - 1 - x) / x)) if order > 1 else None


def _on_floats(rule: PairRule) -> PairRule:
    def call(a: Any, b: Any, order: int = 2) -> tuple[Any, Any, Any]:
        return rule(np.asarray(a, float)[()], np.asarray(b, float)[()], order)

    return call


_RULES: dict[str, PairRule] = {
    "mul": _mul,
    "true_div": _true_div,
    "pow": _pow,
    "maximum": _maximum,
    "minimum": _minimum,
    "logaddexp": _logaddexp,
    "log_exp_difference": _log_exp_difference,
    "log_sigmoid_difference": _log_sigmoid_difference,
    "log_ndtr_difference": _log_ndtr_difference,
    "betaln": _betaln,
    "log_rising": _log_rising,
    "arctan2": _arctan2,
    "gammainc": _gammainc,
    "gammaincc": _gammaincc,
}

SPECIAL_PAIRS = {"log_ndtr_difference", "betaln", "log_rising", "gammainc", "gammaincc"}
"""Names in `BINARY` of the functions that take much longer than elementary ones."""

BINARY: dict[str, PairRule] = {name: _on_floats(rule) for name, rule in _RULES.items()}
"""Rules `rule(a, b, order) -> (u, (ua, ub), (uaa, uab, ubb))` by the name of the function.

`a` and `b` are floats or arrays that broadcast against each other; each entry broadcasts against `u`. Entries above
`order` (0, 1 or 2) are None, and a derivative that is not available is None in its place. Entries may be the arguments
themselves, so none may be written to. To be called under `np.errstate(all="ignore")`.
"""
