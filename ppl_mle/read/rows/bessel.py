"""Bessel functions of orders 0 and 1, and the logarithm of I0, with first and second derivatives."""

from math import factorial
from typing import Any

import numpy as np
from scipy import special

from ppl_mle.read.rows.special import Rule, choose, horner, replaced

_I1_CURVATURE = tuple((2 * k + 1) * k / (2.0 * factorial(k) * factorial(k + 1)) for k in range(1, 10))
_I0_RISE = (0.0, *(1.0 / factorial(k) ** 2 for k in range(1, 13)))


def _i0(x: Any, order: int) -> tuple[Any, Any, Any]:
    half = np.exp(0.5 * np.abs(x))
    u = special.i0e(x) * half * half
    if order == 0:
        return u, None, None
    scaled = special.i1e(x)
    over = choose(x == 0, 0.5, scaled / x) if order > 1 else None
    return u, scaled * half * half, (special.i0e(x) - over) * half * half if order > 1 else None


def _i1(x: Any, order: int) -> tuple[Any, Any, Any]:
    half = np.exp(0.5 * np.abs(x))
    scaled = special.i1e(x)
    u = scaled * half * half
    if order == 0:
        return u, None, None
    level = special.i0e(x)
    slope = level - choose(x == 0, 0.5, scaled / x)
    if order == 1:
        return u, slope * half * half, None
    curvature = (scaled - (slope - scaled / x) / x) * half * half
    (u2,) = replaced((curvature,), np.abs(x) < 1, lambda z: (0.5 * z * horner(_I1_CURVATURE, 0.25 * z * z),), x)
    return u, slope * half * half, u2


def _j0(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = special.j0(x)
    if order == 0:
        return u, None, None
    u1 = -special.j1(x)
    return u, u1, choose(x == 0, -0.5, -u1 / x) - u if order > 1 else None


def _j1(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = special.j1(x)
    if order == 0:
        return u, None, None
    over = u / x
    u1 = special.j0(x) - choose(x == 0, 0.5, over)
    if order == 1:
        return u, u1, None
    curvature = -u - (u1 - over) / x
    (u2,) = replaced((curvature,), np.abs(x) < 1, lambda z: (-0.5 * z * horner(_I1_CURVATURE, -0.25 * z * z),), x)
    return u, u1, u2


def _resultant_coefficients() -> tuple[float, ...]:
    terms = [1.0]
    for k in range(1, 33):
        products = sum(terms[i] * terms[k - i] for i in range(1, k))
        terms.append(((k - 2) * terms[k - 1] - products) / 2)
    return tuple(-k * term for k, term in enumerate(terms))[1:]


_RESULTANT_SLOPE = _resultant_coefficients()


def _log_i0(x: Any, order: int) -> tuple[Any, Any, Any]:
    far = np.abs(x)
    near = far < 2
    level = special.i0e(x)
    rise = choose(near, horner(_I0_RISE, 0.25 * np.minimum(far, 2.0) ** 2), level - 1)
    u = np.log1p(rise) + choose(near, 0.0, far)
    if order == 0:
        return u, None, None
    u1 = special.i1e(x) / level
    if order == 1:
        return u, u1, None
    direct = 1 - choose(x == 0, 0.5, u1 / x) - u1 * u1
    (u2,) = replaced((direct,), far > 20, lambda z: (horner(_RESULTANT_SLOPE, 1 / z) / (z * z),), far)
    return u, u1, u2


BESSEL: dict[str, Rule] = {
    "i0": _i0,
    "i1": _i1,
    "log_i0": _log_i0,
    "j0": _j0,
    "j1": _j1,
}
