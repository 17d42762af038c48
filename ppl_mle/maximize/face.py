"""A problem restricted to an affine face: the coordinates move along given directions alone."""

from dataclasses import replace

import numpy as np

from ppl_mle.maximize.evidence import Evidence, gather_evidence
from ppl_mle.maximize.local import Local, look_closely
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search

_RANK = 1e-10
_ROUNDING = 1e-12


class Face(Problem):
    """Minus the log-density at x + Z z as a function of z.

    Parameters
    ----------
    whole : Problem
    x : array, shape (size of whole,)
    basis : array, shape (size of whole, k)
        Z, the directions that stay on the face.
    """

    def __init__(self, whole: Problem, x: np.ndarray, basis: np.ndarray) -> None:
        super().__init__(whole.likelihood, whole.held)
        self.whole, self.x, self.basis = whole, x, basis
        self.free = np.arange(basis.shape[1])

    def place(self, z: np.ndarray) -> np.ndarray:
        """The free coordinates of the whole problem."""
        return self.x + self.basis @ z

    def embedded(self, local: Local, end: Search) -> Local:
        """What was seen on the face, in the free coordinates of the whole problem."""
        spread = np.abs(self.basis @ local.solid).max(axis=1)
        units = np.where(spread > 0, spread, 1.0)
        basis = self.basis @ local.basis
        return replace(local, x=end.x, gradient=end.gradient, units=units, basis=basis, ordered=False)

    def expand(self, x: np.ndarray) -> np.ndarray:
        """The unconstrained vector at z, shape (p,)."""
        return self.whole.expand(self.place(x))

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value, and gradient along the face."""
        value, gradient = self.whole.value_and_gradient(self.place(x))
        return value, self.basis.T @ gradient

    @property
    def probe(self) -> "Problem":
        """The face itself."""
        return self

    def visit_beside(self, x: np.ndarray, near: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at z."""
        return self.visit(x)

    def original_value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """PyMC's own, along the face."""
        value, gradient = self.whole.original_value_and_gradient(self.place(x))
        return value, self.basis.T @ gradient

    def hessian(self, x: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Z' H Z."""
        return self.whole.curvature(self.place(x), self.basis)

    def curvature(self, x: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """T' Z' H Z T."""
        return self.whole.curvature(self.place(x), self.basis @ basis)


def face_directions(normals: np.ndarray) -> np.ndarray:
    """An orthogonal basis of what the normals do not see, shape (size, k)."""
    if not len(normals):
        return np.eye(normals.shape[1])
    _, singular, rows = np.linalg.svd(normals)
    rank = int(np.sum(singular > _RANK * singular[0]))
    return rows[rank:].T


def look_along(face: Face, at: np.ndarray, end: Search) -> tuple[Local | None, Evidence | None]:
    """Evidence of the maximum on the face; at a vertex, the agreement with PyMC's own log-density alone."""
    value, gradient = face.value_and_gradient(at)
    if not face.size:
        original = face.original_value_and_gradient(at)[0]
        return None, Evidence(0.0, 0.0, 0.0, original - value, value, 0.0, 0.0, 0.0, True, np.zeros(0))
    local = look_closely(face, at, gradient, np.ones(face.size))
    if not local.exists or local.has_descent or np.any(local.null):
        return local, None
    flat = replace(end, x=at, gradient=gradient, path=((at, gradient),))
    return local, gather_evidence(face, local, flat)


def falls_off(problem: Problem, x: np.ndarray, moves: np.ndarray) -> bool:
    """Whether PyMC's own log-density is nowhere higher, beyond rounding, after some moves (size, k) off a face."""
    here = problem.original_value_and_gradient(x)[0]
    level = here - _ROUNDING * max(1.0, abs(here))
    return all(problem.original_value_and_gradient(x + move)[0] >= level for move in moves.T)
