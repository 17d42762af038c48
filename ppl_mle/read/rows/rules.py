"""Stable and shorter forms of sums, products, quotients and powers.

The rules are identities of real functions, applied where the bounds of the arguments allow them.
"""

from collections.abc import Callable

import numpy as np

from ppl_mle.read.rows.expression import Expr
from ppl_mle.read.rows.gamma_rules import rising_factorials
from ppl_mle.read.rows.log_rules import complement, logistic
from ppl_mle.read.rows.maker import Make, Rule


def _neg(make: Make, a: Expr) -> Expr | None:
    if a.op == "neg":
        return a.args[0]
    if a.op == "sub":
        return make("sub", a.args[1], a.args[0])
    if a.op == "mul" and a.args[0].is_scalar:
        return make("mul", make.constant(-a.args[0].value), a.args[1])
    return None


def _add(make: Make, a: Expr, b: Expr) -> Expr | None:
    if not b.depends:
        a, b = b, a
    if a.equals(0.0):
        return b
    if b.op == "neg":
        return make("sub", a, b.args[0])
    if a.op == "neg":
        return make("sub", b, a.args[0])
    if a.equals(1.0) and b.op == "erf":
        return make("mul", make.constant(2.0), make("ndtr", make("mul", make.constant(np.sqrt(2)), b.args[0])))
    if a.equals(0.5) and b.op == "mul" and b.args[0].equals(0.5) and b.args[1].op == "erf":
        return make("ndtr", make("mul", make.constant(np.sqrt(2)), b.args[1].args[0]))
    if not a.depends and b.op == "add" and not b.args[0].depends:
        return make("add", make("add", a, b.args[0]), b.args[1])
    return rising_factorials(make, a, b, 1.0)


def _sub(make: Make, a: Expr, b: Expr) -> Expr | None:
    if b.equals(0.0):
        return a
    if a is b:
        return make.constant(0.0)
    if a.equals(0.0):
        return make("neg", b)
    if b.op == "neg":
        return make("add", a, b.args[0])
    if a.op == b.op == "sub" and a.args[1] is b.args[1]:
        return make("sub", a.args[0], b.args[0])
    if a.equals(1.0):
        return complement(make, b)
    return rising_factorials(make, a, b, -1.0)


def _mul(make: Make, a: Expr, b: Expr) -> Expr | None:
    if not b.depends:
        a, b = b, a
    if a.equals(0.0) or a.equals(1.0):
        return b if a.equals(1.0) else a
    if a.equals(-1.0):
        return make("neg", b)
    if not a.depends and b.op == "neg":
        return make("mul", make("neg", a), b.args[0])
    if not a.depends and b.op == "mul" and not b.args[0].depends:
        return make("mul", _snapped(make, make("mul", a, b.args[0])), b.args[1])
    if a.equals(0.5) and b.op == "erfc":
        return make("ndtr", make("mul", make.constant(-np.sqrt(2)), b.args[0]))
    if a.op == "exp" and b.op == "exp":
        return make("exp", make("add", a.args[0], b.args[0]))
    if a is b:
        return make("sqr", a)
    return None


def _snapped(make: Make, a: Expr) -> Expr:
    """A product of constants that was meant to be 1 or -1."""
    if a.is_scalar and abs(abs(a.value) - 1) < 4 * np.finfo(float).eps:
        return make.constant(float(np.sign(a.value)))
    return a


def _true_div(make: Make, a: Expr, b: Expr) -> Expr | None:
    if b.is_scalar and b.value:
        return make("mul", make.constant(1 / b.value), a)
    if b.op == "exp":
        return make("mul", a, make("exp", make("neg", b.args[0])))
    if a is b:
        return make.constant(1.0)
    if a.equals(0.0):
        return a
    return logistic(make, a, b) if b.op == "add" else None


def _reciprocal(make: Make, a: Expr) -> Expr | None:
    return make("true_div", make.constant(1.0), a)


def _pow(make: Make, a: Expr, b: Expr) -> Expr | None:
    if b.is_scalar and float(b.value) in _POWERS:
        return _POWERS[float(b.value)](make, a)
    if a.op == "exp":
        return make("exp", make("mul", b, a.args[0]))
    if not a.depends and a.low > 0:
        return make("exp", make("mul", make("log", a), b))
    return None


_POWERS: dict[float, Callable[[Make, Expr], Expr]] = {
    0.0: lambda make, a: make.constant(1.0),
    1.0: lambda make, a: a,
    2.0: lambda make, a: make("sqr", a),
    0.5: lambda make, a: make("sqrt", a),
    -1.0: lambda make, a: make("reciprocal", a),
}


def _sqr(make: Make, a: Expr) -> Expr | None:
    return make("exp", make("mul", make.constant(2.0), a.args[0])) if a.op == "exp" else None


def _sqrt(make: Make, a: Expr) -> Expr | None:
    if a.op == "exp":
        return make("exp", make("mul", make.constant(0.5), a.args[0]))
    return a.args[0] if a.op == "sqr" and a.args[0].low >= 0 else None


def _abs(make: Make, a: Expr) -> Expr | None:
    return a if a.low >= 0 else None


ARITHMETIC: dict[str, Rule] = {
    "neg": _neg,
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "true_div": _true_div,
    "reciprocal": _reciprocal,
    "pow": _pow,
    "sqr": _sqr,
    "sqrt": _sqrt,
    "abs": _abs,
}
