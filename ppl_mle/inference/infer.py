"""From a maximum to the results of a fit."""

from dataclasses import replace

import numpy as np

from ppl_mle.inference.covariances.kind import Covariance
from ppl_mle.inference.delta import estimate_declared, propagate
from ppl_mle.inference.results import Results
from ppl_mle.maximize import Maximum


def infer(maximum: Maximum, *, model_hash: str, data_hash: str, seconds: float) -> Results:
    """Collect everything about a maximum that needs no graph afterwards.

    Parameters
    ----------
    maximum : Maximum
    model_hash, data_hash : str
    seconds : float
        Wall time of the fit.

    Returns
    -------
    Results
    """
    likelihood = maximum.plan.likelihood
    latents = likelihood.latents
    unpenalized = not latents and not likelihood.penalty
    alone = unpenalized and (likelihood.estimator == "MLE" or likelihood.flat_priors)
    of_likelihood = likelihood.estimator == "MLE" and unpenalized
    return Results(
        estimator=likelihood.estimator,
        estimates=estimate_declared(maximum),
        variables=likelihood.variables,
        coords={dim: values for dim, values in likelihood.coords.items() if _is_used(dim, likelihood.dims)},
        theta=maximum.theta,
        theta_covariance=propagate(np.eye(likelihood.size), maximum),
        free_labels=tuple(likelihood.free_labels),
        gradient=maximum.gradient,
        status=maximum.status,
        sentence=maximum.sentence,
        findings=maximum.findings,
        certificate=maximum.certificate,
        llf=maximum.value if of_likelihood else likelihood.log_likelihood(maximum.theta),
        lpf=maximum.value,
        nobs=likelihood.nobs,
        df_model=likelihood.size - len(maximum.held),
        likelihood_only=alone,
        latents=latents,
        fixed=_fixed_labels(maximum),
        penalty=likelihood.penalty,
        missing=dict(likelihood.missing),
        engine=maximum.plan.engine,
        plan=maximum.plan.brief,
        model_hash=model_hash,
        data_hash=data_hash,
        seconds=seconds,
    )


def with_covariance(maximum: Maximum, results: Results, covariance: Covariance) -> tuple[Maximum, Results]:
    """The same maximum with another covariance, and the results that change with it.

    Parameters
    ----------
    maximum : Maximum
    results : Results
    covariance : Covariance

    Returns
    -------
    Maximum, Results
    """
    changed = replace(maximum, covariance=covariance.matrix, information=maximum.observed_covariance)
    return changed, replace(
        results,
        estimates=estimate_declared(changed),
        theta_covariance=propagate(np.eye(len(maximum.theta)), changed),
        findings=(*maximum.findings, *covariance.findings),
        covariance_kind=covariance.kind,
    )


def _is_used(dim: str, dims: object) -> bool:
    return isinstance(dims, dict) and any(dim in names for names in dims.values())


def _fixed_labels(maximum: Maximum) -> tuple[str, ...]:
    """Declared elements all of whose unconstrained coordinates are held."""
    held = np.array(sorted(maximum.held), int)
    labels: list[str] = []
    for var in maximum.plan.likelihood.variables:
        inside = [i - var.free.start for i in held if var.free.start <= i < var.free.stop]
        if var.elementwise:
            labels += [var.labels[i] for i in inside]
        elif len(inside) == var.free.stop - var.free.start:
            labels += list(var.labels)
    return tuple(labels)
