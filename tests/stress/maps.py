"""Posterior modes: conjugate pairs, shrinkage with and without kinks, hierarchies."""

import mpmath
import numpy as np
import pymc as pm
from scipy import optimize

from tests.stress.case import Case, Truth, one_truth
from tests.stress.oracle import logit, maximum, normal, total

Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2, 3.1, 2.6])
X = np.arange(8.0)
SPLIT = (X > 3.5).astype(int)
COUNTS = np.array([3, 0, 2, 5, 1])
DESIGN = np.column_stack([np.ones(8), X - 3.5, np.cos(2 * X), X - 3.5 + 1e-3 * np.sin(X)])
GROUP = np.repeat(np.arange(4), 3)
EFFECTS = np.array([3.1, 2.6, 3.4, -2.0, -2.7, -1.8, 0.4, 1.1, 0.2, -4.1, -3.2, -4.6])
NAN = np.nan


def beta_binomial() -> None:
    pm.Binomial("y", n=20, p=pm.Beta("p", 2.5, 4.0), observed=6)


def beta_binomial_truth() -> tuple[Truth, ...]:
    p = 7.5 / 24.5
    return (Truth({"p": p}, {"p": (p * (1 - p) / 24.5) ** 0.5}),)


def gamma_poisson() -> None:
    pm.Poisson("y", pm.Gamma("rate", 3.0, 2.0), observed=COUNTS)


def gamma_poisson_truth() -> tuple[Truth, ...]:
    return (Truth({"rate": 13 / 7}, {"rate": 13**0.5 / 7}),)


def normal_inverse_gamma() -> None:
    variance = pm.InverseGamma("variance", 3.0, 2.0)
    pm.Normal("y", pm.Normal("mu", 0.0, pm.math.sqrt(10.0)), pm.math.sqrt(variance), observed=Y)


def normal_inverse_gamma_truth() -> tuple[Truth, ...]:
    def density(variance, mu):
        prior = -4 * mpmath.log(variance) - 2 / variance - mu**2 / 20
        return prior + total(normal(y, mu, mpmath.sqrt(variance)) for y in Y.tolist())

    truth = maximum(density, variance=0.5, mu=2.7)
    return (Truth(truth.values, truth.errors),)


def dirichlet_multinomial() -> None:
    pm.Multinomial("y", n=12, p=pm.Dirichlet("p", np.array([2.0, 1.5, 3.0, 1.2])), observed=[7, 0, 5, 0])


def dirichlet_multinomial_truth() -> tuple[Truth, ...]:
    weight = np.array([8, 0.5, 7, 0.2])
    return (Truth({f"p[{i}]": v for i, v in enumerate(weight / weight.sum())}),)


def ridge() -> None:
    pm.Normal("y", DESIGN @ pm.Normal("b", 0, 0.8, shape=4), 0.5, observed=Y)


def ridge_truth() -> tuple[Truth, ...]:
    information = DESIGN.T @ DESIGN / 0.25 + np.eye(4) / 0.64
    b = np.linalg.solve(information, DESIGN.T @ Y / 0.25)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return (Truth({f"b[{i}]": v for i, v in enumerate(b)}, {f"b[{i}]": v for i, v in enumerate(errors)}),)


def lasso() -> None:
    pm.Normal("y", DESIGN[:, :3] @ pm.Laplace("b", 0, 0.05, shape=3), 0.5, observed=Y)


def lasso_truth() -> tuple[Truth, ...]:
    # Split into positive and negative parts, the problem is a bounded quadratic program.
    x = DESIGN[:, :3]
    wide = np.vstack([np.hstack([x, -x]) / 0.5, np.zeros((1, 6))])

    def cost(v):
        return np.sum((wide[:-1] @ v - Y / 0.5) ** 2) / 2 + v.sum() / 0.05

    def slope(v):
        return wide[:-1].T @ (wide[:-1] @ v - Y / 0.5) + 20

    rough = optimize.minimize(cost, np.full(6, 0.1), jac=slope, bounds=[(0, None)] * 6, options={"ftol": 1e-15}).x
    sign = np.sign(np.round(rough[:3] - rough[3:], 6))
    kept = np.flatnonzero(sign)
    gram = x[:, kept].T @ x[:, kept] / 0.25
    b = np.zeros(3)
    b[kept] = np.linalg.solve(gram, x[:, kept].T @ Y / 0.25 - 20 * sign[kept])
    return (Truth({f"b[{i}]": v for i, v in enumerate(b)}, {f"b[{i}]": NAN for i in np.flatnonzero(sign == 0)}),)


def soft_threshold() -> None:
    pm.Normal("y", pm.Laplace("m", 0, 0.01), 1, observed=Y - 2.0)


def separated_with_prior() -> None:
    pm.Bernoulli("y", logit_p=pm.Normal("a", 0, 10) + pm.Normal("b", 0, 10) * X, observed=SPLIT)


def separated_with_prior_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), SPLIT.tolist(), strict=True))

    def density(a, b):
        return normal(a, 0, 10) + normal(b, 0, 10) + total(logit(y, a + b * x) for x, y in rows)

    return (maximum(density, a=-15.0, b=4.5),)


def noncentered() -> None:
    tau, z = pm.HalfNormal("tau", 3.0), pm.Normal("z", 0, 1, shape=4)
    pm.Normal("y", tau * z[GROUP], 0.6, observed=EFFECTS)


def noncentered_truth() -> tuple[Truth, ...]:
    rows = list(zip(GROUP.tolist(), EFFECTS.tolist(), strict=True))

    def density(tau, *z):
        prior = mpmath.log(2) + normal(tau, 0, 3) + total(normal(v, 0, 1) for v in z)
        return prior + total(normal(y, tau * z[g], mpmath.mpf(0.6)) for g, y in rows)

    start = {"tau": 4.0} | {f"z[{g}]": EFFECTS[g == GROUP].mean() / 4 for g in range(4)}
    return (maximum(density, **start),)


def half_cauchy_prior() -> None:
    pm.Normal("y", 3.0, pm.HalfCauchy("sigma", 0.1), observed=Y)


def half_cauchy_prior_truth() -> tuple[Truth, ...]:
    def density(sigma):
        prior = mpmath.log(2) - mpmath.log(mpmath.pi * 0.1) - mpmath.log1p((sigma / 0.1) ** 2)
        return prior + total(normal(y, 3, sigma) for y in Y.tolist())

    truth = maximum(density, sigma=0.6)
    return (Truth(truth.values, truth.errors),)


def lkj_prior() -> None:
    # One correlation with an LKJ prior of shape 3 and standard deviations 1; PyMC's variable is its Cholesky factor.
    r = pm.LKJCorr("r", n=2, eta=3)
    pm.Deterministic("correlation", r[1, 0])
    pm.MvNormal("y", np.zeros(2), chol=r, observed=np.column_stack([Y - 2.75, np.roll(Y, 1) * 0.5 + Y * 0.7 - 3.3]))


def lkj_prior_truth() -> tuple[Truth, ...]:
    rows = np.column_stack([Y - 2.75, np.roll(Y, 1) * 0.5 + Y * 0.7 - 3.3]).tolist()

    def density(r):
        spread = 1 - r**2
        shape = total((a**2 - 2 * r * a * b + mpmath.mpf(b) ** 2) / (2 * spread) for a, b in rows)
        return 2 * mpmath.log(spread) - 4 * mpmath.log(spread) - shape

    return one_truth(correlation=maximum(density, r=0.4).values["r"])


CONJUGATE = "Conjugate posterior: its mode and curvature."
NEWTON = "Newton's method on the written-out log-density in 60-digit arithmetic."
CASES = (
    Case("beta_binomial_map", beta_binomial, "CONVERGED", CONJUGATE, beta_binomial_truth, "MAP"),
    Case("gamma_poisson_map", gamma_poisson, "CONVERGED", CONJUGATE, gamma_poisson_truth, "MAP"),
    Case("normal_inverse_gamma_map", normal_inverse_gamma, "CONVERGED", NEWTON, normal_inverse_gamma_truth, "MAP"),
    Case(
        "dirichlet_multinomial_map", dirichlet_multinomial, "CONVERGED", CONJUGATE, dirichlet_multinomial_truth, "MAP"
    ),
    Case("ridge_map", ridge, "CONVERGED", "The penalized normal equations.", ridge_truth, "MAP"),
    Case(
        "lasso_map",
        lasso,
        "CONVERGED",
        "The active set by scipy, the rest by its normal equations.",
        lasso_truth,
        "MAP",
    ),
    Case(
        "soft_threshold_map",
        soft_threshold,
        "CONVERGED",
        "The sum of y, 6, is below the threshold 100.",
        lambda: (Truth({"m": 0.0}, {"m": NAN}),),
        "MAP",
    ),
    Case(
        "separated_with_normal_prior_map", separated_with_prior, "CONVERGED", NEWTON, separated_with_prior_truth, "MAP"
    ),
    Case("noncentered_map", noncentered, "CONVERGED", NEWTON, noncentered_truth, "MAP"),
    Case("half_cauchy_prior_map", half_cauchy_prior, "CONVERGED", NEWTON, half_cauchy_prior_truth, "MAP"),
    Case("lkj_prior_map", lkj_prior, "CONVERGED", NEWTON, lkj_prior_truth, "MAP", slow=True),
)
