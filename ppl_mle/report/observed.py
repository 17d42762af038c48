"""What figures and tables need of one observed variable, taken from the fit once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference import Results
from ppl_mle.inference.predictions.influence import find_influence
from ppl_mle.inference.predictions.prediction import predicted_mean
from ppl_mle.inference.predictions.residuals import find_residuals, observed_values
from ppl_mle.maximize import Maximum
from ppl_mle.read.cumulative import log_cdf
from ppl_mle.read.law import Law
from ppl_mle.read.responding import Response
from ppl_mle.report.censoring import Survival, complete_limits, find_survival
from ppl_mle.report.effects import Effects
from ppl_mle.report.some_rows import rows_averaged, rows_in_order

__all__ = ["COUNTS", "Kind", "Observed", "Survival", "complete_limits", "kind_of", "observe", "unseen", "why_unseen"]

Kind = Literal["normal", "binary", "counts", "survival", "category", "vector", "other", "unseen"]
COUNTS = ("Poisson", "NegativeBinomial", "Binomial", "BetaBinomial", "Geometric")
_MOST_ROWS = 10_000_000
_MOST_COUNT = 200
_MOST_COUNTED = 8_000_000
_FEW_PROBABILITIES = 5


@dataclass(frozen=True, eq=False)
class Observed:
    """One observed variable beside what the fit says of it.

    Parameters
    ----------
    name : str
    kind : {"normal", "binary", "counts", "survival", "category", "vector", "other", "unseen"}
        Of an `unseen` one only the name is known, and why.
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
    effects : Effects or None
        The mean against each of several predictors.
    checked : array of int, or None
        Rows of which data sets are drawn; None for all.
    absent : dict of str to str
        By the key of a figure a sentence that says why it is not there.
    remarks : dict of str to str
        By the key of a figure a sentence that belongs to it.
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
    effects: Effects | None = None
    checked: np.ndarray | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    @property
    def coefficients(self) -> int:
        """Number of mean coefficients; 0 where it is not known."""
        return 0 if self.influence is None else sum(str(c).startswith("dfbetas[") for c in self.influence)


def observe(results: Results, maximum: Maximum, response: Response) -> Observed | None:
    """Collect what is defined for an observed variable; None where `why_unseen` has a reason.

    Parameters
    ----------
    results : Results
        Of a fit that converged.
    maximum : Maximum
    response : Response
        At the fitted data.
    """
    if why_unseen(response):
        return None
    if response.law.is_categorical:
        return _categories(maximum, response)
    if response.law.event_axes:
        whole = np.ravel(np.asarray(response.values, float))
        return Observed(response.name, "vector", whole, np.ravel(response.mean.value(maximum.theta)))
    kind = kind_of(response)
    found = Observed(response.name, kind, observed_values(response), predicted_mean(maximum, response))
    law = response.law_at(maximum.theta)
    pearson, _ = _defined(lambda: np.asarray(find_residuals(results, maximum, response, "pearson")))
    quantile, _ = _defined(lambda: np.asarray(find_residuals(results, maximum, response, "quantile")))
    influence, reason = _defined(lambda: find_influence(results, maximum, response))
    expected, uncounted = _defined(lambda: _expected_counts(law, found)) if kind == "counts" else (None, "")
    survival, _ = _defined(lambda: find_survival(law, found.values, found.fitted)) if kind == "survival" else (None, "")
    found = replace(
        found, pearson=pearson, quantile=quantile, influence=influence, expected_counts=expected, survival=survival
    )
    return replace(found, absent=_absent(found, reason, uncounted), remarks=_remarks(found))


def why_unseen(response: Response) -> str:
    """Why there are no figures of the rows of a response; empty where there are."""
    if response.values is None:
        return "what was observed is not known"
    if not response.law.is_categorical and np.shape(response.values) != response.mean.shape:
        return "its values and means have different shapes"
    if np.size(response.values) > _MOST_ROWS:
        return f"it has {np.size(response.values):,} values, and figures are made of up to {_MOST_ROWS:,}"
    return ""


def unseen(name: str, reason: str) -> Observed:
    """A variable without figures of its rows."""
    return Observed(name, "unseen", np.empty(0), np.empty(0), absent={"residuals": f"No figures of {name}: {reason}."})


def _categories(maximum: Maximum, response: Response) -> Observed:
    """A response that is a category."""
    codes = np.ravel(np.asarray(response.values)).astype(int)
    probabilities = np.reshape(response.mean.value(maximum.theta), (len(codes), -1))
    fitted = probabilities[np.arange(len(codes)), codes]
    return Observed(response.name, "category", codes.astype(float), fitted)


def _absent(found: Observed, reason: str, uncounted: str) -> dict[str, str]:
    """Sentences on figures that the kind of response has, and this one has not."""
    said: dict[str, str] = {}
    name = found.name
    if found.kind in ("normal", "counts") and not found.coefficients:
        why = reason or "its mean has no coefficients"
        what = "leverage" if found.kind == "normal" else "leverage or dispersion"
        said["leverage"] = f"No figure of the {what} of {name}: {why}."
    if found.kind == "counts" and found.expected_counts is None:
        most = f"its largest value is {found.values.max():,.0f}, and a rootogram shows values up to {_MOST_COUNT}"
        said["rootogram"] = f"No rootogram of {name}: {uncounted or most}."
    if found.kind == "binary":
        values, probabilities = len(np.unique(found.values)), len(np.unique(found.fitted))
        few = f"there are {probabilities} different fitted probabilities, and these figures need {_FEW_PROBABILITIES}"
        why = "all rows have one outcome" if values == 1 else few if probabilities < _FEW_PROBABILITIES else ""
        if why:
            said["binned_residuals"] = f"No residuals in bins, ROC curve, calibration or separation of {name}: {why}."
    if found.kind == "survival" and found.survival is None:
        said["survival"] = (
            f"No survival function of {name} beside that of Kaplan and Meier: they are compared where rows are "
            "censored on the right alone."
        )
    return said


def _remarks(found: Observed) -> dict[str, str]:
    """Sentences on averages that some rows stand for."""
    said = {}
    rows = len(found.values)
    used = {
        "rootogram": found.expected_counts is not None
        and rows_averaged(rows, len(found.expected_counts), _MOST_COUNTED),
        "survival": found.survival is not None and rows_averaged(rows, len(found.survival.grid)),
    }
    for key, some in used.items():
        if some and some < rows:
            said[key] = (
                f"What is expected is an average over {some:,} of the {rows:,} rows, evenly spaced in the order of "
                "their fitted means."
            )
    return said


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


def _defined[T](compute: Callable[[], T]) -> tuple[T | None, str]:
    """What is computed, or why it is not defined."""
    try:
        return compute(), ""
    except RequestError as exc:
        return None, str(exc).removesuffix(".")


def _expected_counts(law: Law, found: Observed) -> np.ndarray | None:
    """Sum over rows of the probability of each value up to the largest, and one more."""
    top = int(found.values.max()) + 1
    if top > _MOST_COUNT:
        return None
    shape = (len(found.values),)
    some = rows_in_order(found.fitted, rows_averaged(len(found.values), top + 1, _MOST_COUNTED))
    flat = law.mapped(lambda p: _of_rows(p, shape, some))
    below = np.full(len(some), -np.inf)
    expected = np.zeros(top + 1)
    for value in range(top + 1):
        at = log_cdf(flat, np.full(len(some), float(value)))
        expected[value] = np.sum(np.exp(at) - np.exp(below))
        below = at
    return expected * (len(found.values) / len(some))


def _of_rows(parameter: np.ndarray, shape: tuple[int, ...], rows: np.ndarray) -> np.ndarray:
    """A parameter of some rows; what differs by component of a mixture stays as it is unless it has rows too."""
    if np.size(parameter) in (1, *shape):
        return np.broadcast_to(np.ravel(parameter), shape)[rows]
    array = np.asarray(parameter)
    return array[rows] if len(rows) < shape[0] and array.ndim and array.shape[0] == shape[0] else array
