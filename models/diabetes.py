"""Linear regression on ten predictors: target[i] ~ Normal(a + sum_j b[j] X[i, j], sigma).

Disease progression of 442 diabetes patients one year after ten baseline measurements: age, sex, body mass index,
blood pressure and six blood serum values s1 to s6 (Efron, Hastie, Johnstone and Tibshirani 2004, Annals of Statistics
32, 407-499; shipped by scikit-learn). The predictors come centered and scaled to a sum of squares of 1;
``load_data(scaled=False)`` gives them in their own units.
"""

import numpy as np
import pandas as pd
import pymc as pm

RESPONSE = "target"
PREDICTORS = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]


def load_data(scaled: bool = True) -> pd.DataFrame:
    """Return the 442 patients, one row each; ``scaled=False`` leaves the predictors in their own units."""
    from sklearn.datasets import load_diabetes

    return load_diabetes(as_frame=True, scaled=scaled).frame[[RESPONSE, *PREDICTORS]]


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
    """Return ordinary least squares, with the maximum-likelihood sigma (residual sum of squares divided by n)."""
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(data)), data[PREDICTORS].to_numpy(dtype=float)])
    fit = sm.OLS(data[RESPONSE].to_numpy(dtype=float), design).fit()
    labels = ["a", *(f"b[{name}]" for name in PREDICTORS), "sigma"]
    return pd.Series([*fit.params, np.sqrt(fit.ssr / fit.nobs)], index=labels, name="OLS (statsmodels)")
