"""The log-density over the coordinates that move, turned into a function to minimize, with its calls counted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from ppl_mle.read import Likelihood, Predictor, RowObjective, values_at
from ppl_mle.read.rows.expression import Expr, in_order

_ENOUGH = 4_000
_FEW = 200


class Problem:
    """Minus the log-density as a function of the free coordinates.

    Parameters
    ----------
    likelihood : Likelihood
    held : dict of int to float
        Unconstrained coordinates that do not move.
    """

    def __init__(self, likelihood: Likelihood, held: Mapping[int, float]) -> None:
        self.likelihood = likelihood
        self.held = dict(held)
        self.free = np.array([i for i in range(likelihood.size) if i not in self.held], int)
        self.evaluations = 0

    @property
    def has_rows(self) -> bool:
        """Whether curvature can be summed over rows in any basis."""
        objective = self.likelihood.objective
        return isinstance(objective, RowObjective) and objective.is_dense

    @property
    def size(self) -> int:
        """Number of free coordinates."""
        return len(self.free)

    @cached_property
    def is_transformed(self) -> np.ndarray:
        """Mask of the free coordinates that are transformed from a declared support with an edge, shape (size,)."""
        mask = np.zeros(self.likelihood.size, bool)
        for var in self.likelihood.variables:
            mask[var.free] = (
                [s.kind != "identity" for s in var.scales] if var.elementwise else var.transform is not None
            )
        return mask[self.free]

    @cached_property
    def is_positive(self) -> np.ndarray:
        """Mask of the free coordinates that are logarithms of declared elements, shape (size,)."""
        mask = np.zeros(self.likelihood.size, bool)
        for var in self.likelihood.variables:
            mask[var.free] = [s.kind == "log" for s in var.scales] if var.elementwise else False
        return mask[self.free]

    @cached_property
    def is_logarithm(self) -> np.ndarray:
        """Mask of the free coordinates that are transformed, or of which rows take the exponential, shape (size,)."""
        objective, found = self.likelihood.objective, set[int]()
        for term in objective.terms if isinstance(objective, RowObjective) else ():
            for group in term.groups:
                found |= {int(c) for k in _exponents(group.program.expression) for c in _own(term.predictors[k])}
        return self.is_transformed | np.isin(self.free, list(found))

    @cached_property
    def reach(self) -> np.ndarray:
        """Units for looks elsewhere: the spread of what rows hold over that of the column; 1 where there is none."""
        objective, reach = self.likelihood.objective, np.zeros(self.likelihood.size)
        for term in objective.terms if isinstance(objective, RowObjective) else ():
            spread = max((float(np.std(held)) for held in term.row_constants), default=0.0)
            rows = slice(0, term.count, max(1, term.count // _ENOUGH))
            for block in [b for predictor in term.predictors for b in predictor.blocks if len(b.columns) <= _FEW]:
                sizes = np.sqrt(np.mean(block.weighted(1.0, rows, len(range(term.count)[rows])) ** 2, axis=0))
                own = np.divide(spread, sizes, out=np.zeros(len(sizes)), where=sizes > 0)
                reach[block.columns] = np.maximum(reach[block.columns], own)
        return np.where(np.isfinite(reach) & (reach > 0), reach, 1.0)[self.free]

    def declared_labels(self, coordinates: np.ndarray) -> tuple[str, ...]:
        """Declared labels of unconstrained coordinates: the element, or all elements of a joint transform."""
        labels: list[str] = []
        for var in self.likelihood.variables:
            inside = [i - var.free.start for i in coordinates if var.free.start <= i < var.free.stop]
            if inside:
                labels += [var.labels[i] for i in inside] if var.elementwise else var.labels
        return tuple(labels)

    def expand(self, x: np.ndarray) -> np.ndarray:
        """Put free coordinates `x`, shape (size,), among the held ones, shape (p,)."""
        if not self.held:
            return np.array(x, float)
        theta = np.zeros(self.likelihood.size)
        theta[self.free] = x
        theta[list(self.held)] = list(self.held.values())
        return theta

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus log-density and its gradient; plus infinity where either does not exist.

        A log-density of plus infinity counts as one that does not exist: it is an overflow or a singularity.
        """
        self.evaluations += 1
        value, gradient = self.likelihood.objective.value_and_gradient(self.expand(x))
        own = gradient[self.free] if self.held else gradient
        if not (math.isfinite(value) and np.isfinite(own).all()):
            return np.inf, np.full(self.size, np.nan)
        return -value, -own

    def value(self, x: np.ndarray) -> float:
        """Minus log-density alone; plus infinity where it does not exist."""
        objective = self.likelihood.objective
        if not isinstance(objective, RowObjective):
            return self.value_and_gradient(x)[0]
        self.evaluations += 1
        value = objective.value(self.expand(x))
        return -value if math.isfinite(value) else np.inf

    def values(self, points: np.ndarray) -> np.ndarray:
        """The same at rows of points, shape (m, size), at once where that is cheaper; shape (m,)."""
        objective = self.likelihood.objective
        if not isinstance(objective, RowObjective) or objective.rest is not None or objective.is_thinned:
            return np.array([self.value(x) for x in points])
        self.evaluations += len(points)
        found = values_at(objective, np.array([self.expand(x) for x in points]))
        return np.where(np.isfinite(found), -found, np.inf)

    def foresee(self, points: Sequence[np.ndarray]) -> None:
        """Evaluate points at once, where that is cheaper, whose values and gradients will be asked for one by one."""
        if isinstance(self.likelihood.objective, RowObjective):
            self.likelihood.objective.foresee(np.array([self.expand(x) for x in points]).T)

    @cached_property
    def probe(self) -> "Problem":
        """The problem over enough rows to check derivatives on; itself where rows are not very many."""
        objective = self.likelihood.objective
        if not isinstance(objective, RowObjective) or objective.rows < 2 * _ENOUGH:
            return self
        return self.thinned(objective.rows // _ENOUGH)

    def thinned(self, step: int) -> "Problem":
        """The same problem with every `step`-th row standing for all."""
        part = replace(self.likelihood, objective=self.likelihood.objective.thinned(step))
        return Problem(part, self.held)

    def visit(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at a point whose curvature will be asked for next, from one pass where that is cheaper."""
        if self.has_rows and self.likelihood.objective.rest is None:
            self.likelihood.objective.second_order(self.expand(x))
        return self.value_and_gradient(x)

    def visit_beside(self, x: np.ndarray, near: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at a point so close to a visited one that the curvature there holds for it as well."""
        found = self.value_and_gradient(x)
        if self.has_rows:
            self.likelihood.objective.lend_curvature(self.expand(near), self.expand(x))
        return found

    def original_value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus PyMC's own log-density and gradient, whatever they are."""
        value, gradient = self.likelihood.original.value_and_gradient(self.expand(x))
        return -value, -gradient[self.free]

    def hessian(self, x: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Hessian of minus the log-density, shape (size, size), differentiated in steps of `units` where need be."""
        if self.has_rows:
            matrix = -self.likelihood.objective.second_order(self.expand(x))[2]
            return matrix[np.ix_(self.free, self.free)] if self.held else matrix
        return self.curvature(x, np.diag(units)) / np.outer(units, units)

    def curvature(self, x: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """Curvature T' H T of minus the log-density in the columns of a basis.

        Parameters
        ----------
        x : array, shape (size,)
        basis : array, shape (size, k)
            Columns of about one standard error, for densities without second derivatives.

        Returns
        -------
        array, shape (k, k), symmetric
        """
        whole = np.zeros((self.likelihood.size, basis.shape[1]))
        whole[self.free] = basis
        matrix = -self.likelihood.objective.curvature(self.expand(x), whole)
        return (matrix + matrix.T) / 2


def _own(predictor: Predictor) -> np.ndarray:
    """The coordinate that a predictor which all rows share consists of; none where there are several."""
    return predictor.columns if predictor.is_shared and len(predictor.columns) == 1 else np.zeros(0, int)


def _exponents(expression: Expr) -> set[int]:
    """Positions of predictors of which the exponential is taken: by name, or as the scale of a closed form."""
    taken = {node.args[0].index for node in in_order(expression) if node.op == "exp" and node.args[0].op == "eta"}
    closed = expression.args[1:] if expression.extra is not None else ()
    return taken | {argument.index for argument in closed if argument.op == "eta"}
