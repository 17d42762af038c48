"""Profile intervals where the estimate saturates or constrained maxima branch, against closed forms and grids."""

import numpy as np
import pymc as pm
import pytest
from scipy.stats import chi2

from ppl_mle import find_MLE

CUT = chi2.ppf(0.95, 1) / 2
NONE_OF_20, ALL_OF_20 = 1 - np.exp(-CUT / 20), np.exp(-CUT / 20)


def bounds(build, of, method="profile"):
    with pm.Model() as model:
        build()
    return find_MLE(model, progressbar=False).conf_int(method=method, of=of).to_numpy()[0]


def none_of_20():
    p = pm.Uniform("p", 0, 1)
    pm.Binomial("y", 20, p, observed=0)
    pm.Deterministic("odds", p / (1 - p))
    pm.Deterministic("rest", 1 - p)
    pm.Deterministic("distance", abs(p - 0.45))


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("p", (0, NONE_OF_20)),
        ("odds", (0, NONE_OF_20 / (1 - NONE_OF_20))),
        ("rest", (1 - NONE_OF_20, 1)),
        ("distance", (0.45 - NONE_OF_20, 0.45)),
    ],
)
def test_no_success(of, expected):
    np.testing.assert_allclose(bounds(none_of_20, of), expected, rtol=1e-8)


def test_no_counts():
    def build():
        rate = pm.HalfFlat("rate")
        pm.Poisson("y", rate, observed=np.zeros(5, int))
        pm.Deterministic("zero", pm.math.exp(-rate))

    np.testing.assert_allclose(bounds(build, "rate"), (0, CUT / 5), rtol=1e-8)
    np.testing.assert_allclose(bounds(build, "zero"), (np.exp(-CUT / 5), 1), rtol=1e-8)
    # The score statistic of a rate with no count in 5 is 5 rate.
    np.testing.assert_allclose(bounds(build, "rate", "score"), (0, 2 * CUT / 5), rtol=1e-8)


def two_groups(successes):
    def build():
        p = pm.Uniform("p", 0, 1, shape=2)
        pm.Binomial("y", 20, p, observed=successes)
        pm.Deterministic("failure", 1 - p[0])
        pm.Deterministic("variance", p[0] * (1 - p[0]))
        pm.Deterministic("square", p[0] ** 2)

    return build


@pytest.mark.parametrize("other", [0, 1, 6])
def test_one_group_without_success(other):
    np.testing.assert_allclose(bounds(two_groups([0, other]), "p[0]"), (0, NONE_OF_20), rtol=1e-8)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("failure", (0, 1 - ALL_OF_20)),
        ("variance", (0, ALL_OF_20 * (1 - ALL_OF_20))),
        ("square", (ALL_OF_20**2, 1)),
    ],
)
def test_functions_of_a_probability_that_is_1(of, expected):
    np.testing.assert_allclose(bounds(two_groups([20, 6]), of), expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("method", ["profile", "score", "wald"])
def test_a_probability_that_saturates_under_separation_has_no_interval_without_width(method):
    # At x = 0.7 the profile bound is 0.3986 (one-dimensional search); what is not followed is not made up.
    x = np.array([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2.0])

    def build():
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=(x > 0).astype(int))
        pm.Deterministic("p", pm.math.sigmoid(a + 0.7 * b))

    assert np.all(np.isnan(bounds(build, "p", method)))


def pair(name, a, b):
    def build():
        left, right = pm.Flat("a"), pm.Flat("b")
        pm.Normal("ya", left, np.sqrt(0.1), observed=a)
        pm.Normal("yb", right, np.sqrt(0.1), observed=b)
        pm.Deterministic("f", FUNCTIONS[name](pm.math, left, right))

    return build


FUNCTIONS = {
    "wave": lambda m, a, b: m.sin(3 * a) * b,
    "cubic": lambda m, a, b: (a - 0.1) ** 2 * b,
    "saddle": lambda m, a, b: a**2 - b**2,
    "product": lambda m, a, b: a * b,
}


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [("wave", 0.3, 0.4), ("cubic", 0.3, 0.4), ("saddle", 0.0, 0.0), ("saddle", 0.0, 1.0), ("product", 0.0, 0.0)],
)
def test_bounds_are_the_extremes_over_the_region(name, a, b):
    # Of two normal means with variance 0.1 the region is a disc, looked over on a fine grid of radius and angle.
    radius, angle = np.meshgrid(np.sqrt(0.2 * CUT) * np.linspace(0, 1, 401), np.linspace(0, 2 * np.pi, 4001))
    values = FUNCTIONS[name](np, a + radius * np.cos(angle), b + radius * np.sin(angle))
    np.testing.assert_allclose(bounds(pair(name, a, b), "f"), (values.min(), values.max()), atol=2e-5)
