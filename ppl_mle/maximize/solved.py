"""The end of an engine that needs no iteration: the solution, looked at once."""

from collections.abc import Callable

import numpy as np

from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search


def end_at(problem: Problem, solution: np.ndarray, x: np.ndarray, tick: Callable[[int, float], None]) -> Search | None:
    """A search from `x` that ends at a solution at once; None where the density does not exist there."""
    value, gradient = problem.visit(solution)
    if not np.isfinite(value):
        return None
    tick(0, -value)
    units = np.maximum(1.0, np.abs(solution)) * 1e-2
    return Search(solution, value, gradient, units, "edm", 1, ((solution, gradient),), np.array(x, float))
