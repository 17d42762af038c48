"""A likelihood with Jeffreys' penalty, whose maximum has less bias and stays finite under separation."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.read.added import Added, AddedOriginal
from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.rows.jeffreys import information_of, jeffreys_penalty
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.scale import Scale

_FINDING = (
    "what was maximized is the likelihood with Jeffreys' penalty, which keeps estimates finite and for canonical links "
    "removes the first-order bias of the coefficients (Firth 1993), not that of dispersions"
)


def penalize(likelihood: Likelihood, held: Sequence[int]) -> Likelihood:
    """Add half the logarithm of the determinant of the information, on the declared scale, to a log-likelihood.

    Parameters
    ----------
    likelihood : Likelihood
    held : sequence of int
        Unconstrained coordinates that are fixed, and so not part of the information.

    Returns
    -------
    Likelihood

    Raises
    ------
    RequestError
        A term has no predictor form, priors or latent variables are part of the density, or a variable's elements are
        transformed jointly.
    """
    objective = likelihood.objective
    if likelihood.estimator != "MLE" or likelihood.latents:
        raise RequestError("penalty='jeffreys' is for maximum likelihood without latent variables; use priors instead")
    reasons = [f"'{form.name}' has none: {form.reason}" for form in likelihood.forms if not form.sums]
    if reasons or not isinstance(objective, RowObjective):
        raise RequestError(f"penalty='jeffreys' needs the predictor form of every term, and {'; '.join(reasons)}")
    tied = [var.name for var in likelihood.variables if not var.elementwise]
    if tied:
        raise RequestError(f"penalty='jeffreys' is not defined for {tied[0]!r}, whose elements are transformed jointly")
    penalty = Penalty(objective, likelihood.scales, np.setdiff1d(np.arange(likelihood.size), held))
    return replace(
        likelihood,
        objective=Added(objective, penalty, exact=False),
        original=AddedOriginal(likelihood.original, penalty),
        penalty="jeffreys",
        findings=(*likelihood.findings, _FINDING),
    )


class Penalty:
    """Jeffreys' penalty as a function of the unconstrained vector.

    Parameters
    ----------
    objective : RowObjective
    scales : sequence of Scale
        Of the declared elements, each a function of its own coordinate.
    free : array of int
        Coordinates that are estimated.
    """

    def __init__(self, objective: RowObjective, scales: Sequence[Scale], free: np.ndarray) -> None:
        self._terms = [term for term in objective.terms if term.groups]
        self._scales, self._free = list(scales), free
        self._transformed = [int(i) for i in free if self._scales[i].kind != "identity"]

    def information(self, theta: np.ndarray) -> np.ndarray:
        """Information of the likelihood on the unconstrained scale, shape (p, p)."""
        return information_of(self._terms, theta)

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty with its gradient, shape (p,): on the unconstrained scale, less the logarithm of the Jacobian."""
        value, gradient, _ = jeffreys_penalty(self._terms, theta, self._free, 1)
        for i in self._transformed:
            x = self._scales[i].to_declared(theta[i])
            value -= float(np.log(abs(self._scales[i].slope(x))))
            gradient[i] -= self._scales[i].bend(x)
        return value, gradient

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        """Second derivatives of the penalty, shape (p, p)."""
        hessian = jeffreys_penalty(self._terms, theta, self._free, 2)[2]
        for i in self._transformed:
            hessian[i, i] -= self._scales[i].bend_slope(self._scales[i].to_declared(theta[i]))
        return hessian
