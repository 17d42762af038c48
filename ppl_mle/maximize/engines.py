"""The engines, in the order of preference; to add one, write its file and put it here."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ppl_mle.maximize.closed_form import ClosedForm
from ppl_mle.maximize.gauss_newton import GaussNewton
from ppl_mle.maximize.least_squares import LeastSquares
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.predictor_newton import PredictorNewton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.quasi_newton import QuasiNewton
from ppl_mle.maximize.search import Search
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood


class Engine(Protocol):
    """The contract of an engine."""

    @property
    def name(self) -> str:
        """Name shown to the user."""
        ...

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Say whether the engine suits, and why."""
        ...

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Minimize from `x`, where value and gradient are finite."""
        ...


ENGINES: tuple[Engine, ...] = (
    ClosedForm(),
    LeastSquares(),
    GaussNewton(),
    PredictorNewton(),
    Newton(),
    QuasiNewton(),
)
