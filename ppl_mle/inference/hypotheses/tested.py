"""What a test of hypotheses found: one record for Wald, likelihood-ratio and score tests."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import gammaincc


@dataclass(frozen=True)
class HypothesisTest:
    """Outcome of a test.

    Parameters
    ----------
    kind : {"Wald", "likelihood ratio", "score"}
    hypotheses : tuple of str
        What is tested, all together.
    statistic : float
        Compared with `distribution`; for a single hypothesis the square of `z`.
    df : int
        Number of restrictions.
    p_value : float
    distribution : str
        Of the statistic under the hypotheses, e.g. `chi2(2)` or `0.5 chi2(0) + 0.5 chi2(1)`.
    covariance_kind : str
        What the statistic measures distances with; empty for a likelihood ratio.
    z : float or None
        Signed root of the statistic of a single hypothesis, standard normal under it; None for
        several, and where an edge of a support is tested.
    notes : tuple of str
        What a reader should know of the p-value, one sentence each.
    """

    kind: Literal["Wald", "likelihood ratio", "score"]
    hypotheses: tuple[str, ...]
    statistic: float
    df: int
    p_value: float
    distribution: str
    covariance_kind: str = ""
    z: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a frame with one row."""
        return pd.DataFrame(
            {
                "test": [self.kind],
                "hypotheses": ["; ".join(self.hypotheses)],
                "statistic": [self.statistic],
                "df": [self.df],
                "p_value": [self.p_value],
                "distribution": [self.distribution],
                "covariance_kind": [self.covariance_kind],
            }
        )

    def __repr__(self) -> str:
        shown = "p < 1e-300" if self.p_value < 1e-300 else f"p = {self.p_value:.4g}"
        root = "" if self.z is None else f", z = {self.z:.6g}"
        law = "" if self.distribution == f"chi2({self.df})" else f", compared with {self.distribution}"
        return "\n".join(
            [
                f"{self.kind[0].upper()}{self.kind[1:]} test of {'; '.join(self.hypotheses)}",
                f"chi2 = {self.statistic:.6g} on {self.df} df{root}, {shown}{law}",
                *([f"covariance: {self.covariance_kind}"] if self.covariance_kind else []),
                *self.notes,
            ]
        )


def chi2_tail(statistic: float, df: int) -> float:
    """Probability that a chi-square variable with `df` degrees of freedom is at least `statistic`; 0 df is a mass at 0.

    Examples
    --------
    >>> round(chi2_tail(3.841458820694124, 1), 12), chi2_tail(0.0, 0), chi2_tail(0.1, 0)
    (0.05, 1.0, 0.0)
    """
    if df == 0:
        return 1.0 if statistic <= 0 else 0.0
    return float(gammaincc(df / 2, max(statistic, 0.0) / 2))


def whitened_square(matrix: np.ndarray, vector: np.ndarray) -> float | None:
    """v' M^-1 v by a Cholesky factor of M scaled to a unit diagonal.

    Parameters
    ----------
    matrix : array, shape (k, k), symmetric
    vector : array, shape (k,)

    Returns
    -------
    float or None
        None where M is not positive definite above rounding.

    Examples
    --------
    >>> whitened_square(np.diag([4.0, 2.0**-60]), np.array([2.0, 2.0**-30]))
    2.0
    >>> whitened_square(np.ones((2, 2)), np.ones(2)) is None
    True
    """
    own = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (own > 0).all()):
        return None
    units = np.sqrt(own)
    scaled = matrix / np.outer(units, units)
    if not np.linalg.eigvalsh(scaled)[0] > 8 * len(own) * np.finfo(float).eps:
        return None
    return float(np.sum(np.linalg.solve(np.linalg.cholesky(scaled), vector / units) ** 2))
