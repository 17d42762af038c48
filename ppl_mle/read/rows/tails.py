"""How a row density behaves far out: its asymptotic slopes, as the least or the greatest of linear forms.

For a concave f the limit of f(eta + t d) / t is its recession function (Rockafellar 1970, section 8): concave, and for
the densities met here piecewise linear. It is found by rules for each operation, as the curvature is in disciplined
convex programming (Grant, Boyd and Ye 2006).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ppl_mle.read.rows.expression import Expr, in_order

_MOST_PIECES = 64

Form = Mapping[Any, Any]
"""A linear form: from ("eta", k), ("exp", k) or a `Bend` to a coefficient, shared or by row; None: constant."""


class Unknown(Exception):  # a signal between the rules and their caller, never seen by a user
    """There is no rule for an operation, or its curvature is not known."""


@dataclass(frozen=True, eq=False)
class Bend:
    """The asymptotic slope of a part that is not affine: the greatest (convex) or the least (concave) of some forms.

    Parameters
    ----------
    concave : bool
    pieces : tuple of Form
    domain : tuple of Form
        Must not be negative; else the slope is infinite, upwards for a convex part and downwards for a concave one.
    """

    concave: bool
    pieces: tuple[Form, ...]
    domain: tuple[Form, ...] = ()


@dataclass(frozen=True)
class Tails:
    """The forms of an expression and of its parts, on one group of rows.

    Parameters
    ----------
    expression : Expr
    rows : array of int
    lifted : frozenset of int
        Predictors whose exponential counts as a coordinate of its own.
    """

    expression: Expr
    rows: np.ndarray
    lifted: frozenset[int]

    @cached_property
    def forms(self) -> dict[int, Form | None]:
        """Form of every node by its identity; None where it has none."""
        found: dict[int, Form | None] = {}
        for node in in_order(self.expression):
            try:
                found[id(node)] = self._form(node, found)
            except Unknown:
                found[id(node)] = None
        return found

    def affine(self, node: Expr) -> Form | None:
        """The form of a node that is affine in the coordinates."""
        form = self.forms[id(node)]
        return None if form is None or any(isinstance(symbol, Bend) for symbol in form) else form

    def slopes(self) -> list[Form]:
        """Forms that are not negative just where the density does not fall in the limit.

        Raises
        ------
        Unknown
        """
        form = self.forms[id(self.expression)]
        if form is None:
            raise Unknown
        pieces, domain = expand(form, concave=True)
        return [*pieces, *domain]

    def _form(self, node: Expr, found: Mapping[int, Form | None]) -> Form:
        if node.op == "const":
            return {None: node.value[self.rows] if np.ndim(node.value) else node.value}
        if node.op == "eta":
            return {("eta", node.index): 1.0}
        if node.op == "exp" and node.args[0].op == "eta" and node.args[0].index in self.lifted:
            return {("exp", node.args[0].index): 1.0}
        if node.op == "switch" and _never_holds(node.args[0]):
            return _known(found, node.args[2])
        if node.extra is not None or node.op not in _RULES:
            raise Unknown
        return _RULES[node.op](*(_known(found, argument) for argument in node.args))


def expand(form: Form, concave: bool) -> tuple[list[Form], list[Form]]:
    """Write a form with bends as the least (or the greatest) of pieces, on a domain.

    Raises
    ------
    Unknown
        It is not known to be concave (or convex), or there are too many pieces.
    """
    pieces: list[Form] = [{symbol: c for symbol, c in form.items() if not isinstance(symbol, Bend) and symbol}]
    domain: list[Form] = []
    for bend, weight in form.items():
        if not isinstance(bend, Bend):
            continue
        upwards = bend.concave is concave
        if np.any(np.asarray(weight) < 0 if upwards else np.asarray(weight) > 0):
            raise Unknown
        pieces = [combine(a, 1.0, b, weight) for a in pieces for b in bend.pieces]
        domain += [combine({}, 1.0, part, np.sign(np.abs(weight))) for part in bend.domain]
        if len(pieces) > _MOST_PIECES:
            raise Unknown
    return pieces, domain


def combine(left: Form, a: Any, right: Form, b: Any) -> Form:
    """A combination a left + b right; what vanishes is left out."""
    total = {symbol: a * c for symbol, c in left.items()}
    for symbol, c in right.items():
        total[symbol] = total[symbol] + b * c if symbol in total else b * c
    return {symbol: c for symbol, c in total.items() if np.any(c)}


def _known(found: Mapping[int, Form | None], node: Expr) -> Form:
    form = found[id(node)]
    if form is None:
        raise Unknown
    return form


def _never_holds(condition: Expr) -> bool:
    """Whether a condition is that a predictor is infinite."""
    if condition.op == "and":
        return any(_never_holds(argument) for argument in condition.args)
    if condition.op == "eq":
        return any(a.is_scalar and np.isinf(a.value) for a in condition.args)
    return condition.op in ("isinf", "isnan")


def _of(concave: bool, pieces: Sequence[Form], domain: Sequence[Form] = ()) -> Form:
    return {Bend(concave, tuple(pieces), tuple(domain)): 1.0}


def _negated(forms: Sequence[Form]) -> list[Form]:
    return [combine({}, 1.0, form, -1.0) for form in forms]


def _scaled(a: Form, b: Form) -> Form:
    for factor, other in ((a, b), (b, a)):
        if not any(factor):
            return combine({}, 1.0, other, factor.get(None, 0.0))
    raise Unknown


def _divided(a: Form, b: Form) -> Form:
    if any(b) or not np.all(b.get(None, 0.0)):
        raise Unknown
    return combine({}, 1.0, a, 1.0 / np.asarray(b[None], float))


def _exp(a: Form) -> Form:
    pieces, domain = expand(a, concave=False)
    return _of(False, [{}], [*_negated(pieces), *domain])


def _least_with_zero(a: Form) -> Form:
    pieces, domain = expand(a, concave=True)
    return _of(True, [*pieces, {}], domain)


def _softplus(a: Form) -> Form:
    pieces, domain = expand(a, concave=False)
    return _of(False, [*pieces, {}], domain)


def _log_ndtr(a: Form) -> Form:
    pieces, domain = expand(a, concave=True)
    return _of(True, [{}], [*pieces, *domain])


def _log1mexp(a: Form) -> Form:
    pieces, domain = expand(a, concave=False)
    return _of(True, [{}], [*_negated(pieces), *domain])


def _greatest(*arguments: Form) -> Form:
    parts = [expand(a, concave=False) for a in arguments]
    return _of(False, [p for pieces, _ in parts for p in pieces], [d for _, domain in parts for d in domain])


def _interval(least: Callable[[Form], Form]) -> Callable[[Form, Form], Form]:
    """log(F(a) - F(b)) for a log-concave density: that of F(a), of 1 - F(b), and a must stay above b."""

    def rule(a: Form, b: Form) -> Form:
        gap = combine(b, 1.0, a, -1.0)
        sides = combine(least(a), 1.0, least(combine({}, 1.0, b, -1.0)), 1.0)
        return combine(sides, 1.0, _log1mexp(gap), 1.0)

    return rule


_RULES: dict[str, Callable[..., Form]] = {
    "add": lambda a, b: combine(a, 1.0, b, 1.0),
    "sub": lambda a, b: combine(a, 1.0, b, -1.0),
    "neg": lambda a: combine({}, 1.0, a, -1.0),
    "mul": _scaled,
    "true_div": _divided,
    "exp": _exp,
    "log_sigmoid": _least_with_zero,
    "log1m_exp_neg_exp": _least_with_zero,
    "softplus": _softplus,
    "log_ndtr": _log_ndtr,
    "log1mexp": _log1mexp,
    "logaddexp": _greatest,
    "maximum": _greatest,
    "log_sigmoid_difference": _interval(_least_with_zero),
    "log_ndtr_difference": _interval(_log_ndtr),
}
