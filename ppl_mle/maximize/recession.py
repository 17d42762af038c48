"""The proof that there is no finite maximum: a direction along which no row falls and some rise, from any point.

For logistic regression that is separation (Albert and Anderson 1984, *On the existence of maximum likelihood estimates
in logistic regression models*); for counts, a cell without any (Correia, Guimaraes and Zylkin 2019, *Verifying the
existence of maximum likelihood estimates for generalized linear models*).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ppl_mle.maximize.cone import Cone, find_cone
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import RowObjective, RowTerm
from ppl_mle.read.rows.recession import Demand, is_count, liftable, recession_demands

_MOST = 50_000_000
_PROBES = (0.0, 0.3, -0.7)
_KNOWN: "WeakKeyDictionary[Problem, Recession | None]" = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Recession:
    """Directions in which the log-density rises towards a limit.

    Parameters
    ----------
    columns : array of int
        The unconstrained coordinates that the directions speak of.
    lifted : array of bool
        Which of these count by their exponential.
    cone : Cone
    gaining : dict of str to array of int
        By term, the rows that rise.
    rows : dict of str to int
        By term, how many rows there are.
    is_complete : bool
        Every row is predicted with certainty in the limit.
    only_counts : bool
        The rows that rise are counts without any.
    """

    columns: np.ndarray
    lifted: np.ndarray
    cone: Cone
    gaining: dict[str, np.ndarray]
    rows: dict[str, int]
    is_complete: bool
    only_counts: bool

    def move(self, theta: np.ndarray, length: float) -> np.ndarray:
        """Go along the direction from a point of the unconstrained space, shape (p,)."""
        moved = np.array(theta, float)
        own = moved[self.columns]
        step = length * self.cone.direction
        own[~self.lifted] += step[~self.lifted]
        grown = self.lifted & (step > 0)
        own[grown] = np.logaddexp(own[grown], np.log(step[grown]))
        moved[self.columns] = own
        return moved

    def at(self, theta: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Directions as tangents of the unconstrained space at a point, shape (p, k)."""
        rates = np.where(self.lifted, np.exp(-theta[self.columns]), 1.0)
        whole = np.zeros((len(theta), directions.shape[1]))
        whole[self.columns] = directions * rates[:, None]
        return whole


def prove_recession(problem: Problem) -> Recession | None:
    """Look for a direction in which the log-density rises from every point; each problem is asked once.

    Returns
    -------
    Recession or None
        None where there is none, or where too little is known of the densities.
    """
    if problem not in _KNOWN:
        _KNOWN[problem] = _find(problem)
    return _KNOWN[problem]


def _find(problem: Problem) -> Recession | None:
    objective = problem.likelihood.objective
    if not isinstance(objective, RowObjective) or not objective.is_dense:
        return None
    terms = [term for term in objective.terms if term.groups]
    columns = np.setdiff1d(problem.free, _touched_by_rest(problem))
    if not len(columns) or _work(terms, len(columns)) > _MOST:
        return None
    lifted = liftable(terms, _tied(problem))
    demands = [recession_demands(term, lifted) for term in terms]
    place = {int(column): i for i, column in enumerate(columns)}
    blocks = [
        (term, demand, _rows_of(term, demand, place))
        for term, own in zip(terms, demands, strict=True)
        for demand in own
    ]
    is_lifted = np.array([int(column) in lifted for column in columns])
    fixed = [matrix for _, demand, matrix in blocks if demand.fixed]
    rising = [(term, demand.rows, matrix) for term, demand, matrix in blocks if not demand.fixed]
    if not rising:
        return None
    matrices = [matrix for *_, matrix in rising]
    rises = np.vstack([*matrices, np.eye(len(columns))[is_lifted]])
    if not _is_sound(rises):
        return None
    cone = find_cone(rises, np.vstack([*fixed, np.zeros((0, len(columns)))]))
    if cone is None:
        return None
    return _describe(cone, columns, is_lifted, terms, rising)


def _describe(
    cone: Cone,
    columns: np.ndarray,
    lifted: np.ndarray,
    terms: Sequence[RowTerm],
    rising: Sequence[tuple[RowTerm, np.ndarray, np.ndarray]],
) -> Recession | None:
    gaining: dict[str, np.ndarray] = {}
    counts = True
    start = 0
    for term, own, matrix in rising:
        mine = own[cone.gains[start : start + len(matrix)]]
        start += len(matrix)
        if len(mine):
            gaining[term.name] = np.union1d(gaining.get(term.name, np.array([], int)), mine)
            counts = counts and is_count(term)
    if not gaining:
        return None
    rows = {term.name: sum(len(_rows(term, group.rows)) for group in term.groups) for term in terms}
    complete = bool(start == int(np.sum(cone.gains[:start]))) and all(
        len(gaining.get(n, ())) == c for n, c in rows.items()
    )
    return Recession(columns, lifted, cone, gaining, rows, complete, counts)


def _rows(term: RowTerm, rows: np.ndarray | None) -> np.ndarray:
    return np.arange(term.count) if rows is None else rows


def _rows_of(term: RowTerm, demand: Demand, place: dict[int, int]) -> np.ndarray:
    """The demand's form in the coordinates, for each of its rows, shape (rows, columns)."""
    matrix = np.zeros((len(demand.rows), len(place)))
    for (kind, k), coefficient in demand.form.items():
        predictor = term.predictors[k]
        if kind == "exp":
            where = place.get(int(predictor.columns[0]))
            if where is not None:
                matrix[:, where] += coefficient
            continue
        part = predictor.matrix(list(place), term.count)[demand.rows]
        matrix += part * (coefficient[:, None] if np.ndim(coefficient) else coefficient)
    return matrix


def _work(terms: Sequence[RowTerm], columns: int) -> int:
    return sum(term.count for term in terms) * columns


def _is_sound(rises: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(rises)) and np.any(rises))


def _tied(problem: Problem) -> set[int]:
    """Coordinates of variables whose elements are tied to one another by their transform."""
    return {
        i for var in problem.likelihood.variables if not var.elementwise for i in range(var.free.start, var.free.stop)
    }


def _touched_by_rest(problem: Problem) -> np.ndarray:
    """Coordinates that terms without rows depend on, as far as their gradient tells."""
    rest = problem.likelihood.objective.rest
    if rest is None:
        return np.array([], int)
    start = problem.likelihood.mapping.start(None)
    slopes = [rest.value_and_gradient(start + shift)[1] for shift in _PROBES]
    return np.flatnonzero(np.any(np.array(slopes) != 0, axis=0))
