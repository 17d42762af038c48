"""The design of a mean that is a function of one affine predictor, and what can be moved in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.maximize import Maximum
from ppl_mle.read.responding import Response
from ppl_mle.read.row_function import ByRows, Fixed, RowFunction
from ppl_mle.read.rows.blocks import Dense
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.report.derived_columns import MOST_COLUMNS, Rule, find_rules

_MOST_NUMBERS = 40_000_000


@dataclass(frozen=True, eq=False)
class Design:
    """The columns of the coefficients of a mean.

    Parameters
    ----------
    response : Response
        With the mean that is shown: of a binomial one the mean per trial.
    function : ByRows
        This mean.
    position : int
        Of the predictor that differs between rows.
    columns : array of int, shape (k,)
        Coordinates of the unconstrained vector.
    labels : tuple of str
        Of the coefficients.
    matrix : array, shape (n, k)
    offset : float
        Mean of what has no coefficient.
    size : int
        Length of the unconstrained vector.
    """

    response: Response
    function: ByRows
    position: int
    columns: np.ndarray
    labels: tuple[str, ...]
    matrix: np.ndarray
    offset: float
    size: int

    @property
    def moving(self) -> tuple[int, ...]:
        """Positions of the columns that are not constant."""
        return tuple(int(place) for place in np.flatnonzero(np.ptp(self.matrix, axis=0) > 0))

    def at(self, rows: np.ndarray) -> Response:
        """The response at other rows of the design."""
        term = self.function.term
        made = Predictor(self.offset, (Dense(self.columns, np.asarray(rows, float)),))
        predictors = (*term.predictors[: self.position], made, *term.predictors[self.position + 1 :])
        moved = replace(term, count=len(rows), predictors=predictors, weights=None)
        mean = ByRows(moved, (len(rows),), self.size)
        index = pd.RangeIndex(len(rows))
        return Response(self.response.name, self.response.law, mean, index, self.response.support, None)


def read_design(maximum: Maximum, response: Response) -> Design | str:
    """The design of a response's mean; a sentence's end that says why there is none, empty where nothing moves it."""
    function, response = _shown_mean(response)
    if isinstance(function, Fixed):
        return ""
    if len(function.shape) != 1 or response.law.is_categorical:
        return "a response with several axes or of categories is not drawn against single columns"
    if not isinstance(function, ByRows):
        return "its mean is no function of affine predictors row by row"
    term = function.term
    varying = [place for place, predictor in enumerate(term.predictors) if not predictor.is_shared]
    if not varying:
        return "" if not term.row_constants else "its mean is no function of one affine predictor"
    if len(varying) > 1 or term.row_constants or len(term.groups) != 1 or term.groups[0].rows is not None:
        return "its mean is no function of one affine predictor"
    predictor = term.predictors[varying[0]]
    columns = predictor.columns
    if term.count * len(columns) > _MOST_NUMBERS:
        return f"its design has {term.count:,} rows and {len(columns):,} columns, too many to look at"
    labels = tuple(maximum.plan.likelihood.scale_labels[column] for column in columns)
    matrix = predictor.matrix(columns, term.count)
    offset, size = float(np.mean(predictor.offset)), len(maximum.theta)
    return Design(response, function, varying[0], columns, labels, matrix, offset, size)


def _shown_mean(response: Response) -> tuple[RowFunction, Response]:
    """The mean, of a binomial response that of one trial."""
    if response.support == "counts of" and response.law.name == "Binomial":
        chance = response.law.parameters[1]
        return chance, replace(response, mean=chance, support="interval")
    return response.mean, response


@dataclass(frozen=True)
class Movable:
    """What can be moved alone.

    Parameters
    ----------
    singles : tuple of int
        Positions of columns.
    rules : dict of int to Rule
        Of the columns that follow.
    factors : tuple of tuple of int
        Columns of the levels of one factor, of which every row has one.
    left_out : tuple of str
        Sentences.
    """

    singles: tuple[int, ...]
    rules: Mapping[int, Rule]
    factors: tuple[tuple[int, ...], ...]
    left_out: tuple[str, ...]


def find_movable(design: Design, names: Mapping[int, str]) -> Movable:
    """Sort the columns into those that can be moved alone, those that follow, and levels of factors."""
    places = list(design.moving)
    factors: list[tuple[list[int], np.ndarray]] = []
    within: list[tuple[list[int], np.ndarray]] = []
    said: list[str] = []
    for own in _families(design, places):
        part = design.matrix[:, own] != 0
        if len(own) > 1 and (part.sum(axis=1) == 1).all():
            is_factor = bool(np.isin(design.matrix[:, own], (0, 1)).all())
            (factors if is_factor else within).append((own, part))
    nested = [own for own, part in factors if any(_same(part, other) for _, other in within)]
    for own in [*nested, *(own for own, _ in within)]:
        variable = _variable(design.labels[own[0]])
        said.append(
            f"The columns of {variable} are not moved alone: a level of their factor goes with a slope of its own."
        )
    whole = tuple(tuple(own) for own, _ in factors if own not in nested)
    taken = {place for own, _ in [*factors, *within] for place in own}
    free = [place for place in places if place not in taken]
    if len(free) > MOST_COLUMNS:
        said.append(
            f"Only the first {MOST_COLUMNS} of {len(free)} columns were looked at; the others stay at their means."
        )
        free = free[:MOST_COLUMNS]
    local = find_rules(design.matrix[:, free]) if len(free) > 1 else {}
    rules = {free[k]: replace(rule, sources=tuple(free[i] for i in rule.sources)) for k, rule in local.items()}
    for place, rule in rules.items():
        sources = " and ".join(names[source] for source in rule.sources)
        said.append(f"{names[place]} is a function of {sources}: it has no panel, and moves with it.")
    return Movable(tuple(place for place in free if place not in rules), rules, whole, tuple(said))


def names_of(design: Design, containers: Mapping[str, Any]) -> dict[int, str]:
    """What each column is called: the data vector that it is, the coordinate of its coefficient, or the coefficient."""
    return {place: _name(design, place, containers) for place in range(len(design.labels))}


def _name(design: Design, place: int, containers: Mapping[str, Any]) -> str:
    column, label = design.matrix[:, place], design.labels[place]
    for name, values in containers.items():
        own = np.asarray(values)
        if own.shape == column.shape and own.dtype.kind in "biuf" and np.array_equal(own.astype(float), column):
            return str(name)
    inside = label[label.index("[") + 1 : -1] if label.endswith("]") and "[" in label else ""
    is_name = bool(inside) and not any(part.strip().isdigit() for part in inside.split(","))
    return inside if is_name else f"column of {label}"


def _families(design: Design, places: list[int]) -> list[list[int]]:
    """Columns of each variable."""
    found: dict[str, list[int]] = {}
    for place in places:
        found.setdefault(_variable(design.labels[place]), []).append(place)
    return list(found.values())


def _variable(label: str) -> str:
    return label.split("[", 1)[0]


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool((one == other).all())
