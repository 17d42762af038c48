"""What is left of the gamma functions when Stirling's formula is taken out, and other differences that would cancel."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ppl_mle.read.rows.special import LOG_SQRT_TWO_PI, horner, hurwitz, replaced

Parts = tuple[Any, Any, Any]

_LARGE = 10.0
# B_2j / 2j, the series of log x - psi(x) - 1/(2x) in 1/x^2 (Abramowitz & Stegun 6.3.18); the others follow from it.
_SLOPE = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_VALUE = tuple(c / (2 * j - 1) for j, c in enumerate(_SLOPE, 1))
_BEND = tuple(c * (1 - 2 * j) for j, c in enumerate(_SLOPE, 1))
_LOG1PMX = tuple(-((-1.0) ** k) / k for k in range(2, 10))
_EXPM1MX = (1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320)
_NEAR = 0.01


def mended(value: Any, mask: Any, rule: Callable[..., Any], *arguments: Any) -> Any:
    """`value`, but the result of a rule where `mask` holds; without picking rows where all of them are meant.

    Examples
    --------
    >>> mended(np.array([1.0, 2.0]), np.array([True, True]), np.negative, np.array([1.0, 2.0])).tolist()
    [-1.0, -2.0]
    """
    if np.all(mask):
        return rule(*arguments)
    return replaced((value,), mask, lambda *picked: (rule(*picked),), *arguments)[0]


def _by_size(near: Callable[..., Parts], far: Callable[..., Parts], x: Any, *arguments: Any) -> Parts:
    """One rule for x below `_LARGE` and one above."""
    small = np.asarray(x) < _LARGE
    if np.all(small):
        return near(x, *arguments)
    values = far(np.maximum(x, _LARGE), *arguments)
    if not np.any(small):
        return values
    kept = [value for value in values if value is not None]
    made = replaced(kept, small, lambda *picked: near(*picked), x, *arguments)
    return made[0], *(made[i] if i < len(made) else None for i in (1, 2))


def _trigamma(x: Any) -> Any:
    return hurwitz(np.atleast_1d(x), 2)[0].reshape(np.shape(x))[()]


def remainder(x: Any) -> Any:
    """gammaln(x) - ((x - 1/2) log x - x + log(2 pi)/2), for x > 0 (Stirling's series; Abramowitz & Stegun 6.1.41).

    Examples
    --------
    >>> round(float(remainder(1e6)) * 12e6, 9)
    1.0
    """
    far = np.maximum(x, _LARGE)
    return mended(horner(_VALUE, 1 / (far * far)) / far, np.asarray(x) < _LARGE, _direct_remainder, x)


def _direct_remainder(x: Any) -> Any:
    return special.gammaln(x) - ((x - 0.5) * np.log(x) - x + LOG_SQRT_TWO_PI)


def normalizer(log_a: Any, order: int) -> Parts:
    """a log a - a - gammaln(a) with its derivatives in log a, up to the order asked for.

    Examples
    --------
    >>> [round(float(part), 6) for part in normalizer(0.0, 2)]
    [-1.0, 0.577216, -0.067718]
    """
    return _by_size(_near_normalizer(order), _far_normalizer(order), np.exp(log_a), log_a)


def _near_normalizer(order: int) -> Callable[..., Parts]:
    def rule(a: Any, log_a: Any) -> Parts:
        spread = a * log_a
        value = log_a + spread - a - special.gammaln(a + 1)
        if order == 0:
            return value, None, None
        slope = spread - a * special.psi(a + 1)
        return value, 1 + slope, slope + a - a * a * _trigamma(a + 1) if order > 1 else None

    return rule


def _far_normalizer(order: int) -> Callable[..., Parts]:
    def rule(a: Any, log_a: Any) -> Parts:
        inverse = 1 / a
        square = inverse * inverse
        value = 0.5 * log_a - LOG_SQRT_TWO_PI - inverse * horner(_VALUE, square)
        slope = 0.5 + inverse * horner(_SLOPE, square) if order else None
        return value, slope, inverse * horner(_BEND, square) if order > 1 else None

    return rule


def gap(count: Any, a: Any, order: int) -> Parts:
    """What the gamma functions of a and b = a + count leave in a negative-binomial density.

    With R Stirling's remainder: R(b) - R(a) - log(1 + count / a) / 2; a times the fall of log x - psi(x) from a to b;
    a^2 times the fall of psi'(x) - 1/x. Sums of terms of one sign or with the factor count / b, so that they keep their
    relative precision as a grows and the density becomes that of a Poisson count.

    Examples
    --------
    >>> [round(1e10 * float(part), 6) for part in gap(5.0, 1e10, 2)]
    [-2.5, 2.5, 5.0]
    """
    value = remainder(a + count) - remainder(a) - 0.5 * np.log1p(count / a)
    if order == 0:
        return value, None, None
    slope, curvature, _ = _by_size(_near_gap(order), _far_gap(order), a, count)
    return value, slope, curvature


def _near_gap(order: int) -> Callable[..., Parts]:
    def rule(a: Any, count: Any) -> Parts:
        b = a + count
        share = count / b
        slope = share + a * (special.psi(b + 1) - special.psi(a + 1) - np.log1p(count / a))
        if order == 1:
            return slope, None, None
        return slope, share * (1 + a / b - a) + a * a * (_trigamma(a + 1) - _trigamma(b + 1)), None

    return rule


def _far_gap(order: int) -> Callable[..., Parts]:
    """The series term by term: c_j a^(1 - 2j) times 1 - u^(2j), or 1 - u^(2j + 1), with u = a / b."""

    def rule(a: Any, count: Any) -> Parts:
        b = a + count
        u, share = a / b, count / b
        power, inverse = u * u, 1 / a
        step = share * (1 + u)
        even, odd, scale, raised = step, share, inverse, u
        slope, curvature = 0.5 * share, 0.5 * step
        for j, c in enumerate(_SLOPE, 1):
            slope = slope + c * scale * even
            if order > 1:
                odd = odd + raised * step
                curvature = curvature + 2 * j * c * scale * odd
                raised = raised * power
            even = step + power * even
            scale = scale * inverse * inverse
        return slope, curvature if order > 1 else None, None

    return rule


def log_ratio(w: Any, t: Any) -> Any:
    """log w where w is 1 + t, both to full relative precision: t gives the last bits where w is near one.

    Examples
    --------
    >>> float(log_ratio(1.0, 1e-20))
    1e-20
    """
    return np.log(w) + (w > 0.5) * ((t - (w - 1.0)) / w)


def log_less(t: Any, log: Any) -> Any:
    """log(1 + t) - t, given log(1 + t), to full relative precision.

    Examples
    --------
    >>> round(float(log_less(1e-9, np.log1p(1e-9))) / -5e-19, 6)
    1.0
    """
    return mended(log - t, np.abs(t) < _NEAR, lambda near: near * near * horner(_LOG1PMX, near), t)


def expm1_less(d: Any, rise: Any) -> Any:
    """exp(d) - 1 - d, given exp(d) - 1, to full relative precision.

    Examples
    --------
    >>> round(float(expm1_less(1e-9, np.expm1(1e-9))) / 5e-19, 6)
    1.0
    """
    return mended(rise - d, np.abs(d) < _NEAR, lambda near: near * near * horner(_EXPM1MX, near), d)


def log_factorial_base(y: Any) -> Any:
    """y log y - y - log y!, the largest log-probability of a Poisson count (Loader 2000); 0 for y = 0.

    Examples
    --------
    >>> round(float(log_factorial_base(np.array([1.0]))[0]), 12)
    -1.0
    """
    x = np.maximum(np.asarray(y, float), 1.0)
    return np.where(np.asarray(y) > 0, -LOG_SQRT_TWO_PI - 0.5 * np.log(x) - remainder(x), 0.0)
