"""Censored and truncated times."""

import mpmath
import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy import optimize

from tests.stress.case import Case, Truth, one_truth
from tests.stress.oracle import maximum, normal, total

TIMES = np.array([0.4, 1.1, 1.9, 2.2, 2.9, 3.3, 4.0, 4.0, 4.0, 4.0])
LIMIT = 4.0
DEATHS = TIMES[TIMES < LIMIT].tolist()
TREATED = np.array([1, 0, 0, 1, 0, 1, 1, 0, 1, 1.0])
STEEP = np.array([0.02, 0.05, 0.11, 0.2, 0.3, 0.55, 0.9, 1.4, 2.4, 5.5])
NAN, INF = np.nan, np.inf


def censored_exponential() -> None:
    pm.Censored("y", pm.Exponential.dist(pm.HalfFlat("rate")), lower=None, upper=LIMIT, observed=TIMES)


def censored_exponential_truth() -> tuple[Truth, ...]:
    rate = len(DEATHS) / TIMES.sum()
    return (Truth({"rate": rate}, {"rate": rate / len(DEATHS) ** 0.5}),)


def nobody_died() -> None:
    pm.Censored("y", pm.Exponential.dist(pm.HalfFlat("rate")), lower=None, upper=LIMIT, observed=np.full(7, LIMIT))


def censored_weibull() -> None:
    part = pm.Weibull.dist(pm.HalfFlat("alpha"), pm.HalfFlat("beta"))
    pm.Censored("y", part, lower=None, upper=LIMIT, observed=TIMES)


def censored_weibull_truth() -> tuple[Truth, ...]:
    def density(alpha, beta):
        deaths = total(mpmath.log(alpha / beta) + (alpha - 1) * mpmath.log(t / beta) for t in DEATHS)
        return deaths - total((t / beta) ** alpha for t in TIMES.tolist())

    return (maximum(density, alpha=1.3, beta=4.4),)


def accelerated_lognormal() -> None:
    mu = pm.Flat("a") + pm.Flat("b") * TREATED
    part = pm.Normal.dist(mu, pm.HalfFlat("sigma"))
    pm.Censored("y", part, lower=None, upper=np.log(LIMIT), observed=np.log(TIMES))


def accelerated_lognormal_truth() -> tuple[Truth, ...]:
    rows = list(zip(TREATED.tolist(), np.log(TIMES).tolist(), TIMES.tolist(), strict=True))

    def density(a, b, sigma):
        deaths = total(normal(y, a + b * x, sigma) for x, y, t in rows if t < LIMIT)
        return deaths + total(mpmath.log(mpmath.ncdf((a + b * x - y) / sigma)) for x, y, t in rows if t >= LIMIT)

    return (maximum(density, a=1.0, b=0.1, sigma=0.9),)


def group_without_deaths() -> None:
    # Weibull hazards in two groups; in group 1 everyone is alive at the end.
    t = np.array([0.8, 1.7, 2.9, 4.0, 4.0, 4.0, 4.0, 4.0])
    eta = pm.Flat("a") + pm.Flat("b") * np.repeat([0.0, 1.0], [5, 3])
    pm.Censored("y", pm.Exponential.dist(pm.math.exp(eta)), lower=None, upper=LIMIT, observed=t)


def group_without_deaths_truth() -> tuple[Truth, ...]:
    return (Truth({"a": np.log(3 / 13.4), "b": -INF}, {"a": 3**-0.5}),)


def pieces_without_deaths() -> None:
    # Piecewise exponential hazard as Poisson counts: the third piece has no deaths.
    pm.Poisson("deaths", pm.HalfFlat("hazard", shape=4) * np.array([20.0, 15, 9, 4]), observed=[5, 6, 0, 2])


def pieces_truth() -> tuple[Truth, ...]:
    values = {"hazard[0]": 0.25, "hazard[1]": 0.4, "hazard[2]": 0.0, "hazard[3]": 0.5}
    return (Truth(values, {"hazard[0]": 5**0.5 / 20, "hazard[2]": NAN}),)


def truncated_exponential() -> None:
    # Seen only below 3: the mean 1.2 still leaves a positive rate.
    pm.Truncated("y", pm.Exponential.dist(pm.HalfFlat("rate")), upper=3.0, observed=[0.2, 0.5, 0.9, 1.1, 1.3, 1.6, 2.8])


def truncated_exponential_truth() -> tuple[Truth, ...]:
    def slope(rate):
        return 1 / rate - 1.2 - 3 / np.expm1(3 * rate)

    return one_truth(rate=optimize.brentq(slope, 0.01, 2, xtol=1e-15, rtol=1e-15))


def truncated_exponential_edge() -> None:
    # The mean is past the middle of the window: the likelihood falls in the rate from 0.
    pm.Truncated("y", pm.Exponential.dist(pm.HalfFlat("rate")), upper=3.0, observed=[0.9, 1.1, 1.7, 2.2, 2.6, 2.8])


def truncated_normal_of_steep_data() -> None:
    # More spread than a half-normal: mean and scale run away, and an exponential distribution is the limit.
    pm.TruncatedNormal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), lower=0.0, observed=STEEP)


def truncated_normal_of_steep_data_truth() -> tuple[Truth, ...]:
    return (Truth({"mu": -INF, "sigma": INF}, {}, -10 * (np.log(STEEP.mean()) + 1)),)


def interval_censored() -> None:
    mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
    edges = np.array([0.0, 1.0, 2.0, 3.0])
    below = pm.math.concatenate([[0.0], pm.math.invprobit((edges - mu) / sigma), [1.0]])
    pm.Multinomial("y", n=30, p=pt.diff(below), observed=[2, 6, 11, 8, 3])


def interval_censored_truth() -> tuple[Truth, ...]:
    def density(mu, sigma):
        below = [0, *[mpmath.ncdf((edge - mu) / sigma) for edge in range(4)], 1]
        return total(k * mpmath.log(below[i + 1] - below[i]) for i, k in enumerate([2, 6, 11, 8, 3]))

    truth = maximum(density, mu=1.6, sigma=1.2)
    return (Truth(truth.values, truth.errors),)


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
CASES = (
    Case(
        "censored_exponential",
        censored_exponential,
        "CONVERGED",
        "Deaths over time at risk.",
        censored_exponential_truth,
    ),
    Case("everyone_censored", nobody_died, "BOUNDARY", "The likelihood is exp(-28 rate).", lambda: one_truth(rate=0.0)),
    Case("censored_weibull", censored_weibull, "CONVERGED", NEWTON, censored_weibull_truth),
    Case("accelerated_lognormal", accelerated_lognormal, "CONVERGED", NEWTON, accelerated_lognormal_truth),
    Case(
        "group_without_deaths",
        group_without_deaths,
        "INFINITE",
        "Deaths over time at risk of the other group.",
        group_without_deaths_truth,
    ),
    Case("piece_without_deaths", pieces_without_deaths, "BOUNDARY", "Deaths over time at risk.", pieces_truth),
    Case(
        "truncated_exponential",
        truncated_exponential,
        "CONVERGED",
        "Root of the slope by bisection.",
        truncated_exponential_truth,
    ),
    Case(
        "truncated_exponential_of_a_late_mean",
        truncated_exponential_edge,
        "BOUNDARY",
        "The likelihood falls in the rate from 0.",
        lambda: one_truth(rate=0.0),
    ),
    Case(
        "truncated_normal_of_steep_data",
        truncated_normal_of_steep_data,
        "INFINITE",
        "The exponential limit (del Castillo 1994).",
        truncated_normal_of_steep_data_truth,
    ),
    Case("interval_censored_normal", interval_censored, "CONVERGED", NEWTON, interval_censored_truth),
)
