"""Evaluating a row density with its derivatives, one block of rows at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ppl_mle.read.rows.expression import Expr, in_order, predictors_of
from ppl_mle.read.rows.jet import Jet, add_scaled, chain
from ppl_mle.read.rows.kernels import KERNELS, Kernel
from ppl_mle.read.rows.pairs import BINARY, SPECIAL_PAIRS
from ppl_mle.read.rows.scalar import SPECIAL, UNARY

_KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in KERNELS}
_COMPARISONS: dict[str, Callable[..., Any]] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "neq": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "invert": np.logical_not,
    "isnan": np.isnan,
    "isinf": np.isinf,
}


class Program:
    """An expression, ready to be evaluated on rows.

    Parameters
    ----------
    expression : Expr
    conditions : sequence of Expr
        Truth values that must hold in every row; where one does not, the density does not exist.
    """

    def __init__(self, expression: Expr, conditions: Sequence[Expr] = ()) -> None:
        self.expression = expression
        self.conditions = tuple(conditions)
        self._nodes = in_order(expression, *conditions)

    def renumbered(self, place: dict[int, int]) -> "Program":
        """The same program with its predictors numbered otherwise."""
        made: dict[int, Expr] = {}
        for node in self._nodes:
            args = tuple(made[id(a)] for a in node.args)
            made[id(node)] = replace(node, args=args, index=place[node.index] if node.op == "eta" else -1)
        return Program(made[id(self.expression)], [made[id(condition)] for condition in self.conditions])

    @property
    def is_predictor(self) -> bool:
        """Whether the expression is a predictor itself."""
        return self.expression.op == "eta"

    @property
    def is_closed(self) -> bool:
        """Whether this is a closed-form row density of predictors themselves."""
        return self.expression.extra is not None and all(argument.op == "eta" for argument in self.expression.args)

    @property
    def has_special(self) -> bool:
        """Whether functions are taken that cost much more than elementary ones."""
        return any(node.extra is not None or node.op in SPECIAL or node.op in SPECIAL_PAIRS for node in self._nodes)

    @property
    def is_mixture(self) -> bool:
        """Whether the logarithm of a sum is taken of parts that more than one predictor changes."""
        return any(node.op == "logaddexp" and len(predictors_of(node)) > 1 for node in self._nodes)

    @property
    def uses(self) -> list[int]:
        """Positions of the predictors that the expression depends on, ascending."""
        return predictors_of(self.expression)

    @property
    def data(self) -> tuple[Any, tuple[Any, ...]]:
        """Response and known numbers of a closed-form density."""
        response, known = self.expression.extra
        return response, known

    def argument(self, position: int) -> "Program":
        """One argument of the outermost function, as a program of its own."""
        return Program(self.expression.args[position])

    def __call__(self, rows: Any, etas: Sequence[Any], order: int) -> Jet | None:
        """Evaluate on some rows.

        Parameters
        ----------
        rows : slice or array of int
            Rows of the constants.
        etas : sequence of float or array
            Predictors on those rows.
        order : {0, 1, 2}
            Derivatives wanted.

        Returns
        -------
        Jet or None
            None where a condition fails.
        """
        done: dict[int, Jet] = {}
        for node in self._nodes:
            done[id(node)] = _evaluate(node, done, rows, etas, order)
        if not all(np.all(done[id(condition)].value) for condition in self.conditions):
            return None
        return done[id(self.expression)]


def _evaluate(node: Expr, done: dict[int, Jet], rows: Any, etas: Sequence[Any], order: int) -> Jet:
    if node.op == "const":
        return Jet(node.value[rows] if np.ndim(node.value) else node.value)
    if node.op == "eta":
        return Jet(etas[node.index], {node.index: 1.0} if order else {})
    arguments = [done[id(argument)] for argument in node.args]
    values = [a.value for a in arguments]
    wanted = order if any(a.first for a in arguments) else 0
    if node.extra is not None:
        y, data = node.extra
        known = tuple(part[rows] if np.ndim(part) else part for part in data)
        return chain(*_KERNELS[node.op].evaluate(y[rows], known, tuple(values), order), arguments, order)
    if node.op in _LINEAR:
        return _combine(_LINEAR[node.op], arguments)
    if node.op in UNARY:
        u, u1, u2 = UNARY[node.op](values[0], wanted)
        return chain(u, (u1,), (u2,), arguments, order)
    if node.op in BINARY:
        return chain(*BINARY[node.op](*values, wanted), arguments, order)
    if node.op in _COMPARISONS:
        return Jet(1.0 * _COMPARISONS[node.op](*values))
    if node.op == "switch":
        return _switch(*arguments)
    raise ValueError(f"no rule for {node.op!r}")


def evaluate_constant(op: str, args: Sequence[Expr]) -> Any:
    """Value of an operation on constants."""
    with np.errstate(all="ignore"):
        return _evaluate(Expr(op, tuple(args)), {id(a): Jet(a.value) for a in args}, slice(None), (), 0).value


def _combine(weights: tuple[float, ...], arguments: list[Jet]) -> Jet:
    """Sums and differences."""
    value = arguments[0].value if weights[0] == 1.0 else -arguments[0].value
    for weight, a in zip(weights[1:], arguments[1:], strict=True):
        value = value + a.value if weight == 1.0 else value - a.value
    first: dict[int, Any] = {}
    second: dict[tuple[int, int], Any] = {}
    for weight, a in zip(weights, arguments, strict=True):
        add_scaled(first, a.first, weight)
        add_scaled(second, a.second, weight)
    return Jet(value, first, second)


def _switch(condition: Jet, a: Jet, b: Jet) -> Jet:
    """Choose by row; derivatives of the branch that is not taken do not enter."""
    chosen = np.asarray(condition.value, bool)

    def choose(left: Any, right: Any) -> dict[Any, Any]:
        return {key: np.where(chosen, left.get(key, 0.0), right.get(key, 0.0)) for key in {**left, **right}}

    return Jet(np.where(chosen, a.value, b.value), choose(a.first, b.first), choose(a.second, b.second))


_LINEAR = {"add": (1.0, 1.0), "sub": (1.0, -1.0), "neg": (-1.0,)}
