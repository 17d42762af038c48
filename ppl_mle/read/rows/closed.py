"""What is inside a term that has a kernel: response, mean, known numbers, parameters of their own."""

from typing import Any

import numpy as np

from ppl_mle.read.rows.blocks import Constant
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.term import RowTerm


def response(term: RowTerm) -> np.ndarray:
    """Observations, shape (n,)."""
    return np.asarray(term.groups[0].program.data[0])


def known_numbers(term: RowTerm) -> tuple[Any, ...]:
    """What the kernel knows beside the response: standard deviations, numbers of trials."""
    return term.groups[0].program.data[1]


def location(term: RowTerm) -> Program:
    """First argument of the kernel: the mean, or what the link makes of it."""
    return term.groups[0].program.argument(0)


def own_coordinate(term: RowTerm, argument: int) -> int | None:
    """The coordinate that an argument of the kernel is, if it is that alone and nothing else in the term uses it."""
    program = term.groups[0].program.argument(argument)
    if not program.is_predictor or not term.predictors[program.expression.index].is_shared:
        return None
    mine = term.predictors[program.expression.index]
    taken = {int(column) for p in term.predictors if p is not mine for column in p.columns}
    columns = mine.columns
    if len(columns) != 1 or int(columns[0]) in taken:
        return None
    block = mine.blocks[0]
    plain = argument == 0 or (mine.offset == 0.0 and isinstance(block, Constant) and block.coefficients[0] == 1.0)
    return int(columns[0]) if plain else None


def location_at(term: RowTerm, theta: np.ndarray) -> np.ndarray:
    """First argument of the kernel at `theta`, shape (n,)."""
    return np.broadcast_to(_evaluated(term, theta, 0).value, (term.count,))


def location_slopes(term: RowTerm, theta: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Derivatives of the first argument in some coordinates, shape (n, len(columns))."""
    slopes = np.zeros((term.count, len(columns)))
    with np.errstate(all="ignore"):
        for k, slope in _evaluated(term, theta, 1).first.items():
            slopes += np.reshape(slope, (-1, 1)) * term.predictors[k].matrix(columns, term.count)
    return slopes


def location_design(term: RowTerm, columns: np.ndarray, step: int = 1) -> np.ndarray:
    """Every `step`-th row of the design of a first argument that is a predictor, shape (rows, len(columns))."""
    return term.predictors[location(term).expression.index].matrix(columns, term.count, step)


def mean_predictor(term: RowTerm) -> int | None:
    """Position of the mean's one predictor: the location of a closed form, or the only predictor that differs.

    None where the mean is a nonlinear function of several coordinates, or several predictors differ between rows.
    """
    if term.form not in ("graph", "constant"):
        program = location(term)
        return program.expression.index if program.is_predictor else None
    varying = [k for k, predictor in enumerate(term.predictors) if not predictor.is_shared]
    return varying[0] if len(varying) == 1 else None


def mean_columns(term: RowTerm) -> np.ndarray:
    """Coordinates that the mean depends on; without a closed form, those of the predictors that differ between rows."""
    if term.form not in ("graph", "constant"):
        mine = [term.predictors[k] for k in location(term).uses]
    else:
        mine = [p for p in term.predictors if not p.is_shared] or list(term.predictors)
    return np.unique(np.concatenate([predictor.columns for predictor in mine]))


def _evaluated(term: RowTerm, theta: np.ndarray, order: int) -> Any:
    rows = slice(0, term.count, 1)
    with np.errstate(all="ignore"):
        return location(term)(rows, term.etas(theta, rows), order)
