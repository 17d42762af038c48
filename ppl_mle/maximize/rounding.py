"""Points where rounding of the parameters alone changes the log-density by more than a certificate can allow."""

import numpy as np

from ppl_mle.maximize.evidence import HIDDEN, value_noise
from ppl_mle.maximize.gaussian import as_gaussian
from ppl_mle.maximize.problem import Problem

_LITTLE = 1e-10


def tell_of_rounding(problem: Problem, x: np.ndarray) -> list[str]:
    """Say that nothing can be certified at a point in double precision, where that is so; else an empty list.

    So it is where a mean follows the response almost to the last digit: what is left is of the size of its rounding.
    """
    noise = value_noise(problem, x)
    if not noise > HIDDEN:
        return []
    return [
        f"rounding of the parameters alone changes the log-density by {noise:.2g}{_tell_of_residuals(problem, x)}, "
        "so no maximum can be certified there in double precision"
    ]


def _tell_of_residuals(problem: Problem, x: np.ndarray) -> str:
    found = as_gaussian(problem.likelihood)
    if isinstance(found, str) or found.deviation is None:
        return ""
    deviation, largest = np.exp(problem.expand(x)[found.deviation]), np.max(np.abs(found.response))
    if not deviation < _LITTLE * largest:
        return ""
    return f", as the residuals' standard deviation is {deviation / largest:.2g} of the largest response"
