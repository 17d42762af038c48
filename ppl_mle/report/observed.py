"""What figures and tables need of one observed variable, taken from the fit once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from ppl_mle.errors import RequestError
from ppl_mle.inference import Results
from ppl_mle.inference.predictions.influence import find_influence
from ppl_mle.inference.predictions.prediction import predicted_mean
from ppl_mle.inference.predictions.residuals import find_residuals, observed_values
from ppl_mle.maximize import Maximum
from ppl_mle.read.cumulative import log_cdf
from ppl_mle.read.law import Law
from ppl_mle.read.responding import Response

Kind = Literal["normal", "binary", "counts", "survival", "category", "vector", "other"]
COUNTS = ("Poisson", "NegativeBinomial", "Binomial", "BetaBinomial", "Geometric")
_MOST_ROWS = 20_000
_MOST_COUNT = 200
_SURVIVAL_POINTS = 200


@dataclass(frozen=True, eq=False)
class Survival:
    """Times to an event, some of them censored on the right.

    Parameters
    ----------
    times : array, shape (n,)
    limits : array, shape (n,)
        Times at which rows are, or would have been, censored; infinite where that is not known.
    grid, fitted : array, shape (m,)
        Times, and the fitted probability of lasting longer, averaged over the rows. The first is 0, or the smallest
        where times can be negative.
    """

    times: np.ndarray
    limits: np.ndarray
    grid: np.ndarray
    fitted: np.ndarray

    @property
    def happened(self) -> np.ndarray:
        """Which rows have their event; False where the time is a limit that the event had not reached."""
        return self.times < self.limits


@dataclass(frozen=True, eq=False)
class Observed:
    """One observed variable beside what the fit says of it.

    Parameters
    ----------
    name : str
    kind : {"normal", "binary", "counts", "survival", "category", "vector", "other"}
    values, fitted : array, shape (n,)
        Responses and their fitted means; of a censored response the means before censoring, of a category its fitted
        probability, of vectors those of all components in C order.
    pearson, quantile : array, shape (n,), or None
        Residuals, where the distribution has them.
    influence : DataFrame or None
        As `Fit.influence` returns it, where the mean has one affine predictor.
    expected_counts : array, shape (m,), or None
        Expected number of rows with the value 0, 1, ...
    survival : Survival or None
    """

    name: str
    kind: Kind
    values: np.ndarray
    fitted: np.ndarray
    pearson: np.ndarray | None = None
    quantile: np.ndarray | None = None
    influence: pd.DataFrame | None = None
    expected_counts: np.ndarray | None = None
    survival: Survival | None = None

    @property
    def coefficients(self) -> int:
        """Number of mean coefficients; 0 where it is not known."""
        return 0 if self.influence is None else sum(str(c).startswith("dfbetas[") for c in self.influence)


def observe(results: Results, maximum: Maximum, response: Response) -> Observed | None:
    """Collect what is defined for an observed variable; None where it has no rows with a mean, or too many.

    Parameters
    ----------
    results : Results
        Of a fit that converged.
    maximum : Maximum
    response : Response
        At the fitted data.
    """
    if response.values is None:
        return None
    if response.law.is_categorical:
        return _categories(maximum, response)
    if np.shape(response.values) != response.mean.shape or response.count > _MOST_ROWS:
        return None
    if response.law.event_axes:
        whole = np.ravel(np.asarray(response.values, float))
        return Observed(response.name, "vector", whole, np.ravel(response.mean.value(maximum.theta)))
    kind = kind_of(response)
    found = Observed(response.name, kind, observed_values(response), predicted_mean(maximum, response))
    law = response.law_at(maximum.theta)
    parts = {
        "pearson": _defined(lambda: np.asarray(find_residuals(results, maximum, response, "pearson"))),
        "quantile": _defined(lambda: np.asarray(find_residuals(results, maximum, response, "quantile"))),
        "influence": _defined(lambda: find_influence(results, maximum, response)),
        "expected_counts": _defined(lambda: _expected_counts(law, found)) if kind == "counts" else None,
        "survival": _defined(lambda: _survival(law, found)) if kind == "survival" else None,
    }
    return Observed(found.name, found.kind, found.values, found.fitted, **parts)  # type: ignore[arg-type]


def _categories(maximum: Maximum, response: Response) -> Observed | None:
    """A response that is a category."""
    codes = np.ravel(np.asarray(response.values)).astype(int)
    if len(codes) > _MOST_ROWS:
        return None
    probabilities = np.reshape(response.mean.value(maximum.theta), (len(codes), -1))
    fitted = probabilities[np.arange(len(codes)), codes]
    return Observed(response.name, "category", codes.astype(float), fitted)


def kind_of(response: Response) -> Kind:
    """The kind of figures that a response is shown in."""
    law = response.law
    if law.kind == "censored":
        return "survival" if law.parts[0].kind == "plain" and not law.is_discrete else "other"
    if law.kind == "mixture":
        return "counts" if law.is_discrete and not law.event_axes else "other"
    if law.name == "Normal":
        return "normal"
    values = observed_values(response)
    if law.name in ("Bernoulli", "Binomial") and np.isin(values, (0, 1)).all():
        return "binary"
    return "counts" if law.name in COUNTS else "other"


def complete_limits(times: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Limits of all rows, where those of rows with an event are often not declared.

    They are drawn, the same each time, from Kaplan and Meier's estimate of the distribution of limits, beyond the time
    of the event. Where that estimate does not reach zero, the rest stays infinite.

    Examples
    --------
    >>> complete_limits(np.array([1.0, 4.0, 2.0]), np.array([np.inf, 4.0, np.inf])).tolist()
    [4.0, 4.0, 4.0]
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    found = SurvfuncRight(times, (times >= limits).astype(int))
    places, beyond = np.asarray(found.surv_times), np.r_[1.0, np.asarray(found.surv_prob)]
    targets = np.random.default_rng(0).random(len(times)) * beyond[np.searchsorted(places, times, side="right")]
    drawn = np.r_[places, np.inf][np.searchsorted(-beyond[1:], -targets, side="left")]
    return np.where(np.isinf(limits), np.where(drawn > times, drawn, np.inf), limits)


def _defined[T](compute: Callable[[], T]) -> T | None:
    try:
        return compute()
    except RequestError:
        return None


def _expected_counts(law: Law, found: Observed) -> np.ndarray | None:
    """Sum over rows of the probability of each value up to the largest, and one more."""
    top = int(found.values.max()) + 1
    if top > _MOST_COUNT:
        return None
    shape = (len(found.values),)
    flat = law.mapped(lambda p: np.broadcast_to(np.ravel(p), shape) if np.size(p) in (1, *shape) else np.asarray(p))
    below = np.full(shape, -np.inf)
    expected = np.zeros(top + 1)
    for value in range(top + 1):
        at = log_cdf(flat, np.full(shape, float(value)))
        expected[value] = np.sum(np.exp(at) - np.exp(below))
        below = at
    return expected


def _survival(law: Law, found: Observed) -> Survival | None:
    shape = found.values.shape
    low, high = (np.ravel(np.broadcast_to(limit, shape)) for limit in law.parameters)
    if np.isfinite(low).any() or not np.isfinite(high).any():
        return None
    base = law.parts[0].mapped(lambda p: np.broadcast_to(np.ravel(p), shape))
    grid = np.linspace(min(0.0, float(found.values.min())), float(found.values.max()), _SURVIVAL_POINTS + 1)
    with np.errstate(all="ignore"):
        fitted = [-np.expm1(logsumexp(log_cdf(base, np.full(shape, t))) - np.log(len(low))) for t in grid]
    return Survival(found.values, complete_limits(found.values, high), grid, np.asarray(fitted))
