"""Likelihood-ratio tests of nested fits, on the edge of the parameter space included."""

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.hypotheses.demands import demand_likelihood, demand_maximum
from ppl_mle.inference.hypotheses.nesting import Nesting, show_nested
from ppl_mle.inference.hypotheses.same_data import Fitted, difference_in_data
from ppl_mle.inference.hypotheses.tested import HypothesisTest, chi2_tail
from ppl_mle.inference.results import OBSERVED, Results
from ppl_mle.maximize import Status

_ROUNDING = 1e-9


def lr_test(full: Fitted, restricted: Fitted) -> HypothesisTest:
    """Compare two nested fits by twice the difference of their log-likelihoods (Wilks 1938).

    Under hypotheses that put one parameter on the edge of its support the distribution is the mixture of two
    chi-squares (Self and Liang 1987, case 5); for several on edges the p-value is an upper bound, from the chi-square
    with all degrees of freedom. What counts as an edge beside the supports' own is told by `find_one_sided`.

    Parameters
    ----------
    full, restricted : Fitted
        The larger fit and the smaller.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    RequestError
        A fit that is no maximum or maximizes no likelihood, different data, fits that are not shown to be nested, a
        larger fit with the lower log-likelihood, or a fit that was loaded.
    """
    for fit, which in ((full, "larger"), (restricted, "smaller")):
        demand_likelihood(fit.results, f"a likelihood-ratio test (its {which} fit)")
        demand_maximum(fit.results, f"a likelihood-ratio test (its {which} fit)")
    found = difference_in_data(full, restricted)
    if found:
        raise RequestError(f"the fits are not of the same data: {found}; fit both to the same rows")
    if full.maximum is None or restricted.maximum is None:
        raise RequestError("lr_test needs the graphs of both models, and a fit was loaded without it; fit it again")
    nesting = show_nested(full.maximum, restricted.maximum)
    statistic = _statistic(full.results, restricted.results)
    p_value, distribution = _tail(statistic, nesting)
    single = nesting.df == 1 and not nesting.edges
    return HypothesisTest(
        kind="likelihood ratio",
        hypotheses=nesting.hypotheses,
        statistic=statistic,
        df=nesting.df,
        p_value=p_value,
        distribution=distribution,
        z=float(nesting.signs[0] * np.sqrt(statistic)) if single else None,
        notes=_notes(full.results, restricted.results, nesting),
    )


def _statistic(full: Results, restricted: Results) -> float:
    statistic = 2 * (full.llf - restricted.llf)
    rounding = _ROUNDING * max(1.0, abs(full.llf))
    if statistic < -rounding:
        raise RequestError(
            f"the larger fit did not reach the maximum: its log-likelihood {full.llf:.10g} is below the smaller fit's "
            f"{restricted.llf:.10g}; fit it again from the smaller one's estimates (initvals=) or with starts=20"
        )
    return statistic if statistic > rounding else 0.0


def _tail(statistic: float, nesting: Nesting) -> tuple[float, str]:
    df, edges = nesting.df, len(nesting.edges)
    if edges != 1:
        bound = "at most " if edges else ""
        return chi2_tail(statistic, df), f"{bound}chi2({df})"
    p_value = (chi2_tail(statistic, df - 1) + chi2_tail(statistic, df)) / 2
    return p_value, f"0.5 chi2({df - 1}) + 0.5 chi2({df})"


def _notes(full: Results, restricted: Results, nesting: Nesting) -> tuple[str, ...]:
    notes = list(nesting.notes)
    if len(nesting.edges) > 1:
        notes.append(
            f"{' and '.join(nesting.edges)} are tested on edges: the p-value is an upper bound (Self and Liang 1987)"
        )
    if restricted.status is Status.BOUNDARY:
        notes.append("the smaller fit is itself on an edge, and the p-value takes what is there as known")
    elif full.status is Status.BOUNDARY and not nesting.edges:
        notes.append("the larger fit is on an edge, where the chi-square distribution is an approximation at best")
    kinds = {fit.covariance_kind for fit in (full, restricted)} - {OBSERVED}
    if kinds:
        notes.append(f"a likelihood ratio takes the model as true and does not use the covariance {', '.join(kinds)}")
    return tuple(notes)
