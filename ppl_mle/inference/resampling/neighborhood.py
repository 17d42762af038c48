"""The row terms of a likelihood around its maximum, in coordinates that make its Hessian close to minus one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ppl_mle.inference.resampling.climb import Found
from ppl_mle.maximize import Maximum, Status
from ppl_mle.maximize.local import look_closely
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import RowObjective, RowTerm
from ppl_mle.read.rows.around import Around, is_stackable
from ppl_mle.read.rows.refits import Densities

_MOST_COORDINATES = 100


@dataclass(frozen=True, eq=False)
class Neighborhood:
    """theta = origin + basis u.

    Parameters
    ----------
    origin : array, shape (p,)
    basis : array, shape (p, q)
        Columns about one standard error long; zero for held coordinates.
    terms : dict of int to Around
        The terms that parameters change, by position.
    constant : float
        The sum of the others.
    """

    origin: np.ndarray
    basis: np.ndarray
    terms: Mapping[int, Around]
    constant: float

    @classmethod
    def of(cls, maximum: Maximum) -> "Neighborhood | None":
        """Look around a maximum; None where many refits at once do not suit its likelihood.

        They suit a certified maximum of a sum over rows in at most 100 dimensions, whose designs fit into memory.
        """
        likelihood = maximum.plan.likelihood
        objective, free = likelihood.objective, likelihood.size - len(maximum.held)
        if maximum.status is not Status.CONVERGED or free > _MOST_COORDINATES:
            return None
        if not isinstance(objective, RowObjective) or objective.rest is not None:
            return None
        moving = {i: term for i, term in enumerate(objective.terms) if term.groups}
        basis = _basis(maximum, list(moving.values()))
        if basis is None or not is_stackable(list(moving.values()), free):
            return None
        terms = {i: Around(term, maximum.theta, basis) for i, term in moving.items()}
        constant = sum(term.scale * term.base for term in objective.terms if not term.groups)
        return cls(maximum.theta, basis, terms, float(constant))

    @property
    def rows(self) -> int:
        """Rows of all terms."""
        return sum(around.term.count for around in self.terms.values())

    def theta(self, u: np.ndarray) -> np.ndarray:
        """Unconstrained values for local ones, shape (m, q) to (m, p)."""
        return self.origin + u @ self.basis.T

    def evaluate(
        self, densities: Mapping[int, Densities], weights: Mapping[int, np.ndarray], u: np.ndarray | None, count: int
    ) -> Found:
        """Values, gradients and Hessians of `count` log-densities, each at a point of its own.

        Parameters
        ----------
        densities, weights : dict by position of the term
        u : array of shape (count, q), or None
            None for the origin in all.
        count : int
        """
        size = self.basis.shape[1]
        value, gradient = np.full(count, self.constant), np.zeros((count, size))
        hessian = np.zeros((count, size, size))
        for i, around in self.terms.items():
            parts = around.evaluate(densities[i], weights.get(i), u, count)
            value, gradient, hessian = value + parts[0], gradient + parts[1], hessian + parts[2]
        return value, gradient, hessian


def _basis(maximum: Maximum, terms: list[RowTerm]) -> np.ndarray | None:
    """A basis that whitens the Hessian within each set of coordinates that predictors bind together.

    Between the sets it is left as it is, so that designs keep their width.
    """
    likelihood = maximum.plan.likelihood
    basis = np.zeros((likelihood.size, likelihood.size))
    for part in _bound_together(maximum, terms):
        others = {i: float(maximum.theta[i]) for i in range(likelihood.size) if i not in part}
        problem = Problem(likelihood, others)
        start = maximum.theta[problem.free]
        local = look_closely(problem, start, -maximum.gradient[problem.free], np.maximum(1.0, np.abs(start)) * 1e-2)
        if not local.exists or local.solid.shape[1] < len(part):
            return None
        basis[np.ix_(problem.free, problem.free)] = local.solid
    free = [i for i in range(likelihood.size) if i not in maximum.held]
    return basis[:, free]


def _bound_together(maximum: Maximum, terms: list[RowTerm]) -> list[set[int]]:
    """The smallest sets of free coordinates such that each predictor depends on one of them alone."""
    parts: list[set[int]] = [{i} for i in range(maximum.plan.likelihood.size) if i not in maximum.held]
    for predictor in (p for term in terms for p in term.predictors):
        columns = {int(i) for i in predictor.columns}
        touched = [part for part in parts if part & columns]
        parts = [part for part in parts if not part & columns]
        parts += [set().union(*touched)] if touched else []
    return parts
