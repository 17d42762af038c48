"""Residuals of an observed variable: response, Pearson, deviance, quantile, score."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri_exp

from ppl_mle.errors import RequestError
from ppl_mle.inference.predictions.prediction import demand_means, law_is_unknown, predicted_mean
from ppl_mle.inference.results import Results
from ppl_mle.inference.rows import rows_of
from ppl_mle.maximize import Maximum
from ppl_mle.read import OBSERVED_PART
from ppl_mle.read.cumulative import log_cdf
from ppl_mle.read.law import Law
from ppl_mle.read.moments import moments_of, variance_of
from ppl_mle.read.responding import Response

ResidualKind = Literal["response", "pearson", "deviance", "quantile", "score"]
_NEAREST_ONE = float(np.log1p(-np.finfo(float).eps / 2))


def find_residuals(
    results: Results, maximum: Maximum, response: Response, kind: ResidualKind = "response", random_seed: int = 0
) -> pd.Series | pd.DataFrame:
    """Residuals of every row.

    Parameters
    ----------
    results : Results
    maximum : Maximum
    response : Response
        At the fitted data.
    kind : {"response", "pearson", "deviance", "quantile", "score"}
    random_seed : int
        Of the uniform numbers that quantile residuals of discrete or censored responses use.

    Returns
    -------
    Series, or for scores a DataFrame with a column per unconstrained coordinate

    Raises
    ------
    RequestError
        Unknown kind, or one that the distribution of the response does not have.
    """
    demand_means(results, maximum, response, "residuals")
    unknown = law_is_unknown(maximum, response)
    if kind != "response" and unknown.any() and (kind == "score" or unknown.all()):
        raise RequestError(
            f"{kind} residuals need the distribution of '{response.name}', and this fit is {results.status.name}: "
            f"{results.sentence}"
        )
    if kind == "score":
        return _scores(results, maximum, response)
    rules: dict[str, Callable[[], np.ndarray]] = {
        "response": lambda: _response(maximum, response),
        "pearson": lambda: pearson(maximum, response),
        "deviance": lambda: _deviance(maximum, response),
        "quantile": lambda: _quantile(maximum, response, random_seed),
    }
    if kind not in rules:
        raise RequestError(f"kind={kind!r} is unknown; use {', '.join(map(repr, [*rules, 'score']))}")
    found = rules[kind]()
    if kind != "response":
        found = np.where(unknown, np.nan, found) if unknown.any() else found
    return pd.Series(found, index=response.index, name=f"{kind} residual")


def pearson(maximum: Maximum, response: Response) -> np.ndarray:
    """Response minus mean, over the standard deviation of the fitted distribution (dispersion included)."""
    distance = _response(maximum, response)
    law = response.law_at(maximum.theta)
    variance = variance_of(law)
    if variance is None:
        raise RequestError(
            f"Pearson residuals of '{response.name}' need the variance of {law.name}, which is not in the table; "
            f"{_instead(law)}"
        )
    with np.errstate(all="ignore"):
        return distance / np.sqrt(np.ravel(np.broadcast_to(variance, response.mean.shape)))


def observed_values(response: Response) -> np.ndarray:
    """The response of every row, raveled."""
    assert response.values is not None
    return np.ravel(response.values).astype(float)


def _response(maximum: Maximum, response: Response) -> np.ndarray:
    _refuse_censored(response, "distance to the mean")
    if response.law.is_categorical:
        raise RequestError(f"'{response.name}' is a category, which has no distance to a mean; use kind='score'")
    return observed_values(response) - predicted_mean(maximum, response)


def _instead(law: Law) -> str:
    return "use kind='score'" if law.event_axes or law.is_categorical else "use kind='quantile'"


def _refuse_censored(response: Response, what: str) -> None:
    if response.law.kind == "censored":
        raise RequestError(
            f"'{response.name}' is censored, so its rows have no {what}; use kind='quantile', which is exact there"
        )


def _deviance(maximum: Maximum, response: Response) -> np.ndarray:
    """sign(y - center) sqrt(d), with d the deviance of the row times the dispersion where the family has one."""
    _refuse_censored(response, "deviance")
    law = response.law_at(maximum.theta)
    known = moments_of(law)
    if known is None or known.deviance is None:
        raise RequestError(
            f"deviance residuals of '{response.name}' need the deviance of {law.name}, which is not in the table; "
            f"{_instead(law)}"
        )
    y = np.asarray(response.values, float)
    mean = response.mean.value(maximum.theta)
    center = mean if known.center is None else np.broadcast_to(known.center(*law.parameters), mean.shape)
    with np.errstate(all="ignore"):
        unit = np.ravel(np.broadcast_to(known.deviance(y, *law.parameters), response.mean.shape))
        return np.sign(np.ravel(y - center)) * np.sqrt(np.maximum(unit, 0.0))


def _quantile(maximum: Maximum, response: Response, seed: int) -> np.ndarray:
    """Standard normal quantiles of the distribution function, between its limits at a jump (Dunn and Smyth 1996)."""
    law, y = response.law_at(maximum.theta), observed_values(response)
    if law.event_axes or law.is_categorical:
        raise RequestError(
            f"quantile residuals of '{response.name}' need ordered, univariate rows, and {law.name} has none; use "
            "kind='score'"
        )
    lower, upper = _limits(law, y, response.mean.shape)
    mix = np.random.default_rng(seed).random(len(y))
    jump = lower < upper
    with np.errstate(all="ignore"):
        between = np.logaddexp(np.log1p(-mix) + lower, np.log(mix) + upper)
        return ndtri_exp(np.minimum(np.where(jump, between, upper), _NEAREST_ONE))


def _limits(law: Law, y: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the distribution function just before and at each response."""
    if law.kind != "censored":
        flat = _by_row(law, shape)
        at = log_cdf(flat, y)
        return (log_cdf(flat, y - 1), at) if law.is_discrete else (at, at)
    base = law.parts[0]
    before, at = _limits(base, y, shape)
    low, high = (np.ravel(np.broadcast_to(limit, shape)) for limit in law.parameters)
    return np.where(y <= low, -np.inf, before), np.where(y >= high, 0.0, at)


def _by_row(law: Law, shape: tuple[int, ...], with_components: bool = False) -> Law:
    """A distribution with its rows along one axis; the axis of a mixture's components stays behind it."""
    parts = tuple(_by_row(part, shape, law.is_batch) for part in law.parts)

    def flatten(parameter: np.ndarray) -> np.ndarray:
        if law.kind == "mixture" or with_components:
            whole = (*shape, *parameter.shape[-1:])
            return np.broadcast_to(parameter, whole).reshape(-1, whole[-1]) if parameter.ndim > 1 else parameter
        return np.ravel(np.broadcast_to(parameter, shape)) if parameter.size > 1 else np.reshape(parameter, ())

    return Law(law.kind, law.op, tuple(flatten(parameter) for parameter in law.parameters), parts)


def _scores(results: Results, maximum: Maximum, response: Response) -> pd.DataFrame:
    rows = [one for one in rows_of(maximum, "score residuals") if one.name.removesuffix(OBSERVED_PART) == response.name]
    if not rows:
        raise RequestError(f"score residuals need rows that the parameters change, and '{response.name}' has none")
    scores = rows[0].scores(maximum.theta)
    index = response.index if len(response.index) == len(scores) else pd.RangeIndex(len(scores))
    return pd.DataFrame(scores, index=index, columns=list(maximum.plan.likelihood.scale_labels))
