"""Weibull regression of censored survival times: T[i] ~ Weibull(alpha, beta[i]), log(beta[i]) = a + b age[i].

A patient who died contributes the density at the survival time, one who was still alive at the end of the study the
probability of living longer:

    log L = sum over deaths of log f(t[i])  +  sum over the censored of log S(t[i]),    S(t) = exp(-(t / beta)^alpha)

The data are 69 patients of the Stanford heart transplant program: days of survival after the operation, and age at it
(Miller 1976, Biometrika 63, 449-464; shipped by statsmodels). In its column ``censors`` 1 means that the death was
observed (45 patients) and 0 that the time is censored (24). One patient died on the day of the operation; these data
count that as 1 day, where R's ``survival::jasa`` has 0 days, at which a Weibull density is zero or infinite.
"""

import numpy as np
import pandas as pd
import pymc as pm

LABELS = ["a", "b", "alpha"]

# R 4.2.2, survival 3.5-3, on these 69 rows; age is the age at the operation:
#   fit <- survreg(Surv(survival, censors) ~ age, data = heart, dist = "weibull",
#                  control = survreg.control(rel.tolerance = 1e-14))
# a and b are coef(fit), alpha is 1 / fit$scale (scale 1.73159310125799); log-likelihood -312.107667581715.
SURVREG = [11.2015241123605, -0.10365745959989, 0.577502878287922]


def load_data() -> pd.DataFrame:
    """Return the 69 patients: ``survival`` in days, ``censors`` (1 = death observed) and ``age`` in years."""
    from statsmodels.datasets import heart

    return heart.load_pandas().data[["survival", "censors", "age"]]


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: ``a``, ``b`` of the log-scale and the shape ``alpha``, all with flat priors."""
    if not data["censors"].isin([0, 1]).all():
        raise ValueError("censors must be 1 (death observed) or 0 (censored)")
    if (data["survival"] <= 0).any():
        raise ValueError("a survival time of zero or less has no Weibull density: count such a day as 1")
    days = data["survival"].to_numpy(dtype=float)
    last_seen_alive = np.where(data["censors"] == 1, np.inf, days)  # no limit for a death
    with pm.Model() as model:
        age = pm.Data("age", data["age"].to_numpy(dtype=float), dims="row")
        a = pm.Flat("a")
        b = pm.Flat("b")
        alpha = pm.HalfFlat("alpha")
        lifetime = pm.Weibull.dist(alpha=alpha, beta=pm.math.exp(a + b * age))
        pm.Censored("survival", lifetime, lower=None, upper=last_seen_alive, observed=days, dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.DataFrame:
    """Return SciPy's maximum, and beside it the stored figures of R's survreg where the data are the 69 patients."""
    answers = {"trust-exact (SciPy)": pd.Series(_maximize(data), index=LABELS)}
    own = load_data()
    if np.array_equal(data[own.columns].to_numpy(dtype=float), own.to_numpy()):
        answers["survreg (R survival 3.5-3)"] = pd.Series(SURVREG, index=LABELS)
    return pd.DataFrame(answers)


def _maximize(data: pd.DataFrame) -> list[float]:
    """Maximize over (alpha, alpha a, alpha b), in which the log-likelihood is concave; age enters standardized."""
    from scipy.optimize import minimize

    died = (data["censors"].to_numpy(dtype=float) == 1).astype(float)
    log_days, age = np.log(data["survival"].to_numpy(dtype=float)), data["age"].to_numpy(dtype=float)
    design = np.column_stack([log_days, -np.ones(age.size), -(age - age.mean()) / age.std()])

    def value(theta: np.ndarray) -> float:
        z = design @ theta
        return np.inf if theta[0] <= 0 else -np.sum(died * (np.log(theta[0]) + z) - np.exp(z))

    def gradient(theta: np.ndarray) -> np.ndarray:
        return -design.T @ (died - np.exp(design @ theta)) - np.array([died.sum() / theta[0], 0, 0])

    def hessian(theta: np.ndarray) -> np.ndarray:
        return (design.T * np.exp(design @ theta)) @ design + np.diag([died.sum() / theta[0] ** 2, 0, 0])

    start = np.array([1.0, log_days.max(), 0.0])
    answer = minimize(value, start, jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-9})
    alpha, intercept, slope = answer.x
    b = slope / alpha / age.std()
    return [intercept / alpha - b * age.mean(), b, alpha]
