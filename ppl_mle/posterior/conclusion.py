"""What a comparison of a fit with a posterior comes to, in a sentence that claims no more than the draws can carry."""

from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.inference import Results
from ppl_mle.posterior.checks import DrawsCheck, named
from ppl_mle.posterior.marginals import NOT_NORMAL

SHIFT_LIMIT = 0.1
RATIO_LIMIT = 0.1


def conclude(results: Results, table: pd.DataFrame, check: DrawsCheck, kind: str | None) -> str:
    """One sentence, and reservations; no agreement is claimed where the fit or the draws cannot support it."""
    if check.draws * check.chains == 1:
        return _conclude_point(table)
    if kind == "estimator":
        return "No conclusion: these draws are the normal approximation of an estimator, not a posterior."
    if kind == "approximation":
        return "No conclusion: these draws are an unweighted approximation of the posterior; use method='auto'."
    reasons = []
    if not results.converged:
        reasons.append(f"the fit ended in {results.status.name}, so there is no estimate to compare")
    if not check.mixed:
        reasons.append("the draws cannot be relied on: " + " ".join(check.problems).rstrip("."))
    if reasons:
        return f"No conclusion: {'; and '.join(reasons)}."
    compared = table[np.isfinite(table[["shift_sd", "sd_ratio"]].to_numpy()).all(axis=1)]
    left_out = [label for label in table.index if label not in compared.index]
    return _verdict(compared) + _reservations(compared, left_out, check)


def _verdict(table: pd.DataFrame) -> str:
    if table.empty:
        return "No conclusion: no element has both a standard error and a posterior standard deviation."
    far = table["shift_sd"].abs() >= SHIFT_LIMIT
    wide = (table["sd_ratio"] - 1).abs() > RATIO_LIMIT
    if (far | wide).any():
        different = [_difference(label, row) for label, row in table[far | wide].iterrows()]
        rest = int((~(far | wide)).sum())
        agree = f"; {rest} of {len(table)} agree{'s' * (rest == 1)}" if rest else ""
        return f"The posterior differs from the fit: {named(different)}{agree}."
    shift, ratio = table["shift_sd"].abs(), table["sd_ratio"]
    furthest = str((ratio - 1).abs().idxmax())
    return (
        f"The posterior agrees with the fit: every shift is below {SHIFT_LIMIT} posterior sd (largest "
        f"{shift.max():.3f}, {shift.idxmax()}), and every posterior sd is within {RATIO_LIMIT:.0%} of its standard "
        f"error (ratio furthest from 1: {ratio[furthest]:.3f}, {furthest})."
    )


def _difference(label: Any, row: pd.Series) -> str:
    parts = []
    if abs(row["shift_sd"]) >= SHIFT_LIMIT:
        side = "above" if row["shift_sd"] > 0 else "below"
        parts.append(f"mean {abs(row['shift_sd']):.2f} sd {side} the estimate")
    if abs(row["sd_ratio"] - 1) > RATIO_LIMIT:
        parts.append(f"sd {row['sd_ratio']:.2f} times the standard error")
    return f"{label} ({', '.join(parts)})"


def _reservations(table: pd.DataFrame, left_out: list[str], check: DrawsCheck) -> str:
    sentences = [f"Not compared, for want of a standard error or of spread: {named(left_out)}."] if left_out else []
    skewed = table[table["skewness"].abs() > NOT_NORMAL]
    if len(skewed):
        shown = [f"{label} (skewness {skewness:+.2f})" for label, skewness in skewed["skewness"].items()]
        sentences.append(
            f"Not yet normal on the scale where intervals are made: {named(shown)}; mean and mode differ there though "
            "both are right, so compare the intervals."
        )
    return "".join(f" {sentence}" for sentence in [*sentences, *check.problems])


def _conclude_point(table: pd.DataFrame) -> str:
    distance = ((table["mean"] - table["estimate"]) / table["se"].where(table["se"] > 0)).abs().dropna()
    if distance.empty:
        return "One draw: a point, not a posterior."
    return (
        f"One draw: a point, not a posterior; the largest distance from the estimates is {distance.max():.2g} standard "
        f"errors ({distance.idxmax()})."
    )
