"""Data sets drawn from the fitted model, and whether they can be held to the data."""

from dataclasses import dataclass

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.read.cumulative import draw
from ppl_mle.read.law import Law
from ppl_mle.read.responding import Response
from ppl_mle.read.row_function import Fixed
from ppl_mle.report.censoring import complete_limits, complete_lower_limits
from ppl_mle.report.observed import Observed
from ppl_mle.report.some_rows import random_rows

_MOST_CHECKED = 200_000
_MOST_NUMBERS = 4_000_000
_LEAST, _MOST = 25, 100
_COMPLETED = (
    "Limits on the {side} of rows that do not reach theirs are drawn from Kaplan and Meier's estimate of the "
    "distribution of the limits."
)


@dataclass(frozen=True, eq=False)
class Limits:
    """Limits at which drawn values are censored.

    Parameters
    ----------
    low, high : array
        Of all rows, or one for all.
    said : str
        How those that were not declared were found.
    """

    low: np.ndarray
    high: np.ndarray
    said: str = ""


def replicate(response: Response, thetas: np.ndarray, seed: int, rows: np.ndarray | None = None) -> np.ndarray | None:
    """Draw a data set at each of some vectors, shape (draws, n); None where PyMC or NumPy cannot draw one.

    Of a censored response the draws are censored at the declared limits. With `rows` they are of these alone.
    """
    assert response.values is not None
    rng = np.random.default_rng(seed)
    shape = np.shape(response.values)
    try:
        drawn = [_draw_all(response.law_at(theta), rng, shape, rows) for theta in thetas]
    except (ValueError, RequestError):
        return None
    return np.reshape(drawn, (len(thetas), -1)).astype(float)


def replicate_like(
    response: Response, observed: Observed, thetas: np.ndarray, seed: int, rows: np.ndarray | None = None
) -> np.ndarray | None:
    """Draw data sets that can be held to the data: values are censored at the completed limits."""
    limits = find_limits(response, observed)
    drawn = None if isinstance(limits, str) else replicate(response, thetas, seed, rows)
    if drawn is None or isinstance(limits, str) or response.law.kind != "censored":
        return drawn
    some = slice(None) if rows is None else rows
    return np.clip(drawn, *(limit[some] if limit.size > 1 else limit for limit in (limits.low, limits.high)))


def can_be_checked(response: Response, observed: Observed) -> bool:
    """Whether drawn data sets are censored as the data are."""
    return not isinstance(find_limits(response, observed), str)


def find_limits(response: Response, observed: Observed) -> Limits | str:
    """Limits of all rows, or why they are not known.

    A limit that differs between rows is often declared for the censored rows only. Where the values are censored on
    one side, the other limits are completed.
    """
    if response.law.kind != "censored":
        return Limits(np.array(-np.inf), np.array(np.inf))
    if all(np.prod(limit.shape) <= 1 for limit in response.law.parameters):
        return Limits(np.array(-np.inf), np.array(np.inf))  # one for all rows: applied when values are drawn
    if not all(isinstance(limit, Fixed) for limit in response.law.parameters):
        return "its limits differ between rows and depend on parameters"
    nothing = np.empty(0)
    low, high = (np.ravel(limit.value(nothing)).astype(float) for limit in response.law.parameters)
    if _is_whole(low) and _is_whole(high):
        return Limits(low, high)
    if np.isneginf(low).all():
        known = observed.survival
        limits = complete_limits(observed.values, high) if known is None else known.limits
        return Limits(low, limits, _COMPLETED.format(side="right"))
    if np.isposinf(high).all():
        return Limits(complete_lower_limits(observed.values, low), high, _COMPLETED.format(side="left"))
    return (
        "its rows are censored on both sides at limits that differ between them and are not declared for every row, "
        "so where drawn values would be censored is not known"
    )


def rows_checked(response: Response) -> np.ndarray | None:
    """Rows that a predictive check is made of; None for all."""
    assert response.values is not None
    shape = response.values.shape
    return random_rows(shape[0], _MOST_CHECKED) if len(shape) == 1 and shape[0] > _MOST_CHECKED else None


def data_sets(response: Response) -> int:
    """How many data sets are drawn: fewer where each is large."""
    assert response.values is not None
    size = min(response.values.size, _MOST_CHECKED)
    return int(np.clip(_MOST_NUMBERS // max(size, 1), _LEAST, _MOST))


def _is_whole(limit: np.ndarray) -> bool:
    """Whether a limit is one for all rows, or declared for each."""
    return limit.size == 1 or bool(np.isfinite(limit).all() or np.isinf(limit).all())


def _draw_all(law: Law, rng: np.random.Generator, shape: tuple[int, ...], rows: np.ndarray | None) -> np.ndarray:
    if rows is not None:
        law, shape = law.mapped(lambda p: _of_rows(np.asarray(p), shape[0], rows)), (len(rows),)
    values = draw(law, rng, shape)
    return np.clip(values, *law.parameters) if law.kind == "censored" else values


def _of_rows(parameter: np.ndarray, count: int, rows: np.ndarray) -> np.ndarray:
    return parameter[rows] if parameter.ndim and parameter.shape[0] == count else parameter
