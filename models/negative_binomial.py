"""Negative binomial regression: mdvis[i] ~ NegativeBinomial(mu[i], alpha), log(mu[i]) = a + sum_j b[j] X[i, j].

The variance is mu + mu^2 / alpha (the form called NB2), so alpha is one over the dispersion of statsmodels and Stata
and equals theta of R's MASS::glm.nb; the Poisson model is its limit as alpha goes to infinity.

The data are outpatient visits to a doctor in a year, from the RAND Health Insurance Experiment (Cameron and Trivedi
2005, Microeconometrics, chapter 20; shipped by statsmodels): every tenth of its 20,190 rows, given the conditions of
the insurance (lncoins, idp, lpi, fmde), a physical limitation, the number of chronic diseases, and self-rated health
(good, fair, poor against excellent).
"""

import numpy as np
import pandas as pd
import pymc as pm

RESPONSE = "mdvis"
PREDICTORS = ["lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"]


def load_data() -> pd.DataFrame:
    """Return every tenth row of the experiment, 2,019 in all."""
    from statsmodels.datasets import randhie

    return randhie.load_pandas().data.iloc[::10][[RESPONSE, *PREDICTORS]].reset_index(drop=True)


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: intercept ``a`` and coefficients ``b`` of the log-mean, and ``alpha``; flat priors."""
    if (data[RESPONSE] % 1 != 0).any():  # PyMC would cut the fraction off without a word
        raise ValueError("mdvis must hold whole numbers only")
    with pm.Model(coords={"predictor": PREDICTORS}) as model:
        X = pm.Data("X", data[PREDICTORS].to_numpy(dtype=float), dims=("row", "predictor"))
        a = pm.Flat("a")
        b = pm.Flat("b", dims="predictor")
        alpha = pm.HalfFlat("alpha")
        mu = pm.math.exp(a + X @ b)
        pm.NegativeBinomial(RESPONSE, mu=mu, alpha=alpha, observed=data[RESPONSE].to_numpy(dtype=int), dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.Series:
    """Return the Newton iterations of statsmodels, its dispersion turned into alpha = 1 / dispersion."""
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(data)), data[PREDICTORS].to_numpy(dtype=float)])
    counts = data[RESPONSE].to_numpy(dtype=float)
    *coefficients, dispersion = sm.NegativeBinomial(counts, design).fit(method="newton", disp=0).params
    labels = ["a", *(f"b[{name}]" for name in PREDICTORS), "alpha"]
    return pd.Series([*coefficients, 1 / dispersion], index=labels, name="NegativeBinomial (statsmodels)")
