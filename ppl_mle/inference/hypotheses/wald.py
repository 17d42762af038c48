"""Wald tests of linear hypotheses, from estimates and their covariance alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.delta import propagate
from ppl_mle.inference.hypotheses.adjust import adjust_pvalues
from ppl_mle.inference.hypotheses.demands import demand_maximum
from ppl_mle.inference.hypotheses.hypothesis import LinearHypotheses, read_hypotheses, refuse_dependent
from ppl_mle.inference.hypotheses.tested import HypothesisTest, chi2_tail, whitened_square
from ppl_mle.inference.results import Results
from ppl_mle.maximize import Maximum, Status

_ROUNDING = 1e-12
_PARTLY_KNOWN = (Status.INFINITE, Status.UNIDENTIFIED)


def wald_test(results: Results, maximum: Maximum | None, hypotheses: Any, values: Any = None) -> HypothesisTest:
    """Test linear hypotheses R x = r jointly: (Rx - r)' (R C R')^-1 (Rx - r) (Wald 1943).

    Parameters
    ----------
    results : Results
        Estimates x and their covariance C on the declared scale, of whatever kind.
    maximum : Maximum or None
        Tells which combinations are known where single elements are not; None for a fit that was loaded.
    hypotheses, values
        As for `read_hypotheses`.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    RequestError
        Unreadable or dependent hypotheses, elements without a standard error, a value at the edge of a support, a
        combination that is known without error, a covariance of the combinations that is singular.
    """
    read = read_hypotheses(hypotheses, results.estimates.labels, values)
    difference, covariance = _combine(results, maximum, read)
    count = len(read.texts)
    statistic = whitened_square(covariance, difference)
    if statistic is None:
        raise RequestError(
            f"the covariance ({results.covariance_kind}) of {'; '.join(read.texts)} is not positive "
            "definite, so they cannot be tested together; leave out one that the others imply"
        )
    return HypothesisTest(
        kind="Wald",
        hypotheses=read.texts,
        statistic=statistic,
        df=count,
        p_value=chi2_tail(statistic, count),
        distribution=f"chi2({count})",
        covariance_kind=results.covariance_kind,
        z=float(difference[0] / np.sqrt(covariance[0, 0])) if count == 1 else None,
    )


def wald_tests(
    results: Results, maximum: Maximum | None, hypotheses: Sequence[Any], adjust: str | None = None
) -> pd.DataFrame:
    """Test hypotheses one by one; each may be joint, as a list.

    Parameters
    ----------
    results, maximum
        As for `wald_test`.
    hypotheses : sequence of str, or of sequences of str
    adjust : str, optional
        Adds the column `p_adjusted`; a method of `adjust_pvalues`.

    Returns
    -------
    DataFrame
        Columns `hypothesis`, `estimate` (left minus right side), `std_error`, `statistic` (chi-square), `df`,
        `p_value`; estimate and standard error are NaN for joint ones.

    Raises
    ------
    RequestError
        As `wald_test`.
    """
    if isinstance(hypotheses, str) or not isinstance(hypotheses, Iterable):
        raise RequestError(f"wald_tests takes a list of hypotheses, not {hypotheses!r:.60}; use wald_test for one")
    if isinstance(hypotheses, pd.DataFrame):
        hypotheses = [hypotheses.iloc[[i]] for i in range(len(hypotheses))]
    rows = [_row(results, maximum, hypothesis) for hypothesis in hypotheses]
    columns = ["hypothesis", "estimate", "std_error", "statistic", "df", "p_value"]
    frame = pd.DataFrame(rows, columns=columns)
    if adjust is not None:
        frame["p_adjusted"] = adjust_pvalues(frame["p_value"], adjust)
    frame.attrs |= {"covariance_kind": results.covariance_kind, "adjust": adjust or "none"}
    return frame


def _row(results: Results, maximum: Maximum | None, hypothesis: Any) -> tuple[Any, ...]:
    found = wald_test(results, maximum, hypothesis)
    difference, covariance = _combine(results, maximum, read_hypotheses(hypothesis, results.estimates.labels))
    single = found.df == 1
    estimate, error = (difference[0], np.sqrt(covariance[0, 0])) if single else (np.nan, np.nan)
    return "; ".join(found.hypotheses), estimate, error, found.statistic, found.df, found.p_value


def _combine(results: Results, maximum: Maximum | None, read: LinearHypotheses) -> tuple[np.ndarray, np.ndarray]:
    """Differences R x - r, shape (k,), and their covariance, shape (k, k), after every check."""
    estimates = results.estimates
    if results.status not in _PARTLY_KNOWN:
        demand_maximum(results, "a Wald test")
    refuse_dependent(read, estimates.bse.to_numpy())
    _refuse_edges(results, read)
    used = np.any(read.coefficients != 0, axis=0)
    part = read.coefficients[:, used]
    with np.errstate(invalid="ignore"):
        covariance = part @ estimates.covariance[np.ix_(used, used)] @ part.T
        difference = part @ estimates.values[used] - read.values
    if np.isnan(covariance).any() and maximum is not None:
        covariance = _of_estimable(maximum, read, covariance)
    _refuse_unknown(results, read, covariance)
    with np.errstate(invalid="ignore"):
        sizes = np.abs(part) @ np.abs(estimates.covariance[np.ix_(used, used)]) @ np.abs(part).T
    _refuse_known(read, difference, np.diag(covariance), np.diag(sizes))
    return difference, covariance


def _refuse_known(read: LinearHypotheses, difference: np.ndarray, variances: np.ndarray, sizes: np.ndarray) -> None:
    """Refuse what has no variance beyond rounding: fixed values, and sums that are constant by construction."""
    known = np.flatnonzero((variances == 0) | (variances <= _ROUNDING * sizes))
    if not known.size:
        return
    i = known[0]
    if sizes[i] == 0:
        raise RequestError(f"{read.texts[i]!r} concerns fixed values alone, which score_test and lr_test can test")
    value = difference[i] + read.values[i]
    raise RequestError(
        f"{read.texts[i]!r} has no Wald test: its left side is known without error, it is {value:.6g} whatever the "
        "data say; leave it out"
    )


def _of_estimable(maximum: Maximum, read: LinearHypotheses, covariance: np.ndarray) -> np.ndarray:
    """Covariance of combinations that are known although their elements are not, as on a ridge."""
    jacobian = maximum.plan.likelihood.mapping.jacobian(maximum.theta)
    concerned = set(read.concerned(maximum.plan.likelihood.labels))
    vanished = ~np.any(jacobian, axis=1) & np.any(read.coefficients != 0, axis=0)
    if concerned & set(maximum.declared) or vanished.any():
        return covariance
    return propagate(read.coefficients @ jacobian, maximum)


def _refuse_unknown(results: Results, read: LinearHypotheses, covariance: np.ndarray) -> None:
    if np.isfinite(covariance).all():
        return
    unknown = results.estimates.bse.index[results.estimates.bse.isna()]
    concerned = [label for label in read.concerned(results.estimates.labels) if label in unknown]
    raise RequestError(
        f"{', '.join(concerned)} has no standard error, so {'; '.join(read.texts)} has no Wald test (the fit is "
        f"{results.status.name}); {_instead(results.status)}"
    )


def _instead(status: Status) -> str:
    if status is Status.BOUNDARY:
        return "use lr_test against the smaller model"
    return "test only what the data determine, or use a model without it"


def _refuse_edges(results: Results, read: LinearHypotheses) -> None:
    """Refuse values that a single element can only approach, where a Wald statistic is not normal."""
    for text, row, value in zip(read.texts, read.coefficients, read.values, strict=True):
        involved = np.flatnonzero(row)
        if len(involved) != 1:
            continue
        label, scale = results.estimates.labels[involved[0]], results.estimates.scales[involved[0]]
        tested = value / row[involved[0]] + 0.0
        if not scale.has_inside(tested):
            where = "at the edge of" if tested in (scale.lower, scale.upper) else "outside"
            raise RequestError(
                f"{text!r} has no Wald test: {tested:g} is {where} the support of {label}; fit the model without "
                f"{label} and use lr_test"
            )
