"""Data sets drawn from the fitted model, and whether they can be held to the data."""

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.read.cumulative import draw
from ppl_mle.read.law import Law
from ppl_mle.read.responding import Response
from ppl_mle.report.observed import Observed


def replicate(response: Response, thetas: np.ndarray, seed: int) -> np.ndarray | None:
    """Draw a data set at each of some vectors, shape (draws, n); None where PyMC or NumPy cannot draw one.

    Of a censored response the draws are censored at the declared limits.
    """
    assert response.values is not None
    rng = np.random.default_rng(seed)
    shape = np.shape(response.values)
    try:
        drawn = [_draw_all(response.law_at(theta), rng, shape) for theta in thetas]
    except (ValueError, RequestError):
        return None
    return np.reshape(drawn, (len(thetas), -1)).astype(float)


def replicate_like(response: Response, observed: Observed, thetas: np.ndarray, seed: int) -> np.ndarray | None:
    """Draw data sets that can be held to the data: times are censored at the completed limits."""
    drawn = replicate(response, thetas, seed) if can_be_checked(response, observed) else None
    return drawn if drawn is None or observed.survival is None else np.minimum(drawn, observed.survival.limits)


def can_be_checked(response: Response, observed: Observed) -> bool:
    """Whether drawn data sets are censored as the data are.

    A limit that differs between rows is often declared for the censored rows only. Of times censored on the right the
    other limits can be completed; other responses are checked with one limit for all rows only.
    """
    if response.law.kind != "censored" or observed.survival is not None:
        return True
    return all(np.prod(limit.shape) == 1 for limit in response.law.parameters)


def _draw_all(law: Law, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = draw(law, rng, shape)
    return np.clip(values, *law.parameters) if law.kind == "censored" else values
