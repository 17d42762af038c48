"""The results of a fit as plain frames with broom's columns."""

from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.results import Results


def tidy(results: Results, intervals: pd.DataFrame, exponentiate: bool = False) -> pd.DataFrame:
    """One row per declared element.

    Parameters
    ----------
    results : Results
    intervals : DataFrame
        Columns `lower` and `upper`, indexed by label.
    exponentiate : bool
        Estimates and bounds of elements that are free on the whole line become their exponentials; standard errors,
        statistics and p-values stay those of the element.

    Returns
    -------
    DataFrame
        Columns `term`, `estimate`, `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`.
    """
    estimates = results.estimates
    bounds = intervals.reindex(list(estimates.labels))
    frame = pd.DataFrame(
        {
            "term": list(estimates.labels),
            "estimate": estimates.values.astype(float),
            "std_error": estimates.bse.to_numpy(),
            "statistic": estimates.tvalues.to_numpy(),
            "p_value": estimates.pvalues.to_numpy(),
            "conf_low": bounds["lower"].to_numpy(float),
            "conf_high": bounds["upper"].to_numpy(float),
        }
    )
    exponentiated: list[str] = []
    if exponentiate:
        line = np.array([scale.kind == "identity" for scale in estimates.scales])
        shown = ["estimate", "conf_low", "conf_high"]
        frame.loc[line, shown] = np.exp(frame.loc[line, shown])
        exponentiated = [label for label, own in zip(estimates.labels, line, strict=True) if own]
    frame.attrs |= {"covariance_kind": results.covariance_kind, "exponentiated": exponentiated}
    return frame


def glance(results: Results) -> pd.DataFrame:
    """One row about the fit; NaN for what it does not have, such as the AIC of a MAP fit.

    Parameters
    ----------
    results : Results

    Returns
    -------
    DataFrame
        Columns `estimator`, `status`, `converged`, `nobs`, `df_model`, `llf`, `lpf`, `aic`, `aicc`, `bic`,
        `covariance_kind`, `n_fixed`, `n_latent`, `n_missing`, `engine`.
    """
    row: dict[str, Any] = {
        "estimator": results.estimator,
        "status": results.status.name,
        "converged": results.converged,
        "nobs": results.nobs,
        "df_model": results.df_model,
        "llf": results.llf,
        "lpf": results.lpf,
        **{name: _criterion(results, name) for name in ("aic", "aicc", "bic")},
        "covariance_kind": results.covariance_kind,
        "n_fixed": len(results.fixed),
        "n_latent": sum(var.size for var in results.variables if var.role == "latent"),
        "n_missing": sum(results.missing.values()),
        "engine": results.engine,
    }
    return pd.DataFrame([row])


def _criterion(results: Results, name: str) -> float:
    try:
        return float(getattr(results, name))
    except RequestError:
        return float("nan")
