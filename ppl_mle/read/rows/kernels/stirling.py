"""What is left of the gamma functions when Stirling's formula is taken out, and other differences that would cancel."""

from typing import Any

import numpy as np
from scipy import special

from ppl_mle.read.rows.special import LOG_SQRT_TWO_PI, horner, hurwitz, replaced

_LARGE = 16.0
_REMAINDER = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
_LOG1PMX = tuple(-((-1.0) ** k) / k for k in range(2, 20))
_NEAR = 0.1


def remainder(x: Any) -> Any:
    """gammaln(x) - ((x - 1/2) log x - x + log(2 pi)/2), for x > 0 (Stirling's series; Abramowitz & Stegun 6.1.41).

    Examples
    --------
    >>> round(float(remainder(1e6)) * 12e6, 9)
    1.0
    """
    far = np.maximum(x, _LARGE)
    series = horner(_REMAINDER, 1 / (far * far)) / far
    return replaced((series,), np.asarray(x) < _LARGE, _direct_remainder, x)[0]


def _direct_remainder(x: Any) -> tuple[Any]:
    return (special.gammaln(x) - ((x - 0.5) * np.log(x) - x + LOG_SQRT_TWO_PI),)


def remainder_slope(x: Any) -> Any:
    """log x - psi(x), for x > 0 (Abramowitz & Stegun 6.3.18).

    Examples
    --------
    >>> round(float(remainder_slope(1e8)) * 2e8, 6)
    1.0
    """
    far = np.maximum(x, _LARGE)
    inverse = 1 / far
    series = inverse * (0.5 + inverse * horner(_DIGAMMA, inverse * inverse))
    return replaced((series,), np.asarray(x) < _LARGE, lambda near: (np.log(near) - special.psi(near),), x)[0]


def remainder_curvature(x: Any) -> Any:
    """trigamma(x) - 1/x, for x > 0 (Abramowitz & Stegun 6.4.12).

    Examples
    --------
    >>> round(float(remainder_curvature(1e8)) * 2e16, 6)
    1.0
    """
    far = np.maximum(x, _LARGE)
    inverse = 1 / far
    series = inverse * inverse * (0.5 + inverse * horner(_TRIGAMMA, inverse * inverse))
    return replaced((series,), np.asarray(x) < _LARGE, lambda near: (hurwitz(near, 2)[0] - 1 / near,), x)[0]


def fall(function: Any, coefficients: tuple[float, ...], first: int, half: int, a: Any, b: Any) -> Any:
    """function(a) - function(b) for a <= b, term by term of the series 1/(2 x^half) + sum_j c_j / x^(first + 2j).

    Each difference of powers is written with the factor b - a, so that nothing cancels for close arguments.
    """
    direct = function(a) - function(b)
    far = np.asarray(a) >= _LARGE
    return replaced((direct,), np.broadcast_to(far, np.shape(direct)), _series(coefficients, first, half), a, b)[0]


def _series(coefficients: tuple[float, ...], first: int, half: int) -> Any:
    def rule(a: Any, b: Any) -> tuple[Any]:
        total = 0.5 * _power_fall(a, b, half)
        for j, coefficient in enumerate(coefficients):
            total = total + coefficient * _power_fall(a, b, first + 2 * j)
        return (total,)

    return rule


def _power_fall(a: Any, b: Any, power: int) -> Any:
    """a^-k - b^-k = (b - a) sum_i a^-(i+1) b^-(k-i)."""
    p, q = 1 / a, 1 / b
    total = sum(p ** (i + 1) * q ** (power - i) for i in range(power))
    return (b - a) * total


def slope_fall(a: Any, b: Any) -> Any:
    """remainder_slope(a) - remainder_slope(b) for 0 < a <= b.

    Examples
    --------
    >>> round(float(slope_fall(1e10, 1e10 + 5)) / 2.5e-20, 6)
    1.0
    """
    return fall(remainder_slope, _DIGAMMA, 2, 1, a, b)


def curvature_fall(a: Any, b: Any) -> Any:
    """remainder_curvature(a) - remainder_curvature(b) for 0 < a <= b.

    Examples
    --------
    >>> round(float(curvature_fall(1e10, 1e10 + 5)) / 5e-30, 6)
    1.0
    """
    return fall(remainder_curvature, _TRIGAMMA, 3, 2, a, b)


def log1p_less(t: Any) -> Any:
    """log(1 + t) - t, to full relative precision.

    Examples
    --------
    >>> round(float(log1p_less(1e-9)) / -5e-19, 6)
    1.0
    """
    direct = np.log1p(t) - t
    return replaced((direct,), np.abs(t) < _NEAR, lambda near: (near * near * horner(_LOG1PMX, near),), t)[0]


def log_factorial_base(y: Any) -> Any:
    """y log y - y - log y!, the largest log-probability of a Poisson count (Loader 2000); 0 for y = 0.

    Examples
    --------
    >>> round(float(log_factorial_base(np.array([1.0]))[0]), 12)
    -1.0
    """
    x = np.maximum(np.asarray(y, float), 1.0)
    return np.where(np.asarray(y) > 0, -LOG_SQRT_TWO_PI - 0.5 * np.log(x) - remainder(x), 0.0)
