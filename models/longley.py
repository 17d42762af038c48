"""Linear regression on nearly collinear predictors: TOTEMP[i] ~ Normal(a + sum_j b[j] X[i, j], sigma).

Sixteen years of United States employment, 1947 to 1962 (Longley 1967, Journal of the American Statistical Association
62, 819-841; shipped by statsmodels). The condition number of the design is 5e9: the classic test of a least-squares
program, for which the National Institute of Standards and Technology certifies the coefficients.
"""

import numpy as np
import pandas as pd
import pymc as pm

RESPONSE = "TOTEMP"
PREDICTORS = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]

# NIST StRD, linear least squares, data set Longley: certified values B0 to B6 and certified residual sum of squares.
CERTIFIED_INTERCEPT = -3482258.63459582
CERTIFIED_COEFFICIENTS = [
    15.0618722713733,
    -0.358191792925910e-01,
    -2.02022980381683,
    -1.03322686717359,
    -0.511041056535807e-01,
    1829.15146461355,
]
CERTIFIED_RESIDUAL_SUM_OF_SQUARES = 836424.055505915


def load_data() -> pd.DataFrame:
    """Return the 16 years, one row each: total employment and six economic series."""
    from statsmodels.datasets import longley

    return longley.load_pandas().data[[RESPONSE, *PREDICTORS]]


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: intercept ``a``, coefficients ``b`` and ``sigma``, all with flat priors."""
    with pm.Model(coords={"predictor": PREDICTORS}) as model:
        X = pm.Data("X", data[PREDICTORS].to_numpy(dtype=float), dims=("row", "predictor"))
        a = pm.Flat("a")
        b = pm.Flat("b", dims="predictor")
        sigma = pm.HalfFlat("sigma")
        pm.Normal(RESPONSE, mu=a + X @ b, sigma=sigma, observed=data[RESPONSE].to_numpy(dtype=float), dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.Series:
    """Return the certified answer for Longley's own rows, ordinary least squares for any others.

    In both, sigma is the maximum-likelihood one: the residual sum of squares is divided by n (NIST divides by n - 7).
    """
    columns = [RESPONSE, *PREDICTORS]
    if np.array_equal(data[columns].to_numpy(dtype=float), load_data().to_numpy()):
        sigma = np.sqrt(CERTIFIED_RESIDUAL_SUM_OF_SQUARES / len(data))
        values = [CERTIFIED_INTERCEPT, *CERTIFIED_COEFFICIENTS, sigma]
        return pd.Series(values, index=_labels(), name="NIST StRD (certified)")
    import statsmodels.api as sm

    fit = sm.OLS(data[RESPONSE].to_numpy(dtype=float), _design(data)).fit()
    return pd.Series([*fit.params, np.sqrt(fit.ssr / fit.nobs)], index=_labels(), name="OLS (statsmodels)")


def _labels() -> list[str]:
    return ["a", *(f"b[{name}]" for name in PREDICTORS), "sigma"]


def _design(data: pd.DataFrame) -> np.ndarray:
    return np.column_stack([np.ones(len(data)), data[PREDICTORS].to_numpy(dtype=float)])
