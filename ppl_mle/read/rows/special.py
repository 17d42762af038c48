"""Error functions of one argument with first and second derivatives, and what all special functions are made with.

Each derivative is written so that nothing cancels where the function is small: the normal distribution through the
excess of its inverse Mills ratio, polygammas through Hurwitz zeta functions, which are sums of positive terms.
"""

from collections.abc import Callable, Sequence
from math import comb, log, pi, sqrt
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from scipy import special
from scipy.fft import dct

type Rule = Callable[..., tuple[Any, Any, Any]]

LOG_SQRT_TWO_PI = 0.5 * log(2 * pi)
_SLOPE = 2 / sqrt(pi)
_SHIFTS = 10
_FAR = 1e100


def horner(coefficients: Sequence[float], x: Any) -> Any:
    """Evaluate a polynomial.

    Parameters
    ----------
    coefficients : sequence of float
        From the constant upwards.
    x : float or ndarray

    Returns
    -------
    float or ndarray of the shape of `x`

    Examples
    --------
    >>> float(horner((1.0, 2.0, 3.0), 2.0))
    17.0
    """
    total = np.full(np.shape(x), coefficients[-1], float)
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total[()]


def choose(condition: Any, yes: Any, no: Any) -> Any:
    """Take `yes` where `condition` holds and `no` elsewhere, as a scalar where all three are.

    Examples
    --------
    >>> float(choose(True, 1.0, 2.0))
    1.0
    """
    return np.where(condition, yes, no)[()]


def replaced(values: Sequence[Any], mask: Any, rule: Callable[..., Sequence[Any]], *arguments: Any) -> tuple[Any, ...]:
    """Put the results of a rule in place of `values` where `mask` holds, computing it nowhere else.

    Parameters
    ----------
    values : sequence of float or ndarray, each broadcasting to the shape of `mask`
    mask : bool or ndarray
    rule : callable
        Takes the picked `arguments` and returns at least as many arrays as there are `values`; the rest is ignored.
    *arguments : float or ndarray, each broadcasting to the shape of `mask`

    Returns
    -------
    tuple of float or ndarray

    Examples
    --------
    >>> x = np.array([1.0, -4.0])
    >>> replaced((np.sqrt(np.abs(x)),), x < 0, lambda bad: (0 * bad,), x)[0].tolist()
    [1.0, -0.0]
    """
    if not np.any(mask):
        return tuple(values)
    shape = np.shape(mask)
    results = rule(*(np.broadcast_to(argument, shape)[mask] for argument in arguments))
    out = []
    for value, result in zip(values, results, strict=False):
        whole = np.array(np.broadcast_to(value, shape))
        whole[mask] = result
        out.append(whole[()])
    return tuple(out)


def finite(x: Any) -> Any:
    """Bring infinities to numbers beyond which a density is zero, so that their product with it is zero too.

    Examples
    --------
    >>> float(finite(np.inf))
    1e+100
    """
    return np.clip(x, -_FAR, _FAR)


def normal_density(x: Any) -> Any:
    """Evaluate the standard normal density.

    Examples
    --------
    >>> round(float(normal_density(0.0)), 6)
    0.398942
    """
    return np.exp(-0.5 * x * x - LOG_SQRT_TWO_PI)


def _fraction(s: Any, first: int, last: int) -> Any:
    tail = np.zeros(np.shape(s))
    for k in range(last, first - 1, -1):
        tail = k / (s + tail)
    return tail


def _excess_coefficients(count: int) -> tuple[float, ...]:
    angles = pi * (np.arange(count) + 0.5) / count
    s = 4 / np.tan(0.5 * angles) ** 2
    near = sqrt(2 / pi) / special.erfcx(s / sqrt(2)) - s
    series = dct(np.where(s < 2, near, _fraction(np.maximum(s, 2), 1, 300)) * (s + 1.25)) / count
    series[0] *= 0.5
    return tuple(map(float, chebyshev.cheb2poly(series)))


_EXCESS = _excess_coefficients(27)


def mills_excess(s: Any) -> Any:
    r"""Evaluate the inverse Mills ratio less its argument, phi(s) / Phi(-s) - s, to full relative precision.

    Parameters
    ----------
    s : float or ndarray, >= 0

    Returns
    -------
    float or ndarray, of order 1 / s

    Notes
    -----
    A polynomial in (s - 4) / (s + 4) for the excess times (s + 1.25), in the manner of Shepherd & Laframboise (1981),
    *Math. Comp.* 36, 249-253. Its coefficients interpolate Laplace's continued fraction 1/(s+ 2/(s+ 3/(s+ ...
    (Abramowitz & Stegun 26.2.14) and, where that is slow, erfcx.

    Examples
    --------
    >>> round(float(mills_excess(np.float64(100.0))), 8)
    0.009998
    """
    return horner(_EXCESS, 1 - 8 / (s + 4)) / (s + 1.25)


def _zeta_coefficients(n: int) -> tuple[float, ...]:
    bernoulli = special.bernoulli(20)
    rising = [comb(n + 2 * j - 2, n - 1) / (2 * j) for j in range(1, 11)]
    return tuple(float(bernoulli[2 * j] * rising[j - 1]) for j in range(1, 11))


_ZETA = {n: _zeta_coefficients(n) for n in (2, 3, 4)}


def hurwitz(x: Any, highest: int) -> list[Any]:
    """Evaluate the Hurwitz zeta functions zeta(2, x) up to zeta(highest, x).

    Parameters
    ----------
    x : float or ndarray
    highest : {2, 3, 4}

    Returns
    -------
    list of float or ndarray

    Notes
    -----
    Ten terms of the sum and the Euler-Maclaurin formula for the rest (Abramowitz & Stegun 23.1.30), five times as fast
    as `scipy.special.zeta`, which stays in use for x < 0.

    Examples
    --------
    >>> [round(float(value), 6) for value in hurwitz(np.float64(1.0), 3)]
    [1.644934, 1.202057]
    """
    inverse = 1 / (x + _SHIFTS)
    square, power = inverse * inverse, inverse
    sums = []
    for n in range(2, highest + 1):
        sums.append(np.array(power * (1 / (n - 1) + 0.5 * inverse + square * horner(_ZETA[n], square))))
        power = power * inverse
    for shift in range(_SHIFTS):
        inverse = power = 1 / (x + shift)
        for total in sums:
            power = power * inverse
            total += power
    results = replaced(sums, x < 0, lambda part: [special.zeta(n, part) for n in range(2, highest + 1)], x)
    return [np.asarray(values)[()] for values in results]


def _erf(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = _SLOPE * np.exp(-x * x) if order else None
    return special.erf(x), u1, -2 * finite(x) * u1 if order > 1 else None


def _erfc(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = -_SLOPE * np.exp(-x * x) if order else None
    return special.erfc(x), u1, -2 * finite(x) * u1 if order > 1 else None


def _erfcx(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = special.erfcx(x)
    if order == 0:
        return u, None, None
    s = sqrt(2) * np.abs(x)
    excess = mills_excess(s)
    u1 = choose(x < 0, 2 * x * u - _SLOPE, -_SLOPE * excess / (s + excess))
    if order == 1:
        return u, u1, None
    (second,) = replaced((1 / excess - s,), s > 5, lambda far: (_fraction(far, 2, 30),), s)
    u2 = choose(x < 0, 2 * (u + x * u1), 2 * sqrt(2 / pi) * excess * second / (s + excess))
    return u, u1, u2


def _erfinv(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = special.erfinv(x)
    u1 = np.exp(u * u) / _SLOPE if order else None
    return u, u1, 2 * u * u1 * u1 if order > 1 else None


def _erfcinv(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = special.erfcinv(x)
    u1 = -np.exp(u * u) / _SLOPE if order else None
    return u, u1, 2 * u * u1 * u1 if order > 1 else None


def _ndtr(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = normal_density(x) if order else None
    return special.ndtr(x), u1, -finite(x) * u1 if order > 1 else None


def _log_ndtr(x: Any, order: int) -> tuple[Any, Any, Any]:
    x = np.minimum(x, _FAR)
    s = np.abs(x)
    excess = mills_excess(s)
    ratio = s + excess
    exponent = -0.5 * x * x - LOG_SQRT_TWO_PI
    upper = np.exp(exponent) / ratio
    below = x < 0
    logarithm = np.log1p(choose(below, ratio - 1, -upper))
    u = choose(below, exponent - logarithm, logarithm)
    if order == 0:
        return u, None, None
    u1 = ratio * choose(below, 1.0, upper / (1 - upper))
    return u, u1, -u1 * choose(below, excess, u1 + x) if order > 1 else None


ERROR_FUNCTIONS: dict[str, Rule] = {
    "erf": _erf,
    "erfc": _erfc,
    "erfcx": _erfcx,
    "erfinv": _erfinv,
    "erfcinv": _erfcinv,
    "ndtr": _ndtr,
    "log_ndtr": _log_ndtr,
}
