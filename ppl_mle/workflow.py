"""What one does with a model or a fit next: sample the posterior, compare, report."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ppl_mle.errors import FitWarning, RequestError
from ppl_mle.find import find_MAP
from ppl_mle.fit import Fit
from ppl_mle.inference import confidence_band
from ppl_mle.posterior import Agreement, compare_with_draws, sample_nuts
from ppl_mle.read import current_model, has_gaussian_errors, hash_data, hold_variables, model_data, response_curve
from ppl_mle.report.document import build_document
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.html import render_html
from ppl_mle.report.write import check_target, write_text


def sample(
    model: Any = None,
    *,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    random_seed: Any = None,
    progressbar: bool = True,
    **options: Any,
) -> xr.DataTree:
    """Sample the posterior with NUTS, started from the fit.

    Parameters
    ----------
    model : pm.Model or Fit, optional
        A model is fitted first (MAP), for its starting point. The posterior holds the declared priors, flat ones
        included, whatever the estimator of the fit. Variables that the fit holds fixed are constants.
    draws, tune, chains, cores, random_seed, progressbar
        As in `pm.sample`.
    **options
        Passed on to `pm.sample`, e.g. `target_accept`.

    Returns
    -------
    DataTree
        Group `posterior`, with attribute `kind="posterior"`, and those that `pm.sample` adds.

    Raises
    ------
    RequestError
        The fit was loaded without its model, is weighted, or holds single elements of a variable fixed.
    ModelError
        The sampler could not start or failed.
    """
    if isinstance(model, Fit):
        fit, sampled = model, _conditioned(model)
    else:
        sampled = current_model(model)
        fit = _mode_of(sampled)
    return sample_nuts(
        sampled,
        _start_of(fit),
        spread=_spread_of(fit),
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        random_seed=random_seed,
        progressbar=progressbar,
        **options,
    )


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
    _require_same_data(fit)
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


def _conditioned(fit: Fit) -> Any:
    """The model to sample: the fit's, with its fixed variables as constants."""
    if fit.model is None or fit.maximum is None:
        raise RequestError("this fit was loaded without its model; pass the model to sample() instead")
    _require_same_data(fit)
    if fit.maximum.plan.likelihood.weighted:
        raise RequestError(
            "this fit is weighted, and the declared model holds no weights; repeat its rows, then sample"
        )
    fixed = set(fit.results.fixed)
    whole = {var.name: var for var in fit.results.variables if fixed.issuperset(var.labels)}
    partly = fixed - {label for var in whole.values() for label in var.labels}
    if partly:
        raise RequestError(
            f"fixed={sorted(partly)[0]!r} is one element of a variable, which cannot be held while sampling; "
            "declare it as a constant in the model"
        )
    values = fit.results.estimates.values
    return hold_variables(fit.model, {n: values[var.declared].reshape(var.shape) for n, var in whole.items()})


def _require_same_data(fit: Fit) -> None:
    if hash_data(model_data(fit.model)) != fit.data_hash:
        raise RequestError("the model's data were replaced after this fit (set_data); fit the model again")


def _start_of(fit: Fit) -> dict[str, np.ndarray] | None:
    """Declared values of a fit's point, inside the support also where the maximum is on an edge."""
    if fit.maximum is None or not fit.converged:
        return None
    fixed = set(fit.results.fixed)
    values = fit.maximum.plan.likelihood.mapping.declared(fit.maximum.theta)
    return {
        var.name: values[var.declared].reshape(var.shape)
        for var in fit.results.variables
        if not fixed.issuperset(var.labels)
    }


def _spread_of(fit: Fit) -> dict[str, np.ndarray]:
    """Two standard errors of each unconstrained value, around which the chains start."""
    if fit.maximum is None or not fit.converged:
        return {}
    errors = 2 * np.sqrt(np.nan_to_num(np.diag(fit.maximum.covariance)))
    shapes = fit.maximum.plan.likelihood.mapping.start.shapes
    return {var.name: errors[var.free].reshape(shape) for var, shape in zip(fit.results.variables, shapes, strict=True)}


def _mode_of(model: Any) -> Fit:
    """The posterior mode, whatever its status: only a certified one becomes a start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return find_MAP(model, progressbar=False)
