"""The designs of the predictors, as a user wants to know them: shape, kind, rank, condition."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ppl_mle.read import Predictor, RowTerm, gram_matrix

_ELEMENTS = 2_000_000
_ROUNDING = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Part:
    """One block of a design.

    Parameters
    ----------
    kind : str
        `constant` (one row for all), `dense`, `indexed` (one level per row) or `sparse`.
    columns : int
    parameters : tuple of str
        Labels of the unconstrained elements, the first and the last where they are many.
    """

    kind: str
    columns: int
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Design:
    """The design of one predictor.

    Parameters
    ----------
    rows : int
        1 where all rows share the predictor.
    columns : int
    parts : tuple of Part
    has_offset : bool
    rank : int
    condition : float
        Of the design with its columns scaled to unit length; infinite where the rank is not full.
    """

    rows: int
    columns: int
    parts: tuple[Part, ...]
    has_offset: bool
    rank: int
    condition: float

    def __str__(self) -> str:
        parts = " + ".join(f"{part.kind}[{', '.join(part.parameters)}]" for part in self.parts)
        offset = " + offset" if self.has_offset else ""
        shape = "shared by all rows" if self.rows == 1 else f"{self.rows} x {self.columns}"
        full = f"rank {self.rank}" if self.rank == self.columns else f"rank {self.rank} of {self.columns}"
        return f"{parts}{offset}: {shape}, {full}, condition {self.condition:.3g}"


def describe_design(term: RowTerm, predictor: Predictor, labels: Sequence[str]) -> Design:
    """Describe the design of a predictor.

    Parameters
    ----------
    term : RowTerm
    predictor : Predictor
        One of the term's.
    labels : sequence of str
        Of the unconstrained vector.

    Returns
    -------
    Design
    """
    columns = predictor.columns
    parts = tuple(
        Part(block.kind, len(block.columns), _shortened([labels[i] for i in block.columns]))
        for block in predictor.blocks
    )
    rank, condition = _rank(term, predictor, columns)
    rows = 1 if predictor.is_shared else term.count
    return Design(rows, len(columns), parts, bool(np.any(predictor.offset)), rank, condition)


def _rank(term: RowTerm, predictor: Predictor, columns: np.ndarray) -> tuple[int, float]:
    """Numerical rank and condition number: of the design itself, or of A'A where that is very large."""
    if predictor.is_shared:
        return 1, 1.0
    if term.count * len(columns) <= _ELEMENTS:
        matrix = predictor.matrix(columns, term.count)
        norms = np.linalg.norm(matrix, axis=0)
        values = np.linalg.svd(matrix / np.where(norms > 0, norms, 1), compute_uv=False)
        rank = int(np.sum(values > max(matrix.shape) * _ROUNDING * values[0]))
        return rank, _ratio(values[0], values[-1], rank == len(columns))
    gram = gram_matrix(term, predictor)[np.ix_(columns, columns)]
    norms = np.sqrt(np.diag(gram))
    squares = np.linalg.eigvalsh(gram / np.outer(norms, norms) if np.all(norms > 0) else gram)
    rank = int(np.sum(squares > len(columns) * _ROUNDING * squares[-1]))
    return rank, _ratio(np.sqrt(squares[-1]), np.sqrt(max(squares[0], 0.0)), rank == len(columns))


def _ratio(largest: float, smallest: float, full: bool) -> float:
    return float(largest / smallest) if full and smallest > 0 else float("inf")


def _shortened(labels: list[str]) -> tuple[str, ...]:
    return tuple(labels) if len(labels) <= 4 else (labels[0], labels[1], "...", labels[-1])
