"""Influence of single rows on a fit: leverage, Cook's distance, DFBETAs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.hypotheses.demands import demand_maximum
from ppl_mle.inference.leverage import leverage
from ppl_mle.inference.predictions.residuals import pearson
from ppl_mle.inference.results import Results
from ppl_mle.inference.rows import Rows, rows_of
from ppl_mle.maximize import Maximum
from ppl_mle.read import OBSERVED_PART
from ppl_mle.read.moments import moments_of
from ppl_mle.read.responding import Response
from ppl_mle.read.rows.closed import mean_predictor


@dataclass(frozen=True)
class _Working:
    """The last weighted least-squares step of a mean predictor.

    Parameters
    ----------
    design : array, shape (n, k)
        Of the coefficients that are free.
    columns : array of int, shape (k,)
    weights : array, shape (n,)
        Of one observation each.
    frequency : array, shape (n,)
    """

    design: np.ndarray
    columns: np.ndarray
    weights: np.ndarray
    frequency: np.ndarray


def find_influence(results: Results, maximum: Maximum, response: Response) -> pd.DataFrame:
    """Leverage, studentized residual, Cook's distance and DFBETAs of every row.

    With the leverage h_i of the mean predictor, r_i the Pearson residual over the square root of the dispersion and k
    mean coefficients: the studentized residual is r_i / sqrt(1 - h_i) and Cook's distance r_i^2 h_i / (k (1 - h_i)^2)
    (Cook 1977; Pregibon 1981). A DFBETA is the one-step change of a coefficient when the row is left out, over its
    standard error (Belsley, Kuh and Welsch 1980). The dispersion is 1, or, in normal and gamma models that estimate
    one, the sum of squared Pearson residuals over n - k; DFBETAs of normal models use the variance without the row.
    These are the definitions of statsmodels' OLSInfluence and GLMInfluence, but for the standard errors under DFBETAs
    where the link is not canonical: here those of the observed information, which the one-step changes use too, and
    in GLMInfluence those of the expected one. Of families that are no generalized linear model, r_i is the score over
    the square root of the working weight.

    Parameters
    ----------
    results : Results
    maximum : Maximum
    response : Response
        At the fitted data.

    Returns
    -------
    DataFrame
        Columns `leverage`, `std_resid`, `cooks_distance` and `dfbetas[label]` for every mean coefficient.

    Raises
    ------
    RequestError
        Several observed variables share the mean's coefficients, or there is no single affine mean predictor.
    """
    demand_maximum(results, "influence")
    found = rows_of(maximum, "influence")
    if len(found) != 1 or found[0].name.removesuffix(OBSERVED_PART) != response.name:
        raise RequestError(
            f"influence is that of the rows of one observed variable, and the model has {len(found)} terms"
        )
    hat = leverage(maximum, found[0])
    working = _working(maximum, found[0])
    residual, is_normal = _standardized(maximum, response, found[0], working)
    with np.errstate(all="ignore"):
        student = residual / np.sqrt(1 - hat)
        cook = student**2 / len(working.columns) * hat / (1 - hat)
        changes = _changes(working, residual, hat, is_normal)
    labels = [maximum.plan.likelihood.scale_labels[column] for column in working.columns]
    frame = pd.DataFrame({"leverage": hat, "std_resid": student, "cooks_distance": cook}, index=response.index)
    return frame.assign(**{f"dfbetas[{label}]": changes[:, j] for j, label in enumerate(labels)})


def _working(maximum: Maximum, rows: Rows) -> _Working:
    term = rows.terms[0]
    position = mean_predictor(term)
    assert position is not None  # else there is no leverage
    predictor = term.predictors[position]
    columns = np.setdiff1d(predictor.columns, list(maximum.held))
    with np.errstate(all="ignore"):
        jet = term.density(maximum.theta, slice(0, term.count, 1), 2)
    assert jet is not None
    frequency = np.ones(term.count) if term.weights is None else term.weights
    weights = -np.broadcast_to(jet.second.get((position, position), 0.0), (term.count,))
    single = np.divide(weights, frequency, out=np.zeros(term.count), where=frequency > 0)
    return _Working(predictor.matrix(columns, term.count), columns, single, frequency)


def _standardized(maximum: Maximum, response: Response, rows: Rows, working: _Working) -> tuple[np.ndarray, bool]:
    """Pearson residuals over the square root of the dispersion, and whether they are those of a normal model."""
    law = response.law
    known = moments_of(law)
    if known is None or not known.is_glm:
        term = rows.terms[0]
        jet, position = term.density(maximum.theta, slice(0, term.count, 1), 1), mean_predictor(term)
        assert jet is not None
        assert position is not None
        score = jet.first[position] / np.where(working.frequency > 0, working.frequency, np.nan)
        with np.errstate(all="ignore"):
            return score / np.sqrt(working.weights), False
    residual = pearson(maximum, response)
    if known.dispersion is None or not _is_estimated(law.parameters[known.dispersion]):
        return residual, False
    spare = working.frequency.sum() - len(working.columns)
    phi = np.sum(working.frequency * residual**2) / spare if spare > 0 else np.nan
    return residual / np.sqrt(phi), known.support == "line"


def _is_estimated(parameter: object) -> bool:
    """Whether the dispersion is one number that the fit estimates."""
    term = getattr(parameter, "term", None)
    return term is not None and all(predictor.is_shared for predictor in term.predictors)


def _changes(working: _Working, residual: np.ndarray, hat: np.ndarray, is_normal: bool) -> np.ndarray:
    """One-step changes of the coefficients over their standard errors, shape (n, k)."""
    roots = np.sqrt(working.weights)[:, None] * working.design
    roots = roots / np.linalg.norm(roots, axis=0)
    _, singular, right = np.linalg.svd(np.sqrt(working.frequency)[:, None] * roots, full_matrices=False)
    inverse = (right.T / singular**2) @ right
    steps = (roots @ inverse) * (residual / (1 - hat))[:, None] / np.sqrt(np.diag(inverse))
    if not is_normal:
        return steps
    n, k = working.frequency.sum(), len(working.columns)
    without = (n - k - residual**2 / (1 - hat)) / (n - k - 1)
    return steps / np.sqrt(without)[:, None]
