"""PyMC's own log-density of a model as a function of one vector, differentiated by PyTensor: the tests' oracle."""

import numpy as np
import pytensor
import pytensor.tensor as pt
from pymc.pytensorf import rewrite_pregrad
from pytensor.compile.mode import Mode
from pytensor.graph.replace import graph_replace

PY = Mode(linker="py", optimizer="fast_run").excluding("fusion")


class OriginalDensity:
    """Sum of declared log-densities over the unconstrained values, no Jacobian.

    Parameters
    ----------
    model : pm.Model
    kept : sequence of str or None
        Free variables whose density is part of the sum, beside all that is observed and every Potential; None for all.
    """

    def __init__(self, model, kept=None):
        free = list(model.free_RVs)
        terms = [rv for rv in free if kept is None or rv.name in kept] + model.observed_RVs + model.potentials
        self._theta, self._direction = pt.dvector("theta"), pt.dvector("direction")
        swap, start = {}, 0
        for rv in free:
            value = model.rvs_to_values[rv]
            shape = tuple(np.shape(model.initial_point(0)[value.name]))
            stop = start + int(np.prod(shape))
            swap[value] = self._theta[start:stop].reshape(shape)
            start = stop
        with pytensor.config.change_flags(cxx=""):
            total = model.logp(vars=terms, jacobian=False)
            self._total = graph_replace([total], swap, strict=False)[0]
            self._gradient = pt.grad(rewrite_pregrad(self._total), self._theta)
            self._first = pytensor.function([self._theta], [self._total, self._gradient], mode=PY)

    def __call__(self, theta):
        """Log-density and gradient."""
        value, gradient = self._first(np.asarray(theta, float))
        return float(value), gradient

    def hessian(self, theta):
        """Second derivatives, shape (p, p), one product with the Hessian for each direction."""
        with pytensor.config.change_flags(cxx=""):
            along = pt.grad(pt.dot(self._gradient, self._direction), self._theta)
            product = pytensor.function([self._theta, self._direction], along, mode=PY)
        theta = np.asarray(theta, float)
        return np.array([product(theta, unit) for unit in np.eye(len(theta))])

    def slope_by_differences(self, theta, step=1e-5):
        """Central differences of the log-density, for densities whose derivatives are themselves in question."""
        moves = step * np.eye(len(theta))
        return np.array([(self(theta + move)[0] - self(theta - move)[0]) / (2 * step) for move in moves])
