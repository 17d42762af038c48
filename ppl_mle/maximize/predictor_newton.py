"""Newton's method on the predictor form: for a generalized linear model, iteratively reweighted least squares."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ppl_mle.maximize.approach import approach
from ppl_mle.maximize.local import look_closely
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood, RowObjective

_NEAR = 1e-1


@dataclass(frozen=True)
class PredictorNewton:
    """Trust-region Newton with the Hessian sum A'diag(f'')A, over row blocks (Green 1984 for the GLM case).

    Where rows are very many, the search begins on every k-th of them, goes on with gradients over all rows in the
    metric of those rows' curvature, and ends with one or two Newton steps on all.

    Parameters
    ----------
    inner : Newton
    sample : int
        Rows that are enough to begin with; where they are more, 50 per dimension or the share below.
    share : int
        One in how many rows is enough at any rate.
    """

    inner: Newton = field(default_factory=lambda: Newton(most=3000))
    sample: int = 5_000
    share: int = 50
    name: str = "predictor Newton"

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Suit a likelihood whose rows are elementwise densities of predictors."""
        objective = likelihood.objective
        if not isinstance(objective, RowObjective) or not any(term.groups for term in objective.terms):
            return Verdict(self.name, False, "no term that the parameters change has a predictor form")
        if dimensions > self.inner.most:
            return Verdict(self.name, False, f"{dimensions} dimensions, more than {self.inner.most}")
        if objective.rest is not None:
            return Verdict(self.name, True, "exact Hessian: by rows where a term has them, by PyTensor for the rest")
        return Verdict(self.name, True, "exact Hessian from the second derivatives of each row")

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Search from `x`, a point with finite value and gradient; `tick` is told every iteration."""
        found = self.inner.search(problem, self._near(problem, x), tick)
        return replace(found, origin=np.array(x, float))

    def _near(self, problem: Problem, x: np.ndarray) -> np.ndarray:
        """The maximum over a part of the rows, carried to all of them, unless that part has misled."""
        objective = problem.likelihood.objective
        enough = max(self.sample, 50 * problem.size, getattr(objective, "rows", 0) // self.share)
        if not isinstance(objective, RowObjective) or objective.rows < 4 * enough:
            return x
        part = problem.thinned(objective.rows // enough)
        begun = replace(self.inner, iterations=12, goal=_NEAR).search(part, x, lambda iteration, value: None)
        if not problem.value_and_gradient(begun.x)[0] < part.value_and_gradient(x)[0]:
            return x
        local = look_closely(part, begun.x, begun.gradient, begun.units)
        return approach(problem, begun.x, local.solid) if local.solid.shape[1] == problem.size else begun.x
