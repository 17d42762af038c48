"""What a report says of the observed variables of a fit: their effects, data sets drawn, and what has no figure."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ppl_mle.fit import Fit
from ppl_mle.read import OBSERVED_PART
from ppl_mle.read.responding import Response
from ppl_mle.report.effects import find_effects
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.observed import Observed, unseen, why_unseen
from ppl_mle.report.replicates import data_sets, find_limits, replicate_like, rows_checked


def find_unseen(fit: Fit, responses: Sequence[Response]) -> list[Observed]:
    """Variables of a converged fit whose rows have no figures."""
    if fit.model is None or fit.maximum is None or not fit.converged:
        return []
    weighted = (
        "its rows are weighted, which figures of rows do not show" if fit.maximum.plan.likelihood.weighted else ""
    )
    reasons = {response.name: weighted or why_unseen(response) for response in responses}
    for rv in fit.model.observed_RVs:
        reasons.setdefault(rv.name.removesuffix(OBSERVED_PART), "no mean is known of its distribution")
    return [unseen(name, reason) for name, reason in reasons.items() if reason]


def with_effects(fit: Fit, response: Response, one: Observed, curve: FittedCurve | None, ci_prob: float) -> Observed:
    """A variable with its mean against each predictor, or why there is none; a fitted curve shows a single one."""
    if curve is not None or fit.maximum is None:
        return one
    vectors = {str(name): array.to_numpy() for name, array in fit.groups.get("constant_data", {}).items()}
    found = find_effects(fit.results, fit.maximum, response, vectors, ci_prob)
    if not isinstance(found, str):
        return replace(one, effects=found)
    absent = {**one.absent, "effects": f"No effects of predictors of {one.name}: {found}."}
    return replace(one, absent=absent) if found else one


def draw_replicates(
    pairs: Sequence[tuple[Response, Observed]], thetas: np.ndarray | None, seed: int
) -> tuple[dict[str, np.ndarray], list[tuple[Response, Observed]]]:
    """Data sets of the responses that drawn ones can be held to, and the responses with what is to be said of them."""
    found: dict[str, np.ndarray] = {}
    told = []
    for response, one in pairs:
        drawn, said = _drawn(response, one, thetas, seed)
        if drawn is None:
            absent = {**one.absent, "predictive_check": f"No predictive check of {one.name}: {said}."}
            told.append((response, replace(one, absent=absent)))
            continue
        found[one.name] = drawn
        remarks = {**one.remarks, "predictive_check": said} if said else one.remarks
        told.append((response, replace(one, checked=rows_checked(response), remarks=remarks)))
    return found, told


def _drawn(response: Response, one: Observed, thetas: np.ndarray | None, seed: int) -> tuple[np.ndarray | None, str]:
    """Data sets of a response, with what belongs to their figure, or why there are none."""
    limits = find_limits(response, one)
    if isinstance(limits, str):
        return None, limits
    if thetas is None:
        return None, "the covariance of the estimator is no one that vectors can be drawn with"
    count, rows = min(data_sets(response), len(thetas)), rows_checked(response)
    chosen = thetas[np.linspace(0, len(thetas) - 1, count).astype(int)]
    drawn = replicate_like(response, one, chosen, seed, rows)
    if drawn is None or not np.isfinite(drawn).all():
        return None, "finite data sets cannot be drawn from it with PyMC"
    said = "" if rows is None else f"The check is of {len(rows):,} of {len(one.values):,} rows, drawn at random."
    return drawn, " ".join(filter(None, [said, limits.said]))


def with_sentences(
    fit: Fit, observed: Sequence[Observed], curve: FittedCurve | None, dear: bool
) -> tuple[Observed, ...]:
    """The variables, the first with what is to be said of the figures of the whole fit; `dear` are profiles."""
    if not observed:
        return ()
    first = observed[0]
    if curve is not None and len(curve.x_data) < len(first.values):
        told = f"{len(curve.x_data):,} of {len(first.values):,} rows shown, the most extreme among them."
        first = replace(first, remarks={**first.remarks, "curve": told})
    if dear:
        said = (
            "No profile likelihoods and joint regions: a report follows them where that takes next to no time, which "
            f"at {fit.nobs:,.0f} observations and {fit.df_model} free dimensions of this {fit.status.name} fit it does "
            "not; Fit.profile and Fit.contour follow them."
        )
        first = replace(first, absent={**first.absent, "profiles": said})
    return (first, *observed[1:])
