"""Kinks of a row density: where a piecewise function of the predictors changes its piece."""

from collections.abc import Callable

import numpy as np

from ppl_mle.read.rows.build import Builder
from ppl_mle.read.rows.expression import Expr, in_order
from ppl_mle.read.rows.maker import Make
from ppl_mle.read.rows.program import Program

UPPER_FIRST = {"gt", "ge"}
LOWER_FIRST = {"lt", "le"}
_LINEAR = {"eta", "const", "add", "sub", "neg"}
_INVERSES = {"exp": "log", "log": "exp", "sigmoid": "logit", "logit": "sigmoid"}

Rewrite = Callable[[Make, Expr, tuple[Expr, ...]], Expr | None]


def has_kinks(program: Program) -> bool:
    """Whether some function in a density changes its piece with the predictors."""
    return any(_is_kinked(node) for node in in_order(program.expression))


def kink_of(program: Program, rows: np.ndarray | None) -> Program | None:
    """The linear function of the predictors at whose zero a density changes its piece.

    Parameters
    ----------
    program : Program
    rows : array of int or None
        The rows that the density is for; None for all.

    Returns
    -------
    Program or None
        None where there are several such functions, or one that is not linear.
    """
    make = Builder(rows)
    found: dict[int, Expr] = {}

    def note(make: Make, node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        if _is_kinked(node):
            crossing = _straightened(make, _crossing(make, node, args))
            found[id(crossing)] = crossing
        return None

    _rewritten(program, note, make)
    if len(found) != 1:
        return None
    (crossing,) = found.values()
    return Program(crossing) if is_linear(crossing) else None


def on_side(program: Program, rows: np.ndarray | None, above: bool) -> Program:
    """The density with the pieces that hold where its kink function is positive, or negative, everywhere."""

    def choose(make: Make, node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        return _piece(make, node, args, above) if _is_kinked(node) else None

    return _rewritten(program, choose, Builder(rows))


def softened(program: Program, rows: np.ndarray | None, width: float) -> Program:
    """The density with every kink rounded over a length `width` of its kink function u: |u| as sqrt(u^2 + width^2)."""

    def soften(make: Make, node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        if not _is_kinked(node):
            return None
        u = _crossing(make, node, args)
        u = _straightened(make, u) if node.op == "switch" else u
        length = make("sqrt", make("add", make("sqr", u), make.constant(width * width)))
        if node.op == "abs":
            return length
        if node.op in ("maximum", "minimum"):
            total = make("add", *args)
            both = make("add", total, length) if node.op == "maximum" else make("sub", total, length)
            return make("mul", make.constant(0.5), both)
        half = make("mul", make.constant(0.5), make("true_div", u, length))
        above, below = (_piece(make, node, args, side) for side in (True, False))
        parts = make("add", make.constant(0.5), half), make("sub", make.constant(0.5), half)
        return make("add", make("mul", parts[0], above), make("mul", parts[1], below))

    return _rewritten(program, soften, Builder(rows))


def _is_kinked(node: Expr) -> bool:
    if not node.depends:
        return False
    if node.op in ("abs", "sign"):
        return True
    if node.op in ("maximum", "minimum"):
        return not any(_is_infinite(a) for a in node.args)
    if node.op != "switch" or node.args[0].op not in UPPER_FIRST | LOWER_FIRST:
        return False
    return node.args[0].depends and not any(_is_infinite(a) for a in node.args[1:])


def _is_infinite(node: Expr) -> bool:
    return node.op == "const" and not np.all(np.isfinite(node.value))


def _crossing(make: Make, node: Expr, args: tuple[Expr, ...]) -> Expr:
    """What changes its sign where the piece changes."""
    if node.op in ("abs", "sign"):
        return args[0]
    left, right = args if node.op != "switch" else args[0].args
    return left if right.equals(0.0) else make("sub", left, right)


def _straightened(make: Make, u: Expr) -> Expr:
    """A function of the same sign that is linear in the predictors, of one like y - exp(eta)."""
    if u.op != "sub" or u.args[0].depends == u.args[1].depends:
        return u
    inverse = next((_INVERSES.get(a.op) for a in u.args if a.depends), None)
    if inverse is None:
        return u
    with np.errstate(all="ignore"):
        left, right = (a.args[0] if a.depends else make(inverse, a) for a in u.args)
    known = right if left.depends else left
    return make("sub", left, right) if np.all(np.isfinite(known.value)) else u


def _piece(make: Make, node: Expr, args: tuple[Expr, ...], above: bool) -> Expr:
    """What a node is where its kink function is positive, or negative."""
    if node.op == "abs":
        return args[0] if above else make("neg", args[0])
    if node.op == "sign":
        return make.constant(1.0 if above else -1.0)
    if node.op == "switch":
        return args[1] if above == (node.args[0].op in UPPER_FIRST) else args[2]
    return args[0] if above == (node.op == "maximum") else args[1]


def is_linear(expression: Expr) -> bool:
    """Whether an expression is linear in the predictors."""
    return all(
        node.op in _LINEAR or (node.op == "mul" and not all(a.depends for a in node.args))
        for node in in_order(expression)
    )


def _rewritten(program: Program, rewrite: Rewrite, make: Builder) -> Program:
    made: dict[int, Expr] = {}
    for node in in_order(program.expression, *program.conditions):
        args = tuple(made[id(a)] for a in node.args)
        made[id(node)] = rewrite(make, node, args) or _copied(make, node, args)
    return Program(made[id(program.expression)], [made[id(condition)] for condition in program.conditions])


def _copied(make: Builder, node: Expr, args: tuple[Expr, ...]) -> Expr:
    if node.op == "const":
        return node
    if node.op == "eta":
        return make.predictor(node.index)
    return make.kernel(node.op, args, node.extra) if node.extra is not None else make(node.op, *args)
