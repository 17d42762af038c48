"""Bounds of an expression from those of its arguments, so that conditions which always hold need no checking."""

from collections.abc import Callable, Sequence

import numpy as np

from ppl_mle.read.rows.expression import TINY, Expr

Bounds = tuple[float, float]


def bounds_of(op: str, args: Sequence[Expr]) -> Bounds:
    """Bounds of op(*args); of a truth value, (0, 0) where it never and (1, 1) where it always holds.

    Exponentials and probabilities count as positive: where they underflow, the density is not finite anyway.
    """
    rule = _RULES.get(op)
    if rule is None:
        return (-np.inf, np.inf)
    with np.errstate(all="ignore"):
        low, high = rule(*args)
    return (low if low == low else -np.inf, high if high == high else np.inf)


def _increasing(function: Callable[[float], float], floor: float = -np.inf, ceiling: float = np.inf):  # type: ignore[no-untyped-def]
    def rule(a: Expr) -> Bounds:
        return max(floor, float(function(a.low))), min(ceiling, float(function(a.high)))

    return rule


def _add(a: Expr, b: Expr) -> Bounds:
    return a.low + b.low, a.high + b.high


def _sub(a: Expr, b: Expr) -> Bounds:
    return a.low - b.high, a.high - b.low


def _neg(a: Expr) -> Bounds:
    return -a.high, -a.low


def _mul(a: Expr, b: Expr) -> Bounds:
    if a.low >= 0 and b.low >= 0:
        positive = a.low > 0 and b.low > 0
        return max(a.low * b.low, TINY) if positive else 0.0, a.high * b.high
    if (a.low >= 0 and b.high <= 0) or (a.high <= 0 and b.low >= 0):
        return -np.inf, -TINY if a.low * b.low != 0 and a.high * b.high != 0 else 0.0
    return -np.inf, np.inf


def _true_div(a: Expr, b: Expr) -> Bounds:
    if a.low >= 0 and b.low >= 0:
        return (TINY if a.low > 0 else 0.0), np.inf
    return -np.inf, np.inf


def _nonnegative(*args: Expr) -> Bounds:
    return 0.0, np.inf


def _pow(a: Expr, b: Expr) -> Bounds:
    return (TINY if a.low > 0 else 0.0, np.inf) if a.low >= 0 else (-np.inf, np.inf)


def _sqrt(a: Expr) -> Bounds:
    return (TINY if a.low > 0 else 0.0), np.inf


def _union(condition: Expr, a: Expr, b: Expr) -> Bounds:
    return min(a.low, b.low), max(a.high, b.high)


def _extreme(choose: Callable[[float, float], float]):  # type: ignore[no-untyped-def]
    return lambda a, b: (choose(a.low, b.low), choose(a.high, b.high))


def _less(strict: bool) -> Callable[[Expr, Expr], Bounds]:
    def rule(a: Expr, b: Expr) -> Bounds:
        if a.high < b.low or (not strict and a.high <= b.low):
            return 1.0, 1.0
        if a.low > b.high or (strict and a.low >= b.high):
            return 0.0, 0.0
        return 0.0, 1.0

    return rule


def _greater(strict: bool) -> Callable[[Expr, Expr], Bounds]:
    return lambda a, b: _less(strict)(b, a)


def _equal(a: Expr, b: Expr) -> Bounds:
    return (0.0, 0.0) if a.high < b.low or b.high < a.low else (0.0, 1.0)


def _unequal(a: Expr, b: Expr) -> Bounds:
    return (1.0, 1.0) if a.high < b.low or b.high < a.low else (0.0, 1.0)


_RULES: dict[str, Callable[..., Bounds]] = {
    "add": _add,
    "sub": _sub,
    "neg": _neg,
    "mul": _mul,
    "true_div": _true_div,
    "pow": _pow,
    "sqrt": _sqrt,
    "sqr": _nonnegative,
    "abs": _nonnegative,
    "exp": _increasing(np.exp, floor=TINY),
    "expm1": _increasing(np.expm1),
    "log": _increasing(np.log),
    "log1p": _increasing(np.log1p),
    "softplus": _increasing(lambda x: np.logaddexp(0, x), floor=TINY),
    "sigmoid": lambda a: (TINY, 1.0),
    "ndtr": lambda a: (TINY, 1.0),
    "log_sigmoid": lambda a: (-np.inf, 0.0),
    "log_ndtr": lambda a: (-np.inf, 0.0),
    "log1mexp": lambda a: (-np.inf, 0.0),
    "erfc": lambda a: (TINY, 2.0),
    "erf": lambda a: (-1.0, 1.0),
    "tanh": lambda a: (-1.0, 1.0),
    "switch": _union,
    "maximum": _extreme(max),
    "minimum": _extreme(min),
    "lt": _less(True),
    "le": _less(False),
    "gt": _greater(True),
    "ge": _greater(False),
    "eq": _equal,
    "neq": _unequal,
    "isnan": lambda a: (0.0, 1.0),
    "isinf": lambda a: (0.0, 1.0),
    "invert": lambda a: (1.0 - a.high, 1.0 - a.low) if a.low == a.high else (0.0, 1.0),
}
