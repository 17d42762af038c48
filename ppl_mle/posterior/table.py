"""Posterior draws summarized by ArviZ."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


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
        Indexed by label, unrounded.
    """
    from arviz_stats import summary

    return summary(idata, var_names=list(var_names), ci_prob=ci_prob, ci_kind="eti", round_to="none")
