"""PyMC's own log-density of a model as a function of one vector, differentiated by PyTensor: the tests' oracle."""

from functools import cached_property

import numpy as np
import pytensor
import pytensor.tensor as pt
from pymc.pytensorf import rewrite_pregrad
from pytensor.compile.mode import Mode
from pytensor.graph.replace import graph_replace
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.rewriting.utils import rewrite_graph

_STEPS = ("lower_xtensor", "inline_ofg_expansion", "merge", "canonicalize", "stabilize")
PY = Mode(linker="py", optimizer=RewriteDatabaseQuery(include=_STEPS, exclude=("fusion",)))


class OriginalDensity:
    """Sum of declared log-densities over the unconstrained values, no Jacobian.

    Parameters
    ----------
    model : pm.Model
    kept : sequence of str or None
        Free variables whose density is part of the sum, beside all that is observed and every Potential; None for all.
    """

    def __init__(self, model, kept=None):
        terms = [rv for rv in model.free_RVs if kept is None or rv.name in kept]
        with pytensor.config.change_flags(cxx=""):
            shapes = {name: np.shape(value) for name, value in model.initial_point(0).items()}
        self._theta = pt.dvector("theta")
        swap, start = {}, 0
        for value in (model.rvs_to_values[rv] for rv in model.free_RVs):
            stop = start + int(np.prod(shapes[value.name]))
            swap[value] = self._theta[start:stop].reshape(shapes[value.name])
            start = stop
        with pytensor.config.change_flags(cxx=""):
            total = model.logp(vars=[*terms, *model.observed_RVs, *model.potentials], jacobian=False)
            total = rewrite_graph(graph_replace([total], swap, strict=False), include=("lower_xtensor", "canonicalize"))
            self._total = total[0]

    def __call__(self, theta):
        """Log-density and gradient."""
        value, gradient = self._first(np.asarray(theta, float))
        return float(value), gradient

    def hessian(self, theta):
        """Second derivatives, shape (p, p), one product with the Hessian for each direction."""
        theta = np.asarray(theta, float)
        return np.array([self._product(theta, unit) for unit in np.eye(len(theta))])

    def value(self, theta):
        """Log-density alone, for densities that PyTensor cannot differentiate."""
        return float(self._value(np.asarray(theta, float)))

    def differences(self, theta, step=1e-5):
        """Gradient by central differences of the log-density."""
        moves = step * np.eye(len(theta))
        return np.array([(self.value(theta + move) - self.value(theta - move)) / (2 * step) for move in moves])

    @cached_property
    def _value(self):
        return self._function([self._theta], self._total)

    @cached_property
    def _gradient(self):
        with pytensor.config.change_flags(cxx=""):
            return pt.grad(rewrite_pregrad(self._total), self._theta)

    @cached_property
    def _first(self):
        return self._function([self._theta], [self._total, self._gradient])

    @cached_property
    def _product(self):
        direction = pt.dvector("direction")
        along = pt.grad(pt.dot(self._gradient, direction), self._theta)
        return self._function([self._theta, direction], along)

    def _function(self, inputs, outputs):
        with pytensor.config.change_flags(cxx=""):
            return pytensor.function(inputs, outputs, mode=PY)
