"""A start from the data: least squares on what the link makes of the responses; else units that suit the data."""

from collections.abc import Callable, Collection, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ppl_mle.maximize.evidence import value_noise
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import RowObjective, RowTerm
from ppl_mle.read.rows.blocks import Constant
from ppl_mle.read.rows.closed import known_numbers, location, location_design, response

_MOST_ELEMENTS = 2_000_000
_ENOUGH = 4000
_RANK = 1e-10
_DECADES = (18, 16, 14, 12, 10, 8, 6, 4, 3, 2, 1)
_ROUNDS = 2
_MOST_GROUPS = 12
_NATS_A_ROW = 1.0
_NOISE = 1e-3


def _log_share(y: np.ndarray, n: Any) -> np.ndarray:
    return np.log(y + 0.5) - np.log(n - y + 0.5)


# What the predictor would be if each row had a parameter of its own, drawn in a little (McCullagh & Nelder 1989, 2.5).
_ETAS: dict[str, Callable[[np.ndarray, tuple[Any, ...]], np.ndarray]] = {
    "bernoulli_logit": lambda y, data: 4.0 * (y - 0.5),
    "bernoulli_probit": lambda y, data: 2.5 * (y - 0.5),
    "bernoulli_cloglog": lambda y, data: 3.0 * (y - 0.5) - 0.37,
    "binomial_logit": lambda y, data: _log_share(y, data[0]),
    "binomial_probit": lambda y, data: 0.6 * _log_share(y, data[0]),
    "binomial_cloglog": lambda y, data: 0.7 * _log_share(y, data[0]) - 0.37,
    "poisson_log": lambda y, data: np.log(y + 0.5),
    "negative_binomial": lambda y, data: np.log(y + 0.5),
    "normal": lambda y, data: y,
    "lognormal": lambda y, data: np.log(y),
    "gamma": lambda y, data: np.log(y),
    "exponential": lambda y, data: np.log(y + 1e-9 * np.mean(y)),
    "weibull": lambda y, data: np.log(y) + 0.5,
}
# The second predictor from the spread of the first one's residuals.
_SPREADS: dict[str, Callable[[float], float]] = {
    "normal": np.log,
    "lognormal": np.log,
    "gamma": lambda spread: -2 * float(np.log(spread)),
    "weibull": lambda spread: 0.25 - float(np.log(spread)),
    "negative_binomial": lambda spread: 0.0,
}
_KEPT: WeakKeyDictionary[Any, dict[Any, np.ndarray | None]] = WeakKeyDictionary()


def first_guess(problem: Problem) -> np.ndarray | None:
    """Free coordinates near the maximum, for a likelihood with one closed-form term; None where there is no such guess.

    Some thousand rows, evenly spread, are enough to guess from. It depends on the data alone and is kept with them.

    Returns
    -------
    array, shape (size,), or None
    """
    kept = _KEPT.setdefault(problem.likelihood.objective, {})
    key = tuple(problem.held.items())
    if key not in kept:
        kept[key] = _guess(problem)
    return kept[key]


def _guess(problem: Problem) -> np.ndarray | None:
    objective = problem.likelihood.objective
    if not isinstance(objective, RowObjective) or objective.rest is not None:
        return None
    terms = [term for term in objective.terms if term.form in _ETAS]
    if len(terms) != 1 or not location(terms[0]).is_predictor:
        return None
    (term,) = terms
    predictor = term.predictors[location(term).expression.index]
    columns = np.intersect1d(predictor.columns, problem.free)
    step = max(1, term.count // max(_ENOUGH, 10 * len(columns)))
    if not len(columns) or term.count * len(columns) > step * _MOST_ELEMENTS:
        return None
    theta = np.array(problem.likelihood.mapping.start(None))
    theta[list(problem.held)] = list(problem.held.values())
    theta[columns] = 0.0
    known = tuple(part[::step] if np.ndim(part) else part for part in known_numbers(term))
    offset = predictor.offset[::step] if np.ndim(predictor.offset) else predictor.offset
    target = _ETAS[term.form](np.asarray(response(term)[::step], float), known) - offset
    design = location_design(term, columns, step)
    found = _least_squares(design, target)
    if found is None:
        return None
    theta[columns] = found
    if term.form in _SPREADS:
        _spread(term, problem, theta, float(np.std(target - design @ found)))
    return theta[problem.free]


def _least_squares(design: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    gram = design.T @ design
    norms = np.sqrt(np.diag(gram))
    if not np.all(norms > 0):
        return None
    scaled = gram / np.outer(norms, norms)
    scaled[np.diag_indices_from(scaled)] += _RANK
    return np.linalg.solve(scaled, (design.T @ target) / norms) / norms


def _spread(term: RowTerm, problem: Problem, theta: np.ndarray, spread: float) -> None:
    """Put the second predictor where the spread of the residuals is, by its constants alone."""
    program = term.groups[0].program.argument(1)
    if not (program.is_predictor and np.isfinite(spread) and spread > 0):
        return
    predictor = term.predictors[program.expression.index]
    constant = next((block for block in predictor.blocks if isinstance(block, Constant)), None)
    if constant is None or len(constant.columns) != 1 or int(constant.columns[0]) not in problem.free:
        return
    others = np.setdiff1d(predictor.columns, constant.columns)
    theta[others] = 0.0
    level = _SPREADS[term.form](spread) - float(np.mean(predictor.offset))
    theta[constant.columns] = level / constant.coefficients[0]


def in_units(problem: Problem, x: np.ndarray, declared: Collection[str] = ()) -> np.ndarray:
    """Move a point to where its order of magnitude suits the data, where the log-density is clearly higher.

    One variable after the other is multiplied by the power of ten that is best, all elements at once (those on the real
    line are taken for logarithms), or put upon the median of what the rows hold; not at all where the log-density is
    highest farthest away, as if it had no bound, or is noise. By PyMC's initial point a scale is one and a location
    zero, in whatever units.

    Parameters
    ----------
    problem : Problem
    x : array, shape (size,)
    declared : collection of str
        Variables that stay where they are.

    Returns
    -------
    array, shape (size,)
        The point itself where no move makes the log-density higher by one nat for every row.
    """
    problem = problem.probe
    objective = problem.likelihood.objective
    gain = _NATS_A_ROW * (objective.rows if isinstance(objective, RowObjective) else 1)
    best, height = x, problem.value(x)
    for _ in range(_ROUNDS):
        before = best
        for group in _groups(problem, declared):
            moved = list(_moves(problem, best, group))
            values = [problem.value(candidate) for candidate in moved]
            lowest = int(np.argmin(values))
            if lowest > 1 and values[lowest] < height - gain and value_noise(problem, moved[lowest]) < _NOISE * gain:
                best, height = moved[lowest], values[lowest]
        if best is before:
            break
    return best


def _groups(problem: Problem, declared: Collection[str]) -> list[np.ndarray]:
    """Positions that move together: all that are positive, then each variable, the positive ones first."""
    likelihood = problem.likelihood
    members = [np.r_[var.free] for var in likelihood.variables if var.name not in declared]
    places = [np.flatnonzero(np.isin(problem.free, coordinates)) for coordinates in members]
    kept = problem.is_positive | ~problem.is_transformed
    usable = [place for place in places if len(place) and np.all(kept[place])]
    usable.sort(key=lambda place: not problem.is_positive[place[0]])
    positive = [place for place in usable if problem.is_positive[place[0]]]
    together = [np.concatenate(positive)] if len(positive) > 1 else []
    return together + usable[:_MOST_GROUPS]


def _moves(problem: Problem, x: np.ndarray, group: np.ndarray) -> Iterator[np.ndarray]:
    """The point with a group of coordinates elsewhere; the two farthest come first."""
    mask = np.isin(np.arange(len(x)), group)
    for decades in _DECADES:
        for sign in (1.0, -1.0):
            yield np.where(mask, x + sign * decades * np.log(10), x)
    objective = problem.likelihood.objective
    for term in objective.terms if isinstance(objective, RowObjective) else ():
        shared = [b.columns for p in term.predictors for b in p.blocks if isinstance(b, Constant)]
        mine = mask & ~problem.is_transformed & np.isin(problem.free, [i for columns in shared for i in columns])
        for held in term.row_constants if np.any(mine) else ():
            yield np.where(mine, np.median(held), x)
