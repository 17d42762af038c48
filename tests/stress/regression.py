"""Regressions whose design loses rank, whose errors have other tails, or whose density has kinks."""

import mpmath
import numpy as np
import pymc as pm
from scipy import optimize, stats

from tests.stress.case import Case, Truth, one_truth
from tests.stress.oracle import log_beta, logit, maximum, total

X = np.arange(10.0)
W = np.array([1.0, -2, 0.5, 3, -1, 0, 2, -3, 1.5, 0.2])
Y = np.array([1.2, 2.9, 2.1, 4.8, 5.5, 4.9, 7.7, 6.8, 9.9, 9.1])
WILD = np.array([1.2, 2.9, 2.1, 4.8, 25.5, 4.9, 7.7, 6.8, -19.9, 9.1])
ODD = np.array([0.3, 1.7, 2.2, 4.1, 9.0])
HITS = np.array([0, 1, 0, 0, 1, 0, 1, 1, 0, 1])
LEVELS = np.array([0, 0, 1, 1, 1, 2, 2, 4, 4, 4])
PERIOD = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 1])
AGE = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3])
SHARES = np.array([0.12, 0.3, 0.22, 0.45, 0.51, 0.4, 0.66, 0.7, 0.83, 0.79])
WAITS = np.array([0.8, 2.2, 0.9, 3.1, 2.4, 4.8, 3.9, 9.2, 5.1, 12.0])
ANGLES = np.array([0.2, 0.5, -0.3, 1.1, 0.7, -0.9, 2.5, 0.1])
BOUNDED = np.array([-1.6, -1.2, -0.9, -0.4, -0.1, 0.2, 0.5, 0.8, 1.3, 1.5])
INF, NAN = np.inf, np.nan


def line(x=X):
    return pm.Flat("a") + pm.Flat("b") * x


def duplicated_column() -> None:
    pm.Normal("y", line() + pm.Flat("c") * X, 1, observed=Y)
    model = pm.modelcontext(None)
    pm.Deterministic("slope", model["b"] + model["c"])


def straight() -> Truth:
    slope, intercept = stats.linregress(X, Y)[:2]
    return Truth({"a": intercept, "slope": slope}, {"slope": np.var(X) ** -0.5 / 10**0.5, "b": NAN, "c": NAN})


def sum_column() -> None:
    eta = pm.Flat("a") + pm.Flat("b") * X + pm.Flat("c") * W + pm.Flat("d") * (X + W)
    pm.Bernoulli("y", logit_p=eta, observed=HITS)


def sum_column_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), W.tolist(), HITS.tolist(), strict=True))
    top = maximum(lambda a, b, c: total(logit(y, a + b * x + c * w) for x, w, y in rows), a=-1, b=0.3, c=-0.1)
    return (Truth({"a": top.values["a"]}, {"a": top.errors["a"], "b": NAN, "d": NAN}, top.llf),)


def missing_level() -> None:
    pm.Normal("y", pm.Flat("u", shape=5)[LEVELS], pm.HalfFlat("sigma"), observed=Y)


def missing_level_truth() -> tuple[Truth, ...]:
    means = {f"u[{k}]": float(Y[k == LEVELS].mean()) for k in (0, 1, 2, 4)}
    sigma = np.sqrt(np.mean([(y - means[f"u[{k}]"]) ** 2 for k, y in zip(LEVELS, Y, strict=True)]))
    return (Truth({**means, "sigma": sigma}, {"u[0]": sigma / 2**0.5, "u[3]": NAN}),)


def age_period_cohort() -> None:
    eta = pm.Flat("a") + pm.Flat("age") * AGE + pm.Flat("period") * PERIOD + pm.Flat("cohort") * (PERIOD - AGE)
    pm.Normal("y", eta, pm.HalfFlat("sigma"), observed=Y)


def age_period_cohort_truth() -> tuple[Truth, ...]:
    x = np.column_stack([np.ones(10), AGE, PERIOD])
    b, rss = np.linalg.lstsq(x, Y, rcond=None)[:2]
    errors = dict.fromkeys(("age", "period", "cohort"), NAN)
    return (Truth({"a": b[0], "sigma": np.sqrt(rss[0] / 10)}, errors),)


def unpinned_softmax() -> None:
    kinds = np.repeat([0, 1, 2], [7, 4, 9])
    pm.Categorical("y", logit_p=pm.Flat("a", shape=3), observed=kinds)
    a = pm.modelcontext(None)["a"]
    pm.Deterministic("gap", a[2] - a[1])


def unpinned_softmax_truth() -> tuple[Truth, ...]:
    errors = {"gap": (1 / 4 + 1 / 9) ** 0.5, "a[0]": NAN}
    return (Truth({"gap": np.log(9 / 4)}, errors, 7 * np.log(0.35) + 4 * np.log(0.2) + 9 * np.log(0.45)),)


def unpinned_teams() -> None:
    home, away = np.array([0, 0, 1, 2, 2, 1]), np.array([1, 2, 2, 0, 1, 0])
    u = pm.Flat("u", shape=3)
    pm.Binomial("y", n=4, logit_p=u[home] - u[away], observed=[3, 2, 1, 2, 3, 2])


def undefeated_team() -> None:
    # Team 0 is pinned; team 2 wins every game.
    u = pm.math.concatenate([[0.0], pm.Flat("u", shape=2)])
    pm.Binomial("y", n=8, logit_p=u[[1, 2, 2]] - u[[0, 0, 1]], observed=[3, 8, 8])


def undefeated_team_truth() -> tuple[Truth, ...]:
    return (Truth({"u[0]": np.log(3 / 5), "u[1]": INF}, {"u[0]": (1 / 3 + 1 / 5) ** 0.5}),)


def student_outliers() -> None:
    pm.StudentT("y", nu=4, mu=line(), sigma=pm.HalfFlat("sigma"), observed=WILD)


def student_outliers_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), WILD.tolist(), strict=True))

    def density(a, b, sigma):
        constant = mpmath.log(mpmath.gamma(2.5) / mpmath.gamma(2) / mpmath.sqrt(4 * mpmath.pi) / sigma)
        return total(constant - 2.5 * mpmath.log1p(((y - a - b * x) / sigma) ** 2 / 4) for x, y in rows)

    return (maximum(density, a=1.4, b=0.9, sigma=1.2),)


def student_light_tails() -> None:
    pm.StudentT("y", nu=pm.HalfFlat("nu"), mu=pm.Flat("mu"), sigma=pm.HalfFlat("sigma"), observed=BOUNDED)


def student_light_tails_truth() -> tuple[Truth, ...]:
    mean, sigma = BOUNDED.mean(), BOUNDED.std()
    llf = -5 * (np.log(2 * np.pi * sigma**2) + 1)
    return (Truth({"nu": INF, "mu": mean, "sigma": sigma}, {}, llf),)


def laplace_median() -> None:
    pm.Laplace("y", pm.Flat("m"), pm.HalfFlat("b"), observed=ODD)


def laplace_even() -> None:
    pm.Laplace("y", pm.Flat("m"), 1, observed=ODD[:4])


def quantile_regression() -> None:
    pm.AsymmetricLaplace("y", mu=line(), b=1, q=0.75, observed=Y)


def quantile_regression_truth() -> tuple[Truth, ...]:
    # Koenker and Bassett's linear program: y = a + b x + up - down with costs q and 1 - q.
    design = np.column_stack([np.ones(10), X, np.eye(10), -np.eye(10)])
    cost = np.r_[0, 0, np.full(10, 0.75), np.full(10, 0.25)]
    found = optimize.linprog(cost, A_eq=design, b_eq=Y, bounds=[(None, None)] * 2 + [(0, None)] * 20)
    return (Truth({"a": found.x[0], "b": found.x[1]}, {"a": NAN, "b": NAN}),)


def beta_regression() -> None:
    pm.Beta("y", mu=pm.math.invlogit(line()), nu=pm.HalfFlat("phi"), observed=SHARES)


def beta_regression_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), SHARES.tolist(), strict=True))

    def density(a, b, phi):
        def row(x, y):
            mu = 1 / (1 + mpmath.exp(-a - b * x))
            return (
                (mu * phi - 1) * mpmath.log(y)
                + (phi - mu * phi - 1) * mpmath.log(1 - y)
                - log_beta(mu * phi, phi - mu * phi)
            )

        return total(row(x, y) for x, y in rows)

    return (maximum(density, a=-1.6, b=0.35, phi=30),)


def gamma_log_link() -> None:
    mean, shape = pm.math.exp(line()), pm.HalfFlat("shape")
    pm.Gamma("y", alpha=shape, beta=shape / mean, observed=WAITS)


def gamma_log_link_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), WAITS.tolist(), strict=True))

    def density(a, b, shape):
        def row(x, y):
            rate = shape / mpmath.exp(a + b * x)
            return shape * mpmath.log(rate) - mpmath.loggamma(shape) + (shape - 1) * mpmath.log(y) - rate * y

        return total(row(x, y) for x, y in rows)

    return (maximum(density, a=0.2, b=0.24, shape=8),)


def inverse_gaussian() -> None:
    pm.Wald("y", mu=pm.HalfFlat("mu"), lam=pm.HalfFlat("lam"), observed=WAITS)


def inverse_gaussian_truth() -> tuple[Truth, ...]:
    mu = WAITS.mean()
    lam = 1 / np.mean(1 / WAITS - 1 / mu)
    return (Truth({"mu": mu, "lam": lam}, {"mu": (mu**3 / lam / 10) ** 0.5, "lam": lam * 0.2**0.5}),)


def von_mises() -> None:
    pm.VonMises("y", mu=pm.Flat("mu"), kappa=pm.HalfFlat("kappa"), observed=ANGLES)


def von_mises_truth() -> tuple[Truth, ...]:
    c, s = np.cos(ANGLES).mean(), np.sin(ANGLES).mean()
    with mpmath.workdps(30):
        kappa = mpmath.findroot(lambda k: mpmath.besseli(1, k) / mpmath.besseli(0, k) - np.hypot(c, s), 2)
    return one_truth(mu=np.arctan2(s, c), kappa=float(kappa))


def skew_normal_of_one_sign() -> None:
    # Every value is positive: with location 0 and scale 1 fixed, the skewness has no finite maximum.
    pm.SkewNormal("y", mu=0, sigma=1, alpha=pm.Flat("alpha"), observed=WAITS / 8)


def skew_normal_of_one_sign_truth() -> tuple[Truth, ...]:
    return (Truth({"alpha": INF}, {}, float(np.sum(np.log(2) + stats.norm.logpdf(WAITS / 8)))),)


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
PINNED = "The coefficients that no null combination touches, from the design without the redundant column."
CASES = (
    Case("duplicated_column", duplicated_column, "UNIDENTIFIED", PINNED, lambda: (straight(),), named=("b", "c")),
    Case("column_that_is_a_sum", sum_column, "UNIDENTIFIED", PINNED, sum_column_truth, named=("b", "c", "d")),
    Case(
        "level_without_rows",
        missing_level,
        "UNIDENTIFIED",
        "Means of the groups.",
        missing_level_truth,
        named=("u[3]",),
    ),
    Case(
        "age_period_cohort",
        age_period_cohort,
        "UNIDENTIFIED",
        PINNED,
        age_period_cohort_truth,
        named=("age", "period", "cohort"),
    ),
    Case(
        "softmax_without_reference",
        unpinned_softmax,
        "UNIDENTIFIED",
        "Shares of the kinds.",
        unpinned_softmax_truth,
        named=("a[*]",),
    ),
    Case(
        "teams_without_reference",
        unpinned_teams,
        "UNIDENTIFIED",
        "Only differences of strengths enter.",
        named=("u[*]",),
    ),
    Case(
        "undefeated_team",
        undefeated_team,
        "INFINITE",
        "Log-odds of the one pair that shared games (Ford 1957).",
        undefeated_team_truth,
    ),
    Case("student_regression_with_outliers", student_outliers, "CONVERGED", NEWTON, student_outliers_truth),
    Case("student_of_light_tails", student_light_tails, "INFINITE", "The normal limit.", student_light_tails_truth),
    Case(
        "laplace_median_and_scale",
        laplace_median,
        "CONVERGED",
        "Median and mean absolute deviation; a kink in m has no curvature.",
        lambda: (Truth({"m": 2.2, "b": 2.22}, {"m": NAN}),),
    ),
    Case(
        "laplace_between_medians",
        laplace_even,
        "UNIDENTIFIED|NOT_CONVERGED",
        "The density is flat between the two middle values.",
        lambda: (Truth({}, {}, -4.3 - 4 * np.log(2)),),
    ),
    Case(
        "quantile_regression",
        quantile_regression,
        "CONVERGED",
        "The linear program of Koenker and Bassett (1978), solved by HiGHS.",
        quantile_regression_truth,
    ),
    Case("beta_regression", beta_regression, "CONVERGED", NEWTON, beta_regression_truth),
    Case("gamma_regression_log_link", gamma_log_link, "CONVERGED", NEWTON, gamma_log_link_truth),
    Case("inverse_gaussian", inverse_gaussian, "CONVERGED", "Closed form (Tweedie 1957).", inverse_gaussian_truth),
    Case("von_mises", von_mises, "CONVERGED", "The mean direction, and the root of I1/I0 by mpmath.", von_mises_truth),
    Case(
        "skew_normal_of_one_sign",
        skew_normal_of_one_sign,
        "INFINITE",
        "The half-normal limit.",
        skew_normal_of_one_sign_truth,
    ),
)
