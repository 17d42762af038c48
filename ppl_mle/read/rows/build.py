"""Building expressions: constants are folded, and what would cancel or overflow is written in its stable form.

The rules are identities of real functions, applied where the bounds of the arguments allow them. As declared, the
log-density of a Bernoulli variable with p = invlogit(eta) is log(1 - sigmoid(eta)), whose derivatives are NaN from
eta = 37 on; as log_sigmoid(-eta) they hold everywhere. They are applied before anything is differentiated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ppl_mle.read.rows.bounds import bounds_of
from ppl_mle.read.rows.expression import Expr, constant
from ppl_mle.read.rows.program import evaluate_constant


class Mixed(Exception):  # noqa: N818 (a signal between reader and builder, never seen by a user)
    """A constant condition is true in some rows and false in others: the rows are read apart.

    Parameters
    ----------
    mask : array of bool, shape (n,)
    """

    def __init__(self, mask: np.ndarray) -> None:
        super().__init__("rows take different branches")
        self.mask = mask


class Builder:
    """Makes expressions for one group of rows.

    Parameters
    ----------
    rows : array of int or None
        The rows of the group, for conditions on constants; None for all.
    """

    def __init__(self, rows: np.ndarray | None = None) -> None:
        self.rows = rows
        self._made: dict[Any, Expr] = {}

    def constant(self, value: Any) -> Expr:
        """Make a constant; equal numbers are one object."""
        made = constant(value)
        return self._intern(("const", float(made.value)), made) if made.is_scalar else made

    def predictor(self, index: int) -> Expr:
        """The leaf for predictor `index`."""
        return self._intern(("eta", index), Expr("eta", index=index))

    def kernel(self, name: str, args: tuple[Expr, ...], extra: Any) -> Expr:
        """A closed-form row density of predictors, with the data in `extra`."""
        return Expr(name, args, extra=extra)

    def __call__(self, op: str, *args: Expr) -> Expr:
        """Make op(*args) in its stable form.

        Raises
        ------
        Mixed
            A switch on constants takes different branches in the rows of the group.
        """
        if op == "switch":
            return self._switch(*args)
        if op in ("and", "or"):
            short = _short_circuit(self, op, *args)
            if short is not None:
                return short
        if not any(a.depends for a in args):
            return self.constant(evaluate_constant(op, args))
        for rule in RULES.get(op, ()):
            better = rule(self, *args)
            if better is not None:
                return better
        return self._new(op, args)

    def _new(self, op: str, args: tuple[Expr, ...]) -> Expr:
        low, high = bounds_of(op, args)
        if op in _TRUTHS and low == high:
            return self.constant(bool(low))
        return self._intern((op, *map(id, args)), Expr(op, args, low=low, high=high))

    def _intern(self, key: Any, made: Expr) -> Expr:
        return self._made.setdefault(key, made)

    def _switch(self, condition: Expr, yes: Expr, no: Expr) -> Expr:
        if yes is no:
            return yes
        if condition.depends:
            return self._new("switch", (condition, yes, no))
        taken = np.asarray(condition.value, bool)
        if taken.ndim:
            mine = taken if self.rows is None else taken[self.rows]
            if not (yes.depends or no.depends) and not (np.all(mine) or not np.any(mine)):
                return self.constant(np.where(taken, yes.value, no.value))
            if np.all(mine) or not np.any(mine):
                return yes if np.all(mine) else no
            raise Mixed(taken)
        return yes if taken else no


_TRUTHS = {"lt", "le", "gt", "ge", "eq", "neq", "and", "or", "invert", "isnan", "isinf"}


def _short_circuit(make: Builder, op: str, a: Expr, b: Expr) -> Expr | None:
    """A truth value that one side decides, or does not change."""
    decisive = op == "or"
    for one, other in ((a, b), (b, a)):
        if one.is_scalar:
            return make.constant(decisive) if bool(one.value) is decisive else other
    return None


Rule = Callable[..., Expr | None]


def _log(make: Builder, a: Expr) -> Expr | None:
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


def _log_of_sum(make: Builder, a: Expr) -> Expr | None:
    """log(p + q) and log(p - q) of positive numbers whose logarithms are known."""
    if a.op == "add":
        logs = [_known_log(make, x) for x in a.args]
        return None if logs[0] is None or logs[1] is None else make("logaddexp", *logs)
    if a.op == "sub":
        p, q = a.args
        if p.op == q.op and p.op in ("sigmoid", "ndtr"):
            return make(f"log_{p.op}_difference", p.args[0], q.args[0])
    return None


def _known_log(make: Builder, a: Expr) -> Expr | None:
    """The logarithm of a positive number, if it has a form without log of a difference or a sum."""
    if a.op == "const":
        return make("log", a) if a.low > 0 else None
    if a.op == "exp":
        return a.args[0]
    if a.op in _LOGS or (a.op == "neg" and a.args[0].op == "expm1"):
        return make("log", a)
    if a.op == "mul":
        logs = [_known_log(make, x) for x in a.args]
        return None if logs[0] is None or logs[1] is None else make("add", *logs)
    if a.op == "true_div":
        logs = [_known_log(make, x) for x in a.args]
        return None if logs[0] is None or logs[1] is None else make("sub", *logs)
    if a.op == "add":
        return _log_of_sum(make, a)
    return None


def _log1p(make: Builder, a: Expr) -> Expr | None:
    if a.op == "neg" or a.op == "exp" or (a.op == "mul" and a.args[0].is_scalar and a.args[0].value == -1.0):
        inside = make("add", make.constant(1.0), a)
        if inside.op in ("sigmoid", "ndtr", "exp") or (inside.op == "neg" and inside.args[0].op == "expm1"):
            return make("log", inside)
    return make("softplus", a.args[0]) if a.op == "exp" else None


def _exp(make: Builder, a: Expr) -> Expr | None:
    if a.op == "log" and a.args[0].low >= 0:
        return a.args[0]
    if a.op == "log_sigmoid":
        return make("sigmoid", *a.args)
    return make("ndtr", *a.args) if a.op == "log_ndtr" else None


def _neg(make: Builder, a: Expr) -> Expr | None:
    if a.op == "neg":
        return a.args[0]
    if a.op == "sub":
        return make("sub", a.args[1], a.args[0])
    if a.op == "mul" and a.args[0].is_scalar:
        return make("mul", make.constant(-a.args[0].value), a.args[1])
    return None


def _add(make: Builder, a: Expr, b: Expr) -> Expr | None:
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
    return None


def _sub(make: Builder, a: Expr, b: Expr) -> Expr | None:
    if b.equals(0.0):
        return a
    if a is b:
        return make.constant(0.0)
    if a.equals(0.0):
        return make("neg", b)
    if b.op == "neg":
        return make("add", a, b.args[0])
    if a.equals(1.0):
        return _complement(make, b)
    return None


def _complement(make: Builder, p: Expr) -> Expr | None:
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


def _mul(make: Builder, a: Expr, b: Expr) -> Expr | None:
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


def _snapped(make: Builder, a: Expr) -> Expr:
    """A product of constants that was meant to be 1 or -1."""
    if a.is_scalar and abs(abs(a.value) - 1) < 4 * np.finfo(float).eps:
        return make.constant(float(np.sign(a.value)))
    return a


def _true_div(make: Builder, a: Expr, b: Expr) -> Expr | None:
    if b.is_scalar and b.value:
        return make("mul", make.constant(1 / b.value), a)
    if b.op == "exp":
        return make("mul", a, make("exp", make("neg", b.args[0])))
    if a is b:
        return make.constant(1.0)
    if a.equals(0.0):
        return a
    return _logistic(make, a, b) if b.op == "add" else None


def _logistic(make: Builder, a: Expr, b: Expr) -> Expr | None:
    """exp(x) / (exp(x) + exp(y)) is sigmoid(x - y); the number 1 is exp(0)."""
    logs = [make.constant(0.0) if x.equals(1.0) else x.args[0] if x.op == "exp" else None for x in b.args]
    if logs[0] is None or logs[1] is None or a not in b.args:
        return None
    mine, other = logs if a is b.args[0] else logs[::-1]
    return make("sigmoid", make("sub", mine, other))


def _reciprocal(make: Builder, a: Expr) -> Expr | None:
    return make("true_div", make.constant(1.0), a)


def _pow(make: Builder, a: Expr, b: Expr) -> Expr | None:
    if b.is_scalar and float(b.value) in _POWERS:
        return _POWERS[float(b.value)](make, a)
    if a.op == "exp":
        return make("exp", make("mul", b, a.args[0]))
    if not a.depends and a.low > 0:
        return make("exp", make("mul", make("log", a), b))
    return None


_POWERS: dict[float, Callable[[Builder, Expr], Expr]] = {
    0.0: lambda make, a: make.constant(1.0),
    1.0: lambda make, a: a,
    2.0: lambda make, a: make("sqr", a),
    0.5: lambda make, a: make("sqrt", a),
    -1.0: lambda make, a: make("reciprocal", a),
}


def _sqr(make: Builder, a: Expr) -> Expr | None:
    return make("exp", make("mul", make.constant(2.0), a.args[0])) if a.op == "exp" else None


def _sqrt(make: Builder, a: Expr) -> Expr | None:
    if a.op == "exp":
        return make("exp", make("mul", make.constant(0.5), a.args[0]))
    return a.args[0] if a.op == "sqr" and a.args[0].low >= 0 else None


def _log1mexp(make: Builder, a: Expr) -> Expr | None:
    if a.op == "neg" and a.args[0].op == "exp":
        return make("log1m_exp_neg_exp", a.args[0].args[0])
    if a.op == "log_sigmoid":
        return make("log_sigmoid", make("neg", a.args[0]))
    return make("log_ndtr", make("neg", a.args[0])) if a.op == "log_ndtr" else None


def _logaddexp(make: Builder, a: Expr, b: Expr) -> Expr | None:
    if a.equals(-np.inf):
        return b
    if b.equals(-np.inf):
        return a
    if a.equals(0.0):
        return make("softplus", b)
    return make("softplus", a) if b.equals(0.0) else None


def _abs(make: Builder, a: Expr) -> Expr | None:
    return a if a.low >= 0 else None


RULES: dict[str, tuple[Rule, ...]] = {
    "log": (_log,),
    "log1p": (_log1p,),
    "exp": (_exp,),
    "neg": (_neg,),
    "add": (_add,),
    "sub": (_sub,),
    "mul": (_mul,),
    "true_div": (_true_div,),
    "reciprocal": (_reciprocal,),
    "pow": (_pow,),
    "sqr": (_sqr,),
    "sqrt": (_sqrt,),
    "log1mexp": (_log1mexp,),
    "logaddexp": (_logaddexp,),
    "abs": (_abs,),
}
