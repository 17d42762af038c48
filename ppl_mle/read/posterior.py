"""The posterior density on the unconstrained scale: likelihood, priors and the Jacobian of the transforms."""

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
from ppl_mle.read.rows.whitened import Part, whitened_parts

_TERM, _ROW, _DEAR_ROW = 7e-5, 2e-8, 6e-8
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


class DensityAround:
    """Value and gradient of a posterior as a function of z, at center + root z.

    Made for thousands of evaluations: where every term has a predictor form, designs are multiplied by `root` once,
    and several points cost little more than one.

    Parameters
    ----------
    posterior : Likelihood
        Of `read_posterior`.
    center : array, shape (p,)
    root : array, shape (p, p)
    """

    def __init__(self, posterior: Likelihood, center: np.ndarray, root: np.ndarray) -> None:
        self._posterior, self._center, self._root = posterior, center, root
        inner, slope = posterior.objective.inner, posterior.objective.extra.slope
        self._parts = whitened_parts(inner, center, root) if isinstance(inner, RowObjective) else None
        self._push = None if slope is None else root.T @ slope
        self._start = 0.0 if slope is None else float(slope @ center)

    @property
    def is_batched(self) -> bool:
        """Whether several points are evaluated in one pass."""
        return self._parts is not None

    def seconds_for(self, points: int) -> float:
        """About how long a call takes, by a count of terms and rows: the same on every machine, busy or not.

        Infinite where points are evaluated one by one.
        """
        if self._parts is None:
            return np.inf
        terms = [term for term in self._posterior.objective.inner.terms if term.groups]
        dear = [any(group.program.has_special for group in term.groups) for term in terms]
        rows = [term.count * (_DEAR_ROW if special else _ROW) for term, special in zip(terms, dear, strict=True)]
        return _TERM * len(terms) + points * sum(rows)

    def __call__(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values, shape (m,), and gradients, shape (m, p), at rows z, shape (m, p).

        Where the density does not exist the value is minus infinity and the gradient 0.
        """
        with np.errstate(all="ignore"):
            values, gradients = self._one_by_one(z) if self._parts is None else self._at_once(z, self._parts)
            if np.isfinite(values.sum() + gradients.sum()):
                return values, gradients
            exists = np.isfinite(values) & np.isfinite(gradients).all(axis=1)
        return np.where(exists, values, -np.inf), np.where(exists[:, None], gradients, 0.0)

    def _one_by_one(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [self._posterior.objective.value_and_gradient(point) for point in self._center + z @ self._root.T]
        return np.array([value for value, _ in found]), np.array([gradient for _, gradient in found]) @ self._root

    def _at_once(self, z: np.ndarray, parts: list[Part]) -> tuple[np.ndarray, np.ndarray]:
        if self._push is not None:
            values, gradients = self._start + z @ self._push, np.repeat(self._push[None], len(z), axis=0)
        else:
            values, slopes = self._posterior.objective.extra.values_and_gradients(self._center + z @ self._root.T)
            gradients = slopes @ self._root
        for part in parts:
            part(z, values, gradients)
        return values, gradients


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
