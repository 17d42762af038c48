"""A straight line: y[i] ~ Normal(a + b x[i], sigma).

The data are simulated: 100 values of x from -10 to 30, y = 10 + 4 x + noise, the noise Normal with mean 10 and standard
deviation 5 (NumPy generator, seed 1), so the line behind the data is a = 20, b = 4, sigma = 5.
"""

import numpy as np
import pandas as pd
import pymc as pm


def load_data() -> pd.DataFrame:
    """Return the 100 simulated rows with the columns ``x`` and ``y``."""
    rng = np.random.default_rng(1)
    x = np.linspace(-10, 30, 100)
    return pd.DataFrame({"x": x, "y": 10 + 4 * x + rng.normal(10, 5, size=x.size)})


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: intercept ``a``, slope ``b`` and ``sigma``, all with flat priors."""
    with pm.Model() as model:
        x = pm.Data("x", data["x"].to_numpy(dtype=float), dims="row")
        a = pm.Flat("a")
        b = pm.Flat("b")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", mu=a + b * x, sigma=sigma, observed=data["y"].to_numpy(dtype=float), dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.DataFrame:
    """Return ordinary least squares and a general optimizer's minimum of the negative log-likelihood, side by side."""
    return pd.concat([_least_squares(data), _minimize(data)], axis="columns")


def _least_squares(data: pd.DataFrame) -> pd.Series:
    import statsmodels.api as sm

    fit = sm.OLS(data["y"].to_numpy(dtype=float), sm.add_constant(data["x"].to_numpy(dtype=float))).fit()
    sigma = np.sqrt(fit.ssr / fit.nobs)  # maximum likelihood divides by n
    return pd.Series([*fit.params, sigma], index=["a", "b", "sigma"], name="OLS (statsmodels)")


def _minimize(data: pd.DataFrame) -> pd.Series:
    from scipy.optimize import minimize
    from scipy.stats import norm

    x, y = data["x"].to_numpy(dtype=float), data["y"].to_numpy(dtype=float)

    def negative_log_likelihood(theta: np.ndarray) -> float:
        a, b, sigma = theta
        return -norm.logpdf(y, a + b * x, sigma).sum()

    bounds = [(None, None), (None, None), (1e-6, None)]
    answer = minimize(
        negative_log_likelihood,
        x0=(2.0, 2.0, 2.0),
        method="L-BFGS-B",
        jac="3-point",
        bounds=bounds,
        options={"ftol": 1e-15, "gtol": 1e-8},
    )
    return pd.Series(answer.x, index=["a", "b", "sigma"], name="L-BFGS-B (SciPy)")
