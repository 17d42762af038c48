"""Rao's score test of fixed values, from the restricted fit alone."""

from typing import Literal

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.hypotheses.demands import demand_likelihood, demand_maximum
from ppl_mle.inference.hypotheses.tested import HypothesisTest, chi2_tail, whitened_square
from ppl_mle.inference.results import OBSERVED, Results
from ppl_mle.inference.rows import rows_of
from ppl_mle.maximize import Maximum
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import Scale, expected_information

Information = Literal["observed", "expected", "opg"]
_NAMES = {
    "observed": OBSERVED,
    "expected": "expected information",
    "opg": "outer products of scores",
}


def score_test(results: Results, maximum: Maximum, information: Information = "observed") -> HypothesisTest:
    """Test all fixed values of a fit jointly: U' I^-1 U at the restricted estimates (Rao 1948), with no refit.

    U and the information I are those of the whole model, on the declared scale; on the unconstrained scale for
    variables whose elements are tied by a transform.

    Parameters
    ----------
    results : Results
    maximum : Maximum
    information : {"observed", "expected", "opg"}

    Returns
    -------
    HypothesisTest

    Raises
    ------
    RequestError
        Nothing is fixed, no maximum or no likelihood, an information that is unknown, not available for the model, or
        not positive definite.
    """
    _check(results, maximum, information)
    held = np.array(sorted(maximum.held), int)
    gradient = maximum.plan.likelihood.objective.value_and_gradient(maximum.theta)[1]
    known = _known(maximum)
    slopes, curvatures = _scales(maximum)
    matrix = _information(maximum, information) / np.outer(slopes, slopes)
    score = np.where(np.isin(np.arange(len(gradient)), held), gradient / slopes, 0.0)
    if information == "observed":
        matrix += np.diag(score * curvatures)
    statistic = whitened_square(matrix[np.ix_(known, known)], score[known])
    if statistic is None:
        raise RequestError(_not_definite(results, information))
    df = len(held)
    return HypothesisTest(
        kind="score",
        hypotheses=tuple(f"{label} = {results.estimates.params[label]:.6g}" for label in results.fixed),
        statistic=statistic,
        df=df,
        p_value=chi2_tail(statistic, df),
        distribution=f"chi2({df})",
        covariance_kind=_NAMES[information],
        z=float(np.sign(score[held[0]]) * np.sqrt(statistic)) if df == 1 else None,
        notes=_notes(results, len(known) < len(gradient)),
    )


def _check(results: Results, maximum: Maximum, information: str) -> None:
    if information not in _NAMES:
        raise RequestError(f"information={information!r} is unknown; use one of {', '.join(map(repr, _NAMES))}")
    if not maximum.held:
        raise RequestError("score_test tests fixed values, and nothing is fixed; fit with find_MLE(model, fixed=...)")
    demand_likelihood(results, "a score test")
    demand_maximum(results, "a score test")


def _known(maximum: Maximum) -> np.ndarray:
    """Coordinates that are held, or estimated inside the support."""
    lost = np.any(maximum.lost != 0, axis=1) if maximum.lost.size else np.zeros(len(maximum.theta), bool)
    held = np.isin(np.arange(len(lost)), list(maximum.held))
    return np.flatnonzero(held | ~lost)


def _information(maximum: Maximum, kind: Information) -> np.ndarray:
    """Information about the unconstrained vector with nothing held, shape (p, p)."""
    likelihood, theta = maximum.plan.likelihood, maximum.theta
    if kind == "observed":
        errors = np.sqrt(np.maximum(np.diag(maximum.covariance), 0.0))
        return Problem(likelihood, {}).hessian(theta, np.where(errors > 0, errors, 1e-2 * np.maximum(1.0, abs(theta))))
    rows = rows_of(maximum, f"information={kind!r}")
    if kind == "opg":
        return np.asarray(sum(one.products(theta) for one in rows))
    total = np.zeros((likelihood.size, likelihood.size))
    for one in rows:
        for term in one.terms:
            found = expected_information(term, theta)
            if found is None:
                raise RequestError(
                    f"the expected information of '{one.name}' is not known for its distribution and links; use "
                    "information='observed'"
                )
            total += found
    return total


def _scales(maximum: Maximum) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the declared by the unconstrained values, and the second over the first squared."""
    likelihood = maximum.plan.likelihood
    slopes, curvatures = np.ones(likelihood.size), np.zeros(likelihood.size)
    values = likelihood.mapping.declared(maximum.theta)
    for var in likelihood.variables:
        if not var.elementwise:
            continue
        positions = range(var.free.start, var.free.stop)
        for scale, i, x in zip(var.scales, positions, values[var.declared], strict=True):
            slopes[i] = float(scale.slope(x))
            curvatures[i] = _bend(scale, x) / slopes[i] if slopes[i] else 0.0
    return np.where(slopes == 0, 1.0, slopes), curvatures


def _bend(scale: Scale, x: float) -> float:
    """Second derivative of the declared value over the first."""
    if scale.kind == "log":
        return 1.0
    if scale.kind == "logit":
        return (scale.lower + scale.upper - 2 * x) / (scale.upper - scale.lower)
    return float(np.exp(-x)) if scale.kind == "softplus" else 0.0


def _not_definite(results: Results, information: str) -> str:
    other = "'expected', 'opg' or lr_test" if information == "observed" else "'observed' or lr_test"
    return (
        f"the {_NAMES[information]} at the restricted estimates ({', '.join(results.fixed)} fixed) is not positive "
        f"definite, so there is no score test with it; use {other}"
    )


def _notes(results: Results, partly: bool) -> tuple[str, ...]:
    notes = ["other parameters are on an edge and taken as known there"] if partly else []
    if results.covariance_kind != OBSERVED:
        notes.append(f"a score test refits nothing and does not use the covariance {results.covariance_kind}")
    return tuple(notes)
