"""What must not change an answer: units, shifts, order, and the parametrization of the model."""

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from ppl_mle import find_MLE

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

FEW = settings(max_examples=3, deadline=None, derandomize=True)
# Multiples of 1/64: sums and shifts by whole numbers are exact, so an invariance holds to the last bit of the data.
RNG = np.random.default_rng(8)
X = np.round(RNG.normal(size=(20, 2)) * 64) / 64
Y = np.round((1.0 + X @ [0.8, -0.5] + RNG.normal(size=20)) * 64) / 64
COUNTS = RNG.poisson(np.exp(0.9 + X @ [0.4, -0.3]))
HITS = (Y > 1).astype(int)
WAITS = np.array([0.7, 1.9, 3.1, 0.4, 2.2, 1.1, 5.0, 0.9])
decades = st.integers(-8, 8)
pairs_of_decades = st.tuples(decades, decades)
far = st.integers(-(10**6), 10**6)  # in standard deviations, about
shifts = st.integers(-(10**5), 10**5)


def gaussian(x=X, y=Y):
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b", shape=x.shape[1])
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", a + x @ b, sigma, observed=y)
    return model


def poisson(x=X, y=COUNTS):
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b", shape=x.shape[1])
        pm.Poisson("y", pm.math.exp(a + x @ b), observed=y)
    return model


def logistic(x=X, y=HITS):
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b", shape=x.shape[1])
        pm.Bernoulli("y", logit_p=a + x @ b, observed=y)
    return model


def fit(model):
    return find_MLE(model, progressbar=False)


def assert_moved(found, params, covariance, llf):
    """Same status, estimates within 1e-9 standard errors, standard errors to 8 digits, llf to 11.

    Predictors of size 1e6 standard deviations are rounded to 1e-10 of one, and the estimates in proportion.
    """
    ses = np.sqrt(np.diag(covariance))
    assert found.status.name == "CONVERGED"
    assert np.max(np.abs(found.params.to_numpy() - params) / ses) < 1e-9
    np.testing.assert_allclose(found.bse, ses, rtol=1e-8)
    assert found.llf == pytest.approx(llf, rel=1e-11, abs=1e-9)


def moved(base, matrix, shift=0.0):
    """Estimates and covariance of `matrix @ params + shift`."""
    return matrix @ base.params.to_numpy() + shift, matrix @ base.cov_params().to_numpy() @ matrix.T


def test_the_bases_are_right(fitted):
    design = sm.add_constant(X)
    oracles = {
        gaussian: sm.OLS(Y, design).fit(),
        poisson: sm.GLM(COUNTS, design, family=sm.families.Poisson()).fit(tol=1e-15, maxiter=100),
        logistic: sm.Logit(HITS, design).fit(tol=1e-15, maxiter=100, disp=0),
    }
    for build, oracle in oracles.items():
        base = fitted(build)
        np.testing.assert_allclose(base.params[:3], oracle.params, rtol=1e-9)
        assert base.llf == pytest.approx(oracle.llf, rel=1e-11)


@pytest.mark.parametrize("build", [gaussian, poisson, logistic])
def test_units_of_columns(fitted, build):
    base = fitted(build)

    @FEW
    @given(pairs_of_decades)
    def check(exponents):
        units = 10.0 ** np.array(exponents)
        matrix = np.diag(np.r_[1.0, 1 / units, np.ones(len(base.params) - 3)])
        assert_moved(fit(build(X * units)), *moved(base, matrix), base.llf)

    check()


def moved_origin(base, shift, unit=1.0):
    """Of a first column that is `(x + shift) * unit`."""
    matrix = np.eye(len(base.params))
    matrix[0, 1], matrix[1, 1] = -shift, 1 / unit
    return moved(base, matrix)


@pytest.mark.parametrize("build", [gaussian, poisson, logistic])
def test_origin_of_a_column(fitted, build):
    base = fitted(build)

    @FEW
    @given(far if build is gaussian else shifts)
    def check(shift):
        assert_moved(fit(build(X + np.array([shift, 0]))), *moved_origin(base, shift), base.llf)

    check()


@pytest.mark.parametrize(
    ("build", "shift"),
    [(build, shift) for build in (gaussian, poisson, logistic) for shift in (-1e6, 1e6)],
)
def test_far_origin_of_a_column(fitted, build, shift):
    assert_moved(fit(build(X + np.array([shift, 0]))), *moved_origin(fitted(build), shift), fitted(build).llf)


@pytest.mark.parametrize("build", [gaussian, logistic])
def test_origin_and_units_of_a_column(fitted, build):
    base = fitted(build)

    @FEW
    @given(shifts, decades)
    def check(shift, exponent):
        unit = 10.0**exponent
        found = fit(build((X + np.array([shift, 0])) * np.array([unit, 1.0])))
        assert_moved(found, *moved_origin(base, shift, unit), base.llf)

    check()


def test_origin_of_the_response(fitted):
    base = fitted(gaussian)

    @FEW
    @given(far)
    def check(shift):
        assert_moved(fit(gaussian(X, Y + shift)), *moved(base, np.eye(4), [shift, 0, 0, 0]), base.llf)

    check()


def test_units_of_the_response(fitted):
    base = fitted(gaussian)

    @FEW
    @given(decades)
    def check(exponent):
        llf = base.llf - Y.size * exponent * np.log(10)
        assert_moved(fit(gaussian(X, Y * 10.0**exponent)), *moved(base, 10.0**exponent * np.eye(4)), llf)

    check()


@pytest.mark.parametrize("build", [gaussian, poisson, logistic])
def test_order_of_rows_and_columns(fitted, build):
    base = fitted(build)
    response = {gaussian: Y, poisson: COUNTS, logistic: HITS}[build]

    @FEW
    @given(st.permutations(range(20)), st.permutations([0, 1]))
    def check(rows, columns):
        order = [0, *(1 + c for c in columns), *range(3, len(base.params))]
        matrix = np.eye(len(base.params))[order]
        found = fit(build(X[np.ix_(rows, columns)], response[list(rows)]))
        assert_moved(found, *moved(base, matrix), base.llf)

    check()


def test_rotation_of_columns(fitted):
    base = fitted(gaussian)

    @FEW
    @given(st.floats(0, 2 * np.pi))
    def check(angle):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.eye(4)
        matrix[1:3, 1:3] = turn.T
        assert_moved(fit(gaussian(X @ turn)), *moved(base, matrix), base.llf)

    check()


def test_rows_taken_twice(fitted):
    for build, response in ((gaussian, Y), (poisson, COUNTS)):
        base = fitted(build)
        found = fit(build(np.vstack([X, X]), np.r_[response, response]))
        assert_moved(found, base.params, base.cov_params() / 2, 2 * base.llf)


def test_names_of_the_outcomes(fitted):
    base = fitted(logistic)
    assert_moved(fit(logistic(X, 1 - HITS)), *moved(base, -np.eye(3)), base.llf)


def scale_as(kind):
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b", shape=2)
        if kind == "log":
            sigma = pm.math.exp(pm.Flat("t"))
        elif kind == "variance":
            sigma = pm.math.sqrt(pm.HalfFlat("t"))
        elif kind == "precision":
            sigma = 1 / pm.math.sqrt(pm.HalfFlat("t"))
        else:
            sigma = pm.Uniform("t", 0, 50)
        pm.Normal("y", a + X @ b, sigma, observed=Y)
    return model


@pytest.mark.parametrize(
    ("kind", "value", "slope"),
    [
        ("log", np.log, lambda s: 1 / s),
        ("variance", np.square, lambda s: 2 * s),
        ("precision", lambda s: s**-2, lambda s: 2 * s**-3),
        ("interval", lambda s: s, lambda s: 1.0),
    ],
)
def test_parametrization_of_a_scale(fitted, kind, value, slope):
    base, found = fitted(gaussian), fit(scale_as(kind))
    sigma, se = base.params["sigma"], base.bse["sigma"]
    assert found.status.name == "CONVERGED"
    assert found.llf == pytest.approx(base.llf, rel=1e-11)
    np.testing.assert_allclose(found.params[:3], base.params[:3], atol=1e-9 * base.bse["a"])
    np.testing.assert_allclose(found.bse[:3], base.bse[:3], rtol=1e-8)
    assert found.params["t"] == pytest.approx(value(sigma), abs=1e-9 * slope(sigma) * se)
    assert found.bse["t"] == pytest.approx(slope(sigma) * se, rel=1e-8)


def test_parametrization_of_a_proportion():
    k, n = HITS.sum(), HITS.size
    q = k / n
    with pm.Model() as on_logit:
        t = pm.Flat("t")
        pm.Bernoulli("y", logit_p=t, observed=HITS)
    with pm.Model() as on_odds:
        t = pm.HalfFlat("t")
        pm.Bernoulli("y", p=t / (1 + t), observed=HITS)
    with pm.Model() as on_log:
        t = pm.Exponential("t", 1)
        pm.Bernoulli("y", p=pm.math.exp(-t), observed=HITS)
    se = np.sqrt(q * (1 - q) / n)
    expected = {
        on_logit: (np.log(q / (1 - q)), se / (q * (1 - q))),
        on_odds: (q / (1 - q), se / (1 - q) ** 2),
        on_log: (-np.log(q), se / q),
    }
    for model, (estimate, error) in expected.items():
        found = fit(model)
        assert found.params["t"] == pytest.approx(estimate, abs=1e-9 * error)
        assert found.bse["t"] == pytest.approx(error, rel=1e-8)
        assert found.llf == pytest.approx(k * np.log(q) + (n - k) * np.log(1 - q), rel=1e-11)


@FEW
@given(st.integers(-9, 9))
def test_units_of_a_gamma_sample(exponent):
    unit = 10.0**exponent
    with pm.Model() as model:
        shape, rate = pm.HalfFlat("shape"), pm.HalfFlat("rate")
        pm.Gamma("y", alpha=shape, beta=rate, observed=unit * WAITS)
    found = fit(model)
    assert found.status.name == "CONVERGED"
    # In any unit the shape solves log(a) - digamma(a) = log(mean) - mean(log).
    gap = np.log(WAITS.mean()) - np.log(WAITS).mean()
    a = brentq(lambda s: np.log(s) - digamma(s) - gap, 0.1, 50, xtol=1e-15, rtol=1e-14)
    assert found.params["shape"] == pytest.approx(a, rel=1e-9)
    assert found.params["rate"] == pytest.approx(a / (unit * WAITS.mean()), rel=1e-9)
    assert found.bse["shape"] == pytest.approx((8 * (polygamma(1, a) - 1 / a)) ** -0.5, rel=1e-8)
