"""What one does with a fit next: compare it with posteriors, report."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from ppl_mle.errors import RequestError
from ppl_mle.fit import Fit
from ppl_mle.inference import confidence_band
from ppl_mle.posterior import Agreement, compare_with_draws
from ppl_mle.read import has_gaussian_errors, response_curve
from ppl_mle.report.document import build_document
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.html import render_html
from ppl_mle.report.write import check_target, write_text
from ppl_mle.sampling import require_same_data


def compare(fit: Fit, idata: xr.DataTree, ci_prob: float = 0.95) -> Agreement:
    """Compare a fit with posterior draws, parameter by parameter.

    Parameters
    ----------
    fit : Fit
    idata : DataTree
        From `sample`, `pm.sample`, or any tool that writes a `posterior` group.
    ci_prob : float
        Content of both kinds of interval.

    Returns
    -------
    Agreement
        `table` has one row per declared element; `conclusion` is a sentence, gated on R-hat and ESS.

    Raises
    ------
    RequestError
        No posterior group, or it lacks a variable of the fit.
    """
    if not isinstance(fit, Fit):
        raise RequestError(f"compare takes the fit first and the draws second; got {type(fit).__name__} for the fit")
    return compare_with_draws(fit.results, idata, ci_prob=ci_prob)


def report(
    fit: Fit,
    posterior: xr.DataTree | None = None,
    *,
    path: str | Path = "report.html",
    ci_prob: float = 0.95,
    title: str | None = None,
    model_text: str = "",
    data_text: str = "",
    reference: pd.DataFrame | pd.Series | None = None,
    command: str = "",
    seed: int | None = None,
) -> Path:
    """Write a report of a fit, and of its posterior when there is one, as one self-contained HTML file.

    Parameters
    ----------
    fit : Fit
    posterior : DataTree, optional
        From `sample`, `pm.sample`, or any tool that writes a `posterior` group.
    path : str or Path
    ci_prob : float
        Content of all intervals.
    title : str, optional
    model_text, data_text : str
        The model in words, and where the data come from.
    reference : DataFrame or Series, optional
        Answers of other programs by label, one column per source.
    command : str
        What reproduces the report.
    seed : int, optional

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    OutputError
        The folder is missing or not writable; nothing is written then.
    RequestError
        The path does not end in .html, or the posterior is not one of this model.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise RequestError(f"path={str(path)!r} must end in .html, the format of reports")
    if reference is not None and not isinstance(reference, pd.DataFrame | pd.Series):
        raise RequestError(
            f"reference must be a Series or a DataFrame indexed by label, not {type(reference).__name__}"
        )
    check_target(path)
    document = build_document(
        fit.results,
        title=title or path.stem,
        table=fit.summary(ci_prob=ci_prob),
        ci_prob=ci_prob,
        agreement=None if posterior is None else compare(fit, posterior, ci_prob),
        idata=posterior,
        curve=_fitted_curve(fit, ci_prob),
        reference=reference,
        notes=_degrees_of_freedom_note(fit),
        model_text=model_text,
        data_text=data_text,
        command=command,
        seed=seed,
    )
    write_text(path, render_html(document))
    return path


def _fitted_curve(fit: Fit, ci_prob: float) -> FittedCurve | None:
    """The fitted mean with its band, for models with one predictor and a fit with standard errors."""
    if fit.model is None or fit.maximum is None or not fit.converged:
        return None
    require_same_data(fit)
    curve = response_curve(fit.model, fit.maximum.plan.likelihood, fit.maximum.theta)
    if curve is None:
        return None
    band = confidence_band(fit.maximum, curve, ci_prob)
    lower, upper = (band[side].to_numpy() for side in ("lower", "upper"))
    return FittedCurve(curve.x_name, curve.y_name, curve.x_data, curve.y_data, curve.x_grid, curve.mean, lower, upper)


def _degrees_of_freedom_note(fit: Fit) -> tuple[str, ...]:
    """How standard errors of least-squares programs follow from these, for models with normal errors."""
    if fit.model is None or fit.estimator != "MLE" or not has_gaussian_errors(fit.model):
        return ()
    n, p = fit.nobs, fit.df_model - 1
    if not n > p:
        return ()
    factor = np.sqrt(n / (n - p))
    return (
        f"Maximum likelihood divides the residual sum of squares by n = {n:g}, least-squares programs by n - p = "
        f"{n - p:g}: multiply sigma and the standard errors of the coefficients by sqrt(n / (n - p)) = {factor:.6g} "
        "to compare them.",
    )
