"""The accessors that statisticians know, over the results of a fit."""

from typing import Literal

import pandas as pd

from ppl_mle.inference.results import Results
from ppl_mle.maximize import Certificate, Status


class ResultsView:
    """Accessors with the names that statsmodels uses; series and frames are indexed by ArviZ's labels."""

    results: Results

    @property
    def estimator(self) -> Literal["MLE", "MAP"]:
        """What was maximized."""
        return self.results.estimator

    @property
    def status(self) -> Status:
        """How the fit ended."""
        return self.results.status

    @property
    def converged(self) -> bool:
        """Whether the estimate is a maximum, inside or on the edge of the parameter space."""
        return self.results.converged

    @property
    def message(self) -> str:
        """The verdict as a sentence, with the parameters filled in."""
        return self.results.sentence

    @property
    def findings(self) -> tuple[str, ...]:
        """Facts that a reader of the estimates should know, one sentence each."""
        return self.results.findings

    @property
    def certificate(self) -> Certificate:
        """The figures that the status rests on."""
        return self.results.certificate

    @property
    def labels(self) -> list[str]:
        """ArviZ's labels of the declared elements."""
        return list(self.results.estimates.labels)

    @property
    def params(self) -> pd.Series:
        """Estimates on the declared scale."""
        return self.results.estimates.params

    @property
    def bse(self) -> pd.Series:
        """Standard errors on the declared scale: 0 for fixed elements, NaN where there is none."""
        return self.results.estimates.bse

    @property
    def tvalues(self) -> pd.Series:
        """Wald statistics, estimate over standard error."""
        return self.results.estimates.tvalues

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided normal p-values; NaN where zero is not inside the support."""
        return self.results.estimates.pvalues

    @property
    def llf(self) -> float:
        """Log-likelihood at the estimates: observed variables and Potentials."""
        return self.results.llf

    @property
    def lpf(self) -> float:
        """The maximized log-density."""
        return self.results.lpf

    @property
    def aic(self) -> float:
        """Akaike's information criterion; RequestError for an estimate that maximizes no likelihood."""
        return self.results.aic

    @property
    def aicc(self) -> float:
        """AIC corrected for small samples; RequestError for an estimate that maximizes no likelihood."""
        return self.results.aicc

    @property
    def bic(self) -> float:
        """Schwarz's information criterion; RequestError for an estimate that maximizes no likelihood."""
        return self.results.bic

    @property
    def nobs(self) -> float:
        """Number of observations; NaN where rows have no meaning."""
        return self.results.nobs

    @property
    def df_model(self) -> int:
        """Number of free dimensions."""
        return self.results.df_model

    @property
    def model_hash(self) -> str:
        """Hash of what is declared, data left out."""
        return self.results.model_hash

    @property
    def data_hash(self) -> str:
        """Hash of the observed and the constant data."""
        return self.results.data_hash

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the estimates on the declared scale."""
        return self.results.estimates.cov_params()
