"""Maxima on an edge: of one parameter, of a support that depends on parameters, of an order."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import ordered
from scipy import optimize, stats

from tests.stress.case import Case, Truth, one_truth

Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2, 3.1, 2.6])
X = np.arange(8.0)
BALANCED = np.array([[4.1, 6.0, 5.2], [5.5, 4.4, 5.1], [6.1, 4.6, 4.9], [4.3, 5.8, 5.6]])
APART = np.array([[4.1, 4.4, 4.2], [7.5, 7.1, 7.3], [5.9, 5.6, 6.1], [2.3, 2.8, 2.6]])
PAIRS = np.array([[1.3, 1.5], [-0.8, -0.6], [0.4, 0.3], [2.2, 2.0], [-1.9, -2.1], [-0.3, -0.1]])
SERIES = np.array([1.0, 1.2, 1.1, 1.5, 1.9, 2.0, 2.6, 3.1, 3.2, 4.0])
NAN = np.nan


def uniform_to_theta() -> None:
    pm.Uniform("y", 0, pm.HalfFlat("theta", initval=9.0), observed=Y)


def uniform_between() -> None:
    pm.Uniform("y", pm.Flat("low", initval=0.0), pm.Flat("high", initval=9.0), observed=Y)


def pareto() -> None:
    pm.Pareto("y", alpha=pm.HalfFlat("alpha"), m=pm.HalfFlat("m", initval=0.5), observed=Y)


def shifted_exponential() -> None:
    rate, shift = pm.HalfFlat("rate"), pm.Flat("shift")
    pm.Potential("y", pt.sum(pm.logp(pm.Exponential.dist(rate), Y - shift)))


def pareto_truth() -> tuple[Truth, ...]:
    alpha = 8 / np.sum(np.log(Y / Y.min()))
    return (
        Truth(
            {"m": Y.min(), "alpha": alpha},
            {"m": NAN},
            8 * np.log(alpha / Y.min()) - (alpha + 1) * np.sum(np.log(Y / Y.min())),
        ),
    )


def shifted_exponential_truth() -> tuple[Truth, ...]:
    rate = 1 / (Y.mean() - Y.min())
    return (Truth({"shift": Y.min(), "rate": rate}, {"shift": NAN}, 8 * (np.log(rate) - 1)),)


def random_intercepts(table: np.ndarray):
    def declare() -> None:
        mu, tau, sigma = pm.Flat("mu"), pm.HalfFlat("tau"), pm.HalfFlat("sigma")
        pm.MvNormal("y", mu * np.ones(3), cov=sigma**2 * np.eye(3) + tau**2 * np.ones((3, 3)), observed=table)

    return declare


def no_group_variance_truth() -> tuple[Truth, ...]:
    sigma = BALANCED.std()
    errors = {"mu": sigma / 12**0.5, "sigma": sigma / 24**0.5, "tau": NAN}
    return (
        Truth({"mu": BALANCED.mean(), "sigma": sigma, "tau": 0.0}, errors, -6 * (np.log(2 * np.pi * sigma**2) + 1)),
    )


def group_variance_truth() -> tuple[Truth, ...]:
    means = APART.mean(axis=1)
    within = np.sum((APART - means[:, None]) ** 2) / 8
    between = 3 * np.sum((means - means.mean()) ** 2) / 4
    tau = np.sqrt((between - within) / 3)
    return (Truth({"mu": APART.mean(), "sigma": within**0.5, "tau": tau}, {"mu": (between / 12) ** 0.5}),)


def correlation_at_one() -> None:
    # Two readings of one signal with known noise 0.05: the data are more alike than any correlation below 1 allows.
    r = pm.Uniform("r", -1, 1)
    covariance = pt.stack([pt.stack([1.05, r]), pt.stack([r, 1.05])])
    pm.MvNormal("y", np.zeros(2), cov=covariance, observed=PAIRS)


def correlation_at_one_truth() -> tuple[Truth, ...]:
    llf = stats.multivariate_normal([0, 0], [[1.05, 1], [1, 1.05]]).logpdf(PAIRS).sum()
    return (Truth({"r": 1.0}, {"r": NAN}, llf),)


def empty_component() -> None:
    w = pm.Uniform("w", 0, 1)
    parts = pm.Normal.dist(np.array([2.7, 9.0]), 1.0)
    pm.Mixture("y", w=pt.stack([w, 1 - w]), comp_dists=parts, observed=Y)


def slope_of_one_sign() -> None:
    pm.Normal("y", pm.Flat("a") + pm.Uniform("b", 0, 10) * X, pm.HalfFlat("sigma"), observed=-X * 0.3 + Y)


def slope_of_one_sign_truth() -> tuple[Truth, ...]:
    y = -X * 0.3 + Y
    return (Truth({"a": y.mean(), "b": 0.0, "sigma": y.std()}, {"a": y.std() / 8**0.5, "b": NAN}),)


NONNEGATIVE = np.column_stack([np.ones(8), X, np.cos(X), (X - 3) ** 2])


def nonnegative_least_squares() -> None:
    pm.Normal("y", NONNEGATIVE @ pm.HalfFlat("b", shape=4), 1, observed=Y)


def nonnegative_truth() -> tuple[Truth, ...]:
    b = optimize.nnls(NONNEGATIVE, Y)[0]
    return (Truth({f"b[{i}]": v for i, v in enumerate(b)}, {f"b[{i}]": NAN for i in np.flatnonzero(b == 0)}),)


def explosive_autoregression() -> None:
    pm.Normal("y", pm.Uniform("rho", -1, 1) * SERIES[:-1], pm.HalfFlat("sigma"), observed=SERIES[1:])


def explosive_truth() -> tuple[Truth, ...]:
    sigma = np.sqrt(np.mean(np.diff(SERIES) ** 2))
    return (Truth({"rho": 1.0, "sigma": sigma}, {"rho": NAN, "sigma": sigma / 18**0.5}),)


def near_unit_root() -> None:
    pm.Normal("y", pm.Flat("c") + pm.Flat("rho") * SERIES[:-1], pm.HalfFlat("sigma"), observed=SERIES[1:])


def near_unit_root_truth() -> tuple[Truth, ...]:
    rho, c = stats.linregress(SERIES[:-1], SERIES[1:])[:2]
    sigma = np.std(SERIES[1:] - c - rho * SERIES[:-1])
    return (Truth({"c": c, "rho": rho, "sigma": sigma}, {"rho": sigma / SERIES[:-1].std() / 3}),)


def order_violated() -> None:
    mu = pm.Flat("mu", shape=3, transform=ordered, initval=[0.0, 1.0, 2.0])
    pm.Normal("y", mu[[0, 0, 0, 1, 1, 2, 2, 2]], 1, observed=Y)


def order_violated_truth() -> tuple[Truth, ...]:
    # Means 2.467, 3.35, 2.633: the last two groups are pooled.
    pooled = Y[3:].mean()
    return (Truth({"mu[0]": Y[:3].mean(), "mu[1]": pooled, "mu[2]": pooled}),)


def beta_prior_without_events() -> None:
    pm.Binomial("y", n=9, p=pm.Beta("p", 1, 3), observed=0)


def exponential_prior_on_a_spread() -> None:
    tau = pm.Exponential("tau", 1.0)
    pm.Normal("y", 3.0, pm.math.sqrt(4 + tau**2), observed=Y)


LARGEST = "The likelihood falls in the width, so the extreme observations are the maximum."
POOLED = "Balanced one-way analysis of variance: the mean squares (Searle, Casella and McCulloch 1992, 3.7)."
SLOPE = "The likelihood falls from the edge into the support, and is closed form on it."
CASES = (
    Case(
        "uniform_to_theta",
        uniform_to_theta,
        "BOUNDARY",
        LARGEST,
        lambda: (Truth({"theta": 3.9}, {"theta": NAN}, -8 * np.log(3.9)),),
    ),
    Case(
        "uniform_between",
        uniform_between,
        "BOUNDARY",
        LARGEST,
        lambda: (Truth({"low": 1.9, "high": 3.9}, {}, -8 * np.log(2.0)),),
    ),
    Case("pareto_minimum", pareto, "BOUNDARY", "The smallest observation, and Hill's estimator.", pareto_truth),
    Case(
        "shifted_exponential",
        shifted_exponential,
        "BOUNDARY",
        "The smallest observation and the mean above it.",
        shifted_exponential_truth,
    ),
    Case("random_intercepts_of_no_variance", random_intercepts(BALANCED), "BOUNDARY", POOLED, no_group_variance_truth),
    Case("random_intercepts", random_intercepts(APART), "CONVERGED", POOLED, group_variance_truth),
    Case(
        "correlation_at_one",
        correlation_at_one,
        "BOUNDARY",
        "The likelihood rises in r up to the edge; its value there by scipy.",
        correlation_at_one_truth,
        slow=True,
    ),
    Case(
        "mixture_with_an_empty_part",
        empty_component,
        "BOUNDARY",
        "No observation is near the second part.",
        lambda: one_truth(w=1.0),
    ),
    Case("slope_bound_to_be_positive", slope_of_one_sign, "BOUNDARY", SLOPE, slope_of_one_sign_truth),
    Case(
        "nonnegative_least_squares",
        nonnegative_least_squares,
        "BOUNDARY",
        "scipy.optimize.nnls (Lawson and Hanson 1974).",
        nonnegative_truth,
    ),
    Case("explosive_autoregression", explosive_autoregression, "BOUNDARY", SLOPE, explosive_truth),
    Case("autoregression_near_a_unit_root", near_unit_root, "CONVERGED", "Least squares.", near_unit_root_truth),
    Case(
        "means_against_their_order",
        order_violated,
        "BOUNDARY",
        "Pool adjacent violators (Ayer et al. 1955).",
        order_violated_truth,
    ),
    Case(
        "beta_prior_without_events",
        beta_prior_without_events,
        "BOUNDARY",
        "The posterior is (1 - p)^11.",
        lambda: one_truth(p=0.0),
        "MAP",
    ),
    Case(
        "exponential_prior_on_a_spread",
        exponential_prior_on_a_spread,
        "BOUNDARY",
        "The posterior falls in tau.",
        lambda: one_truth(tau=0.0),
        "MAP",
    ),
)
