"""Adjustment of p-values for multiple tests."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError

METHODS = (
    "bonferroni",
    "sidak",
    "holm-sidak",
    "holm",
    "simes-hochberg",
    "hommel",
    "fdr_bh",
    "fdr_by",
    "fdr_tsbh",
    "fdr_tsbky",
)


def adjust_pvalues(pvalues: Any, method: str = "holm") -> Any:
    """Adjust p-values for the number of tests, by statsmodels' `multipletests`.

    Parameters
    ----------
    pvalues : Series, dict, or array-like, shape (k,)
        Missing ones stay missing and are not counted.
    method : str
        `holm` (Holm 1979), `bonferroni`, `sidak`, `holm-sidak`, `simes-hochberg`, `hommel`, `fdr_bh` (Benjamini and
        Hochberg 1995), `fdr_by`, `fdr_tsbh` or `fdr_tsbky`.

    Returns
    -------
    Series, or array, shape (k,)
        With the index of the Series or the keys of the dict.

    Raises
    ------
    RequestError
        An unknown method, or a p-value outside [0, 1].

    Examples
    --------
    >>> adjust_pvalues([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    from statsmodels.stats.multitest import multipletests  # heavy, and needed by few

    if method not in METHODS:
        raise RequestError(f"method={method!r} is unknown; use one of {', '.join(METHODS)}")
    if isinstance(pvalues, Mapping):
        pvalues = pd.Series(pvalues)
    values = np.asarray(pvalues, float)
    if values.ndim != 1:
        raise RequestError(f"p-values come as one column, not with shape {values.shape}; pass a Series or a list")
    bad = np.flatnonzero((values < 0) | (values > 1))
    if bad.size:
        raise RequestError(f"p-value {values[bad[0]]:g} at position {bad[0]} is not in [0, 1]; pass probabilities")
    adjusted = np.full(values.shape, np.nan)
    known = ~np.isnan(values)
    if known.any():
        adjusted[known] = multipletests(values[known], method=method)[1]
    if isinstance(pvalues, pd.Series):
        return pd.Series(adjusted, index=pvalues.index, name=pvalues.name)
    return adjusted
