"""What a report needs of a fit, collected once."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.comparisons import compare_fits
from ppl_mle.errors import FitWarning, RequestError
from ppl_mle.fit import Fit
from ppl_mle.inference import Profile, Results, confidence_band
from ppl_mle.inference.predictions.simulated import draw_vectors
from ppl_mle.maximize import Maximum, Status
from ppl_mle.posterior import Agreement
from ppl_mle.posterior.agreement import draws_by_label
from ppl_mle.read import OBSERVED_PART, Variable, has_gaussian_errors, response_curve
from ppl_mle.read.mathematics import read_mathematics
from ppl_mle.read.responding import Response
from ppl_mle.read.response import read_response
from ppl_mle.report.command import with_command
from ppl_mle.report.data import describe_data
from ppl_mle.report.exponentiated import Ratios, find_ratios
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.material import Material, Models, Recipe
from ppl_mle.report.observed import Observed, observe
from ppl_mle.report.side_by_side import SideBySide, set_side_by_side
from ppl_mle.report.some_rows import spread_rows
from ppl_mle.report_rows import draw_replicates, find_unseen, with_effects, with_sentences
from ppl_mle.sampling import require_same_data
from ppl_mle.script import load_script

_MOST_PROFILES, _MOST_PAIRED = 6, 3
_DEAR = 200_000
_REPLICATES, _FEW = 100, 25


def collect(
    fit: Fit,
    posterior: Any,
    agreement: Agreement | None,
    *,
    others: Mapping[str, Fit] | Sequence[Fit],
    title: str,
    ci_prob: float,
    method: str,
    reference: pd.DataFrame | pd.Series | None,
    model_text: str,
    data_text: str,
    recipe: Recipe,
) -> Material:
    """Put together what a report says of a fit; what a fit does not have is left out.

    Raises
    ------
    RequestError
        The model's data were replaced after the fit, `others` holds something that is no fit, or the intervals asked
        for are not defined.
    """
    responses = _responses(fit)
    curve = _fitted_curve(fit, ci_prob)
    pairs = _observed(fit, responses)
    thetas = _vectors(fit, posterior, recipe.seed or 0)
    replicates, pairs = draw_replicates(pairs, thetas, recipe.seed or 0)
    observed = [with_effects(fit, response, one, curve, ci_prob) for response, one in pairs]
    observed = [*observed, *find_unseen(fit, responses)]
    return Material(
        results=fit.results,
        title=title,
        table=fit.summary(ci_prob=ci_prob, method=method),
        ci_prob=ci_prob,
        interval_method=method,
        agreement=agreement,
        idata=posterior,
        reference=reference.to_frame() if isinstance(reference, pd.Series) else reference,
        notes=_degrees_of_freedom_note(fit),
        model_text=model_text.strip(),
        data_text=data_text.strip(),
        statements=() if fit.model is None else read_mathematics(fit.model),
        data=describe_data(fit.groups, fit.results.missing, responses, fit.results.theta),
        ratios=_ratios(fit, responses),
        models=_models(fit, title, others),
        observed=with_sentences(fit, observed, curve, bool(_free_labels(fit)) and not _is_cheap(fit)),
        curve=curve,
        profiles=_profiles(fit, ci_prob),
        contours=_contours(fit, ci_prob),
        replicates=replicates,
        replicated_from="at draws of the posterior" if posterior is not None else "at draws around the estimate",
        recipe=with_command(recipe, fit.results, ci_prob, method, posterior is not None),
    )


def side_by_side(fits: Mapping[str, Fit]) -> SideBySide:
    """Set fits side by side: coefficients with standard errors, one column per fit, and statistics below.

    Parameters
    ----------
    fits : dict of str to Fit

    Returns
    -------
    SideBySide
        Prints, shows in a notebook, and gives a `great_tables.GT` by `to_gt()`. For other layouts pass each
        `fit.tabulated` to `maketables.ETable`.

    Raises
    ------
    RequestError
        Something in `fits` is no fit.
    """
    return set_side_by_side(_results_of(fits, "fits"))


def recipe_of(command: str, seed: int | None, script: str | Path | None, data: str | Path | None) -> Recipe:
    """How to make the fit again, with the text of the script.

    Raises
    ------
    ScriptError
        The script cannot be loaded.
    """
    if script is None:
        return Recipe(command, seed)
    return Recipe(command, seed, load_script(script).source, str(script), "" if data is None else str(data))


def _responses(fit: Fit) -> list[Response]:
    """The observed variables that have a mean."""
    if fit.model is None or fit.reading is None:
        return []
    found = []
    for rv in fit.model.observed_RVs:
        try:
            found.append(read_response(fit.reading, rv.name.removesuffix(OBSERVED_PART)))
        except RequestError:
            continue
    return found


def _observed(fit: Fit, responses: Sequence[Response]) -> list[tuple[Response, Observed]]:
    """What a converged fit says of each."""
    if fit.maximum is None or not fit.converged:
        return []
    if fit.maximum.plan.likelihood.weighted:
        return []
    found = [(response, observe(fit.results, fit.maximum, response)) for response in responses]
    return [(response, one) for response, one in found if one is not None]


def _ratios(fit: Fit, responses: Sequence[Response]) -> tuple[Ratios, ...]:
    if fit.maximum is None or not fit.converged:
        return ()
    found = [find_ratios(fit.results, fit.maximum, response) for response in responses]
    return tuple(one for one in found if one is not None)


def _is_cheap(fit: Fit) -> bool:
    """Whether following profiles takes next to no time."""
    if fit.maximum is None or fit.status is not Status.CONVERGED or not np.isfinite(fit.bse.to_numpy()).any():
        return False
    by_rows = not any(form.reason for form in fit.maximum.plan.likelihood.forms)
    return by_rows and bool(fit.df_model * np.nan_to_num(fit.nobs, nan=_DEAR) <= _DEAR)


def _free_labels(fit: Fit) -> list[str]:
    known = fit.bse[fit.bse > 0].index
    return [str(label) for label in known if label not in fit.results.fixed]


def _profiles(fit: Fit, ci_prob: float) -> dict[str, Profile]:
    """Profiles of the first elements."""
    found: dict[str, Profile] = {}
    for label in _free_labels(fit)[:_MOST_PROFILES] if _is_cheap(fit) else ():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FitWarning)
                found[label] = fit.profile(label, ci_prob)
        except RequestError:
            continue
    return found


def _contours(fit: Fit, ci_prob: float) -> dict[tuple[str, str], pd.DataFrame]:
    """Joint regions of the pairs of the first elements."""
    labels = _free_labels(fit)[:_MOST_PAIRED] if _is_cheap(fit) else []
    found = {}
    for place, one in enumerate(labels):
        for other in labels[place + 1 :]:
            try:
                found[one, other] = fit.contour(one, other, ci_prob)
            except RequestError:
                continue
    return found


def _vectors(fit: Fit, posterior: Any, seed: int) -> np.ndarray | None:
    """Unconstrained vectors at which data are drawn: of the posterior, else around the estimate."""
    if fit.maximum is None or not fit.converged:
        return None
    if posterior is None:
        try:
            return draw_vectors(fit.maximum, _REPLICATES, np.random.default_rng(seed))
        except RequestError:
            return None
    draws = draws_by_label(fit.results, posterior).to_numpy(float)
    by_element = all(map(_has_own_scales, fit.results.variables))
    count = min(_REPLICATES if by_element else _FEW, len(draws))
    chosen = draws[np.linspace(0, len(draws) - 1, count).astype(int)]
    if by_element:
        return _freed(fit, chosen)
    return np.array([_unconstrained(fit, fit.maximum, row) for row in chosen])


def _has_own_scales(var: Variable) -> bool:
    """Whether each element of a variable is the map of one unconstrained element that its scale says."""
    return var.transform is None or (var.elementwise and all(scale.kind != "identity" for scale in var.scales))


def _freed(fit: Fit, declared: np.ndarray) -> np.ndarray:
    """Unconstrained vectors of declared ones, element by element."""
    thetas = np.empty((len(declared), len(fit.results.theta)))
    for var in fit.results.variables:
        columns = zip(range(var.free.start, var.free.stop), declared[:, var.declared].T, var.scales, strict=True)
        for place, values, scale in columns:
            thetas[:, place] = scale.to_free(values)
    return thetas


def _unconstrained(fit: Fit, maximum: Maximum, declared: np.ndarray) -> np.ndarray:
    """The same of one vector by PyMC's own transforms."""
    values = {var.name: declared[var.declared].reshape(var.shape) for var in fit.results.variables}
    return np.asarray(maximum.plan.likelihood.mapping.start(values), float)


def _models(fit: Fit, title: str, others: Mapping[str, Fit] | Sequence[Fit]) -> Models | None:
    """This fit and the others, ranked where they can be."""
    named = dict(others) if isinstance(others, Mapping) else {f"model {k + 2}": one for k, one in enumerate(others)}
    if not named:
        return None
    results = _results_of(named, "others")
    first = title if title not in named else f"{title} (this fit)"
    fits = {first: fit, **{str(name): one for name, one in named.items()}}
    results = {first: fit.results, **results}
    try:
        return Models(results, compare_fits(fits))
    except RequestError as exc:
        return Models(results, None, str(exc))


def _results_of(fits: Mapping[str, Fit], argument: str) -> dict[str, Results]:
    for name, one in fits.items():
        if not isinstance(one, Fit):
            kind = type(one).__name__
            raise RequestError(f"{argument}: {name!r} is of type {kind}, not a Fit; pass fits of find_MLE or find_MAP")
    return {str(name): one.results for name, one in fits.items()}


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
    rows = spread_rows(curve.y_data - np.interp(curve.x_data, curve.x_grid, curve.mean))
    x, y = curve.x_data[rows], curve.y_data[rows]
    return FittedCurve(curve.x_name, curve.y_name, x, y, curve.x_grid, curve.mean, lower, upper)


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
