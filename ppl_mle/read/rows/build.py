"""Building expressions: constants are folded, and what would cancel or overflow is written in its stable form.

The rules that rewrite an operation are applied before anything is differentiated.
"""

from typing import Any

import numpy as np

from ppl_mle.read.rows.bounds import bounds_of
from ppl_mle.read.rows.expression import Expr, constant
from ppl_mle.read.rows.log_rules import LOGARITHMS
from ppl_mle.read.rows.program import evaluate_constant
from ppl_mle.read.rows.rules import ARITHMETIC

_RULES = ARITHMETIC | LOGARITHMS
TRUTHS = {"lt", "le", "gt", "ge", "eq", "neq", "and", "or", "invert", "isnan", "isinf"}


class Mixed(Exception):  # a signal between reader and builder, never seen by a user
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
        rule = _RULES.get(op)
        better = None if rule is None else rule(self, *args)
        return self._new(op, args) if better is None else better

    def _new(self, op: str, args: tuple[Expr, ...]) -> Expr:
        low, high = bounds_of(op, args)
        if op in TRUTHS and low == high:
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


def _short_circuit(make: Builder, op: str, a: Expr, b: Expr) -> Expr | None:
    """A truth value that one side decides, or does not change."""
    decisive = op == "or"
    for one, other in ((a, b), (b, a)):
        if one.is_scalar:
            return make.constant(decisive) if bool(one.value) is decisive else other
    return None
