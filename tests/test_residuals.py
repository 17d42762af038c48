"""Residuals and influence, against statsmodels, SciPy and refits without single rows."""

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy import stats

from ppl_mle import RequestError, find_MLE

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

RNG = np.random.default_rng(8)
N = 50
X = RNG.normal(size=(N, 2))
ETA = 0.3 + X @ [0.6, -0.4]
COUNTS = RNG.poisson(np.exp(ETA))
BINARY = RNG.binomial(1, 1 / (1 + np.exp(-ETA)))
HITS = RNG.binomial(7, 1 / (1 + np.exp(-ETA)))
REAL = ETA + RNG.normal(size=N)
POSITIVE = RNG.gamma(4, np.exp(ETA) / 4)
FAMILIES = sm.families


def fit_of(respond):
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Flat("b", shape=2)
        respond(a + X @ b)
    return find_MLE(model, progressbar=False)


def poisson(eta):
    pm.Poisson("y", pm.math.exp(eta), observed=COUNTS)


def logit(eta):
    pm.Bernoulli("y", logit_p=eta, observed=BINARY)


def normal(eta):
    pm.Normal("y", eta, pm.HalfFlat("sigma"), observed=REAL)


def gamma(eta):
    alpha = pm.HalfFlat("alpha")
    pm.Gamma("y", alpha=alpha, beta=alpha / pm.math.exp(eta), observed=POSITIVE)


def glm(y, family):
    return sm.GLM(y, sm.add_constant(X), family=family).fit(tol=1e-15, maxiter=300)


GLMS = {
    "poisson": (poisson, lambda: glm(COUNTS, FAMILIES.Poisson())),
    "logit": (logit, lambda: glm(BINARY, FAMILIES.Binomial())),
    "normal": (normal, lambda: glm(REAL, FAMILIES.Gaussian())),
    "gamma": (gamma, lambda: glm(POSITIVE, FAMILIES.Gamma(FAMILIES.links.Log()))),
}


@pytest.mark.parametrize("name", GLMS)
def test_residuals_are_those_of_statsmodels(name):
    respond, make = GLMS[name]
    fit, oracle = fit_of(respond), make()
    np.testing.assert_allclose(fit.residuals(), oracle.resid_response, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(fit.residuals("deviance"), oracle.resid_deviance, rtol=1e-8, atol=1e-10)
    # statsmodels leaves the dispersion out: 1 / alpha of a gamma, sigma^2 of a normal response.
    dispersion = {"gamma": 1 / fit.params.get("alpha", 1), "normal": fit.params.get("sigma", 1) ** 2}.get(name, 1.0)
    np.testing.assert_allclose(
        fit.residuals("pearson") * np.sqrt(dispersion), oracle.resid_pearson, rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize("name", GLMS)
def test_influence_is_that_of_statsmodels(name):
    respond, make = GLMS[name]
    frame, oracle = fit_of(respond).influence(), make().get_influence()
    np.testing.assert_allclose(frame["leverage"], oracle.hat_matrix_diag, rtol=1e-8)
    np.testing.assert_allclose(frame["std_resid"], oracle.resid_studentized, rtol=1e-8)
    np.testing.assert_allclose(frame["cooks_distance"], oracle.cooks_distance[0], rtol=1e-8)
    if name in ("poisson", "logit"):  # canonical, so that statsmodels' errors are those of the observed information
        np.testing.assert_allclose(frame.filter(like="dfbetas"), oracle.dfbetas, rtol=1e-8, atol=1e-10)


def test_influence_without_canonical_link_is_over_errors_of_the_observed_information():
    # statsmodels divides the same one-step changes by standard errors of the expected information.
    with pm.Model() as model:
        b = pm.Flat("b", shape=X.shape[1])
        pm.Bernoulli("y", p=pm.math.invprobit(X @ b), observed=BINARY)
    fit = find_MLE(model, progressbar=False)
    oracle = sm.GLM(BINARY, X, family=sm.families.Binomial(sm.families.links.Probit())).fit(tol=1e-14, maxiter=100)
    influence, found = oracle.get_influence(), fit.influence()
    np.testing.assert_allclose(found["leverage"], influence.hat_matrix_diag, rtol=1e-7)
    observed = np.sqrt(np.diag(np.linalg.inv(-oracle.model.hessian(oracle.params, observed=True))))
    np.testing.assert_allclose(found.iloc[:, 3:], influence.d_params / observed, rtol=1e-6, atol=1e-9)
    assert np.abs(observed / oracle.bse - 1).max() > 1e-3


def test_influence_of_least_squares_is_that_of_statsmodels():
    frame = fit_of(normal).influence()
    oracle = sm.OLS(REAL, sm.add_constant(X)).fit().get_influence()
    assert list(frame.filter(like="dfbetas")) == ["dfbetas[a]", "dfbetas[b[0]]", "dfbetas[b[1]]"]
    np.testing.assert_allclose(frame["leverage"], oracle.hat_matrix_diag, rtol=1e-9)
    np.testing.assert_allclose(frame["std_resid"], oracle.resid_studentized_internal, rtol=1e-9)
    np.testing.assert_allclose(frame["cooks_distance"], oracle.cooks_distance[0], rtol=1e-8)
    np.testing.assert_allclose(frame.filter(like="dfbetas"), oracle.dfbetas, rtol=1e-8, atol=1e-12)


def test_leverage_does_not_depend_on_units():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") + (X * [1e8, 1e-8]) @ pm.Flat("b", shape=2), pm.HalfFlat("sigma"), observed=REAL)
    frame, plain = find_MLE(model, progressbar=False).influence(), fit_of(normal).influence()
    np.testing.assert_allclose(frame.to_numpy(), plain.to_numpy(), rtol=1e-6, atol=1e-9)


def test_quantile_residuals_are_the_quantiles():
    fit = fit_of(gamma)
    alpha, mean = fit.params["alpha"], fit.predict().to_numpy()
    expected = stats.norm.ppf(stats.gamma.cdf(POSITIVE, alpha, scale=mean / alpha))
    np.testing.assert_allclose(fit.residuals("quantile"), expected, rtol=1e-7, atol=1e-9)
    fit = fit_of(normal)
    np.testing.assert_allclose(fit.residuals("quantile"), fit.residuals() / fit.params["sigma"], rtol=1e-9, atol=1e-12)


def test_quantile_residuals_of_counts_lie_between_the_limits_and_repeat_with_the_seed():
    fit = fit_of(poisson)
    mean = fit.predict().to_numpy()
    found = stats.norm.cdf(fit.residuals("quantile", random_seed=4))
    assert np.all(found >= stats.poisson.cdf(COUNTS - 1, mean) - 1e-12)
    assert np.all(found <= stats.poisson.cdf(COUNTS, mean) + 1e-12)
    assert fit.residuals("quantile", random_seed=4).equals(fit.residuals("quantile", random_seed=4))
    assert not fit.residuals("quantile", random_seed=4).equals(fit.residuals("quantile", random_seed=5))


def test_quantile_residuals_of_a_true_model_are_standard_normal():
    rng = np.random.default_rng(1)
    x = rng.normal(size=2000)
    mu = np.exp(0.5 + 0.4 * x)
    y = rng.poisson(mu) * (rng.random(2000) < 0.7)
    with pm.Model() as model:
        rate = pm.math.exp(pm.Flat("a") + pm.Flat("b") * x)
        pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi", 0, 1), mu=rate, observed=y)
    found = find_MLE(model, progressbar=False).residuals("quantile")
    assert stats.kstest(found, "norm").pvalue > 0.05
    censored = np.minimum(rng.weibull(1.5, 2000) * mu, 2.0)
    with pm.Model() as model:
        lifetime = pm.Weibull.dist(pm.HalfFlat("alpha"), pm.math.exp(pm.Flat("a") + pm.Flat("b") * x))
        pm.Censored("t", lifetime, lower=None, upper=2.0, observed=censored)
    fit = find_MLE(model, progressbar=False)
    assert stats.kstest(fit.residuals("quantile"), "norm").pvalue > 0.05
    with pytest.raises(RequestError, match="'t' is censored"):
        fit.residuals()


def test_scores_sum_to_the_gradient():
    fit = fit_of(normal)
    scores = fit.residuals("score")
    assert list(scores) == ["a", "b[0]", "b[1]", "log(sigma)"]
    distance, sigma = fit.residuals().to_numpy(), fit.params["sigma"]
    np.testing.assert_allclose(scores["a"], distance / sigma**2, rtol=1e-9)
    np.testing.assert_allclose(scores["log(sigma)"], (distance / sigma) ** 2 - 1, rtol=1e-8, atol=1e-9)


FORMULAS = {  # deviances from their definition: twice the fall of the log-density from its maximum over the location
    "student": (
        lambda: pm.StudentT("y", nu=4, mu=pm.Flat("m"), sigma=1.5, observed=REAL),
        lambda fit: (REAL - fit.params["m"], 2 * 1.5**2 * _fall(stats.t(4, 0, 1.5), REAL - fit.params["m"])),
    ),
    "weibull": (
        lambda: pm.Weibull("y", alpha=2.0, beta=pm.HalfFlat("b"), observed=POSITIVE),
        lambda fit: (POSITIVE - fit.params["b"], _weibull_deviance(POSITIVE / fit.params["b"])),
    ),
}


def _fall(law, distance):
    return law.logpdf(0.0) - law.logpdf(distance)


def _weibull_deviance(ratio):
    density = stats.weibull_min(2.0)
    return 2 * ((density.logpdf(1.0)) - (density.logpdf(ratio) + np.log(ratio)))


@pytest.mark.parametrize("name", FORMULAS)
def test_deviance_is_the_fall_of_the_log_density(name):
    declare, expect = FORMULAS[name]
    with pm.Model() as model:
        declare()
    fit = find_MLE(model, progressbar=False)
    distance, deviance = expect(fit)
    np.testing.assert_allclose(fit.residuals("deviance"), np.sign(distance) * np.sqrt(deviance), rtol=1e-6, atol=1e-8)


VARIANCES = {
    "beta": (lambda: pm.Beta("y", 2.0, 3.0, observed=[0.2]), stats.beta(2, 3)),
    "negative binomial": (lambda: pm.NegativeBinomial("y", mu=3.0, alpha=2.0, observed=[2]), stats.nbinom(2, 0.4)),
    "student": (lambda: pm.StudentT("y", nu=5, mu=1.0, sigma=2.0, observed=[2.0]), stats.t(5, 1, 2)),
    "lognormal": (lambda: pm.LogNormal("y", 0.3, 0.8, observed=[2.0]), stats.lognorm(0.8, scale=np.exp(0.3))),
    "weibull": (lambda: pm.Weibull("y", 1.5, 2.0, observed=[2.0]), stats.weibull_min(1.5, scale=2)),
    "inverse gaussian": (lambda: pm.Wald("y", mu=2.0, lam=3.0, observed=[2.0]), stats.invgauss(2 / 3, scale=3)),
    "laplace": (lambda: pm.Laplace("y", 1.0, 2.0, observed=[2.0]), stats.laplace(1, 2)),
    "logistic": (lambda: pm.Logistic("y", 1.0, 2.0, observed=[2.0]), stats.logistic(1, 2)),
    "gumbel": (lambda: pm.Gumbel("y", 1.0, 2.0, observed=[2.0]), stats.gumbel_r(1, 2)),
    "skew normal": (lambda: pm.SkewNormal("y", mu=1.0, sigma=2.0, alpha=3.0, observed=[2.0]), stats.skewnorm(3, 1, 2)),
    "inverse gamma": (lambda: pm.InverseGamma("y", 4.0, 2.0, observed=[2.0]), stats.invgamma(4, scale=2)),
    "half normal": (lambda: pm.HalfNormal("y", 2.0, observed=[2.0]), stats.halfnorm(scale=2)),
    "geometric": (lambda: pm.Geometric("y", 0.3, observed=[2]), stats.geom(0.3)),
    "beta-binomial": (lambda: pm.BetaBinomial("y", 2.0, 3.0, 9, observed=[2]), stats.betabinom(9, 2, 3)),
    "uniform": (lambda: pm.Uniform("y", 1.0, 4.0, observed=[2.0]), stats.uniform(1, 3)),
    "binomial": (lambda: pm.Binomial("y", 9, 0.3, observed=[2]), stats.binom(9, 0.3)),
}


@pytest.mark.parametrize("name", VARIANCES)
def test_variances_are_those_of_scipy(name):
    declare, law = VARIANCES[name]
    with pm.Model() as model:
        declare()
        pm.Normal("other", pm.Flat("mu"), 1, observed=[0.0])
    fit = find_MLE(model, progressbar=False)
    y = float(np.ravel(fit.groups["observed_data"]["y"])[0])
    found = fit.residuals("pearson", var_name="y").iloc[0]
    assert fit.predict(var_name="y").iloc[0] == pytest.approx(law.mean(), rel=1e-9)
    assert found == pytest.approx((y - law.mean()) / law.std(), rel=1e-7, abs=1e-12)


def test_frequency_weights_are_repeated_rows():
    weights = np.arange(N) % 3 + 1
    with pm.Model() as model:
        pm.Poisson("y", pm.math.exp(pm.Flat("a") + X @ pm.Flat("b", shape=2)), observed=COUNTS)
    with pm.Model() as repeated:
        design = np.repeat(X, weights, axis=0)
        mean = pm.math.exp(pm.Flat("a") + design @ pm.Flat("b", shape=2))
        pm.Poisson("y", mean, observed=np.repeat(COUNTS, weights))
    found = find_MLE(model, progressbar=False, weights=weights).influence()
    expected = find_MLE(repeated, progressbar=False).influence()
    np.testing.assert_allclose(np.repeat(found.to_numpy(), weights, axis=0), expected.to_numpy(), rtol=1e-7, atol=1e-10)


def test_what_is_not_defined_is_said():
    fit = fit_of(normal)
    with pytest.raises(RequestError, match="kind='working' is unknown; use 'response', 'pearson'"):
        fit.residuals("working")
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") * pm.math.exp(pm.Flat("b") * X[:, 0]), pm.HalfFlat("sigma"), observed=REAL)
    with pytest.raises(RequestError, match="one affine mean predictor"):
        find_MLE(model, progressbar=False).influence()
    with pm.Model() as model:
        pm.Beta("y", mu=pm.Uniform("mu", 0, 1), nu=pm.HalfFlat("nu"), observed=1 / (1 + np.exp(-REAL)))
    with pytest.raises(RequestError, match="need the deviance of Beta"):
        find_MLE(model, progressbar=False).residuals("deviance")
