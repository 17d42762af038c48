"""In which directions of its predictors a row density does not fall: the cone of each row, by linear forms."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.read.rows.blocks import Constant
from ppl_mle.read.rows.expression import in_order
from ppl_mle.read.rows.monotone import probe_slopes
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.tails import Form, Tails, Unknown
from ppl_mle.read.rows.term import RowTerm

Signs = tuple[np.ndarray | float, ...]


@dataclass(frozen=True, eq=False)
class Demand:
    """What a direction must do in some rows so that their density does not fall along it.

    Parameters
    ----------
    rows : array of int
    form : Form
        A linear form of the predictors' changes, from ("eta", k) or ("exp", k) to its coefficient.
    fixed : bool
        The form must be zero. Otherwise it must not be negative, and where it is positive the density rises.
    """

    rows: np.ndarray
    form: Form
    fixed: bool


def recession_demands(term: RowTerm, lifted: Collection[int]) -> list[Demand]:
    """What a direction must satisfy so that no row of a term falls along it, from any point.

    Parameters
    ----------
    term : RowTerm
    lifted : collection of int
        Coordinates whose exponential counts as a coordinate of its own, see `liftable`.

    Returns
    -------
    list of Demand
        Where nothing is known of a density, that its predictors do not change.
    """
    demands: list[Demand] = []
    own = frozenset(k for k, predictor in enumerate(term.predictors) if _coordinate(predictor) in lifted)
    for group in term.groups:
        rows = np.arange(term.count) if group.rows is None else group.rows
        tails = Tails(group.program.expression, rows, own)
        try:
            demands += _of_group(group.program, tails, term)
        except Unknown:
            demands += [Demand(rows, {(_kind(k, own), k): 1.0}, fixed=True) for k in group.program.uses]
    return demands


def liftable(terms: Sequence[RowTerm], allowed: Collection[int]) -> set[int]:
    """Coordinates that all terms use through their exponential alone, as the gaps between ordered numbers are.

    Parameters
    ----------
    terms : sequence of RowTerm
    allowed : collection of int
        Coordinates to choose from.
    """
    found: set[int] = set()
    spoiled: set[int] = set()
    for term in terms:
        for group in term.groups:
            nodes = in_order(group.program.expression)
            plain = {a.index for node in nodes if node.op != "exp" for a in node.args if a.op == "eta"}
            plain |= {group.program.expression.index} if group.program.is_predictor else set()
            for k in group.program.uses:
                coordinate = _coordinate(term.predictors[k])
                if coordinate is not None and k not in plain:
                    found.add(coordinate)
                else:
                    spoiled |= {int(column) for column in term.predictors[k].columns}
    return (found - spoiled) & set(allowed)


def is_count(term: RowTerm) -> bool:
    """Whether the rows are counts with a logarithmic link, as far as their formulas tell."""
    if term.form != "graph":
        return term.form in _COUNTS
    ops = {node.op for group in term.groups for node in in_order(group.program.expression)}
    return "exp" in ops and not ops & _PROBABILITIES


def _coordinate(predictor: Predictor) -> int | None:
    """The coordinate that a predictor is, if all rows share it and it is nothing else."""
    if not predictor.is_shared or predictor.offset != 0.0 or len(predictor.blocks) != 1:
        return None
    block = predictor.blocks[0]
    plain = isinstance(block, Constant) and len(block.columns) == 1 and block.coefficients[0] == 1.0
    return int(block.columns[0]) if plain else None


def _kind(k: int, lifted: Collection[int]) -> str:
    return "exp" if k in lifted else "eta"


def _of_group(program: Program, tails: Tails, term: RowTerm) -> list[Demand]:
    if not term.scale > 0:
        raise Unknown
    if program.expression.extra is not None:
        return _of_kernel(program, tails)
    try:
        return [part for form in tails.slopes() if form for part in _demand(tails.rows, form, 1.0)]
    except Unknown:
        pairs = probe_slopes(tails, term.count)
    return [part for form, signs in pairs for part in _demand(tails.rows, form, signs)]


def _of_kernel(program: Program, tails: Tails) -> list[Demand]:
    """By the table of kernels; each argument must be affine."""
    response, known = program.data
    data = tuple(part[tails.rows] if np.ndim(part) else part for part in known)
    forms = [tails.affine(argument) for argument in program.expression.args]
    signs = _KERNELS.get(program.expression.op, _none)(np.asarray(response)[tails.rows], data, len(forms))
    demands: list[Demand] = []
    for form, sign in zip(forms, signs, strict=True):
        if form is None:
            raise Unknown
        demands += _demand(tails.rows, form, sign)
    return demands


def _demand(rows: np.ndarray, form: Form, signs: Any) -> list[Demand]:
    """What signs ask of a form: +1 that it does not fall, -1 that it does not rise, 0 that it stays."""
    signs = np.broadcast_to(np.asarray(signs, float), rows.shape)
    found = []
    for mine, fixed in ((signs != 0, False), (signs == 0, True)):
        if np.any(mine):
            factor = 1.0 if fixed else signs[mine]
            taken = {s: factor * (c[mine] if np.ndim(c) else c) for s, c in form.items() if s is not None}
            found.append(Demand(rows[mine], taken, fixed))
    return found


def _binary(y: np.ndarray, data: tuple[Any, ...], arguments: int) -> Signs:
    return (np.where(y > 0, 1.0, -1.0),)


def _binomial(y: np.ndarray, data: tuple[Any, ...], arguments: int) -> Signs:
    return (1.0 * (y == data[0]) - 1.0 * (y == 0),)


def _count(y: np.ndarray, data: tuple[Any, ...], arguments: int) -> Signs:
    """Without counts the mean may fall; what else there is, a dispersion, stays."""
    return (np.where(y > 0, 0.0, -1.0), *(0.0,) * (arguments - 1))


def _none(y: np.ndarray, data: tuple[Any, ...], arguments: int) -> Signs:
    return (0.0,) * arguments


_COUNTS = ("poisson_log", "negative_binomial")
_PROBABILITIES = {
    "sigmoid",
    "log_sigmoid",
    "softplus",
    "logaddexp",
    "log1mexp",
    "log_sigmoid_difference",
    "log",
    "log1p",
}

_KERNELS: dict[str, Callable[[np.ndarray, tuple[Any, ...], int], Signs]] = {
    "bernoulli_logit": _binary,
    "bernoulli_probit": _binary,
    "bernoulli_cloglog": _binary,
    "binomial_logit": _binomial,
    "binomial_probit": _binomial,
    "binomial_cloglog": _binomial,
    "poisson_log": _count,
    "negative_binomial": _count,
}
"""For each kernel whose density may have no maximum, the sign in which each argument may change without loss."""
