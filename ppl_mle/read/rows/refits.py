"""Rows of a term at many points at once, and terms with other weights: what refits by the thousand are made of."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ppl_mle.read.rows.jet import Jet
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.term import Group, RowTerm

_LONG = 300
_BROADCAST = {"bernoulli_logit", "bernoulli_probit", "normal", "normal_known", "lognormal", "weibull", "exponential"}

Densities = Callable[[list[np.ndarray], int], tuple[Jet, Any]]
"""From predictors, shape (m, n) or (m, 1) each, to the jet of (m, n) rows and where the density exists."""


def reweighted(term: RowTerm, weights: np.ndarray) -> RowTerm:
    """The term with other weights; a row of weight zero is in no group."""
    if not term.groups:
        return term
    if np.all(weights > 0):
        return replace(term, weights=weights)
    kept = np.flatnonzero(weights > 0)
    rows = [kept if group.rows is None else group.rows[weights[group.rows] > 0] for group in term.groups]
    pairs = zip(rows, term.groups, strict=True)
    return replace(term, weights=weights, groups=tuple(Group(own, g.program) for own, g in pairs if len(own)))


def same_rows(term: RowTerm) -> Densities:
    """Densities of a term's own rows, at many points."""
    parts = [_Part(group, term.count, term.form in _BROADCAST) for group in term.groups]
    if len(parts) == 1 and term.groups[0].rows is None:
        return parts[0]
    return partial(_by_part, parts, term.count)


class _Part:
    """A group of rows, its conditions apart, so that each point is told whether they hold there.

    Rules for special functions pick elements, so all but plain formulas are evaluated on rows end to end; where there
    are special functions and a predictor that all rows share, for which they need one number, point by point.
    """

    def __init__(self, group: Group, count: int, broadcasts: bool) -> None:
        self.rows: Any = slice(None) if group.rows is None else group.rows
        self._index = np.arange(count)[self.rows]
        self._broadcasts = broadcasts
        self._is_dear = len(self._index) >= _LONG and group.program.has_special
        self._density = Program(group.program.expression)
        self._conditions = [Program(condition) for condition in group.program.conditions]

    def __call__(self, etas: list[np.ndarray], order: int) -> tuple[Jet, Any]:
        if self._broadcasts:
            return self._evaluated(self.rows, etas, order)
        rows, points = self._index, max(len(eta) for eta in etas)
        if points > 1 and self._is_dear and any(eta.shape[1] == 1 for eta in etas):
            return self._one_by_one(rows, etas, order, points)
        flat = [np.broadcast_to(eta, (points, len(rows))).ravel() for eta in etas]
        jet, holds = self._evaluated(np.tile(rows, points), flat, order)
        return _each(jet, lambda d: _as_table(d, points)), holds if np.ndim(holds) == 0 else _as_table(holds, points)

    def _one_by_one(self, rows: np.ndarray, etas: list[np.ndarray], order: int, points: int) -> tuple[Jet, Any]:
        found = []
        for i in range(points):
            own = [eta[min(i, len(eta) - 1)] for eta in etas]
            found.append(self._evaluated(rows, [eta if len(eta) > 1 else float(eta[0]) for eta in own], order))
        jets = [_each(jet, lambda d: np.broadcast_to(d, (len(rows),))) for jet, _ in found]
        first = {key: np.array([jet.first[key] for jet in jets]) for key in jets[0].first}
        second = {pair: np.array([jet.second[pair] for jet in jets]) for pair in jets[0].second}
        holds = np.array([[np.all(held)] for _, held in found])
        return Jet(np.array([jet.value for jet in jets]), first, second), holds

    def _evaluated(self, rows: Any, etas: list[Any], order: int) -> tuple[Jet, Any]:
        jets = [condition(rows, etas, 0) for condition in self._conditions]
        holds: Any = True
        for held in jets:
            holds = holds & (held is not None and held.value != 0)
        jet = self._density(rows, etas, order)
        assert jet is not None
        return jet, holds


def _each(jet: Jet, change: Callable[[Any], Any]) -> Jet:
    first = {key: change(d) for key, d in jet.first.items()}
    return Jet(change(jet.value), first, {pair: change(d) for pair, d in jet.second.items()})


def _as_table(d: Any, points: int) -> Any:
    return d if np.ndim(d) == 0 else np.reshape(d, (points, -1))


def _by_part(parts: Sequence[_Part], count: int, etas: list[np.ndarray], order: int) -> tuple[Jet, Any]:
    shape = (max(len(eta) for eta in etas), count)
    value, exists = np.zeros(shape), np.ones(shape, bool)
    first: dict[Any, np.ndarray] = {}
    second: dict[Any, np.ndarray] = {}
    for part in parts:
        rows = part.rows
        jet, fine = part([eta[:, rows] if eta.shape[1] > 1 else eta for eta in etas], order)
        exists[:, rows] = fine
        value[:, rows] = jet.value
        for target, source in ((first, jet.first), (second, jet.second)):
            for key, d in source.items():
                target.setdefault(key, np.zeros(shape))[:, rows] = d
    return Jet(value, first, second), exists
