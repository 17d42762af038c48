"""A fit, a posterior and a comparison as JSON: what `--json` prints."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference import Results
from ppl_mle.posterior import Agreement, DrawsCheck
from ppl_mle.report.summary import estimates_table


def write_json(record: Any) -> str:
    """Write a record as strict JSON: NaN is null, infinities are the texts "inf" and "-inf".

    Examples
    --------
    >>> write_json({"se": float("nan"), "b": float("inf"), "n": np.int64(3)})
    '{"se": null, "b": "inf", "n": 3}'
    """
    return json.dumps(_plain(record), allow_nan=False)


def fit_record(
    results: Results, ci_prob: float, table: pd.DataFrame | None = None, method: str = "wald"
) -> dict[str, Any]:
    """The figures of a fit: verdict, table, statistics, certificate.

    Parameters
    ----------
    results : Results
    ci_prob : float
        Content of the intervals in the table.
    table : DataFrame, optional
        With intervals of another method than Wald.
    method : str
        Of these.
    """
    return {
        "estimator": results.estimator,
        "status": results.status.name,
        "converged": results.converged,
        "message": results.sentence,
        "findings": results.findings,
        "parameters": estimates_table(results.estimates, ci_prob) if table is None else pd.DataFrame(table),
        "ci_prob": ci_prob,
        "covariance": results.covariance_kind,
        "interval": method,
        "llf": results.llf,
        "lpf": results.lpf,
        "aic": _criterion(results, "aic"),
        "aicc": _criterion(results, "aicc"),
        "bic": _criterion(results, "bic"),
        "nobs": results.nobs,
        "df_model": results.df_model,
        "certificate": asdict(results.certificate),
        "engine": results.engine,
        "seconds": results.seconds,
        "model_hash": results.model_hash,
        "data_hash": results.data_hash,
    }


def draws_record(summary: pd.DataFrame, check: DrawsCheck) -> dict[str, Any]:
    """The figures of a posterior: its summary and what is wrong with the draws."""
    return {
        "chains": check.chains,
        "draws": check.draws,
        "divergences": check.divergences,
        "problems": check.problems,
        "parameters": summary,
    }


def agreement_record(agreement: Agreement) -> dict[str, Any]:
    """The figures of a comparison."""
    return {
        "conclusion": agreement.conclusion,
        "ci_prob": agreement.ci_prob,
        "problems": agreement.check.problems,
        "parameters": agreement.table,
    }


def _criterion(results: Results, name: str) -> float | None:
    try:
        return float(getattr(results, name))
    except RequestError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return {str(label): _plain(row.to_dict()) for label, row in value.iterrows()}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
