"""Logistic regression on three predictors: GRADE[i] ~ Bernoulli(p[i]), logit(p[i]) = a + sum_j b[j] X[i, j].

Did the grade of 32 economics students improve (GRADE), given their grade point average (GPA), a test of previous
knowledge (TUCE) and a new teaching method (PSI)? Spector and Mazzeo (1980), Journal of Economic Education 11, 37-44;
the worked example of Greene, Econometric Analysis; shipped by statsmodels.
"""

import numpy as np
import pandas as pd
import pymc as pm

RESPONSE = "GRADE"
PREDICTORS = ["GPA", "TUCE", "PSI"]


def load_data() -> pd.DataFrame:
    """Return the 32 students, one row each."""
    from statsmodels.datasets import spector

    return spector.load_pandas().data[[RESPONSE, *PREDICTORS]]


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: intercept ``a`` and coefficients ``b`` of the log-odds, all with flat priors."""
    if not data[RESPONSE].isin([0, 1]).all():
        raise ValueError("GRADE must hold zeros and ones only")
    with pm.Model(coords={"predictor": PREDICTORS}) as model:
        X = pm.Data("X", data[PREDICTORS].to_numpy(dtype=float), dims=("row", "predictor"))
        a = pm.Flat("a")
        b = pm.Flat("b", dims="predictor")
        pm.Bernoulli(RESPONSE, logit_p=a + X @ b, observed=data[RESPONSE].to_numpy(dtype=int), dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.Series:
    """Return the Newton iterations of statsmodels."""
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(data)), data[PREDICTORS].to_numpy(dtype=float)])
    fit = sm.Logit(data[RESPONSE].to_numpy(dtype=float), design).fit(disp=0, tol=1e-12)
    labels = ["a", *(f"b[{name}]" for name in PREDICTORS)]
    return pd.Series(fit.params, index=labels, name="Logit (statsmodels)")
