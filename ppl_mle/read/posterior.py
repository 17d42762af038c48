"""The posterior density on the unconstrained scale: likelihood, priors and the Jacobian of the transforms."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ppl_mle.read.added import Added, AddedOriginal
from ppl_mle.read.jacobian import LogJacobian
from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.reading import read
from ppl_mle.read.roles import has_constant_density
from ppl_mle.read.rows.batch import values_at
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.whitened import whitened_parts

_LINKS = ("logit", "probit", "cloglog")
_CONCAVE = {"poisson_log", "normal_known", *(f"{law}_{link}" for law in ("bernoulli", "binomial") for link in _LINKS)}


def read_posterior(model: Any) -> Likelihood:
    """Read the posterior of a model as a density of the unconstrained vector.

    Unlike what estimators maximize, it holds the log-Jacobian of the transforms, so its mode depends on them; it is
    what samplers sample, and what a normal approximation is made of.

    Parameters
    ----------
    model : pm.Model

    Returns
    -------
    Likelihood

    Raises
    ------
    ModelError
        As `read_model`.
    """
    likelihood = read(model, "MAP").likelihood
    jacobian = LogJacobian(model, likelihood.mapping.joined, likelihood.variables)
    return replace(
        likelihood,
        objective=Added(likelihood.objective, jacobian, exact=jacobian.exact),
        original=AddedOriginal(likelihood.original, jacobian),
    )


def has_constant_prior(model: Any, name: str) -> bool:
    """Whether the prior of a free variable is flat on its support."""
    return has_constant_density(model[name])


def has_one_mode(posterior: Likelihood) -> bool:
    """Whether a posterior is known to have one mode at most, with flat priors of elements on the line.

    Its rows are log-concave in affine predictors, or normal about one with one standard deviation.
    """
    inner = posterior.objective.inner
    if not isinstance(inner, RowObjective) or inner.rest is not None:
        return False
    moving = [term for term in inner.terms if term.groups]
    on_line = all(scale.kind == "identity" for scale in posterior.scales)
    if all(term.is_closed and term.form in _CONCAVE for term in moving):
        return on_line
    return (
        len(moving) == 1 and moving[0].is_closed and moving[0].form == "normal" and moving[0].predictors[-1].is_shared
    )


Density = Callable[[np.ndarray], tuple[float, np.ndarray]]


def density_around(posterior: Likelihood, center: np.ndarray, root: np.ndarray) -> Density:
    """Value and gradient of a posterior as a function of z, shape (p,), at center + root z.

    Made for many evaluations one by one: where every term has a predictor form, designs are multiplied by `root` once.

    Parameters
    ----------
    posterior : Likelihood
        Of `read_posterior`.
    center : array, shape (p,)
    root : array, shape (p, p)
    """
    inner, jacobian = posterior.objective.inner, posterior.objective.extra
    parts = whitened_parts(inner, center, root) if isinstance(inner, RowObjective) else None

    def plain(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = posterior.objective.value_and_gradient(center + root @ z)
        return value, root.T @ gradient

    if parts is None:
        return plain
    if jacobian.slope is not None:
        start, push = float(jacobian.slope @ center), root.T @ jacobian.slope
    else:
        start, push = 0.0, np.zeros(len(center))

    def whitened(z: np.ndarray) -> tuple[float, np.ndarray]:
        gradient = push.copy()
        value = start + float(push @ z)
        for part in parts:
            value += part(z, gradient)
        if jacobian.slope is None:
            more, slope = jacobian.value_and_gradient(center + root @ z)
            value, gradient = value + more, gradient + root.T @ slope
        return value, gradient

    return whitened


def densities_at(posterior: Likelihood, points: np.ndarray) -> np.ndarray:
    """Log-density of a posterior at rows of unconstrained vectors, shape (m, p); minus infinity where it is 0.

    In one batch where every term has a predictor form, else point by point.
    """
    inner, jacobian = posterior.objective.inner, posterior.objective.extra
    if isinstance(inner, RowObjective):
        values = values_at(inner, points)
    else:
        values = np.array([inner.value_and_gradient(point)[0] for point in points])
    return np.where(np.isfinite(values), values, -np.inf) + jacobian.values(points)
