"""Nonlinear ridges, parameters that run to a simpler curve, and curves that are ordinary but hard."""

import mpmath
import numpy as np
import pymc as pm
from scipy import stats

from tests.stress.case import Case, Truth
from tests.stress.oracle import maximum, normal, poisson, total

X = np.arange(1, 11.0)
LINE = np.array([0.9, 2.3, 2.8, 4.4, 5.2, 5.8, 7.3, 8.4, 8.9, 10.6])
CONVEX = np.array([0.5, 1.1, 1.9, 2.8, 4.2, 5.4, 7.1, 8.8, 11.0, 13.1])
DECAY = 5 * np.exp(-0.3 * X)
NOISY = np.round(DECAY + 0.1 * np.sin(X**2), 3)
EARLY = np.array([1.0, 1.4, 2.1, 3.0, 4.6, 6.7, 10.1, 15.0, 22.5, 34.1])
GROWN = np.array([1.1, 1.9, 3.6, 6.0, 9.2, 12.4, 14.6, 16.1, 16.9, 17.3])
ENZYME = np.array([0.7, 1.2, 1.5, 1.75, 1.9, 2.05, 2.1, 2.25, 2.2, 2.35])
INF, NAN = np.inf, np.nan


def signed_product() -> None:
    # The start a = b = 0 is a saddle.
    a, b = pm.Flat("a"), pm.Flat("b")
    pm.Deterministic("slope", a * b)
    pm.Normal("y", a * b * X, 1, observed=LINE)


def product_truth() -> tuple[Truth, ...]:
    error = (X @ X) ** -0.5
    return (Truth({"slope": X @ LINE / (X @ X)}, {"slope": error, "a": NAN, "b": NAN}),)


def power_ridge() -> None:
    # Allometry with two multipliers: only c d^2 is known.
    c, d = pm.HalfFlat("c"), pm.HalfFlat("d")
    pm.Deterministic("level", c * d**2)
    pm.Exponential("y", 1 / (c * d**2 * X), observed=LINE)


def power_ridge_truth() -> tuple[Truth, ...]:
    level = np.mean(LINE / X)
    return (Truth({"level": level}, {"level": level / 10**0.5, "c": NAN}),)


def intercept_and_cuts() -> None:
    cuts = pm.Flat("cuts", shape=2, transform=pm.distributions.transforms.ordered, initval=[-1.0, 1.0])
    pm.OrderedLogistic("y", eta=pm.Flat("a") * np.ones(12), cutpoints=cuts, observed=np.repeat([0, 1, 2], [3, 5, 4]))


def two_sources_of_noise() -> None:
    pm.Normal("y", pm.Flat("mu"), pm.math.sqrt(pm.HalfFlat("s") ** 2 + pm.HalfFlat("t") ** 2), observed=LINE)


def michaelis_menten() -> None:
    top, half = pm.HalfFlat("top"), pm.HalfFlat("half")
    pm.Normal("y", top * X / (half + X), pm.HalfFlat("sigma"), observed=ENZYME)


def michaelis_menten_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), ENZYME.tolist(), strict=True))
    return (
        maximum(lambda t, h, s: total(normal(y, t * x / (h + x), s) for x, y in rows), top=2.9, half=2.6, sigma=0.05),
    )


def far_from_saturation() -> None:
    top, half = pm.HalfFlat("top"), pm.HalfFlat("half")
    pm.Normal("y", top * X / (half + X), 0.5, observed=CONVEX)


def far_from_saturation_truth() -> tuple[Truth, ...]:
    slope = X @ CONVEX / (X @ X)
    return (Truth({"top": INF, "half": INF}, {}, stats.norm.logpdf(CONVEX, slope * X, 0.5).sum()),)


def two_equal_decays() -> None:
    a, b = pm.HalfFlat("a"), pm.HalfFlat("b")
    k, m = pm.HalfFlat("k", initval=0.5), pm.HalfFlat("m", initval=0.2)
    pm.Normal("y", a * pm.math.exp(-k * X) + b * pm.math.exp(-m * X), 0.2, observed=DECAY)


def two_equal_decays_truth() -> tuple[Truth, ...]:
    return (Truth({}, {}, -10 * np.log(0.2 * np.sqrt(2 * np.pi))),)


def one_decay() -> None:
    pm.Normal("y", pm.Flat("a") * pm.math.exp(-pm.Flat("k") * X), pm.HalfFlat("sigma"), observed=NOISY)


def one_decay_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), NOISY.tolist(), strict=True))
    return (
        maximum(lambda a, k, s: total(normal(y, a * mpmath.exp(-k * x), s) for x, y in rows), a=5, k=0.3, sigma=0.07),
    )


def growth_seen_early() -> None:
    # The curve is convex all along: the ceiling K runs away and leaves exponential growth.
    top, r, c = pm.HalfFlat("K", initval=100.0), pm.Flat("r", initval=0.4), pm.Flat("c", initval=0.0)
    rise = pm.math.exp(c + r * X)
    pm.Normal("y", rise / (1 + rise / top), 0.3, observed=EARLY)


def growth_seen_early_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), EARLY.tolist(), strict=True))
    limit = maximum(
        lambda r, c: total(normal(y, mpmath.exp(c + r * x), mpmath.mpf(0.3)) for x, y in rows), r=0.4, c=-0.4
    )
    return (Truth({**limit.values, "K": INF}, {}, limit.llf),)


def growth_to_a_ceiling() -> None:
    top, r, middle = pm.HalfFlat("K"), pm.Flat("r"), pm.Flat("middle")
    pm.Normal("y", top / (1 + pm.math.exp(-r * (X - middle))), pm.HalfFlat("sigma"), observed=GROWN)


def growth_to_a_ceiling_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), GROWN.tolist(), strict=True))

    def density(top, r, middle, sigma):
        return total(normal(y, top / (1 + mpmath.exp(-r * (x - middle))), sigma) for x, y in rows)

    return (maximum(density, K=17.5, r=0.8, middle=4.8, sigma=0.2),)


def poisson_mixture_of_one() -> None:
    w = pm.Uniform("w", 0, 1)
    rates = pm.HalfFlat("rate", shape=2, initval=[2.0, 4.0])
    parts = pm.Poisson.dist(rates)
    pm.Mixture("y", w=pm.math.stack([w, 1 - w]), comp_dists=parts, observed=[3, 2, 3, 4, 3, 3, 2, 4, 3, 3])


def poisson_mixture_of_one_truth() -> tuple[Truth, ...]:
    counts = [3, 2, 3, 4, 3, 3, 2, 4, 3, 3]
    llf = maximum(lambda m: total(poisson(y, m) for y in counts), m=3.0).llf
    return (Truth({}, {}, llf),)


def silent_switch() -> None:
    # The branch that uses b is never taken.
    pm.Normal("y", pm.math.switch(X > 99, pm.Flat("b"), pm.Flat("a")), pm.HalfFlat("sigma"), observed=LINE)


def silent_switch_truth() -> tuple[Truth, ...]:
    return (Truth({"a": LINE.mean(), "sigma": LINE.std()}, {"a": LINE.std() / 10**0.5, "b": NAN}),)


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
CASES = (
    Case(
        "product_from_a_saddle",
        signed_product,
        "UNIDENTIFIED",
        "Regression through the origin.",
        product_truth,
        named=("a", "b"),
    ),
    Case(
        "multipliers_c_d_squared",
        power_ridge,
        "UNIDENTIFIED",
        "The mean of y / x.",
        power_ridge_truth,
        named=("c", "d"),
    ),
    Case(
        "intercept_beside_cutpoints",
        intercept_and_cuts,
        "UNIDENTIFIED",
        "The shares of the levels.",
        lambda: (
            Truth(
                {}, {"a": NAN}, float(stats.multinomial.logpmf([3, 5, 4], 12, np.array([3, 5, 4]) / 12) - np.log(27720))
            ),
        ),
        named=("a",),
    ),
    Case(
        "two_sources_of_noise",
        two_sources_of_noise,
        "UNIDENTIFIED",
        "Only s^2 + t^2 enters.",
        lambda: (Truth({"mu": LINE.mean()}, {"mu": LINE.std() / 10**0.5, "s": NAN, "t": NAN}),),
        named=("s", "t"),
    ),
    Case("michaelis_menten", michaelis_menten, "CONVERGED", NEWTON, michaelis_menten_truth),
    Case(
        "michaelis_menten_far_from_saturation",
        far_from_saturation,
        "INFINITE",
        "Convex data: the line through the origin is the limit.",
        far_from_saturation_truth,
        named=("top", "half"),
    ),
    Case(
        "two_equal_decays",
        two_equal_decays,
        "UNIDENTIFIED",
        "The data are one exponential exactly.",
        two_equal_decays_truth,
    ),
    Case("one_decay_from_0", one_decay, "CONVERGED", NEWTON, one_decay_truth),
    Case(
        "growth_seen_early",
        growth_seen_early,
        "INFINITE",
        "The exponential limit; " + NEWTON,
        growth_seen_early_truth,
        named=("K",),
    ),
    Case("growth_to_a_ceiling", growth_to_a_ceiling, "CONVERGED", NEWTON, growth_to_a_ceiling_truth),
    Case(
        "poisson_mixture_of_one",
        poisson_mixture_of_one,
        "UNIDENTIFIED|BOUNDARY",
        "Underdispersed counts: one Poisson distribution is the maximum (Lindsay 1983).",
        poisson_mixture_of_one_truth,
    ),
    Case(
        "branch_that_is_never_taken",
        silent_switch,
        "UNIDENTIFIED",
        "Mean and standard deviation.",
        silent_switch_truth,
        named=("b",),
    ),
)
