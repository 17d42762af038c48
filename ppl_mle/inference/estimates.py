"""The table of estimates on the declared scale, from which every figure of a fit is derived once."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import erfc, sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.read.scale import Scale


@dataclass(frozen=True)
class Estimates:
    """Estimates with their covariance; no graph is needed for anything here.

    Parameters
    ----------
    labels : tuple of str
        ArviZ's labels of the declared elements, length q.
    values : array, shape (q,)
        Estimates on the declared scale.
    covariance : array, shape (q, q)
        On the declared scale, by the delta method; NaN rows where an estimate has no standard error, zero rows for
        fixed elements.
    scales : tuple of Scale
        The scale on which each element is free, used for intervals.
    """

    labels: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray
    scales: tuple[Scale, ...]

    @cached_property
    def params(self) -> pd.Series:
        """Estimates, indexed by label."""
        return self._series(self.values, "estimate")

    @cached_property
    def bse(self) -> pd.Series:
        """Standard errors, indexed by label."""
        variances = np.diag(self.covariance)
        return self._series(np.sqrt(np.where(variances >= 0, variances, np.nan)), "se")

    @cached_property
    def tvalues(self) -> pd.Series:
        """Wald statistics: estimate over standard error; NaN where the standard error is not positive."""
        se = self.bse.to_numpy()
        return self._series(np.divide(self.values, se, out=np.full(se.shape, np.nan), where=se > 0), "z")

    @cached_property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of the hypothesis that the element is zero.

        NaN where zero is not strictly inside the support: a Wald test on the edge has another distribution.
        """
        testable = np.array([scale.has_inside(0.0) for scale in self.scales])
        tails = np.array([erfc(abs(z) / sqrt(2)) for z in self.tvalues])
        return self._series(np.where(testable, tails, np.nan), "p")

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the estimates on the declared scale, labelled on both sides."""
        return pd.DataFrame(self.covariance, index=list(self.labels), columns=list(self.labels))

    def wald(
        self, ci_prob: float = 0.95, scale: Literal["unconstrained", "declared"] = "unconstrained"
    ) -> pd.DataFrame:
        """Wald intervals.

        Parameters
        ----------
        ci_prob : float
            Probability content, strictly between 0 and 1.
        scale : {"unconstrained", "declared"}
            Where the interval is symmetric. `unconstrained` intervals are mapped back and stay inside the support.

        Returns
        -------
        DataFrame
            Columns `lower` and `upper`, indexed by label.

        Raises
        ------
        RequestError
            `ci_prob` outside (0, 1), or an unknown scale.
        """
        z = normal_quantile(ci_prob)
        if scale not in ("unconstrained", "declared"):
            raise RequestError(f"scale={scale!r} is unknown; use 'unconstrained' or 'declared'")
        bounds = np.full((len(self.labels), 2), np.nan)
        for i, (x, se, free) in enumerate(zip(self.values, self.bse, self.scales, strict=True)):
            bounds[i] = _interval(float(x), float(se), free if scale == "unconstrained" else Scale(), z)
        return pd.DataFrame(bounds, index=list(self.labels), columns=["lower", "upper"])

    def _series(self, values: np.ndarray, name: str) -> pd.Series:
        return pd.Series(values, index=_index(self.labels), name=name)


def normal_quantile(ci_prob: float) -> float:
    """Half width, in standard errors, of the central normal interval with content `ci_prob`.

    Raises
    ------
    RequestError
        `ci_prob` is not strictly between 0 and 1.

    Examples
    --------
    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    if not isinstance(ci_prob, int | float | np.number):
        raise RequestError(f"ci_prob={ci_prob!r} is no number; use for example 0.95")
    if not 0 < ci_prob < 1:
        raise RequestError(f"ci_prob={ci_prob} is not strictly between 0 and 1; use for example 0.95")
    return -NormalDist().inv_cdf((1 - ci_prob) / 2)


def _interval(x: float, se: float, scale: Scale, z: float) -> tuple[float, float]:
    if not (np.isfinite(x) and np.isfinite(se)):
        return np.nan, np.nan
    if se == 0:
        return x, x
    half = z * se / abs(float(scale.slope(x)))
    center = float(scale.to_free(x))
    bounds = float(scale.to_declared(center - half)), float(scale.to_declared(center + half))
    return min(bounds), max(bounds)


@lru_cache(maxsize=64)
def _index(labels: tuple[str, ...]) -> pd.Index:
    """Labels as an index, which no one can change and all results of a model share."""
    return pd.Index(list(labels))
