"""What a fit will cost: one evaluation measured, and what that makes of the usual number of them."""

import time
from dataclasses import dataclass

import numpy as np

from ppl_mle.read import WORTH_COMPILING, Likelihood, RowObjective

_ITERATIONS = 8
_CHECKS = 12


@dataclass(frozen=True)
class Cost:
    """Estimated cost of a fit.

    Parameters
    ----------
    per_call : float
        Seconds that one value with gradient took at the initial point; NaN where the density does not exist there.
    expected : float
        Seconds for the evaluations that a fit takes as a rule, its certificate included.
    """

    per_call: float
    expected: float

    def __str__(self) -> str:
        return f"one evaluation takes {1e3 * self.per_call:.3g} ms, a fit of this kind about {self.expected:.2g} s"


def estimate_cost(likelihood: Likelihood) -> Cost:
    """Measure one evaluation, and count on a Hessian per step and a gradient per check."""
    theta = likelihood.mapping.start(None)
    theta = np.where(np.isfinite(theta), theta, 0.0)
    likelihood.objective.value_and_gradient(theta + 1e-9)
    begun = time.perf_counter()
    likelihood.objective.value_and_gradient(theta)
    per_call = time.perf_counter() - begun
    second = 2.0 if isinstance(likelihood.objective, RowObjective) else 1.0 + likelihood.size
    return Cost(per_call, per_call * (_ITERATIONS * (1 + second) + _CHECKS))


def describe_functions(likelihood: Likelihood) -> str:
    """How the log-density is evaluated, and when a compiler would be called."""
    objective = likelihood.objective
    if isinstance(objective, RowObjective) and objective.rest is None:
        return "by NumPy over row blocks, with no compiler; PyMC's own log-density, the witness, is interpreted once"
    if objective.compiled:
        return "compiled by Numba, because interpreting them is slow"
    return f"interpreted, no compiler unless the calls of one add up to more than {WORTH_COMPILING:g} s"


def describe_derivatives(likelihood: Likelihood) -> str:
    """Where second derivatives come from."""
    if isinstance(likelihood.objective, RowObjective) and likelihood.objective.rest is None:
        return "exact, row by row"
    if likelihood.objective.exact:
        return "exact, by PyTensor"
    return "by extrapolated differences of exact gradients (PyTensor has none for this density)"
