"""The quadratic at a point, in a basis that whitens it: decrement, covariance, null directions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtri
from scipy.sparse.linalg import LinearOperator, eigsh

from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.scaling import equilibrate

_FLOOR = 1e-12
_NULL = 1e-2
_LOST = 1e-9
_WHITENINGS = 4
_MANY = 200
_WELL_CONDITIONED = 1e-4
_NEARLY_COLLINEAR = 1e-2


@dataclass(frozen=True)
class Local:
    """Second-order picture of minus the log-density at a point.

    Parameters
    ----------
    x, gradient : array, shape (p,)
    units : array, shape (p,)
        Units in which the Hessian has a unit diagonal.
    scaled_eigenvalues : array, ascending
        Of the Hessian in those units: all of them, or the smallest and the largest.
    basis : array, shape (p, p)
        Columns t_i with t_i' H t_j close to the identity where the curvature allows it.
    curvature : array, shape (p,), ascending
        Eigenvalues of basis' H basis.
    rotation : array, shape (p, p)
        The eigenvectors that belong to `curvature`.
    ordered : bool
        The columns of `basis` are eigenvectors of the scaled Hessian, that of the smallest eigenvalue first.
    """

    x: np.ndarray
    gradient: np.ndarray
    units: np.ndarray
    scaled_eigenvalues: np.ndarray
    basis: np.ndarray
    curvature: np.ndarray
    rotation: np.ndarray
    ordered: bool = False

    @property
    def exists(self) -> bool:
        """Whether every second derivative is finite."""
        return bool(np.all(np.isfinite(self.curvature)))

    @property
    def is_ill_conditioned(self) -> bool:
        """Whether the smallest scaled eigenvalue is less than a hundredth of the largest."""
        return bool(self.scaled_eigenvalues[0] < _NEARLY_COLLINEAR * self.scaled_eigenvalues[-1])

    @property
    def null(self) -> np.ndarray:
        """Mask of directions without curvature above rounding."""
        return np.abs(self.curvature) < _NULL

    @property
    def has_descent(self) -> bool:
        """Whether the curvature is negative along some direction."""
        return bool(np.any(self.curvature <= -_NULL))

    @cached_property
    def axes(self) -> np.ndarray:
        """Directions that belong to `curvature`, as columns, shape (p, p)."""
        return self.basis @ self.rotation

    @cached_property
    def solid(self) -> np.ndarray:
        """Directions with curvature, each scaled to unit curvature."""
        keep = ~self.null & (self.curvature > 0)
        return self.axes[:, keep] / np.sqrt(self.curvature[keep])

    @property
    def null_axes(self) -> np.ndarray:
        """Directions without curvature as columns, one unit long, shape (p, k)."""
        axes = self.axes[:, self.null]
        return axes / np.linalg.norm(axes / self.units[:, None], axis=0)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Inverse of the Hessian on the directions that have curvature, shape (p, p)."""
        return self.solid @ self.solid.T

    @cached_property
    def step(self) -> np.ndarray:
        """Newton step on the directions that have curvature, shape (p,)."""
        return -self.solid @ (self.solid.T @ self.gradient)

    def decrement(self, gradient: np.ndarray) -> float:
        """Half the squared length of a gradient in units of standard errors, g' H^-1 g / 2."""
        return float(0.5 * np.sum((self.solid.T @ gradient) ** 2))


def look_closely(problem: Problem, x: np.ndarray, gradient: np.ndarray, units: np.ndarray) -> Local:
    """Whiten the Hessian at a point, re-differentiating along each new basis.

    Parameters
    ----------
    problem : Problem
    x, gradient : array, shape (p,)
    units : array, shape (p,)
        A first guess of the standard errors.

    Returns
    -------
    Local
        With NaN curvature where a second derivative does not exist.
    """
    matrix = problem.hessian(x, units)
    if np.all(np.isfinite(matrix)):
        own = matrix.diagonal()
        units = 1 / np.sqrt(own) if own.min(initial=1.0) > 0 else equilibrate(matrix, gradient, x)
    matrix = matrix * np.outer(units, units)
    if not np.all(np.isfinite(matrix)):
        hole = np.full(len(x), np.nan)
        return Local(x, gradient, units, hole, np.diag(units), hole, np.eye(len(x)))
    if len(x) >= _MANY:
        simple = _factored(x, gradient, units, matrix)
        if simple is not None:
            return simple
    scaled, vectors = np.linalg.eigh(matrix)
    if scaled[0] > _WELL_CONDITIONED * scaled[-1]:
        basis = units[:, None] * vectors / np.sqrt(scaled)
        return Local(x, gradient, units, scaled, basis, np.ones(len(x)), np.eye(len(x)), ordered=True)
    floor = _FLOOR * (float(np.abs(scaled).max()) or 1.0)
    basis = units[:, None] * vectors / np.sqrt(np.maximum(np.abs(scaled), floor))
    lost = _LOST if problem.has_rows else _NULL
    for _ in range(_WHITENINGS):
        whitened = problem.curvature(x, basis)
        if not np.all(np.isfinite(whitened)):
            return Local(x, gradient, units, scaled, basis, np.full(len(x), np.nan), np.eye(len(x)))
        curvature, rotation = np.linalg.eigh(whitened)
        if np.any(np.abs(curvature) < lost) or (curvature[0] > 0.5 and curvature[-1] < 2) or curvature[0] < 0:
            break
        basis = basis @ rotation / np.sqrt(curvature)
    return Local(x, gradient, units, scaled, basis, curvature, rotation)


def _factored(x: np.ndarray, gradient: np.ndarray, units: np.ndarray, matrix: np.ndarray) -> Local | None:
    """The same by a Cholesky factor, where the scaled Hessian is well conditioned: nothing is left to whiten.

    Of the scaled eigenvalues the smallest and the largest are found, by Lanczos' method.
    """
    factor, failed = dpotrf(matrix, lower=1)
    if failed:
        return None
    size = len(x)
    inverse = LinearOperator((size, size), matvec=lambda v: dpotrs(factor, v, lower=1)[0], dtype=float)
    start = np.ones(size)
    largest = float(eigsh(matrix, 1, which="LA", v0=start, return_eigenvectors=False)[0])
    smallest = 1 / float(eigsh(inverse, 1, which="LA", v0=start, return_eigenvectors=False)[0])
    if not smallest > _WELL_CONDITIONED * largest:
        return None
    basis = units[:, None] * dtrtri(factor, lower=1)[0].T
    return Local(x, gradient, units, np.array([smallest, largest]), basis, np.ones(size), np.eye(size))
