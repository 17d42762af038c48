"""Functions of one argument with first and second derivatives: rules of forward differentiation over arrays."""

from math import log
from typing import Any

import numpy as np
from scipy import special

from ppl_mle.read.rows.bessel import BESSEL
from ppl_mle.read.rows.gammas import GAMMAS
from ppl_mle.read.rows.special import ERROR_FUNCTIONS, Rule, choose, finite, horner

_LN2, _LN10 = log(2), log(10)
_LANGEVIN = tuple(
    float(special.bernoulli(18)[2 * k]) * 2.0 ** (2 * k) / float(special.factorial(2 * k)) for k in range(1, 9)
)


def _exp(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.exp(x)
    return u, u if order else None, u if order > 1 else None


def _exp2(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.exp2(x)
    return u, _LN2 * u if order else None, _LN2**2 * u if order > 1 else None


def _expm1(x: Any, order: int) -> tuple[Any, Any, Any]:
    slope = np.exp(x) if order else None
    return np.expm1(x), slope, slope if order > 1 else None


def _logarithm(u: Any, inverse: Any, scale: float, order: int) -> tuple[Any, Any, Any]:
    return u, inverse / scale if order else None, -inverse * inverse / scale if order > 1 else None


def _log(x: Any, order: int) -> tuple[Any, Any, Any]:
    return _logarithm(np.log(x), 1 / x if order else None, 1.0, order)


def _log1p(x: Any, order: int) -> tuple[Any, Any, Any]:
    return _logarithm(np.log1p(x), 1 / (1 + x) if order else None, 1.0, order)


def _log2(x: Any, order: int) -> tuple[Any, Any, Any]:
    return _logarithm(np.log2(x), 1 / x if order else None, _LN2, order)


def _log10(x: Any, order: int) -> tuple[Any, Any, Any]:
    return _logarithm(np.log10(x), 1 / x if order else None, _LN10, order)


def _sqrt(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.sqrt(x)
    u1: Any = 0.5 / u if order else None
    return u, u1, -0.5 * u1 / x if order > 1 else None


def _sqr(x: Any, order: int) -> tuple[Any, Any, Any]:
    return x * x, 2 * x if order else None, np.float64(2.0) if order > 1 else None


def _reciprocal(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = 1 / x
    u1 = -u * u if order else None
    return u, u1, -2 * u * u1 if order > 1 else None


def _abs(x: Any, order: int) -> tuple[Any, Any, Any]:
    return np.abs(x), np.sign(x) if order else None, np.float64(0.0) if order > 1 else None


def _step(function: Any) -> Rule:
    def rule(x: Any, order: int) -> tuple[Any, Any, Any]:
        return function(x), np.float64(0.0) if order else None, np.float64(0.0) if order > 1 else None

    return rule


def _sin(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.sin(x)
    return u, np.cos(x) if order else None, -u if order > 1 else None


def _cos(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.cos(x)
    return u, -np.sin(x) if order else None, -u if order > 1 else None


def _tan(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.tan(x)
    u1 = 1 + u * u if order else None
    return u, u1, 2 * u * u1 if order > 1 else None


def _arcsin(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = 1 / np.sqrt((1 - x) * (1 + x)) if order else None
    return np.arcsin(x), u1, x * u1 * u1 * u1 if order > 1 else None


def _arccos(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = -1 / np.sqrt((1 - x) * (1 + x)) if order else None
    return np.arccos(x), u1, x * u1 * u1 * u1 if order > 1 else None


def _arctan(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = 1 / (1 + x * x) if order else None
    return np.arctan(x), u1, -2 * (finite(x) * u1) * u1 if order > 1 else None


def _sinh(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.sinh(x)
    return u, np.cosh(x) if order else None, u if order > 1 else None


def _cosh(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.cosh(x)
    return u, np.sinh(x) if order else None, u if order > 1 else None


def _tanh(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = np.tanh(x)
    if order == 0:
        return u, None, None
    e, d = _logistic(2 * x)
    u1 = 4 * e * d * d
    return u, u1, -2 * u * u1 if order > 1 else None


def _arcsinh(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = 1 / np.hypot(1.0, x) if order else None
    return np.arcsinh(x), u1, -(x * u1) * u1 * u1 if order > 1 else None


def _arccosh(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)) if order else None
    return np.arccosh(x), u1, -(x * u1) * u1 * u1 if order > 1 else None


def _arctanh(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = 1 / ((1 - x) * (1 + x)) if order else None
    return np.arctanh(x), u1, 2 * x * u1 * u1 if order > 1 else None


def _logistic(x: Any) -> tuple[Any, Any]:
    e = np.exp(-np.abs(x))
    return e, 1 / (1 + e)


def _sigmoid(x: Any, order: int) -> tuple[Any, Any, Any]:
    e, d = _logistic(x)
    u1: Any = e * d * d if order else None
    return choose(x < 0, e, 1.0) * d, u1, -u1 * np.tanh(0.5 * x) if order > 1 else None


def _softplus(x: Any, order: int) -> tuple[Any, Any, Any]:
    e, d = _logistic(x)
    u1 = choose(x < 0, e, 1.0) * d if order else None
    return np.maximum(x, 0.0) + np.log1p(e), u1, e * d * d if order > 1 else None


def _log_sigmoid(x: Any, order: int) -> tuple[Any, Any, Any]:
    e, d = _logistic(x)
    u1 = choose(x < 0, 1.0, e) * d if order else None
    return np.minimum(x, 0.0) - np.log1p(e), u1, -e * d * d if order > 1 else None


def _log1mexp(x: Any, order: int) -> tuple[Any, Any, Any]:
    e, rest = np.exp(x), -np.expm1(x)
    rounding = choose(x < -_LN2, ((1 - rest) - e) / rest, 0.0)
    u1 = -e / rest if order else None
    return np.log(rest) + rounding, u1, u1 / rest if order > 1 else None


def _logit(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = 1 / (x * (1 - x)) if order else None
    return special.logit(x), u1, (2 * x - 1) * u1 * u1 if order > 1 else None


def _log1m_exp_neg_exp(x: Any, order: int) -> tuple[Any, Any, Any]:
    rate = np.minimum(np.exp(x), 1e3)
    growth = np.expm1(np.maximum(rate, 1e-300))
    u1 = np.maximum(rate, 1e-300) / growth
    small = rate < _LN2
    u = np.log1p(choose(small, 1 / (u1 * (1 + growth)) - 1, -1 / (1 + growth))) + choose(small, x, 0.0)
    if order < 2:
        return u, u1 if order else None, None
    half = 0.5 * np.minimum(rate, 0.5)
    relative = choose(rate < 0.5, -half * (1 + half * horner(_LANGEVIN, half * half)), 1 - rate - u1)
    return u, u1, u1 * relative


def _on_floats(rule: Rule) -> Rule:
    def call(x: Any, order: int = 2) -> tuple[Any, Any, Any]:
        return rule(np.asarray(x, float)[()], order)

    return call


DISCRETE = {"sign", "floor", "ceil", "round_half_to_even", "trunc"}
"""Names in `UNARY` of the functions that are constant between their jumps: their derivatives are zero."""

_ELEMENTARY: dict[str, Rule] = {
    "exp": _exp,
    "exp2": _exp2,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log1p,
    "log2": _log2,
    "log10": _log10,
    "sqrt": _sqrt,
    "sqr": _sqr,
    "reciprocal": _reciprocal,
    "abs": _abs,
    "sign": _step(np.sign),
    "floor": _step(np.floor),
    "ceil": _step(np.ceil),
    "round_half_to_even": _step(np.rint),
    "trunc": _step(np.trunc),
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "arcsin": _arcsin,
    "arccos": _arccos,
    "arctan": _arctan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "arcsinh": _arcsinh,
    "arccosh": _arccosh,
    "arctanh": _arctanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "log1mexp": _log1mexp,
    "logit": _logit,
    "log1m_exp_neg_exp": _log1m_exp_neg_exp,
}

SPECIAL: dict[str, Rule] = ERROR_FUNCTIONS | GAMMAS | BESSEL
"""Those of `UNARY` that take much longer than elementary functions."""

UNARY: dict[str, Rule] = {name: _on_floats(rule) for name, rule in (_ELEMENTARY | SPECIAL).items()}
"""Rules `rule(x, order) -> (u, u1, u2)` by the name of the function, for a float or an array `x` of any shape.

Entries above `order` (0, 1 or 2) are None. A derivative that does not depend on `x` comes as a scalar; entries may be
the same array, so none may be written to. To be called under `np.errstate(all="ignore")`.
"""
