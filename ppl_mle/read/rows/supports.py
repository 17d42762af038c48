"""Supports that depend on predictors: the functions of a row's predictors that must not be negative."""

from collections.abc import Iterator

import numpy as np

from ppl_mle.read.rows.build import Builder
from ppl_mle.read.rows.expression import Expr, in_order, predictors_of
from ppl_mle.read.rows.kinks import LOWER_FIRST, UPPER_FIRST, is_linear
from ppl_mle.read.rows.program import Program

_OPPOSITE = {"gt": "le", "ge": "lt", "lt": "ge", "le": "gt", "and": "or", "or": "and"}


def margins(program: Program, rows: np.ndarray | None) -> list[Program]:
    """The functions whose sign decides whether a row's density exists: it does where all are positive.

    Parameters
    ----------
    program : Program
    rows : array of int or None
        The rows that the density is for; None for all.

    Returns
    -------
    list of Program
        Those that are linear in the predictors, or depend on one of them alone.
    """
    make = Builder(rows)
    demands = [condition for condition in program.conditions if condition.depends]
    found: dict[int, Expr] = {}
    for demand in demands:
        found |= {id(u): u for u in _margins_of(make, demand, holds=True)}
    for node in in_order(program.expression):
        if node.op == "switch" and node.args[0].depends:
            condition, yes, no = node.args
            if _is_nowhere(no) or _is_nowhere(yes):
                found |= {id(u): u for u in _margins_of(make, condition, holds=_is_nowhere(no))}
    return [Program(u) for u in found.values() if u.depends and _has_flat_edge(u)]


def _margins_of(make: Builder, condition: Expr, holds: bool) -> Iterator[Expr]:
    """What must be positive for a condition to hold, or to fail."""
    op = condition.op if holds else _OPPOSITE.get(condition.op, "")
    if condition.op == "invert":
        yield from _margins_of(make, condition.args[0], not holds)
    elif op == "and":
        for part in condition.args:
            yield from _margins_of(make, part, holds)
    elif op in UPPER_FIRST:
        yield make("sub", *condition.args)
    elif op in LOWER_FIRST:
        yield make("sub", *condition.args[::-1])


def _is_nowhere(node: Expr) -> bool:
    return node.op == "const" and bool(np.all(np.isneginf(node.value)))


def _has_flat_edge(u: Expr) -> bool:
    """Whether its zeros are a plane in the predictors."""
    return is_linear(u) or len(predictors_of(u)) == 1
