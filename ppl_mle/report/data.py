"""The data of a fit in a table: sizes, gaps, ranges, events."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.inference.predictions.residuals import observed_values
from ppl_mle.read import OBSERVED_PART
from ppl_mle.read.responding import Response
from ppl_mle.report.observed import kind_of
from ppl_mle.report.rounding import show_number

_DIGITS = 5


def describe_data(
    groups: Mapping[str, Any], missing: Mapping[str, int], responses: Sequence[Response], theta: np.ndarray
) -> pd.DataFrame:
    """One row per array of the model's data, as text.

    Parameters
    ----------
    groups : dict of str to Dataset
        `observed_data` and `constant_data`, those that there are.
    missing : dict of str to int
        Rows left out because their response is missing, by observed variable.
    responses : sequence of Response
    theta : array, shape (p,)
        Where limits of censored responses are evaluated.

    Returns
    -------
    DataFrame
        Columns `role`, `values`, `missing`, `minimum`, `mean`, `maximum`, and `events` where there are any: ones and
        zeros, totals of counts, events and censored times; indexed by name.
    """
    events = {one.name: _events(one, theta) for one in responses}
    rows = {}
    for group, role in (("observed_data", "observed"), ("constant_data", "given")):
        for name, array in groups[group].items() if group in groups else ():
            plain = str(name).removesuffix(OBSERVED_PART)
            label = plain if role == "observed" and plain in missing else str(name)
            gaps = missing.get(label, 0) if role == "observed" else 0
            rows[label] = _row(role, array.to_numpy(), gaps, events.get(label, ""))
    columns = ("role", "values", "missing", "minimum", "mean", "maximum", "events")
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(columns), dtype=object)
    return frame if frame["events"].any() else frame.drop(columns="events")


def _row(role: str, array: np.ndarray, gaps: int, events: str) -> list[str]:
    size = " x ".join(map(str, array.shape)) or "1"
    if array.dtype.kind not in "fiub":
        return [role, size, str(gaps), "", "", "", events]
    values = array[np.isfinite(array)].astype(float)
    lost = max(gaps, int(array.size - np.count_nonzero(~np.isnan(array.astype(float)))))
    if not values.size:
        return [role, size, str(lost), "", "", "", events]
    figures = (values.min(), values.mean(), values.max())
    return [role, size, str(lost), *(show_number(float(x), _DIGITS) for x in figures), events]


def _events(response: Response, theta: np.ndarray) -> str:
    if response.values is None or response.law.is_categorical or response.law.event_axes:
        return ""
    kind, values = kind_of(response), observed_values(response)
    if kind == "binary":
        return f"{int(values.sum())} ones, {int((1 - values).sum())} zeros"
    if kind == "counts":
        return f"total {show_number(float(values.sum()), 12)}, {int((values == 0).sum())} zeros"
    if kind == "survival":
        low, high = (np.ravel(np.broadcast_to(limit.value(theta), values.shape)) for limit in response.law.parameters)
        happened = int(np.sum((values < high) & (values > low)))
        return f"{happened} events, {len(values) - happened} censored"
    return ""
