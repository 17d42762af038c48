"""Densities that are flat, kinked, cut off, or almost their own limit: where rounding and false zeros mislead."""

import mpmath
import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy import stats

from tests.stress.case import Case, Truth, one_truth
from tests.stress.counts import negative_binomial_row, positive_mean
from tests.stress.oracle import log_beta, maximum, normal, total

X = np.arange(8.0)
Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2, 3.1, 2.6])
STEP = np.array([1.1, 0.8, 1.3, 2.9, 3.3, 3.0, 2.7, 3.2])
SPLIT = (X > 3.5).astype(int)
SERIES = np.array([1.0, 1.2, 1.1, 1.5, 1.9, 2.0, 2.6, 3.1, 3.2, 4.0])
SHARES = np.array([0.08, 0.3, 0.33, 0.41, 0.48, 0.6, 0.72, 0.9])
ANGLES = 1.0 + np.array([-3, 1, 2, -1, 4, -2, 0, 1]) * 1e-3
LEFT = np.array([-3.1, -1.2, -0.4, 0.1, 0.4, 0.6, 0.7, 0.9])
SKEWED = np.array([0.1, 0.3, 0.4, 0.7, 0.8, 1.1, 1.3, 1.9, 2.4, 3.2, -1.2, 0.9, -0.5])
STEEP = np.array([0.1, 0.3, 0.4, 0.7, 0.8, 1.1, 1.3, 1.9, 2.4, 3.6, -0.2, 0.9])
EXACT = np.array([86, 103, 95, 113, 99, 107, 91, 119, 84, 101, 96, 106])
BARELY = np.array([86, 103, 95, 113, 99, 107, 91, 119, 83, 101, 96, 107])
DRAWN = np.array([38, 52, 47, 61, 44, 55, 49, 57, 42, 50])
NEAR_NORMAL = np.r_[stats.norm.ppf((np.arange(40) + 0.5) / 40).round(3), 2.7, -2.7]
SPECK = 1 + np.array([-3, 1, 2, -1, 4, -2, 0, 1, -2]) * 1e-5
NAN, INF = np.nan, np.inf


def change_point() -> None:
    # The mean jumps where x passes c; the likelihood is a staircase in c.
    low, high, c = pm.Flat("low"), pm.Flat("high"), pm.Uniform("c", -0.5, 7.5)
    pm.Normal("y", pm.math.switch(pt.lt(X, c), low, high), pm.HalfFlat("sigma"), observed=STEP)


def change_point_truth() -> tuple[Truth, ...]:
    sigma = np.sqrt((np.sum((STEP[:3] - STEP[:3].mean()) ** 2) + np.sum((STEP[3:] - STEP[3:].mean()) ** 2)) / 8)
    values = {"low": STEP[:3].mean(), "high": STEP[3:].mean(), "sigma": sigma}
    return (Truth(values, {"c": NAN}, -4 * (np.log(2 * np.pi * sigma**2) + 1)),)


def clipped_separated() -> None:
    p = pm.math.clip(pm.math.invlogit(pm.Flat("a") + pm.Flat("b") * X), 1e-6, 1 - 1e-6)
    pm.Bernoulli("y", p=p, observed=SPLIT)


def floored_scale() -> None:
    pm.Normal("y", pm.Flat("mu"), pm.math.maximum(pm.HalfFlat("sigma"), 0.25), observed=np.full(6, 1.5))


def triangular() -> None:
    pm.Triangular("y", lower=0, c=pm.Uniform("c", 0, 1), upper=1, observed=SHARES)


def triangular_truth() -> tuple[Truth, ...]:
    # Between observations the likelihood is convex in c, so the peak is one of them (Oliver 1972).
    best = max(SHARES, key=lambda c: stats.triang.logpdf(SHARES, c).sum())
    return tuple(Truth({"c": c}, {"c": NAN}, stats.triang.logpdf(SHARES, c).sum()) for c in (best,))


def stationary_by_potential() -> None:
    rho = pm.Flat("rho")
    pm.Potential("stationary", pt.switch(pt.le(pt.abs(rho), 1), 0.0, -np.inf))
    pm.Normal("y", rho * SERIES[:-1], pm.HalfFlat("sigma"), observed=SERIES[1:])


def stationary_by_potential_truth() -> tuple[Truth, ...]:
    sigma = np.sqrt(np.mean(np.diff(SERIES) ** 2))
    return (Truth({"rho": 1.0, "sigma": sigma}, {"rho": NAN}),)


def broken_line() -> None:
    bend = pm.Flat("c", initval=2.0)
    mu = pm.Flat("a") + pm.Flat("b") * X + pm.Flat("d") * pm.math.maximum(X - bend, 0)
    pm.Normal("y", mu, pm.HalfFlat("sigma"), observed=np.array([0.1, 0.9, 2.1, 3.0, 3.3, 3.35, 3.7, 3.9]))


def broken_line_truth() -> tuple[Truth, ...]:
    y = np.array([0.1, 0.9, 2.1, 3.0, 3.3, 3.35, 3.7, 3.9])
    found = []
    for k in range(2, 7):  # two regressions that meet between their data, the pair that leaves the least
        lines = [np.polyfit(X[part], y[part], 1, full=True) for part in (slice(k), slice(k, None))]
        (b, a), (f, e) = lines[0][0], lines[1][0]
        bend = (e - a) / (b - f)
        if X[k - 1] < bend < X[k]:
            found.append((sum(float(line[1].sum()) for line in lines), a, b, bend, f - b))
    _, a, b, c, d = min(found)
    return one_truth(a=a, b=b, c=c, d=d)


def left_skewed_exgaussian() -> None:
    pm.ExGaussian("y", mu=pm.Flat("mu"), sigma=pm.HalfFlat("sigma"), nu=pm.HalfFlat("nu"), observed=LEFT)


def left_skewed_truth() -> tuple[Truth, ...]:
    return (Truth({"mu": LEFT.mean(), "sigma": LEFT.std()}, {"nu": NAN}),)


def skew_normal() -> None:
    pm.SkewNormal("y", mu=pm.Flat("mu"), sigma=pm.HalfFlat("sigma"), alpha=pm.Flat("alpha"), observed=SKEWED)


def skew_normal_truth() -> tuple[Truth, ...]:
    def density(mu, sigma, alpha):
        rows = SKEWED.tolist()
        return total(mpmath.log(2 * mpmath.ncdf(alpha * (y - mu) / sigma)) + normal(y, mu, sigma) for y in rows)

    return (maximum(density, mu=-0.147, sigma=1.52, alpha=1.57),)


def skew_normal_of_steep_data() -> None:
    pm.SkewNormal("y", mu=pm.Flat("mu"), sigma=pm.HalfFlat("sigma"), alpha=pm.Flat("alpha"), observed=STEEP)


def skew_normal_of_steep_data_truth() -> tuple[Truth, ...]:
    low, sigma = STEEP.min(), np.sqrt(np.mean((STEEP - STEEP.min()) ** 2))
    llf = stats.norm.logpdf(STEEP, low, sigma).sum() + len(STEEP) * np.log(2)
    return (Truth({"mu": low, "sigma": sigma, "alpha": INF}, {}, llf),)


def concentrated_angles() -> None:
    pm.VonMises("y", mu=pm.Flat("mu"), kappa=pm.HalfFlat("kappa"), observed=ANGLES)


def concentrated_angles_truth() -> tuple[Truth, ...]:
    with mpmath.workdps(30):
        turned = [mpmath.mpf(v) - 1 for v in ANGLES.tolist()]
        c, s = total(mpmath.cos(v) for v in turned) / 8, total(mpmath.sin(v) for v in turned) / 8
        length = mpmath.sqrt(c**2 + s**2)

        def slope(kappa):
            return mpmath.besseli(1, kappa) / mpmath.besseli(0, kappa) - length

        kappa = mpmath.findroot(slope, (1 / (2 * (1 - length)), 1.01 / (2 * (1 - length))))
    return one_truth(mu=1 + float(mpmath.atan2(s, c)), kappa=float(kappa))


def barely_overdispersed() -> None:
    pm.NegativeBinomial("y", mu=pm.HalfFlat("mu"), alpha=pm.HalfFlat("alpha"), observed=BARELY)


def barely_overdispersed_truth() -> tuple[Truth, ...]:
    rows = BARELY.tolist()
    return (maximum(lambda m, a: total(negative_binomial_row(y, m, a) for y in rows), mu=100.0, alpha=2600.0),)


def variance_equals_mean() -> None:
    pm.NegativeBinomial("y", mu=pm.HalfFlat("mu"), alpha=pm.HalfFlat("alpha"), observed=EXACT)


def variance_equals_mean_truth() -> tuple[Truth, ...]:
    return (Truth({"mu": 100.0, "alpha": INF}, {}, stats.poisson.logpmf(EXACT, 100).sum()),)


def barely_beta_binomial() -> None:
    pm.BetaBinomial("y", alpha=pm.HalfFlat("alpha"), beta=pm.HalfFlat("beta"), n=100, observed=DRAWN)


def barely_beta_binomial_truth() -> tuple[Truth, ...]:
    rows = DRAWN.tolist()

    def density(a, b):
        chosen = total(mpmath.log(mpmath.binomial(100, y)) for y in rows)
        return chosen + total(log_beta(y + a, 100 - y + b) - log_beta(a, b) for y in rows)

    return (maximum(density, alpha=50.0, beta=50.0),)


def almost_normal_student() -> None:
    pm.StudentT("y", nu=pm.HalfFlat("nu"), mu=0, sigma=pm.HalfFlat("sigma"), observed=NEAR_NORMAL)


def almost_normal_student_truth() -> tuple[Truth, ...]:
    rows = NEAR_NORMAL.tolist()

    def density(nu, sigma):
        constant = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2) - mpmath.log(nu * mpmath.pi) / 2
        return total(constant - mpmath.log(sigma) - (nu + 1) / 2 * mpmath.log1p((y / sigma) ** 2 / nu) for y in rows)

    return (maximum(density, nu=53.4, sigma=1.1056),)


def gamma_of_a_speck() -> None:
    pm.Gamma("y", alpha=pm.HalfFlat("alpha"), beta=pm.HalfFlat("beta"), observed=SPECK)


def gamma_of_a_speck_truth() -> tuple[Truth, ...]:
    rows = SPECK.tolist()

    def density(alpha, beta):
        each = alpha * mpmath.log(beta) - mpmath.loggamma(alpha)
        return total(each + (alpha - 1) * mpmath.log(y) - beta * y for y in rows)

    return (maximum(density, alpha=2.0e9, beta=2.0e9),)


def zero_truncated_poisson() -> None:
    pm.Truncated("y", pm.Poisson.dist(pm.HalfFlat("mu")), lower=1, observed=[1, 1, 2, 1, 3, 1, 2, 1, 1, 4])


def all_ones_truncated() -> None:
    pm.Truncated("y", pm.Poisson.dist(pm.HalfFlat("mu")), lower=1, observed=np.ones(6, int))


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
CASES = (
    Case(
        "change_point_of_a_staircase",
        change_point,
        "UNIDENTIFIED|NOT_CONVERGED",
        "The best split leaves c free between two x.",
        change_point_truth,
    ),
    Case(
        "clipped_separated_logit",
        clipped_separated,
        "UNIDENTIFIED|INFINITE|NOT_CONVERGED",
        "Every steep enough curve has the same clipped likelihood.",
        lambda: (Truth({}, {}, 8 * np.log1p(-1e-6)),),
    ),
    Case(
        "floored_scale_of_a_constant",
        floored_scale,
        "UNIDENTIFIED",
        "Every sigma below the floor is as good.",
        lambda: (Truth({"mu": 1.5}, {"sigma": NAN}, -6 * np.log(0.25 * np.sqrt(2 * np.pi))),),
    ),
    Case("triangular_peak", triangular, "CONVERGED", "The best observation, by trying all.", triangular_truth),
    Case(
        "stationary_by_potential",
        stationary_by_potential,
        "BOUNDARY",
        "The likelihood falls from the edge into the support.",
        stationary_by_potential_truth,
    ),
    Case(
        "broken_line",
        broken_line,
        "CONVERGED",
        "Two regressions that meet at c, which no x touches; they may be split in two ways.",
        broken_line_truth,
        beside="several",
    ),
    Case(
        "exgaussian_of_left_skew",
        left_skewed_exgaussian,
        "BOUNDARY|UNIDENTIFIED|NOT_CONVERGED",
        "The normal limit, which PyMC takes for every small nu.",
        left_skewed_truth,
    ),
    Case("skew_normal", skew_normal, "CONVERGED", NEWTON, skew_normal_truth),
    Case(
        "skew_normal_of_steep_data",
        skew_normal_of_steep_data,
        "INFINITE",
        "The half-normal limit at the smallest observation.",
        skew_normal_of_steep_data_truth,
    ),
    Case(
        "von_mises_of_kappa_200000",
        concentrated_angles,
        "CONVERGED",
        "The mean direction, and the root of I1/I0 by mpmath.",
        concentrated_angles_truth,
    ),
    Case("negative_binomial_barely_spread", barely_overdispersed, "CONVERGED", NEWTON, barely_overdispersed_truth),
    Case(
        "negative_binomial_variance_is_mean",
        variance_equals_mean,
        "INFINITE",
        "The Poisson limit: the slope in 1/alpha is 0 and the third-order term negative.",
        variance_equals_mean_truth,
    ),
    Case("beta_binomial_barely_spread", barely_beta_binomial, "CONVERGED", NEWTON, barely_beta_binomial_truth),
    Case("student_almost_normal", almost_normal_student, "CONVERGED", NEWTON, almost_normal_student_truth),
    Case("gamma_of_shape_1e9", gamma_of_a_speck, "CONVERGED", NEWTON, gamma_of_a_speck_truth, tol=1e-5),
    Case(
        "zero_truncated_poisson",
        zero_truncated_poisson,
        "CONVERGED",
        "Root of the mean without zeros by scipy brentq.",
        lambda: one_truth(mu=positive_mean(1.7)),
    ),
    Case(
        "zero_truncated_poisson_of_ones",
        all_ones_truncated,
        "BOUNDARY",
        "The likelihood falls from rate 0.",
        lambda: one_truth(mu=0.0),
    ),
)
