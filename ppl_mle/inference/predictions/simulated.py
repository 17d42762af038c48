"""Prediction intervals by simulation: the estimator's uncertainty and that of a new response."""

from typing import Any

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.maximize import Maximum
from ppl_mle.read.cumulative import draw
from ppl_mle.read.law import Law
from ppl_mle.read.responding import Response

_MOST_NUMBERS = 4_000_000


def draw_vectors(maximum: Maximum, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw from the normal approximation to the estimator, shape (draws, p).

    Raises
    ------
    RequestError
        The covariance is indefinite, as that of two-way clusters may be.
    """
    covariance = np.nan_to_num(maximum.covariance)
    free = np.flatnonzero(np.diag(covariance) > 0)
    thetas = np.tile(np.asarray(maximum.theta, float), (draws, 1))
    if not free.size:
        return thetas
    spread = np.sqrt(np.diag(covariance)[free])
    values, vectors = np.linalg.eigh(covariance[np.ix_(free, free)] / np.outer(spread, spread))
    if not values[0] >= -1e-8 * values[-1]:
        raise RequestError(
            f"the covariance is indefinite (its correlations have the eigenvalue {values[0]:.3g}), so nothing can be "
            "drawn from it; use interval=False or another covariance"
        )
    factor = vectors * np.sqrt(np.maximum(values, 0.0))
    thetas[:, free] += rng.standard_normal((draws, free.size)) @ factor.T * spread
    return thetas


def observation_interval(
    maximum: Maximum, response: Response, ci_prob: float, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Quantiles of responses drawn forward, one at each vector drawn from the estimator's normal approximation.

    Of a censored response they are quantiles before censoring, which may lie beyond the limit.

    Parameters
    ----------
    maximum : Maximum
    response : Response
    ci_prob : float
    draws : int
    seed : int

    Returns
    -------
    lower, upper : array, shape (n,)
    how : str
        The method in words.
    """
    nothing = np.full(response.count, np.nan)
    if response.law.is_categorical:
        return nothing, nothing.copy(), "no prediction intervals: the response is a category"
    rng = np.random.default_rng(seed)
    thetas = draw_vectors(maximum, draws, rng)
    method: Any = "inverted_cdf" if response.law.is_discrete else "linear"
    tails = [(1 - ci_prob) / 2, (1 + ci_prob) / 2]
    bounds = np.full((2, response.count), np.nan)
    what = "responses before censoring" if response.law.kind == "censored" else "responses"
    told = f"prediction intervals: quantiles of {what} at {draws} draws from the estimator's normal approximation"
    try:
        for rows, drawn in _responses(response, thetas, rng):
            bounds[:, rows] = np.quantile(drawn, tails, axis=0, method=method)
    except ValueError as exc:
        return nothing, nothing.copy(), f"no prediction intervals: responses cannot be drawn ({exc})"
    return bounds[0], bounds[1], f"{told}, seed {seed}"


def _responses(response: Response, thetas: np.ndarray, rng: np.random.Generator) -> Any:
    """Blocks of rows with their responses, shape (draws, rows)."""
    count, draws = response.count, len(thetas)
    if response.law.event_axes or not _is_rowwise(response.law, response.mean.shape):
        whole = [draw(response.law_at(theta), rng, response.mean.shape) for theta in thetas]
        yield slice(0, count, 1), np.reshape(whole, (draws, count))
        return
    step = max(1, _MOST_NUMBERS // draws)
    for start in range(0, count, step):
        rows = slice(start, min(start + step, count), 1)
        yield rows, draw(_law_of_rows(response.law, thetas, rows), rng, (draws, rows.stop - rows.start))


def _is_rowwise(law: Law, shape: tuple[int, ...], with_components: bool = False) -> bool:
    """Whether every parameter is a number or has one value per element (and component)."""
    own = law.parameters if law.kind != "censored" else ()
    parts = all(_is_rowwise(part, shape, law.is_batch) for part in law.parts)
    if law.kind == "mixture" or with_components:
        return parts and all(p.shape[:-1] in ((), shape) or int(np.prod(p.shape)) == 1 for p in own)
    return parts and all(p.shape == shape or int(np.prod(p.shape)) == 1 for p in own)


def _law_of_rows(law: Law, thetas: np.ndarray, rows: slice, with_components: bool = False) -> Law:
    """The distribution of some rows at every vector: parameters of shape (draws, rows or 1), components last."""
    parts = tuple(_law_of_rows(part, thetas, rows, law.is_batch) for part in law.parts)
    if law.kind == "censored":
        return Law("censored", law.op, (), parts)

    def evaluate(parameter: Any) -> np.ndarray:
        if law.kind != "mixture" and not with_components:
            return parameter.at_draws(thetas, rows)
        width = parameter.shape[-1] if parameter.shape else 1
        mine = slice(0, width, 1) if len(parameter.shape) < 2 else slice(rows.start * width, rows.stop * width, 1)
        values = parameter.at_draws(thetas, mine)
        return values.reshape(len(values), -1, width)

    return Law(law.kind, law.op, tuple(evaluate(parameter) for parameter in law.parameters), parts)
