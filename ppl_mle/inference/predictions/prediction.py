"""Predicted means with their uncertainty, and prediction intervals by simulation."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.estimates import normal_quantile
from ppl_mle.inference.predictions.simulated import observation_interval
from ppl_mle.inference.results import Results
from ppl_mle.maximize import Maximum, Status
from ppl_mle.read.responding import Response
from ppl_mle.read.row_function import ByRows
from ppl_mle.read.scale import HALF_LINE, LINE, UNIT_INTERVAL, Scale

COLUMNS = ("mean", "mean_se", "mean_ci_lower", "mean_ci_upper", "obs_ci_lower", "obs_ci_upper")
_BLOCK = 4096
_CHANGES = 1e-7
_ALONG = np.linspace(-1.0, 1.0, 5)
_HAVE_MEANS = (Status.CONVERGED, Status.BOUNDARY, Status.UNIDENTIFIED, Status.INFINITE)
_PARTLY = (Status.UNIDENTIFIED, Status.INFINITE)
_LEAST_DRAWS = 20


@dataclass(frozen=True)
class Prediction:
    """Predictions of one observed variable, one row each.

    Parameters
    ----------
    frame : DataFrame
        Columns `mean`, `mean_se`, `mean_ci_lower`, `mean_ci_upper`, `obs_ci_lower`, `obs_ci_upper`; how each was made
        is in `frame.attrs`.
    """

    frame: pd.DataFrame = field(repr=False)

    def summary_frame(self) -> pd.DataFrame:
        """The frame, under the name that statsmodels uses."""
        return self.frame

    def __str__(self) -> str:
        facts = self.frame.attrs
        lines = [f"{facts['response']}: {facts['ci_prob']:.0%} intervals, {facts['mean_ci']}", facts["obs_ci"]]
        lines += [f"covariance: {facts['covariance_kind']}"]
        return "\n".join([*lines, str(self.frame)])

    __repr__ = __str__


def demand_means(results: Results, maximum: Maximum, response: Response, what: str) -> None:
    """Refuse a fit whose point says nothing about the means of a response.

    Raises
    ------
    RequestError
        Names the status and quotes its sentence.
    """
    known = results.status in _HAVE_MEANS
    if known and results.status is Status.INFINITE and response.count:
        known = not np.isnan(predicted_mean(maximum, response)).all()
    if not known:
        raise RequestError(
            f"{what} needs a fit with finite estimates, and this one is {results.status.name}: {results.sentence}"
        )


def predicted_mean(maximum: Maximum, response: Response) -> np.ndarray:
    """Means at the maximum, raveled; NaN for those that change along a ridge, or with what ran to infinity.

    Parameters
    ----------
    maximum : Maximum
    response : Response

    Returns
    -------
    array, shape (n,)
    """
    mean = np.ravel(response.mean.value(maximum.theta)).astype(float)
    if maximum.lost.size and maximum.status in _PARTLY:
        mean[_moves_with_lost(maximum, response.mean)] = np.nan
    return mean


def standard_errors(maximum: Maximum, function: Any, count: int) -> np.ndarray:
    """Standard errors of functions of the unconstrained vector by the delta method, sqrt of the diagonal of J C J'.

    Parameters
    ----------
    maximum : Maximum
        Its covariance is the one that is used, so this follows the kind that was chosen.
    function : RowFunction
    count : int
        Number of its elements.

    Returns
    -------
    array, shape (count,)
        NaN where the function changes along a direction about which nothing is known.
    """
    parts = []
    for start in range(0, count, _BLOCK):
        jacobian = function.jacobian(maximum.theta, slice(start, min(start + _BLOCK, count), 1))
        parts.append(_spread(jacobian, maximum))
    return np.concatenate(parts) if parts else np.zeros(0)


def predict_frame(
    results: Results,
    maximum: Maximum,
    response: Response,
    *,
    ci_prob: float = 0.95,
    interval: bool = True,
    draws: int = 1000,
    random_seed: int = 0,
) -> Prediction:
    """Means with standard errors and intervals, and prediction intervals.

    The standard error of a mean is by the delta method. Its interval is made on the scale of its predictor and mapped
    back where the mean is a monotone function of one affine predictor (McCullagh and Nelder 1989), else on the scale
    on which the mean of the family is free. The prediction interval holds the quantiles of responses drawn forward,
    one at each of many vectors drawn from the estimator's normal approximation; of a censored response they are those
    before censoring, as its mean is.

    Parameters
    ----------
    results : Results
    maximum : Maximum
    response : Response
    ci_prob : float
        Content of both intervals.
    interval : bool
        Whether to simulate prediction intervals; NaN where not.
    draws : int
        Vectors that are drawn.
    random_seed : int

    Raises
    ------
    RequestError
        `ci_prob` outside (0, 1), bad or too few draws, or a fit without finite estimates.
    """
    demand_means(results, maximum, response, "prediction")
    z = normal_quantile(ci_prob)
    if interval:
        _check_draws(draws, random_seed)
    mean = predicted_mean(maximum, response)
    errors = standard_errors(maximum, response.mean, response.count)
    lower, upper, how = _mean_interval(maximum, response, mean, errors, z)
    low, high, simulated = np.full(len(mean), np.nan), np.full(len(mean), np.nan), "no prediction intervals asked for"
    if interval:
        low, high, simulated = observation_interval(maximum, response, ci_prob, draws, random_seed)
        hidden = np.isnan(errors) | law_is_unknown(maximum, response)
        low, high = np.where(hidden, np.nan, low), np.where(hidden, np.nan, high)
        simulated += "; none where an estimate is infinite" if maximum.status is Status.INFINITE else ""
    columns = dict(zip(COLUMNS, (mean, errors, lower, upper, low, high), strict=True))
    frame = pd.DataFrame(columns, index=response.index)
    frame.attrs = {
        "response": response.name,
        "ci_prob": ci_prob,
        "mean_ci": how,
        "obs_ci": simulated,
        "covariance_kind": results.covariance_kind,
    }
    return Prediction(frame)


def _check_draws(draws: Any, seed: Any) -> None:
    for name, number, advice in (("draws", draws, "use for example 1000"), ("random_seed", seed, "use for example 0")):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
            raise RequestError(f"{name}={number!r} is no whole number from 0 on; {advice}")
    if draws < _LEAST_DRAWS:
        raise RequestError(f"draws={draws} is too few for quantiles; use at least {_LEAST_DRAWS}, for example 1000")


def _spread(jacobian: np.ndarray, maximum: Maximum) -> np.ndarray:
    with np.errstate(all="ignore"):
        variance = np.sum((jacobian @ maximum.covariance) * jacobian, axis=1)
        errors = np.sqrt(variance)
        if maximum.lost.size:
            size = np.abs(jacobian).max(axis=1, initial=0.0)
            moved = np.any(~(np.abs(jacobian @ maximum.lost) <= _CHANGES * size[:, None]), axis=1)
            errors[moved] = np.nan
    return errors


def law_is_unknown(maximum: Maximum, response: Response) -> np.ndarray:
    """Rows whose distribution depends on an estimate that ran to infinity, even if their mean does not, shape (n,)."""
    unknown = np.zeros(response.count, bool)
    if maximum.status is not Status.INFINITE or not maximum.lost.size:
        return unknown

    def look(function: Any) -> None:
        moved = _moves_with_lost(maximum, function)
        by_row = function.shape == response.mean.shape
        unknown[:] |= moved if by_row else bool(moved.any())

    response.law.mapped(look)
    return unknown


def _moves_with_lost(maximum: Maximum, function: Any) -> np.ndarray:
    """Elements of a function of the unconstrained vector that change along a direction that is lost."""
    jacobian = function.jacobian(maximum.theta, slice(0, int(np.prod(function.shape)), 1))
    size = np.abs(jacobian).max(axis=1, initial=0.0)
    with np.errstate(all="ignore"):
        return np.any(~(np.abs(jacobian @ maximum.lost) <= _CHANGES * size[:, None]), axis=1)


def _mean_interval(
    maximum: Maximum, response: Response, mean: np.ndarray, errors: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray, str]:
    """Bounds of the mean, and the scale on which they were made."""
    natural, size = _natural_scale(response, maximum.theta)
    lower, upper = _on_scale(mean / size, errors / size, natural, z)
    told = f"means by the delta method, symmetric on the {_SCALES[natural.kind]} of the mean"
    through = _through_predictor(maximum, response, mean, z)
    if through is None:
        return lower * size, upper * size, told
    bounds, usable = through
    kept = usable & np.isfinite(errors)
    told = (
        "means by the delta method, symmetric in the linear predictor" if np.all(kept | ~np.isfinite(errors)) else told
    )
    return np.where(kept, bounds[0], lower * size), np.where(kept, bounds[1], upper * size), told


_SCALES = {"identity": "scale", "log": "logarithm", "logit": "log-odds"}


def _natural_scale(response: Response, theta: np.ndarray) -> tuple[Scale, Any]:
    """Where the mean is free, and what it is divided by before."""
    if response.support == "counts of":
        number = np.asarray(response.law.parameters[0].value(theta), float)
        return UNIT_INTERVAL, np.ravel(np.broadcast_to(number, response.mean.shape))
    return {"half line": HALF_LINE, "interval": UNIT_INTERVAL}.get(response.support, LINE), 1.0


def _on_scale(mean: np.ndarray, errors: np.ndarray, scale: Scale, z: float) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(all="ignore"):
        half = np.where(errors == 0, 0.0, z * errors / np.abs(scale.slope(mean)))
        center = scale.to_free(mean)
        return scale.to_declared(center - half), scale.to_declared(center + half)


def _through_predictor(
    maximum: Maximum, response: Response, mean: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Bounds from the linear predictor, shape (2, n), and the rows in which the mean is monotone in between."""
    function = response.mean
    position = function.driver(maximum.theta) if isinstance(function, ByRows) else None
    if position is None or not isinstance(function, ByRows):
        return None
    predictor, count = function.predictor(position), response.count
    eta, errors = np.zeros(count), np.zeros(count)
    eta += predictor.offset
    for start in range(0, count, _BLOCK):
        rows = slice(start, min(start + _BLOCK, count), 1)
        columns = predictor.columns
        design = np.zeros((rows.stop - rows.start, len(maximum.theta)))
        for block in predictor.blocks:
            design[:, block.place] += block.weighted(1.0, rows, rows.stop - rows.start)
            eta[rows] += block.times(maximum.theta, rows)
        errors[rows] = _spread(design, maximum) if len(columns) else 0.0
    path = [function.along(maximum.theta, position, eta + step * z * errors) for step in _ALONG]
    path[len(_ALONG) // 2] = mean
    with np.errstate(all="ignore"):
        steps = np.diff(path, axis=0)
        usable = np.all(steps >= 0, axis=0) | np.all(steps <= 0, axis=0)
    return np.sort([path[0], path[-1]], axis=0), usable & np.isfinite(errors)
