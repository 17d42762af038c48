"""Stable forms of logarithms, exponentials and probabilities.

The rules are identities of real functions, applied where the bounds of the arguments allow them. As declared, the
log-density of a Bernoulli variable with p = invlogit(eta) is log(1 - sigmoid(eta)), whose derivatives are NaN from
eta = 37 on; as log_sigmoid(-eta) they hold everywhere.
"""

from collections.abc import Sequence

import numpy as np

from ppl_mle.read.rows.expression import Expr
from ppl_mle.read.rows.maker import Make, Rule


def _log(make: Make, a: Expr) -> Expr | None:
    """log of a product, a quotient, a power, a probability."""
    if a.op in _LOGS:
        return make(_LOGS[a.op], *a.args)
    if a.op == "exp":
        return a.args[0]
    if a.op in ("mul", "true_div") and all(x.low >= 0 for x in a.args):
        return make("add" if a.op == "mul" else "sub", *(make("log", x) for x in a.args))
    if a.op == "pow" and a.args[0].low >= 0:
        return make("mul", a.args[1], make("log", a.args[0]))
    if a.op in ("sqrt", "sqr") and a.args[0].low >= 0:
        return make("mul", make.constant(0.5 if a.op == "sqrt" else 2.0), make("log", a.args[0]))
    if a.op == "reciprocal" and a.args[0].low >= 0:
        return make("neg", make("log", a.args[0]))
    if a.op == "neg" and a.args[0].op == "expm1":
        return make("log1mexp", a.args[0].args[0])
    if a.op == "switch":
        return make("switch", a.args[0], make("log", a.args[1]), make("log", a.args[2]))
    return _log_of_sum(make, a)


_LOGS = {"sigmoid": "log_sigmoid", "ndtr": "log_ndtr"}


def _log_of_sum(make: Make, a: Expr) -> Expr | None:
    """log(p + q) and log(p - q) of positive numbers whose logarithms are known."""
    if a.op == "add":
        logs = _known_logs(make, a.args)
        return None if logs is None else make("logaddexp", *logs)
    if a.op == "sub":
        p, q = a.args
        if p.op == q.op and p.op in ("sigmoid", "ndtr"):
            return make(f"log_{p.op}_difference", p.args[0], q.args[0])
    return None


def _known_log(make: Make, a: Expr) -> Expr | None:
    """The logarithm of a positive number, if it has a form without log of a difference or a sum."""
    if a.op == "const":
        return make("log", a) if a.low > 0 else None
    if a.op == "exp":
        return a.args[0]
    if a.op in _LOGS or (a.op == "neg" and a.args[0].op == "expm1"):
        return make("log", a)
    if a.op in ("mul", "true_div"):
        logs = _known_logs(make, a.args)
        return None if logs is None else make("add" if a.op == "mul" else "sub", *logs)
    return _log_of_sum(make, a) if a.op == "add" else None


def _known_logs(make: Make, parts: Sequence[Expr]) -> list[Expr] | None:
    logs = [_known_log(make, part) for part in parts]
    known = [logarithm for logarithm in logs if logarithm is not None]
    return known if len(known) == len(logs) else None


def _log1p(make: Make, a: Expr) -> Expr | None:
    if a.op == "neg" or a.op == "exp" or (a.op == "mul" and a.args[0].is_scalar and a.args[0].value == -1.0):
        inside = make("add", make.constant(1.0), a)
        if inside.op in ("sigmoid", "ndtr", "exp") or (inside.op == "neg" and inside.args[0].op == "expm1"):
            return make("log", inside)
    return make("softplus", a.args[0]) if a.op == "exp" else None


def _exp(make: Make, a: Expr) -> Expr | None:
    if a.op == "log" and a.args[0].low >= 0:
        return a.args[0]
    if a.op == "log_sigmoid":
        return make("sigmoid", *a.args)
    return make("ndtr", *a.args) if a.op == "log_ndtr" else None


def _log1mexp(make: Make, a: Expr) -> Expr | None:
    if a.op == "neg" and a.args[0].op == "exp":
        return make("log1m_exp_neg_exp", a.args[0].args[0])
    if a.op == "log_sigmoid":
        return make("log_sigmoid", make("neg", a.args[0]))
    return make("log_ndtr", make("neg", a.args[0])) if a.op == "log_ndtr" else None


def _logaddexp(make: Make, a: Expr, b: Expr) -> Expr | None:
    if a.equals(-np.inf):
        return b
    if b.equals(-np.inf):
        return a
    if a.op == b.op == "sub" and a.args[1] is b.args[1]:
        return make("sub", make("logaddexp", a.args[0], b.args[0]), a.args[1])
    if a.equals(0.0):
        return make("softplus", b)
    return make("softplus", a) if b.equals(0.0) else None


def complement(make: Make, p: Expr) -> Expr | None:
    """1 - p, without cancellation."""
    if p.op in ("sigmoid", "ndtr"):
        return make(p.op, make("neg", p.args[0]))
    if p.op == "exp":
        return make("neg", make("expm1", p.args[0]))
    if p.op == "neg" and p.args[0].op == "expm1":
        return make("exp", p.args[0].args[0])
    if p.op == "sub" and p.args[0].equals(1.0):
        return p.args[1]
    if p.op == "switch":
        one = make.constant(1.0)
        return make("switch", p.args[0], make("sub", one, p.args[1]), make("sub", one, p.args[2]))
    return None


def logistic(make: Make, a: Expr, b: Expr) -> Expr | None:
    """exp(x) / (exp(x) + exp(y)) is sigmoid(x - y); the number 1 is exp(0)."""
    logs = [make.constant(0.0) if x.equals(1.0) else x.args[0] if x.op == "exp" else None for x in b.args]
    mine, other = logs if a is b.args[0] else logs[::-1]
    if mine is None or other is None or a not in b.args:
        return None
    return make("sigmoid", make("sub", mine, other))


LOGARITHMS: dict[str, Rule] = {
    "log": _log,
    "log1p": _log1p,
    "exp": _exp,
    "log1mexp": _log1mexp,
    "logaddexp": _logaddexp,
}
