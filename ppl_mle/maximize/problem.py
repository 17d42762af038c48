"""The log-density over the coordinates that move, turned into a function to minimize, with its calls counted."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ppl_mle.read import Likelihood


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

    def expand(self, x: np.ndarray) -> np.ndarray:
        """Put free coordinates `x`, shape (size,), among the held ones, shape (p,)."""
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
        if not (np.isfinite(value) and np.all(np.isfinite(gradient[self.free]))):
            return np.inf, np.full(self.size, np.nan)
        return -value, -gradient[self.free]

    def original_value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus PyMC's own log-density and gradient, whatever they are."""
        value, gradient = self.likelihood.original.value_and_gradient(self.expand(x))
        return -value, -gradient[self.free]

    def curvature(self, x: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """Curvature T' H T of minus the log-density in the columns of a basis.

        Products H T are taken by differentiation and not from a formed H, so that a basis that whitens an
        ill-conditioned H loses digits with the condition number of T and not with its square.

        Parameters
        ----------
        x : array, shape (size,)
        basis : array, shape (size, k)
            Columns of about one standard error, for densities without second derivatives.

        Returns
        -------
        array, shape (k, k), symmetric
        """
        directions = np.zeros((basis.shape[1], self.likelihood.size))
        directions[:, self.free] = basis.T
        products = -self.likelihood.objective.hessian_product(self.expand(x), directions)[:, self.free]
        matrix = products @ basis
        return (matrix + matrix.T) / 2
