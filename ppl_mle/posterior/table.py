"""Posterior draws summarized by ArviZ."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ppl_mle.posterior.checks import check_draws


def summarize_draws(idata: Any, var_names: Sequence[str], ci_prob: float = 0.95) -> pd.DataFrame:
    """Summarize draws with `az.summary`: moments, equal-tailed interval of the given content, ESS, R-hat, MCSE.

    Parameters
    ----------
    idata : DataTree
    var_names : sequence of str
    ci_prob : float

    Returns
    -------
    DataFrame
        Indexed by label, unrounded; of resampled draws without R-hat, with the effective sample of their weights.
    """
    from arviz_stats import summary

    table = summary(idata, var_names=list(var_names), ci_prob=ci_prob, ci_kind="eti", round_to="none")
    check = check_draws(idata, var_names)
    if check.k_hat is None:
        return table
    own = check.table.set_axis(table.index).rename(columns={"mcse_mean": "mcse"})
    return table.drop(columns=[c for c in table.columns if c.startswith(("r_hat", "ess", "mcse"))]).join(own)
