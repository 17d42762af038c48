"""Poisson regression: EXECUTIONS[i] ~ Poisson(mu[i]), log(mu[i]) = a + sum_j b[j] X[i, j].

Executions in 17 states of the United States in 1996, given income (dollars), percent in poverty, percent of black
citizens, violent crimes per 100,000 residents, whether the state is in the South, and the proportion with a college
degree (Gill 2001, Generalized Linear Models: A Unified Approach; shipped by statsmodels). Income runs to 45,844 and the
proportion to 0.31: the units differ by five orders of magnitude.
"""

import numpy as np
import pandas as pd
import pymc as pm

RESPONSE = "EXECUTIONS"
PREDICTORS = ["INCOME", "PERPOVERTY", "PERBLACK", "VC100k96", "SOUTH", "DEGREE"]


def load_data() -> pd.DataFrame:
    """Return the 17 states, one row each."""
    from statsmodels.datasets import cpunish

    return cpunish.load_pandas().data[[RESPONSE, *PREDICTORS]]


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: intercept ``a`` and coefficients ``b`` of the log-mean, all with flat priors."""
    if (data[RESPONSE] % 1 != 0).any():  # PyMC would cut the fraction off without a word
        raise ValueError("EXECUTIONS must hold whole numbers only")
    with pm.Model(coords={"predictor": PREDICTORS}) as model:
        X = pm.Data("X", data[PREDICTORS].to_numpy(dtype=float), dims=("row", "predictor"))
        a = pm.Flat("a")
        b = pm.Flat("b", dims="predictor")
        pm.Poisson(RESPONSE, mu=pm.math.exp(a + X @ b), observed=data[RESPONSE].to_numpy(dtype=int), dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.Series:
    """Return iteratively reweighted least squares as statsmodels runs it."""
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(data)), data[PREDICTORS].to_numpy(dtype=float)])
    fit = sm.GLM(data[RESPONSE].to_numpy(dtype=float), design, family=sm.families.Poisson()).fit(tol=1e-14)
    labels = ["a", *(f"b[{name}]" for name in PREDICTORS)]
    return pd.Series(fit.params, index=labels, name="GLM Poisson (statsmodels)")
