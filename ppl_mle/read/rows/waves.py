"""Coordinates that enter a log-density through sines and cosines alone."""

from collections.abc import Collection

from ppl_mle.read.rows.expression import Expr, in_order
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.program import Program

_WAVES = ("sin", "cos")
_SUMS = ("add", "sub", "neg")


def enters_by_waves(objective: RowObjective, coordinate: int) -> bool:
    """Whether a coordinate is in the log-density, and only in sines and cosines of affine functions of it.

    With all else fixed the log-density is then almost periodic in the coordinate (Bohr 1925): what it comes near to
    once it comes near to again and again.

    Parameters
    ----------
    objective : RowObjective
    coordinate : int
        Of the unconstrained vector.
    """
    if objective.rest is not None or objective.has_support:
        return False
    found = False
    for term in objective.terms:
        own = {k for k, eta in enumerate(term.predictors) if coordinate in eta.columns}
        programs = [group.program for group in term.groups] if own else []
        if not all(_is_wave(program, own) for program in programs):
            return False
        found = found or bool(programs)
    return found


def _is_wave(program: Program, own: Collection[int]) -> bool:
    """Whether some predictors enter an expression in sines and cosines alone."""
    raw: set[int] = set()
    for node in in_order(program.expression, *program.conditions):
        touched = [argument for argument in node.args if id(argument) in raw]
        if (node.op == "eta" and node.index in own) or (touched and _is_affine(node, touched)):
            raw.add(id(node))
        elif touched and node.op not in _WAVES:
            return False
    return not any(id(root) in raw for root in (program.expression, *program.conditions))


def _is_affine(node: Expr, touched: list[Expr]) -> bool:
    if node.op == "mul":
        return len(touched) == 1 and all(a.op == "const" for a in node.args if a is not touched[0])
    if node.op == "true_div":
        return touched == [node.args[0]] and node.args[1].op == "const"
    return node.op in _SUMS
