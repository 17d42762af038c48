"""Limited-memory BFGS for very many dimensions, finished by Newton steps."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood, RowObjective


@dataclass(frozen=True)
class QuasiNewton:
    """L-BFGS (Liu and Nocedal 1989; scipy) towards the maximum, then trust-region Newton with the exact Hessian.

    Parameters
    ----------
    finish : Newton
        The engine of the last steps, without a limit on dimensions: the Hessian is needed for the standard errors.
    iterations : int
        Limit of the first phase.
    """

    finish: Newton = field(default_factory=lambda: Newton(most=1_000_000, iterations=100))
    iterations: int = 2000
    name: str = "quasi-Newton"

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Suit every likelihood with a gradient."""
        return Verdict(self.name, True, "gradients alone until close to the maximum, for very many dimensions")

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Search from `x`, a point with finite value and gradient; `tick` is told every iteration."""
        from scipy.optimize import minimize

        start_value = problem.value_and_gradient(x)[0]
        worst = start_value + 1e3 * max(1.0, abs(start_value))

        def barrier(point: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = problem.value_and_gradient(point)
            return (value, gradient) if np.isfinite(value) else (worst, np.zeros_like(point))

        options = {"maxiter": self.iterations, "maxcor": 20, "ftol": 1e-12, "gtol": 0.0, "maxls": 40}
        result = minimize(barrier, x, jac=True, method="L-BFGS-B", options=options, callback=_teller(tick))
        near = result.x if problem.value_and_gradient(result.x)[0] <= start_value else x
        found = self.finish.search(problem, near, tick)
        return replace(found, bent=found.bent or not _is_all_rows(problem))


def _is_all_rows(problem: Problem) -> bool:
    """Whether rows can tell if the log-density is concave; gradients along a path of descent cannot."""
    objective = problem.likelihood.objective
    return isinstance(objective, RowObjective) and objective.rest is None


def _teller(tick: Callable[[int, float], None]) -> Callable[..., None]:
    count = iter(range(1_000_000))

    def tell(intermediate_result: object) -> None:
        tick(next(count), -float(getattr(intermediate_result, "fun", np.nan)))

    return tell
