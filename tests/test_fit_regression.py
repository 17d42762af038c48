"""Regressions against certified values, exact least squares and statsmodels; models on hard scales."""

from fractions import Fraction

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.datasets import longley, spector

from ppl_mle import find_MLE
from tests.reference import reference_problem

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

RNG = np.random.default_rng(20)
X = np.column_stack([RNG.normal(size=24), RNG.uniform(-1, 3, 24), RNG.integers(0, 2, 24)])
Y = 1.5 + X @ [0.7, -1.2, 0.4] + RNG.normal(size=24)


def linear_model(x, y):
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b", shape=x.shape[1])
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", a + x @ b, sigma, observed=y)
    return model


def exact_least_squares(x, y):
    """Maximum-likelihood estimates and standard errors (intercept first, sigma last) in rational arithmetic, and RSS.

    Doubles are exact rationals, so nothing is rounded before the result.
    """
    rows = [[Fraction(1), *map(Fraction, row)] for row in np.asarray(x, float).tolist()]
    response = [Fraction(value) for value in np.asarray(y, float).tolist()]
    p, n = len(rows[0]), len(rows)
    normal = [[sum(row[i] * row[j] for row in rows) for j in range(p)] for i in range(p)]
    right = [sum(row[i] * value for row, value in zip(rows, response, strict=True)) for i in range(p)]
    unit = [[Fraction(i == j) for j in range(p)] for i in range(p)]
    system = [[*line, value, *one] for line, value, one in zip(normal, right, unit, strict=True)]
    for i in range(p):
        system[i] = [value / system[i][i] for value in system[i]]
        for j in range(p):
            if j != i:
                system[j] = [a - system[j][i] * b for a, b in zip(system[j], system[i], strict=True)]
    beta = [line[p] for line in system]
    fits = (sum(b * value for b, value in zip(beta, row, strict=True)) for row in rows)
    rss = sum((value - fit) ** 2 for value, fit in zip(response, fits, strict=True))
    variance = rss / n
    ses = [float(variance * system[i][p + 1 + i]) ** 0.5 for i in range(p)]
    sigma = float(variance) ** 0.5
    return np.array([*map(float, beta), sigma]), np.array([*ses, sigma / np.sqrt(2 * n)]), float(rss)


def gaussian_llf(rss, n):
    return -n / 2 * (np.log(2 * np.pi * rss / n) + 1)


def assert_fit(fit, estimates, ses, llf, digits=8):
    assert fit.status.name == "CONVERGED"
    np.testing.assert_array_less(np.abs(fit.params - estimates) / ses, 10.0**-digits)
    np.testing.assert_allclose(fit.bse, ses, rtol=10.0**-digits)
    assert fit.llf == pytest.approx(llf, rel=1e-9)


def test_spector_is_statsmodels_logit():
    data = spector.load_pandas().data
    x, y = data[["GPA", "TUCE", "PSI"]].to_numpy(), data["GRADE"].to_numpy()
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b", shape=3)
        pm.Bernoulli("y", logit_p=a + x @ b, observed=y)
    fit = find_MLE(model, progressbar=False)
    oracle = sm.Logit(y, sm.add_constant(x)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
    np.testing.assert_allclose(fit.params, oracle.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse, oracle.bse, rtol=1e-9)
    np.testing.assert_allclose(fit.cov_params(), oracle.cov_params(), rtol=1e-9)
    np.testing.assert_allclose(fit.tvalues, oracle.tvalues, rtol=1e-9)
    np.testing.assert_allclose(fit.pvalues, oracle.pvalues, rtol=1e-8)
    np.testing.assert_allclose(fit.conf_int(), oracle.conf_int(), rtol=1e-8)
    assert fit.llf == pytest.approx(oracle.llf, rel=1e-12)
    assert fit.aic == pytest.approx(oracle.aic, rel=1e-12)
    assert fit.bic == pytest.approx(oracle.bic, rel=1e-12)


def test_longley_is_certified():
    data = longley.load_pandas().data
    model = linear_model(data.drop(columns="TOTEMP").to_numpy(float), data["TOTEMP"].to_numpy(float))
    fit = find_MLE(model, progressbar=False)
    problem = reference_problem("nist/Longley")
    n, p = 16, 7
    assert fit.status.name == "CONVERGED"
    np.testing.assert_allclose(fit.params[:p], problem.facts["certified"], rtol=1e-9)
    certified_sd = np.array(problem.facts["certified_sd"])
    np.testing.assert_allclose(fit.bse[:p] * np.sqrt(n / (n - p)), certified_sd, rtol=1e-7)
    residual_sd = problem.facts["certified_residual_sd"]
    assert fit.params["sigma"] * np.sqrt(n / (n - p)) == pytest.approx(residual_sd, rel=1e-9)
    assert fit.llf == pytest.approx(gaussian_llf(residual_sd**2 * (n - p), n), rel=1e-11)
    np.testing.assert_allclose(fit.bse, problem.se, rtol=1e-7)


def test_linear_regression_is_least_squares():
    estimates, ses, rss = exact_least_squares(X, Y)
    assert_fit(find_MLE(linear_model(X, Y), progressbar=False), estimates, ses, gaussian_llf(rss, 24), digits=10)


@pytest.mark.parametrize("units", [(1e-8, 1e8, 1.0), (1e8, 1e8, 1e-8), (1e-4, 1e4, 1e8)])
def test_columns_in_units_eight_decades_apart(units):
    x = X * units
    estimates, ses, rss = exact_least_squares(x, Y)
    assert_fit(find_MLE(linear_model(x, Y), progressbar=False), estimates, ses, gaussian_llf(rss, 24))


def test_column_far_from_zero():
    # A column around 1e6 with unit spread: the intercept's standard error is 1e6 times that of the slope.
    x = np.column_stack([X[:, 0] + 1e6, X[:, 1]])
    estimates, ses, rss = exact_least_squares(x, Y)
    assert_fit(find_MLE(linear_model(x, Y), progressbar=False), estimates, ses, gaussian_llf(rss, 24), digits=7)


@pytest.mark.parametrize(("center", "spread"), [(1e6, 1.0), (0.0, 1e6), (-3e-7, 1e-9), (1e8, 1e-2)])
def test_normal_sample_far_from_its_start(center, spread):
    # Incident: pm.find_MAP gave mu = 1.7e-5 and sigma = 1e6 for y ~ N(1e6, 1), and called it a success.
    y = center + spread * np.array([0.3, -1.1, 0.8, 1.9, -0.4, -2.0, 0.1, 0.7, -0.6, 1.2])
    exact = [Fraction(v) for v in y.tolist()]
    mean = sum(exact) / 10
    sd = float(sum((v - mean) ** 2 for v in exact) / 10) ** 0.5
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", mu, sigma, observed=y)
    ses = sd * np.array([10**-0.5, 20**-0.5])
    # Doubles near 1e8 are 1.5e-8 apart, which is 5e-6 standard errors of a mean with spread 0.01.
    digits = 8 if center < 1e8 else 5
    assert_fit(find_MLE(model, progressbar=False), [float(mean), sd], ses, gaussian_llf(sd**2 * 10, 10), digits)


def test_poisson_slope_over_thousands():
    # Incident: pm.find_MAP returned its starting point for a Poisson regression with x in [0, 2000].
    x = np.linspace(0, 2000, 41)
    y = np.random.default_rng(3).poisson(np.exp(0.4 + 0.0015 * x))
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b")
        pm.Poisson("y", pm.math.exp(a + b * x), observed=y)
    oracle = sm.GLM(y, sm.add_constant(x / 1000), family=sm.families.Poisson()).fit(tol=1e-15, maxiter=100)
    unit = np.array([1.0, 1e-3])
    assert_fit(find_MLE(model, progressbar=False), oracle.params * unit, oracle.bse * unit, oracle.llf)


def test_poisson_counts_in_the_millions():
    y = np.array([4_120_033, 3_998_271, 4_051_776, 4_003_541])
    with pm.Model() as model:
        log_rate = pm.Flat("log_rate")
        pm.Poisson("y", pm.math.exp(log_rate), observed=y)
    mean = y.mean()
    llf = stats.poisson.logpmf(y, mean).sum()
    fit = find_MLE(model, progressbar=False)
    assert fit.params["log_rate"] == pytest.approx(np.log(mean), abs=1e-8 / np.sqrt(y.sum()))
    assert fit.bse["log_rate"] == pytest.approx(1 / np.sqrt(y.sum()), rel=1e-9)
    assert fit.llf == pytest.approx(llf, abs=1e-6)  # a sum of terms near 6e7, each rounded in its 16th digit


def test_nearly_collinear_columns():
    x = np.column_stack([X[:, 0], X[:, 0] + 1e-5 * X[:, 1]])
    estimates, ses, rss = exact_least_squares(x, Y)
    assert_fit(find_MLE(linear_model(x, Y), progressbar=False), estimates, ses, gaussian_llf(rss, 24), digits=7)
