"""Everything a fit knows that needs no graph: what is saved, summarized and reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.estimates import Estimates
from ppl_mle.maximize import Certificate, Status
from ppl_mle.read import Variable

OBSERVED = "observed information"


@dataclass(frozen=True)
class Results:
    """The outcome of one fit.

    Parameters
    ----------
    estimator : {"MLE", "MAP"}
    estimates : Estimates
        On the declared scale.
    variables : tuple of Variable
        Names, shapes, dims and positions of the free variables.
    coords : dict of str to array
        Coordinate values of the dims of the variables.
    theta : array, shape (p,)
        Unconstrained values.
    theta_covariance : array, shape (p, p)
        On the unconstrained scale.
    free_labels : tuple of str
        Labels of the unconstrained elements.
    gradient : array, shape (p,)
        Of the maximized log-density at `theta`.
    status : Status
    sentence : str
        The verdict, with the parameters filled in.
    findings : tuple of str
    certificate : Certificate
    llf : float
        Log-likelihood: observed variables and Potentials.
    lpf : float
        The maximized log-density.
    nobs : float
        NaN where rows have no meaning.
    df_model : int
        Free dimensions.
    likelihood_only : bool
        The maximized log-density is the log-likelihood (an MLE without latent variables, or flat priors).
    latents, fixed : tuple of str
        Names of latent variables; labels of fixed elements.
    missing : dict of str to int
        Rows left out because their response is missing.
    engine : str
    plan : str
        The plan as text.
    model_hash, data_hash : str
    seconds : float
        Wall time of the fit, reading included.
    covariance_kind : str
        Where the standard errors come from.
    penalty : str
        What was added to the likelihood beside priors: nothing, or `jeffreys`.
    """

    estimator: Literal["MLE", "MAP"]
    estimates: Estimates
    variables: tuple[Variable, ...]
    coords: Mapping[str, np.ndarray]
    theta: np.ndarray
    theta_covariance: np.ndarray
    free_labels: tuple[str, ...]
    gradient: np.ndarray
    status: Status
    sentence: str
    findings: tuple[str, ...]
    certificate: Certificate
    llf: float
    lpf: float
    nobs: float
    df_model: int
    likelihood_only: bool
    latents: tuple[str, ...]
    fixed: tuple[str, ...]
    missing: Mapping[str, int]
    engine: str
    plan: str
    model_hash: str
    data_hash: str
    seconds: float
    covariance_kind: str = OBSERVED
    penalty: str = ""

    @property
    def converged(self) -> bool:
        """Whether the estimate is a maximum, inside or on the edge of the parameter space."""
        return self.status.converged

    @property
    def aic(self) -> float:
        """Akaike's information criterion, -2 llf + 2 k (Akaike 1974).

        Raises
        ------
        RequestError
            The estimate does not maximize a likelihood.
        """
        self._require_likelihood("aic")
        return -2 * self.llf + 2 * self.df_model

    @property
    def aicc(self) -> float:
        """AIC corrected for small samples, AIC + 2 k (k + 1) / (n - k - 1) (Hurvich and Tsai 1989).

        NaN when the number of observations is unknown; infinite when n <= k + 1.

        Raises
        ------
        RequestError
            The estimate does not maximize a likelihood.
        """
        self._require_likelihood("aicc")
        k, spare = self.df_model, self.nobs - self.df_model - 1
        return self.aic + 2 * k * (k + 1) / spare if not spare <= 0 else np.inf

    @property
    def bic(self) -> float:
        """Schwarz's information criterion, -2 llf + k log n (Schwarz 1978); NaN when n is unknown.

        Raises
        ------
        RequestError
            The estimate does not maximize a likelihood.
        """
        self._require_likelihood("bic")
        return -2 * self.llf + self.df_model * float(np.log(self.nobs))

    def _require_likelihood(self, name: str) -> None:
        if self.likelihood_only:
            return
        if self.latents:
            raise RequestError(
                f"{name} needs the marginal likelihood, and {', '.join(self.latents)} is latent and was maximized, not "
                "integrated out; compare such models by their posteriors (az.loo)"
            )
        what = "one with Jeffreys' penalty; leave penalty= out" if self.penalty else "a MAP one; use find_MLE"
        raise RequestError(f"{name} is defined for a maximum-likelihood fit, not for {what}")
