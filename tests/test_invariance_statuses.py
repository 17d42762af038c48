"""A diagnosis does not depend on units, origins, or the order of rows and columns any more than an estimate does."""

import warnings

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from ppl_mle import FitWarning, Status, find_MLE

FEW = settings(max_examples=3, deadline=None, derandomize=True)
decades = st.integers(-8, 8)
signs = st.sampled_from([-1.0, 1.0])
N = 40
RNG = np.random.default_rng(7)
# Multiples of 1/64: shifts by whole numbers are exact.
GROUP = np.arange(N) % 3
X = np.round(RNG.normal(size=N) * 64) / 64
COLUMNS = np.column_stack([GROUP == 1, GROUP == 2, X]).astype(float)
NOISY = (X + RNG.logistic(size=N) > 0).astype(int)
SUCCESSES = np.where(GROUP == 2, 1, NOISY)
COUNTS = np.where(GROUP == 2, 0, RNG.poisson(np.exp(0.5 + 0.4 * X)))
Y = np.round(RNG.normal(size=N) * 64) / 64
EFFECTS, ERRORS = np.array([19.0, -13, 6, 3, -10, 16]) / 64, np.array([51.0, 58, 70, 64, 77, 45]) / 64
FOUR = np.array([134.0, 218, 122, 179]) / 64


def fitted(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", FitWarning)
        return find_MLE(model, progressbar=False)


def regression(response, x=COLUMNS, y=None):
    y = {"logit": SUCCESSES, "probit": SUCCESSES, "counts": COUNTS}[response] if y is None else y
    with pm.Model() as model:
        eta = pm.Flat("a") + x @ pm.Flat("b", shape=3)
        if response == "counts":
            pm.Poisson("y", pm.math.exp(eta), observed=y)
        elif response == "probit":
            pm.Bernoulli("y", p=pm.math.invprobit(eta), observed=y)
        else:
            pm.Bernoulli("y", logit_p=eta, observed=y)
    return model


def two_slopes(x=X, y=Y):
    with pm.Model() as model:
        a, d, b, e = (pm.Flat(name) for name in "adbe")
        pm.Deterministic("level", a + d)
        pm.Deterministic("slope", b + 2 * e)
        pm.Normal("y", a + d + x * b + 2 * x * e, pm.HalfFlat("sigma"), observed=y)
    return model


def meta(effects=EFFECTS, errors=ERRORS):
    with pm.Model() as model:
        mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
        pm.Normal("y", mu, pm.math.sqrt(errors**2 + tau**2), observed=effects)
    return model


def saturated(y=FOUR):
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu", shape=4), pm.HalfFlat("sigma"), observed=y)
    return model


def hierarchical(effects=EFFECTS[:4], errors=ERRORS[:4]):
    with pm.Model() as model:
        theta = pm.Normal("theta", pm.Flat("mu"), pm.HalfFlat("tau"), shape=4)
        pm.Normal("y", theta, errors, observed=effects)
    return model


def assert_same(found, base, scale, llf=None, origin=0.0, order=slice(None)):
    """Same status and same non-finite elements; estimates within 1e-9 standard errors, those to 8 digits, llf to 9."""
    assert found.status is base.status, found.message
    params, bse = base.params.to_numpy()[order] * scale + origin, base.bse.to_numpy()[order] * np.abs(scale)
    finite = np.isfinite(params)
    np.testing.assert_array_equal(found.params.to_numpy()[~finite], params[~finite])
    assert list(np.isnan(found.bse)) == list(np.isnan(bse))
    known = finite & np.isfinite(bse)
    assert np.all(np.abs(found.params.to_numpy()[known] - params[known]) <= 1e-9 * bse[known])
    np.testing.assert_allclose(found.bse[known], bse[known], rtol=1e-8)
    assert found.llf == pytest.approx(base.llf if llf is None else llf, rel=1e-9)


FAMILIES = {
    "logit": sm.families.Binomial(),
    "probit": sm.families.Binomial(sm.families.links.Probit()),
    "counts": sm.families.Poisson(),
}
RESPONSES = tuple(FAMILIES)


class TestInfinite:
    @pytest.mark.parametrize("response", RESPONSES)
    def test_the_base_is_the_fit_without_the_infinite_group(self, response):
        base = fitted(regression(response))
        rest = GROUP != 2
        y = (COUNTS if response == "counts" else SUCCESSES)[rest]
        x = sm.add_constant(COLUMNS[rest][:, [0, 2]])
        kept = sm.GLM(y, x, family=FAMILIES[response]).fit(tol=1e-14, maxiter=100)
        np.testing.assert_allclose(base.params[["a", "b[0]", "b[2]"]], kept.params, rtol=1e-8)
        assert base.status is Status.INFINITE
        assert base.params["b[1]"] == (-np.inf if response == "counts" else np.inf)
        assert base.llf == pytest.approx(kept.llf, rel=1e-10)

    @pytest.mark.parametrize("response", RESPONSES)
    def test_units_signs_and_order(self, response):
        base = fitted(regression(response))
        y = COUNTS if response == "counts" else SUCCESSES

        @FEW
        @given(st.tuples(*[decades] * 3), st.tuples(*[signs] * 3), st.permutations(range(3)), st.permutations(range(N)))
        def check(exponents, turns, columns, rows):
            units = 10.0 ** np.array(exponents) * turns
            found = fitted(regression(response, (COLUMNS * units)[np.ix_(rows, columns)], y[rows]))
            order = np.r_[0, 1 + np.array(columns)]
            assert_same(found, base, np.r_[1, 1 / units[columns]], order=order)

        check()

    @pytest.mark.parametrize("response", RESPONSES)
    def test_origin_of_a_column_that_stays(self, response):
        base = fitted(regression(response))

        @FEW
        @given(st.integers(-(10**6), 10**6))
        def check(shift):
            found = fitted(regression(response, COLUMNS + np.array([0, 0, shift])))
            assert found.status is Status.INFINITE
            assert found.params["b[1]"] == base.params["b[1]"]
            names = ["b[0]", "b[2]"]
            # Forms of size 1e6 are rounded to 1e-10 and the error of a slope is about one.
            assert np.all(np.abs(found.params[names] - base.params[names]) <= 2e-9 * base.bse[names])
            assert found.params["a"] + shift * found.params["b[2]"] == pytest.approx(base.params["a"], abs=2e-9)
            np.testing.assert_allclose(found.bse[names], base.bse[names], rtol=1e-8)
            assert found.llf == pytest.approx(base.llf, rel=1e-9)

        check()

    @pytest.mark.parametrize("response", RESPONSES)
    @pytest.mark.parametrize("shift", [1e3, -1e5, 1e5])
    def test_origin_of_the_column_that_separates(self, response, shift):
        self.check_origin(response, shift)

    @pytest.mark.parametrize("response", ["logit", "probit", "counts"])
    def test_far_origin_of_the_column_that_separates(self, response):
        self.check_origin(response, 1e6)

    def check_origin(self, response, shift):
        base = fitted(regression(response))
        found = fitted(regression(response, COLUMNS + np.array([0, shift, 0])))
        assert found.status is Status.INFINITE, found.message
        assert found.params["b[1]"] == base.params["b[1]"]
        assert found.params["a"] == -np.sign(shift) * base.params["b[1]"]
        names = ["b[0]", "b[2]"]
        np.testing.assert_allclose(found.params[names], base.params[names], rtol=1e-7)
        np.testing.assert_allclose(found.bse[names], base.bse[names], rtol=1e-7)
        assert found.llf == pytest.approx(base.llf, rel=1e-9)


def assert_same_ridge(found, base, scale, slope, level=0.0, llf=0.0):
    """The ridge is named by the same labels; what is estimable has the same estimate, error and likelihood."""
    assert found.status is Status.UNIDENTIFIED, found.message
    assert list(np.isnan(found.bse)) == [True] * 4 + [False]
    for name, factor, origin in (("level", scale, level), ("slope", slope, 0.0)):
        one, other = found.deterministic(name), base.deterministic(name)
        se = factor * other.bse[name]
        assert one.params[name] == pytest.approx(factor * other.params[name] + origin, abs=1e-8 * se)
        assert one.bse[name] == pytest.approx(se, rel=1e-8)
    assert found.params["sigma"] == pytest.approx(scale * base.params["sigma"], rel=1e-9)
    assert found.llf == pytest.approx(base.llf + llf, rel=1e-9)


class TestUnidentified:
    def test_the_base_is_least_squares(self):
        base = fitted(two_slopes())
        slope, level = np.polyfit(X, Y, 1)
        assert base.deterministic("slope").params["slope"] == pytest.approx(slope, rel=1e-9)
        assert base.deterministic("level").params["level"] == pytest.approx(level, rel=1e-9)

    def test_units_and_order(self):
        base = fitted(two_slopes())

        @FEW
        @given(st.integers(-5, 5), st.integers(-5, 5), st.permutations(range(N)))
        def check(column, response, rows):
            c, r = 10.0**column, 10.0**response
            found = fitted(two_slopes(X[rows] * c, Y[rows] * r))
            assert_same_ridge(found, base, r, r / c, llf=-N * response * np.log(10))

        check()

    @pytest.mark.parametrize("unit", [1e8, 1e-8])
    def test_far_units_of_a_column(self, unit):
        base = fitted(two_slopes())
        assert_same_ridge(fitted(two_slopes(X * unit)), base, 1.0, 1 / unit)

    @pytest.mark.parametrize("unit", [1e8, 1e-8])
    def test_far_units_of_the_response(self, unit):
        base = fitted(two_slopes())
        assert_same_ridge(fitted(two_slopes(X, Y * unit)), base, unit, unit, llf=-N * np.log(unit))

    @pytest.mark.parametrize("shift", [1e3, -1e6])
    def test_origin_of_the_response(self, shift):
        assert_same_ridge(fitted(two_slopes(X, Y + shift)), fitted(two_slopes()), 1.0, 1.0, level=shift)

    @pytest.mark.parametrize("shift", [1e3, -1e5, 1e6])
    def test_origin_of_a_column(self, shift):
        found, base = fitted(two_slopes(X + shift)), fitted(two_slopes())
        one, other = found.deterministic("slope"), base.deterministic("slope")
        assert found.status is Status.UNIDENTIFIED
        assert one.params["slope"] == pytest.approx(other.params["slope"], abs=1e-8 * other.bse["slope"])
        assert one.bse["slope"] == pytest.approx(other.bse["slope"], rel=1e-8)
        assert found.llf == pytest.approx(base.llf, rel=1e-9)


class TestBoundary:
    def test_the_base_is_the_weighted_mean(self):
        base, weights = fitted(meta()), ERRORS**-2
        assert base.status is Status.BOUNDARY
        assert base.params["tau"] == 0
        assert base.params["mu"] == pytest.approx(weights @ EFFECTS / weights.sum(), rel=1e-9)
        assert base.bse["mu"] == pytest.approx(weights.sum() ** -0.5, rel=1e-8)

    def test_units_origin_and_order(self):
        base = fitted(meta())

        @FEW
        @given(decades, st.integers(-(10**6), 10**6), st.permutations(range(6)))
        def check(exponent, shift, rows):
            unit = 10.0**exponent
            found = fitted(meta(unit * (EFFECTS + shift)[rows], unit * ERRORS[rows]))
            llf = base.llf - 6 * exponent * np.log(10)
            assert_same(found, base, np.full(2, unit), llf, origin=[unit * shift, 0])
            assert "tau = 0" in found.message

        check()


class TestUnbounded:
    @FEW
    @given(decades, st.integers(-(10**6), 10**6), st.permutations(range(4)))
    def test_saturated_mean(self, exponent, shift, rows):
        y = 10.0**exponent * (FOUR + shift)[rows]
        found = fitted(saturated(y))
        assert found.status is Status.UNBOUNDED, found.message
        assert "sigma -> 0" in found.message
        assert np.isnan(found.params["sigma"])
        np.testing.assert_allclose(found.params[:4], y, rtol=1e-12)

    @settings(FEW, max_examples=2)
    @given(decades, st.integers(-(10**6), 10**6), st.permutations(range(4)))
    def test_joint_mode_of_a_hierarchy(self, exponent, shift, rows):
        unit = 10.0**exponent
        found = fitted(hierarchical(unit * (EFFECTS[:4] + shift)[rows], unit * ERRORS[:4][rows]))
        assert found.status is Status.UNBOUNDED, found.message
        assert "tau -> 0" in found.message
        assert np.isnan(found.params["tau"])
