"""Columns of a design that are functions of other columns, so that they move when those do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

_EXACT = 1e-9
_LOOKED_AT = 150
_TWO = 2
MOST_COLUMNS = 40


def _powers(highest: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.stack([x**k for k in range(highest + 1)], axis=-1)


def _beside(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.stack([np.ones_like(x), x, function(x)], axis=-1)


def _product(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(x), x, z, x * z], axis=-1)


_FORMS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    _powers(2),
    _powers(3),
    _powers(4),
    _beside(np.log),
    _beside(np.exp),
    _beside(np.sqrt),
    _beside(np.reciprocal),
)


@dataclass(frozen=True, eq=False)
class Rule:
    """How a column follows from one or two others.

    Parameters
    ----------
    sources : tuple of int
        Positions of these.
    form : callable
        From values of the sources to an array with the terms along its last axis.
    weights : array
        Of the terms.
    """

    sources: tuple[int, ...]
    form: Callable[..., np.ndarray]
    weights: np.ndarray

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The column at some rows of the design."""
        return self.form(*(rows[:, place] for place in self.sources)) @ self.weights


def find_rules(matrix: np.ndarray) -> dict[int, Rule]:
    """Find the columns that are polynomials up to the fourth degree, elementary functions, or products of others.

    A pair of which each is a function of the other counts as one of the later by the earlier.

    Parameters
    ----------
    matrix : array, shape (n, k)
        No column is constant.

    Returns
    -------
    dict of int to Rule
        By position, of those that follow from others.

    Examples
    --------
    >>> x = np.arange(9.0)
    >>> {place: rule.sources for place, rule in find_rules(np.column_stack([x, x**2])).items()}
    {1: (0,)}
    """
    some = matrix[_rows_looked_at(matrix)]
    found: dict[int, list[Rule]] = {}
    for sources, form in _candidates(some):
        for place, weights in _followers(some, sources, form):
            rule = Rule(sources, form, weights)
            if _holds(rule(matrix), matrix[:, place]):
                found.setdefault(place, []).append(rule)
    return _without_circles(found)


def move(means: np.ndarray, moved: Mapping[int, np.ndarray], rules: Mapping[int, Rule]) -> np.ndarray:
    """Rows of a design in which some columns have given values, their functions follow, and the rest are at means.

    Parameters
    ----------
    means : array, shape (k,)
    moved : dict of int to array, shape (m,)
    rules : dict of int to Rule

    Returns
    -------
    array, shape (m, k)
    """
    rows = np.tile(means, (len(next(iter(moved.values()))), 1))
    for place, values in moved.items():
        rows[:, place] = values
    for place in _in_turn(set(moved), rules):
        rows[:, place] = rules[place](rows)
    return rows


def followers(place: int, rules: Mapping[int, Rule]) -> list[int]:
    """Columns that move when one does."""
    return _in_turn({place}, rules)


def _in_turn(moved: set[int], rules: Mapping[int, Rule]) -> list[int]:
    """Functions of what moved, each after those that it is a function of."""
    waiting = _reached(moved, rules)
    order: list[int] = []
    while waiting:
        ready = sorted(place for place in waiting if not waiting & set(rules[place].sources))
        order += ready
        waiting -= set(ready)
    return order


def _reached(moved: set[int], rules: Mapping[int, Rule]) -> set[int]:
    reached: set[int] = set()
    while True:
        more = {place for place, rule in rules.items() if (moved | reached) & set(rule.sources)} - moved - reached
        if not more:
            return reached
        reached |= more


def _rows_looked_at(matrix: np.ndarray) -> np.ndarray:
    """Rows spread over all, and the ends of every column, as a rare indicator needs them."""
    spread = np.linspace(0, len(matrix) - 1, min(len(matrix), _LOOKED_AT)).astype(int)
    ends = [matrix.argmin(axis=0), matrix.argmax(axis=0)]
    return np.unique(np.concatenate([spread, *ends]))


def _candidates(some: np.ndarray) -> Iterator[tuple[tuple[int, ...], Callable[..., np.ndarray]]]:
    places = range(some.shape[1])
    several = [place for place in places if len(np.unique(some[:, place])) > _TWO]
    yield from (((place,), form) for place in several for form in _FORMS)
    yield from (((one, other), _product) for one, other in combinations(places, 2))


def _followers(
    some: np.ndarray, sources: tuple[int, ...], form: Callable[..., np.ndarray]
) -> Iterator[tuple[int, np.ndarray]]:
    """Columns that the terms of a form give exactly, with the weights."""
    with np.errstate(all="ignore"):
        terms = form(*(some[:, place] for place in sources))
    if not np.isfinite(terms).all():
        return
    others = [place for place in range(some.shape[1]) if place not in sources]
    plain = [place for place in others if _holds(terms[:, -1], some[:, place])]
    yield from ((place, np.eye(terms.shape[1])[-1]) for place in plain)
    if len(np.unique(some[:, sources], axis=0)) < terms.shape[1] + 1:
        return
    size = np.abs(terms).max(axis=0)
    weights, _, rank, _ = np.linalg.lstsq(terms / size, some[:, others], rcond=None)
    if rank < terms.shape[1]:
        return
    left = some[:, others] - (terms / size) @ weights
    for k, place in enumerate(others):
        own = some[:, place]
        if place not in plain and np.abs(left[:, k]).max() <= _EXACT * np.abs(own - own.mean()).max():
            yield place, weights[:, k] / size


def _holds(value: np.ndarray, column: np.ndarray) -> bool:
    return bool(np.abs(value - column).max() <= 10 * _EXACT * np.abs(column - column.mean()).max())


def _without_circles(found: Mapping[int, list[Rule]]) -> dict[int, Rule]:
    """One rule for each, none of them by way of itself."""
    kept: dict[int, Rule] = {}
    for place in sorted(found, reverse=True):
        for rule in sorted(found[place], key=lambda rule: len(rule.sources)):
            if not _reached({place}, kept) & set(rule.sources):
                kept[place] = rule
                break
    return kept
