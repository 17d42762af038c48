"""Logistic regression on one predictor: y[i] ~ Bernoulli(p[i]), logit(p[i]) = a + b x[i].

The data are simulated: 200 values of x, Normal(0, 1), and y drawn with a = -0.5, b = 1.5 (NumPy generator, seed 3).
Zeros and ones overlap in x, so the maximum is finite.
"""

import numpy as np
import pandas as pd
import pymc as pm


def load_data() -> pd.DataFrame:
    """Return the 200 simulated rows: the predictor ``x`` and the outcome ``y`` of zeros and ones."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    p = 1 / (1 + np.exp(-(-0.5 + 1.5 * x)))
    return pd.DataFrame({"x": x, "y": rng.binomial(1, p)})


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: intercept ``a`` and slope ``b`` of the log-odds, both with flat priors."""
    if not data["y"].isin([0, 1]).all():
        raise ValueError("y must hold zeros and ones only")
    with pm.Model() as model:
        x = pm.Data("x", data["x"].to_numpy(dtype=float), dims="row")
        a = pm.Flat("a")
        b = pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=data["y"].to_numpy(), dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.Series:
    """Return the Newton iterations of statsmodels."""
    import statsmodels.api as sm

    design = sm.add_constant(data["x"].to_numpy(dtype=float))
    fit = sm.Logit(data["y"].to_numpy(dtype=float), design).fit(disp=0, tol=1e-12)
    return pd.Series(fit.params, index=["a", "b"], name="Logit (statsmodels)")
