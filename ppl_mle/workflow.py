"""What one does with a model or a fit next: sample the posterior, compare, report."""

import warnings
from typing import Any

import numpy as np
import xarray as xr

from ppl_mle.errors import FitWarning, RequestError
from ppl_mle.find import find_MAP
from ppl_mle.fit import Fit
from ppl_mle.posterior.agreement import Agreement, compare_with_draws
from ppl_mle.posterior.nuts import sample_nuts
from ppl_mle.read import current_model, hold_variables


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
        sampled, start = _conditioned(model), _start_of(model)
    else:
        sampled = current_model(model)
        start = _mode_of(sampled)
    return sample_nuts(
        sampled,
        start,
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
    return compare_with_draws(fit.results, idata, ci_prob=ci_prob)


def _conditioned(fit: Fit) -> Any:
    """The model to sample: the fit's, with its fixed variables as constants."""
    if fit.model is None or fit.maximum is None:
        raise RequestError("this fit was loaded without its model; pass the model to sample() instead")
    if fit.weighted:
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


def _mode_of(model: Any) -> dict[str, np.ndarray] | None:
    """The posterior mode as a start; None where there is no certified one, so that NUTS starts by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return _start_of(find_MAP(model, progressbar=False))
