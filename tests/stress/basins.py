"""Several maxima, and starts in the wrong basin or far out on a plain: a lower maximum must not pass in silence."""

from itertools import pairwise

import mpmath
import numpy as np
import pymc as pm
from scipy import optimize, stats

from tests.stress.case import Case, Truth
from tests.stress.oracle import maximum, normal, total

X = np.arange(13.0)
PEAK = np.round(4 * np.exp(-((X - 8) ** 2) / 6) + 0.1 * np.cos(5 * X), 3)
RISE = np.round(6 / (1 + np.exp(-1.3 * (X - 7))) + 0.1 * np.cos(5 * X), 3)
WAVE = np.round(2 * np.sin(1.7 * X + 0.4) + 0.3 * np.cos(11 * X), 3)
TWO_CENTERS = np.array([-5.0, -4.2, -5.6, 4.1, 5.3, 4.8, 5.5])
PULLED = np.array([9.2, 8.8, 9.5])
LUMPS = np.array([-2.1, -1.4, -3.0, -1.9, -2.6, -1.1, -2.3, 1.7, 2.4, 0.9, 3.3, 2.0, 1.2, 2.9, 2.6, 1.8, 0.4])


def cauchy(start: float):
    def declare() -> None:
        pm.Cauchy("y", pm.Flat("m", initval=start), 1, observed=TWO_CENTERS)

    return declare


def cauchy_truth() -> tuple[Truth, ...]:
    def density(m):
        return -total(mpmath.log(mpmath.pi * (1 + (y - m) ** 2)) for y in TWO_CENTERS.tolist())

    return maximum(density, m=5.0), maximum(density, m=-4.9)


def prior_against_data() -> None:
    # A narrow Student prior at 0 and normal data at 9: the start is at the lower of two modes.
    pm.Normal("y", pm.StudentT("m", nu=2, mu=0, sigma=0.1), 2.0, observed=PULLED)


def prior_against_data_truth() -> tuple[Truth, ...]:
    def slope(m):
        return -3 * m / (0.02 + m**2) + np.sum(PULLED - m) / 4

    def height(m):
        return stats.t.logpdf(m, 2, 0, 0.1) + stats.norm.logpdf(PULLED, m, 2).sum()

    brackets = np.linspace(-1, 10, 2001)
    signs = [(a, b) for a, b in pairwise(brackets) if slope(a) > 0 >= slope(b)]
    modes = [optimize.brentq(slope, a, b, xtol=1e-15, rtol=1e-15) for a, b in signs]
    return tuple(Truth({"m": m}, {}, height(m)) for m in modes)


def frequency() -> None:
    # Every resonance of the frequency is a maximum; the start is off the highest.
    mu = pm.Flat("a") * pm.math.sin(pm.Flat("w", initval=1.0) * X) + pm.Flat("b") * pm.math.cos(
        pm.modelcontext(None)["w"] * X
    )
    pm.Normal("y", mu, pm.HalfFlat("sigma"), observed=WAVE)


def frequency_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), WAVE.tolist(), strict=True))

    def density(a, b, w, s):
        return total(normal(y, a * mpmath.sin(w * x) + b * mpmath.cos(w * x), s) for x, y in rows)

    return (maximum(density, a=1.84, b=0.78, w=1.7, sigma=0.2),)


def far_peak() -> None:
    center = pm.Flat("center", initval=-30.0)
    mu = pm.Flat("height", initval=1.0) * pm.math.exp(-((X - center) ** 2) / 6)
    pm.Normal("y", mu, 0.5, observed=PEAK)


def far_peak_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), PEAK.tolist(), strict=True))

    def density(center, height):
        return total(normal(y, height * mpmath.exp(-((x - center) ** 2) / 6), mpmath.mpf(0.5)) for x, y in rows)

    return (maximum(density, center=8.0, height=4.0),)


def far_rise() -> None:
    middle, slope = pm.Flat("middle", initval=-60.0), pm.HalfFlat("slope")
    pm.Normal("y", pm.Flat("top") * pm.math.invlogit(slope * (X - middle)), pm.HalfFlat("sigma"), observed=RISE)


def far_rise_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), RISE.tolist(), strict=True))

    def density(middle, slope, top, s):
        return total(normal(y, top / (1 + mpmath.exp(-slope * (x - middle))), s) for x, y in rows)

    return (maximum(density, middle=7.0, slope=1.3, top=6.0, sigma=0.07),)


def far_components() -> None:
    # Both components start on one side of all data.
    mu = pm.Flat("mu", shape=2, initval=[-300.0, -200.0])
    pm.NormalMixture("y", w=[0.5, 0.5], mu=mu, sigma=1.0, observed=LUMPS)


def far_components_truth() -> tuple[Truth, ...]:
    def density(m, n):
        rows = LUMPS.tolist()
        return total(mpmath.log((mpmath.exp(normal(y, m, 1)) + mpmath.exp(normal(y, n, 1))) / 2) for y in rows)

    first, second = ((-2.0, 2.0), (2.0, -2.0))
    return tuple(maximum(density, **{"mu[0]": a, "mu[1]": b}) for a, b in (first, second))


NEWTON = "Newton's method on the written-out log-density in 60-digit arithmetic."
CASES = (
    Case("cauchy_of_two_centers", cauchy(0.0), "CONVERGED", "Both maxima; " + NEWTON, cauchy_truth, beside="several"),
    Case(
        "cauchy_from_the_lower_center",
        cauchy(-5.0),
        "CONVERGED",
        "Both maxima; " + NEWTON,
        cauchy_truth,
        beside="several",
    ),
    Case(
        "student_prior_against_data_map",
        prior_against_data,
        "CONVERGED",
        "Roots of the slope by bisection (scipy brentq).",
        prior_against_data_truth,
        "MAP",
        beside="several",
    ),
    Case("frequency_of_a_wave", frequency, "CONVERGED", "The highest resonance; " + NEWTON, frequency_truth),
    Case("peak_far_from_the_start", far_peak, "CONVERGED", NEWTON, far_peak_truth),
    Case("sigmoid_far_from_the_start", far_rise, "CONVERGED", NEWTON, far_rise_truth),
    Case("components_far_from_the_start", far_components, "CONVERGED", NEWTON, far_components_truth),
)
