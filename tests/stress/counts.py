"""Counts: empty cells, dispersion that is not there, inflation that is not there."""

import mpmath
import numpy as np
import pymc as pm
from scipy import optimize

from tests.stress.case import Case, Truth, one_truth
from tests.stress.oracle import log_beta, maximum, poisson, total

EVEN = np.array([3, 4, 2, 3, 5, 4, 3, 6, 4, 5, 6, 5])
EVEN_X = np.arange(12) / 4
SPREAD = np.array([0, 0, 1, 9, 2, 0, 14, 3, 1, 0, 6, 22, 2, 0, 5])
FEW_ZEROS = np.array([1, 2, 3, 1, 2, 4, 2, 1, 3, 2, 2, 5])
MANY_ZEROS = np.array([0, 0, 0, 0, 0, 0, 3, 2, 5, 4, 1, 3, 2, 6, 0])
DRAWN = np.array([0, 10, 3, 7, 1, 9, 4, 10, 2, 8])
INF = np.inf


def line(x):
    return pm.Flat("a") + pm.Flat("b") * x


def empty_cell() -> None:
    row, column = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1])
    eta = pm.Flat("a") + pm.Flat("r", shape=2)[np.maximum(row - 1, 0)] * (row > 0)
    eta = eta + pm.Flat("c") * column + pm.Flat("rc") * (row == 2) * column
    pm.Poisson("y", pm.math.exp(eta), observed=[4, 7, 3, 9, 5, 0])


def empty_cell_truth() -> tuple[Truth, ...]:
    # Rows 0 and 1 are independent of the columns; the interaction frees the last row.
    a, c = np.log(11 * 7 / 23), np.log(16 / 7)
    return (Truth({"a": a, "r[0]": np.log(12 / 11), "c": c, "r[1]": np.log(5) - a, "rc": -INF}),)


def no_counts() -> None:
    pm.Poisson("y", pm.math.exp(pm.Flat("a")), observed=np.zeros(9, int))


def negative_binomial_without_spread() -> None:
    pm.NegativeBinomial("y", mu=pm.math.exp(line(EVEN_X)), alpha=pm.HalfFlat("alpha"), observed=EVEN)


def negative_binomial_without_spread_truth() -> tuple[Truth, ...]:
    rows = list(zip(EVEN_X.tolist(), EVEN.tolist(), strict=True))
    limit = maximum(lambda a, b: total(poisson(y, mpmath.exp(a + b * x)) for x, y in rows), a=1.0, b=0.2)
    return (Truth({**limit.values, "alpha": INF}, {}, limit.llf),)


def negative_binomial_row(y, mu, alpha):
    chosen = mpmath.loggamma(y + alpha) - mpmath.loggamma(alpha) - mpmath.loggamma(y + 1)
    return chosen + alpha * mpmath.log(alpha / (mu + alpha)) + y * mpmath.log(mu / (mu + alpha))


def negative_binomial() -> None:
    pm.NegativeBinomial("y", mu=pm.HalfFlat("mu"), alpha=pm.HalfFlat("alpha"), observed=SPREAD)


def negative_binomial_truth() -> tuple[Truth, ...]:
    rows = SPREAD.tolist()
    return (maximum(lambda m, a: total(negative_binomial_row(y, m, a) for y in rows), mu=4.0, alpha=0.4),)


def inflated(name, y):
    def declare() -> None:
        pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi", 0, 1), mu=pm.HalfFlat("mu"), observed=y)

    declare.__name__ = name
    return declare


def positive_mean(mean: float) -> float:
    """Rate of a Poisson distribution whose mean without the zeros is given."""
    return float(optimize.brentq(lambda m: m - mean * -np.expm1(-m), 1e-3, mean, xtol=1e-15, rtol=1e-15))


def inflated_truth() -> tuple[Truth, ...]:
    # The zeros are free, so the positive counts alone give mu, and psi (1 - exp(-mu)) is the share of positives.
    positive = MANY_ZEROS[MANY_ZEROS > 0]
    mu = positive_mean(positive.mean())
    return one_truth(mu=mu, psi=len(positive) / len(MANY_ZEROS) / -np.expm1(-mu))


def not_inflated_truth() -> tuple[Truth, ...]:
    mu = FEW_ZEROS.mean()
    return (Truth({"mu": mu, "psi": 1.0}, {"mu": (mu / 12) ** 0.5, "psi": np.nan}),)


def hurdle() -> None:
    pm.HurdlePoisson("y", psi=pm.Uniform("psi", 0, 1), mu=pm.HalfFlat("mu"), observed=MANY_ZEROS)


def hurdle_truth() -> tuple[Truth, ...]:
    positive = MANY_ZEROS[MANY_ZEROS > 0]
    return one_truth(mu=positive_mean(positive.mean()), psi=len(positive) / len(MANY_ZEROS))


def inflated_negative_binomial() -> None:
    psi, mu, alpha = pm.Uniform("psi", 0, 1), pm.HalfFlat("mu"), pm.HalfFlat("alpha")
    y = np.r_[np.zeros(14, int), 1, 3, 9, 4, 5, 2, 15, 6, 7, 4, 3, 8, 10, 5, 20, 2]
    pm.ZeroInflatedNegativeBinomial("y", psi=psi, mu=mu, alpha=alpha, observed=y)


def inflated_negative_binomial_truth() -> tuple[Truth, ...]:
    rows = [1, 3, 9, 4, 5, 2, 15, 6, 7, 4, 3, 8, 10, 5, 20, 2]

    def density(psi, mu, alpha):
        none = mpmath.log(1 - psi + psi * (alpha / (mu + alpha)) ** alpha)
        return 14 * none + total(mpmath.log(psi) + negative_binomial_row(y, mu, alpha) for y in rows)

    return (maximum(density, psi=0.55, mu=6.3, alpha=2.0),)


def without_inflation_or_spread() -> None:
    psi, mu, alpha = pm.Uniform("psi", 0, 1), pm.HalfFlat("mu"), pm.HalfFlat("alpha")
    pm.ZeroInflatedNegativeBinomial("y", psi=psi, mu=mu, alpha=alpha, observed=FEW_ZEROS)


def without_inflation_or_spread_truth() -> tuple[Truth, ...]:
    rows = FEW_ZEROS.tolist()
    llf = maximum(lambda mu: total(poisson(y, mu) for y in rows), mu=2.0).llf
    return (Truth({"mu": FEW_ZEROS.mean(), "psi": 1.0, "alpha": INF}, {}, llf),)


def all_first_try() -> None:
    pm.Geometric("y", p=pm.Uniform("p", 0, 1), observed=np.ones(8, int))


def two_empty_cells() -> None:
    p = pm.Dirichlet("p", np.ones(4))
    pm.Multinomial("y", n=20, p=p, observed=[8, 0, 12, 0])


def beta_binomial() -> None:
    pm.BetaBinomial("y", alpha=pm.HalfFlat("alpha"), beta=pm.HalfFlat("beta"), n=10, observed=DRAWN)


def beta_binomial_truth() -> tuple[Truth, ...]:
    rows = DRAWN.tolist()

    def density(a, b):
        chosen = total(mpmath.log(mpmath.binomial(10, y)) for y in rows)
        return chosen + total(log_beta(y + a, 10 - y + b) - log_beta(a, b) for y in rows)

    return (maximum(density, alpha=0.8, beta=0.7),)


def steep_start() -> None:
    # exp(x b) overflows at the start b = 1.
    pm.Poisson("y", pm.math.exp(line_from_one(np.array([900, 1000, 1100, 1200]))), observed=[3, 8, 11, 30])


def line_from_one(x):
    return pm.Flat("a") + pm.Flat("b", initval=1.0) * x


def steep_start_truth() -> tuple[Truth, ...]:
    rows = [(900, 3), (1000, 8), (1100, 11), (1200, 30)]
    return (maximum(lambda a, b: total(poisson(y, mpmath.exp(a + b * x)) for x, y in rows), a=-5.0, b=0.007),)


def identity_link() -> None:
    # The rate a + b x is 0 at the default start.
    pm.Poisson("y", line(np.arange(1, 9)), observed=[2, 3, 3, 6, 4, 8, 7, 10])


def identity_link_truth() -> tuple[Truth, ...]:
    rows = list(zip(range(1, 9), [2, 3, 3, 6, 4, 8, 7, 10], strict=True))
    return (maximum(lambda a, b: total(poisson(y, a + b * x) for x, y in rows), a=0.8, b=1.0),)


def huge_binomial() -> None:
    pm.Binomial("y", n=2_000_000_000, p=pm.Uniform("p", 0, 1), observed=7)


def huge_binomial_truth() -> tuple[Truth, ...]:
    p = 7 / 2e9
    return (Truth({"p": p}, {"p": (p * (1 - p) / 2e9) ** 0.5}),)


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
CASES = (
    Case(
        "poisson_empty_interaction_cell",
        empty_cell,
        "INFINITE",
        "Margins of the 2 x 2 table that stays.",
        empty_cell_truth,
    ),
    Case(
        "poisson_all_zero_log_link",
        no_counts,
        "INFINITE",
        "The likelihood exp(-9 exp(a)) rises to 1.",
        lambda: (Truth({"a": -INF}, {}, 0.0),),
    ),
    Case(
        "negative_binomial_no_spread",
        negative_binomial_without_spread,
        "INFINITE",
        "The Poisson limit; " + NEWTON,
        negative_binomial_without_spread_truth,
    ),
    Case("negative_binomial", negative_binomial, "CONVERGED", NEWTON, negative_binomial_truth),
    Case(
        "zero_inflated_no_excess",
        inflated("few", FEW_ZEROS),
        "BOUNDARY",
        "No zeros: the Poisson mean, psi at its edge.",
        not_inflated_truth,
    ),
    Case(
        "zero_inflated_poisson",
        inflated("many", MANY_ZEROS),
        "CONVERGED",
        "The likelihood splits into zeros and positive counts.",
        inflated_truth,
    ),
    Case("hurdle_poisson", hurdle, "CONVERGED", "The likelihood splits into zeros and positive counts.", hurdle_truth),
    Case(
        "zero_inflated_negative_binomial",
        inflated_negative_binomial,
        "CONVERGED",
        NEWTON,
        inflated_negative_binomial_truth,
    ),
    Case(
        "zinb_of_neither",
        without_inflation_or_spread,
        "INFINITE",
        "Both limits together are the Poisson distribution.",
        without_inflation_or_spread_truth,
    ),
    Case(
        "geometric_all_first_try",
        all_first_try,
        "BOUNDARY",
        "The likelihood is p to the 8th.",
        lambda: one_truth(p=1.0),
    ),
    Case(
        "two_empty_simplex_cells",
        two_empty_cells,
        "BOUNDARY",
        "The shares of the counts.",
        lambda: (Truth({"p[0]": 0.4, "p[1]": 0.0, "p[2]": 0.6, "p[3]": 0.0}),),
    ),
    Case("beta_binomial", beta_binomial, "CONVERGED", NEWTON, beta_binomial_truth),
    Case("poisson_overflow_at_the_start", steep_start, "CONVERGED", NEWTON, steep_start_truth),
    Case("poisson_identity_link_from_0", identity_link, "CONVERGED", NEWTON, identity_link_truth),
    Case("seven_of_two_billion", huge_binomial, "CONVERGED", "Closed form.", huge_binomial_truth),
)
