"""Information criteria of several fits of the same data side by side."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.hypotheses.demands import demand_likelihood, demand_maximum
from ppl_mle.inference.hypotheses.same_data import Fitted, difference_in_data

Criterion = Literal["aic", "aicc", "bic"]
_CRITERIA = ("aic", "aicc", "bic")


def compare_by_criterion(fits: Mapping[str, Fitted], by: Criterion = "aicc") -> pd.DataFrame:
    """Rank fits by an information criterion, with weights and evidence ratios (Burnham and Anderson 2002, 2.6 to 2.10).

    Parameters
    ----------
    fits : dict of str to Fitted
    by : {"aicc", "aic", "bic"}

    Returns
    -------
    DataFrame
        One row per fit, the lowest criterion first; columns `llf`, `df_model`, `nobs`, `aic`, `aicc`, `bic`, `delta`
        (criterion above the lowest), `weight` (exp(-delta / 2), summing to 1) and `evidence_ratio` (how many times
        more the best weighs).

    Raises
    ------
    RequestError
        Fewer than two fits, an unknown criterion or one that is not finite, a fit that did not converge or maximizes
        no likelihood, or different data.
    """
    if by not in _CRITERIA:
        raise RequestError(f"by={by!r} is unknown; use one of {', '.join(map(repr, _CRITERIA))}")
    if len(fits) < 2:
        raise RequestError(f"compare_fits compares at least two fits, got {len(fits)}; pass a dict from name to fit")
    for name, fit in fits.items():
        demand_likelihood(fit.results, f"compare_fits: {name!r}")
        demand_maximum(fit.results, f"compare_fits: {name!r}")
    first, *others = fits
    for name in others:
        found = difference_in_data(fits[first], fits[name])
        if found:
            raise RequestError(
                f"{first!r} and {name!r} are not fits of the same data: {found}; fit both to the same rows"
            )
    return _ranked(_table(fits), by)


def _table(fits: Mapping[str, Fitted]) -> pd.DataFrame:
    columns = ("llf", "df_model", "nobs", *_CRITERIA)
    return pd.DataFrame({c: [getattr(fit.results, c) for fit in fits.values()] for c in columns}, index=list(fits))


def _ranked(table: pd.DataFrame, by: Criterion) -> pd.DataFrame:
    bad = table.index[~np.isfinite(table[by])]
    if len(bad):
        name = bad[0]
        raise RequestError(
            f"{by} of {name!r} is {table[by][name]:g}, with {table['nobs'][name]:g} observations and "
            f"{table['df_model'][name]} parameters; use by='aic'"
        )
    table = table.sort_values(by, kind="stable")
    delta = table[by] - table[by].iloc[0]
    weight = np.exp(-delta / 2)
    table = table.assign(delta=delta, weight=weight / weight.sum(), evidence_ratio=np.exp(delta / 2))
    table.attrs["by"] = by
    return table
