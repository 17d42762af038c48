"""What a fit shows to the package maketables, which sets models of many packages side by side."""

from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference import Results

_STATISTICS = {
    "N": "nobs",
    "ll": "llf",
    "aic": "aic",
    "aicc": "aicc",
    "bic": "bic",
    "df_model": "df_model",
    "se_type": "covariance_kind",
}
_LABELS = {
    "ll": "Log-likelihood",
    "aic": "AIC",
    "aicc": "AICc",
    "bic": "BIC",
    "df_model": "Free dimensions",
    "status": "Status",
}


class Tabulated:
    """The attributes by which maketables reads a fit (its plug-in format); pass `fit.tabulated` to it.

    maketables takes whatever has `params`, `bse` and `pvalues` for a result of statsmodels, before it looks for these
    attributes; a `Fit` has all three, and its intervals would become symmetric ones.
    """

    results: Results

    @property
    def tabulated(self) -> "TabulatedFit":
        """What to pass to maketables: `maketables.ETable([fit.tabulated, other.tabulated])`."""
        return TabulatedFit(self.results, self.__maketables_depvar__)

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Columns `b`, `se`, `t`, `p` and Wald bounds of content 0.95 and 0.9, indexed by label."""
        estimates = self.results.estimates
        bounds = {f"ci{100 * prob:g}": estimates.wald(prob) for prob in (0.95, 0.9)}
        columns = {"b": estimates.params, "se": estimates.bse, "t": estimates.tvalues, "p": estimates.pvalues}
        for name, wald in bounds.items():
            columns |= {f"{name}l": wald["lower"], f"{name}u": wald["upper"]}
        return pd.DataFrame(columns).rename_axis("Coefficient")

    def __maketables_stat__(self, key: str) -> Any:
        """A statistic by maketables' name; None for what the fit does not have."""
        if key == "status":
            return self.results.status.name
        if key not in _STATISTICS:
            return None
        try:
            value = getattr(self.results, _STATISTICS[key])
        except RequestError:
            return None
        if isinstance(value, float) and np.isnan(value):
            return None
        return int(value) if key == "N" and value == int(value) else value

    @property
    def __maketables_depvar__(self) -> str:
        """Names of the observed variables."""
        groups = getattr(self, "groups", {})
        observed = groups.get("observed_data", ())
        return ", ".join(map(str, observed)) or self.results.estimator

    @property
    def __maketables_vcov_info__(self) -> dict[str, Any]:
        """Kind of the covariance."""
        return {"vcov_type": self.results.covariance_kind, "clustervar": None}

    @property
    def __maketables_stat_labels__(self) -> dict[str, str]:
        """Labels of the statistics."""
        return dict(_LABELS)

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        """Statistics that are shown unless asked otherwise."""
        return ["N", "ll", "aic", "status"] if self.results.likelihood_only else ["N", "ll", "status"]


class TabulatedFit(Tabulated):
    """A fit with the attributes for maketables and nothing that it could be mistaken by.

    Parameters
    ----------
    results : Results
    response : str
        Names of the observed variables.
    """

    def __init__(self, results: Results, response: str) -> None:
        self.results, self._response = results, response

    @property
    def __maketables_depvar__(self) -> str:
        """Names of the observed variables."""
        return self._response
