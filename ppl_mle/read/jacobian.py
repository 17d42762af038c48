"""The logarithm of the Jacobian of the transforms, which makes a declared density one of the unconstrained vector."""

from functools import cached_property
from typing import Any

import numpy as np

from ppl_mle.read.interpret import without_compiler
from ppl_mle.read.joined import Joined
from ppl_mle.read.likelihood import Variable
from ppl_mle.read.objective import Objective


class LogJacobian:
    """Sum of log |dx/du| over the free variables, in closed form where each element is transformed by itself.

    Parameters
    ----------
    model : pm.Model
    joined : Joined
    variables : sequence of Variable
        In the order of the unconstrained vector.
    """

    def __init__(self, model: Any, joined: Joined, variables: tuple[Variable, ...]) -> None:
        self._size = variables[-1].free.stop
        known = [var for var in variables if var.elementwise and all(s.kind != "identity" for s in var.scales)]
        self._scaled = [(var.free.start + i, scale) for var in known for i, scale in enumerate(var.scales)]
        self._model, self._joined = model, joined
        self._others = [var.name for var in variables if var.transform is not None and var not in known]

    @property
    def exact(self) -> bool:
        """Whether second derivatives are exact."""
        return not self._others or self._objective.exact

    @cached_property
    def slope(self) -> np.ndarray | None:
        """Its gradient, shape (p,), where that is the same everywhere; else None."""
        if self._others or any(scale.kind != "log" for _, scale in self._scaled):
            return None
        slope = np.zeros(self._size)
        slope[[i for i, _ in self._scaled]] = 1.0
        return slope

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at the unconstrained vector `theta`, shape (p,)."""
        values, gradients = self.values_and_gradients(theta[None])
        return float(values[0]), gradients[0]

    def values_and_gradients(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values, shape (m,), and gradients, shape (m, p), at rows of unconstrained vectors."""
        values, gradients = np.zeros(len(points)), np.zeros(points.shape)
        for i, scale in self._scaled:
            x = scale.to_declared(points[:, i])
            values += np.log(np.abs(scale.slope(x)))
            gradients[:, i] = scale.bend(x)
        if self._others:
            more = [self._objective.value_and_gradient(point) for point in points]
            values += [value for value, _ in more]
            gradients += np.array([gradient for _, gradient in more])
        return values, gradients

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        """Second derivatives at `theta`, shape (p, p)."""
        hessian = np.zeros((self._size, self._size))
        for i, scale in self._scaled:
            hessian[i, i] = scale.bend_slope(scale.to_declared(theta[i]))
        return hessian + self._objective.hessian_product(theta, np.eye(self._size)) if self._others else hessian

    def values(self, points: np.ndarray) -> np.ndarray:
        """Values at rows of unconstrained vectors, shape (m, p)."""
        total = np.zeros(len(points))
        with np.errstate(all="ignore"):
            for i, scale in self._scaled:
                total += np.log(np.abs(scale.slope(scale.to_declared(points[:, i]))))
        if self._others:
            total += [self._objective.value_and_gradient(point)[0] for point in points]
        return total

    @cached_property
    def _objective(self) -> Objective:
        """PyMC's own Jacobian terms of the variables that are transformed jointly, or by bounds that are free."""
        with without_compiler():
            graphs = []
            for rv in (self._model[name] for name in self._others):
                value = self._model.rvs_to_values[rv]
                inputs = self._model.replace_rvs_by_values(list(rv.owner.inputs))
                graphs.append(self._model.rvs_to_transforms[rv].log_jac_det(value, *inputs).sum())
            return Objective(self._joined.theta, self._joined.replace(graphs), None, 1)
