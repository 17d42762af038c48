"""Levenberg-Marquardt for a normal likelihood whose mean is a smooth nonlinear function, finished by exact Newton."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ppl_mle.maximize.gaussian import Gaussian, as_gaussian
from ppl_mle.maximize.predictor_newton import PredictorNewton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood
from ppl_mle.read.rows.closed import location_at, location_slopes

_RANK = 1e-12


@dataclass(frozen=True)
class GaussNewton:
    """Levenberg-Marquardt (More 1978; MINPACK through scipy) on the residuals, then Newton with the exact Hessian.

    Parameters
    ----------
    most : int
        Largest number of elements of the Jacobian.
    finish : PredictorNewton
    evaluations : int
        Limit of the first phase.
    """

    most: int = 4_000_000
    finish: PredictorNewton = field(default_factory=PredictorNewton)
    evaluations: int = 1000
    name: str = "Gauss-Newton"

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Suit one normal term with a nonlinear mean and a standard deviation that is known or one parameter."""
        found = as_gaussian(likelihood)
        if isinstance(found, str):
            return Verdict(self.name, False, found)
        if found.linear:
            return Verdict(self.name, False, "the mean is affine: least squares needs no iteration")
        if found.term.count * dimensions > self.most:
            return Verdict(self.name, False, f"the Jacobian has more than {self.most} elements")
        if found.term.count < dimensions:
            return Verdict(self.name, False, "there are fewer rows than parameters")
        return Verdict(self.name, True, "normal likelihood with a smooth nonlinear mean: residuals and their Jacobian")

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Search from `x`, a point with finite value and gradient; `tick` is told of the last phase.

        Where the residuals do not tell all parameters apart, Newton's method begins at `x`.
        """
        found = as_gaussian(problem.likelihood)
        near = x if isinstance(found, str) else self._descend(found, problem, x)
        if not problem.value_and_gradient(near)[0] <= problem.value_and_gradient(x)[0]:
            near = x
        return self.finish.search(problem, near, tick)

    def _descend(self, found: Gaussian, problem: Problem, x: np.ndarray) -> np.ndarray:
        from scipy.optimize import least_squares

        columns = found.columns(problem)
        roots, response, start = found.root_weights(), found.response, problem.expand(x)
        worst = 1e10 * max(1.0, float(np.max(np.abs(response))))

        def theta_at(point: np.ndarray) -> np.ndarray:
            theta = start.copy()
            theta[columns] = point
            return theta

        def residuals(point: np.ndarray) -> np.ndarray:
            left = (location_at(found.term, theta_at(point)) - response) * roots
            return np.where(np.isfinite(left), left, worst)

        def jacobian(point: np.ndarray) -> np.ndarray:
            slopes = location_slopes(found.term, theta_at(point), columns) * np.reshape(roots, (-1, 1))
            return np.where(np.isfinite(slopes), slopes, 0.0)

        if not len(columns):
            return x
        result = least_squares(
            residuals,
            start[columns],
            jacobian,
            method="lm",
            x_scale="jac",
            xtol=1e-14,
            ftol=1e-15,
            gtol=1e-15,
            max_nfev=self.evaluations,
        )
        if not _has_full_rank(jacobian(result.x)):
            return x
        theta = theta_at(result.x)
        if found.deviation is not None and found.deviation in problem.free:
            scale = found.scale(residuals(result.x))
            theta[found.deviation] = scale if np.isfinite(scale) else theta[found.deviation]
        return theta[problem.free]


def _has_full_rank(jacobian: np.ndarray) -> bool:
    """Whether the columns, each scaled to unit length, are independent to half the digits."""
    norms = np.linalg.norm(jacobian, axis=0)
    if not np.all(np.isfinite(norms)) or not np.all(norms > 0):
        return False
    singular = np.linalg.svd(jacobian / norms, compute_uv=False)
    return bool(singular[-1] > _RANK * singular[0])
