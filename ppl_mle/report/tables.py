"""Tables as text, rounded by the one rule: the comparison with a posterior, and reference answers beside ours."""

import numpy as np
import pandas as pd

from ppl_mle.inference import Estimates
from ppl_mle.posterior import Agreement
from ppl_mle.report.rounding import show_estimate, show_fixed, show_number, show_se

OF_THE_VALUE = ("estimate", "ci_lower", "ci_upper", "mean", "median", "eti_lower", "eti_upper")
SPREADS = ("se", "sd")
COUNTS = ("ess_bulk", "ess_tail")


def show_agreement(agreement: Agreement) -> pd.DataFrame:
    """Show the table of a comparison: values to the precision of the standard error, or of the posterior sd."""
    table = agreement.table
    precision = table["se"].where(table["se"] > 0, table["sd"])
    columns = {}
    for name in table.columns:
        cells = zip(table[name].astype(float), precision, strict=True)
        columns[name] = [_cell(str(name), value, se) for value, se in cells]
    return pd.DataFrame(columns, index=table.index)


def show_reference(estimates: Estimates, reference: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Set reference answers beside the estimates, matched by label.

    Parameters
    ----------
    estimates : Estimates
    reference : DataFrame or Series
        Indexed by label, one column per source.

    Returns
    -------
    DataFrame
        As text: `estimate`, then for each source its answer and `relative difference, ...`, (estimate - reference) /
        abs(reference), the absolute difference where the reference is 0. What one side does not have is an empty
        cell.
    """
    frame = reference.to_frame() if isinstance(reference, pd.Series) else reference
    ours = estimates.params.reindex(frame.index)
    errors = estimates.bse.reindex(frame.index)
    columns: dict[str, list[str]] = {
        "estimate": [
            show_estimate(x, se) if label in estimates.labels else ""
            for label, x, se in zip(frame.index, ours, errors, strict=True)
        ]
    }
    for source in frame.columns:
        answers = frame[source].astype(float)
        title = str(source)
        differences = relative_difference(ours, answers)
        columns[title] = [show_estimate(x, se) if x == x else "" for x, se in zip(answers, errors, strict=True)]
        columns[f"relative difference, {title}"] = [show_number(x, 2) if x == x else "" for x in differences]
    return pd.DataFrame(columns, index=frame.index)


def relative_difference(ours: pd.Series, reference: pd.Series) -> pd.Series:
    """(ours - reference) / abs(reference), or the absolute difference where the reference is 0.

    Examples
    --------
    >>> relative_difference(pd.Series([1.5, 0.25]), pd.Series([-1.0, 0.0])).tolist()
    [2.5, 0.25]
    """
    size = reference.abs()
    return (ours - reference) / size.where(size > 0, 1.0)


def _cell(column: str, value: float, se: float) -> str:
    if column in OF_THE_VALUE:
        return show_estimate(value, se)
    if column in SPREADS:
        return show_se(value)
    if column in COUNTS:
        return show_number(np.floor(value), 12)
    return show_fixed(value, 2 if column == "shift_mcse" else 3)
