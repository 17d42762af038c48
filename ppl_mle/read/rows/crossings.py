"""The rows of a log-density that have a kink, and what their gradients are on either side of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ppl_mle.read.rows.kinks import has_kinks, kink_of, on_side, softened
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.supports import margins
from ppl_mle.read.rows.term import Group, RowTerm


@dataclass(frozen=True)
class Crossing:
    """The rows of one formula with a function of their predictors whose zero matters.

    Parameters
    ----------
    term : RowTerm
    group : Group
    program : Program
        The function u of the predictors at whose zero the kink is, or the support ends.
    """

    term: RowTerm
    group: Group
    program: Program

    @property
    def rows(self) -> np.ndarray:
        """Rows of the term."""
        return np.arange(self.term.count) if self.group.rows is None else self.group.rows

    def values(self, theta: np.ndarray) -> np.ndarray:
        """u of every row."""
        jet = self.program(self.rows, _at(self.term, theta, self.rows), 0)
        return np.broadcast_to(jet.value if jet is not None else np.nan, self.rows.shape)

    def normals(self, theta: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Gradients of u at some rows, shape (k, p)."""
        return _slopes(self.term, self.program, theta, rows)

    def gradients(self, theta: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradients of some rows: as taken at `theta`, for u below 0, and for u above 0; each of shape (k, p)."""
        sides = (on_side(self.group.program, self.group.rows, above) for above in (False, True))
        scale = self.term.scale * (np.ones(len(rows)) if self.term.weights is None else self.term.weights[rows])
        here, below, above = (
            scale[:, None] * _slopes(self.term, program, theta, rows) for program in (self.group.program, *sides)
        )
        return here, below, above


def find_crossings(terms: Sequence[RowTerm]) -> list[Crossing] | None:
    """Every formula with a kink; None where one has a kink that cannot be followed, or none has any."""
    found = []
    for term in terms:
        for group in term.groups:
            if has_kinks(group.program):
                program = kink_of(group.program, group.rows)
                if program is None:
                    return None
                found.append(Crossing(term, group, program))
    return found or None


def find_margins(terms: Sequence[RowTerm]) -> list[Crossing]:
    """Every formula with a support that depends on predictors, once for each function that must stay positive there."""
    return [
        Crossing(term, group, program)
        for term in terms
        for group in term.groups
        for program in margins(group.program, group.rows)
    ]


def soften(term: RowTerm, widths: Mapping[int, float]) -> RowTerm:
    """A term with its kinks rounded; `widths` holds the length for the `id` of every group that has one."""
    groups = tuple(
        replace(group, program=softened(group.program, group.rows, widths[id(group)])) if id(group) in widths else group
        for group in term.groups
    )
    return replace(term, groups=groups)


def _at(term: RowTerm, theta: np.ndarray, rows: np.ndarray) -> list[Any]:
    etas = term.etas(theta, slice(0, term.count, 1))
    return [eta[rows] if np.ndim(eta) else eta for eta in etas]


def _slopes(term: RowTerm, program: Program, theta: np.ndarray, rows: np.ndarray) -> np.ndarray:
    jet = program(rows, _at(term, theta, rows), 1)
    total = np.zeros((len(rows), len(theta)))
    if jet is None:
        return np.full(total.shape, np.nan)
    for k, slope in jet.first.items():
        total += np.reshape(slope, (-1, 1)) * _design(term.predictors[k], rows, len(theta))
    return total


def _design(predictor: Predictor, rows: np.ndarray, size: int) -> np.ndarray:
    """Rows of the design of a predictor, shape (k, p)."""
    matrix = np.zeros((len(rows), size))
    for i, row in enumerate(rows):
        for block in predictor.blocks:
            matrix[i, block.columns] += block.weighted(1.0, slice(row, row + 1, 1), 1)[0]
    return matrix
