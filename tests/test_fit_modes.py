"""Posterior modes and models with latent variables: closed forms of the mode of the density as it is declared."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from ppl_mle import FitWarning, RequestError, find_MAP, find_MLE

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2, 3.1])
EFFECTS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
ERRORS = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
TAU = 5.0


def flat_normal():
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", mu, sigma, observed=Y)
    return model


def centered():
    with pm.Model(coords={"school": list("abcdefgh")}) as model:
        mu = pm.Flat("mu")
        tau = pm.HalfFlat("tau")
        theta = pm.Normal("theta", mu, tau, dims="school")
        pm.Normal("y", theta, ERRORS, observed=EFFECTS)
    return model


def noncentered():
    with pm.Model(coords={"school": list("abcdefgh")}) as model:
        mu = pm.Flat("mu")
        tau = pm.HalfFlat("tau")
        z = pm.Normal("z", 0, 1, dims="school")
        theta = pm.Deterministic("theta", mu + tau * z, dims="school")
        pm.Normal("y", theta, ERRORS, observed=EFFECTS)
    return model


def joint_mode():
    """Mode of (mu, theta) for a given tau: mu weighs by the marginal variances, theta shrinks towards it."""
    weight = 1 / (TAU**2 + ERRORS**2)
    mu = np.sum(weight * EFFECTS) / weight.sum()
    precision = 1 / TAU**2 + 1 / ERRORS**2
    theta = (mu / TAU**2 + EFFECTS / ERRORS**2) / precision
    # Schur complement of theta: the joint curvature leaves mu the marginal variance.
    se_mu = 1 / np.sqrt(weight.sum())
    se_theta = np.sqrt(1 / precision + (se_mu / TAU**2 / precision) ** 2)
    return mu, theta, se_mu, se_theta


class TestMode:
    def test_beta_binomial_mode_has_no_jacobian(self):
        # Incident: PyTensor took log B(2, 3) of the literals 2 and 3 in float32, and lpf was wrong in the 8th digit.
        # With the Jacobian of the logit the mode would be (a + k)/(a + b + n) = 0.36.
        with pm.Model() as model:
            p = pm.Beta("p", 2, 3)
            pm.Binomial("y", n=20, p=p, observed=7)
        fit = find_MAP(model, progressbar=False)
        q = 8 / 23
        assert fit.status.name == "CONVERGED"
        assert fit.params["p"] == pytest.approx(q, rel=1e-10)
        assert fit.bse["p"] == pytest.approx(1 / np.sqrt(8 / q**2 + 15 / (1 - q) ** 2), rel=1e-9)
        assert fit.llf == pytest.approx(stats.binom.logpmf(7, 20, q), rel=1e-10)
        assert fit.lpf == pytest.approx(stats.binom.logpmf(7, 20, q) + stats.beta.logpdf(q, 2, 3), rel=1e-10)
        assert fit.estimator == "MAP"

    def test_normal_mean_with_normal_prior(self):
        with pm.Model() as model:
            mu = pm.Normal("mu", 1.0, 0.7)
            pm.Normal("y", mu, 1.3, observed=Y)
        fit = find_MAP(model, progressbar=False)
        precision = 1 / 0.49 + Y.size / 1.69
        mean = (1 / 0.49 + Y.sum() / 1.69) / precision
        assert fit.params["mu"] == pytest.approx(mean, rel=1e-12)
        assert fit.bse["mu"] == pytest.approx(precision**-0.5, rel=1e-10)
        llf = stats.norm.logpdf(Y, mean, 1.3).sum()
        assert fit.llf == pytest.approx(llf, rel=1e-11)
        assert fit.lpf == pytest.approx(llf + stats.norm.logpdf(mean, 1.0, 0.7), rel=1e-10)

    def test_mode_of_a_scale_on_the_declared_scale(self):
        # d/ds [-n log s - S/(2 s^2) - 2 s] = 0, that is 2 s^3 + n s^2 - S = 0.
        with pm.Model() as model:
            sigma = pm.Exponential("sigma", 2.0)
            pm.Normal("y", 2.5, sigma, observed=Y)
        fit = find_MAP(model, progressbar=False)
        n, total = Y.size, np.sum((Y - 2.5) ** 2)
        s = max(np.roots([2, n, 0, -total]).real)
        assert fit.params["sigma"] == pytest.approx(s, rel=1e-10)
        assert fit.bse["sigma"] == pytest.approx((3 * total / s**4 - n / s**2) ** -0.5, rel=1e-9)

    def test_ridge_regression(self):
        rng = np.random.default_rng(4)
        x = rng.normal(size=(9, 12))  # more columns than rows: only the prior makes the mode unique
        y = rng.normal(size=9)
        with pm.Model() as model:
            b = pm.Normal("b", 0, 0.8, shape=12)
            pm.Normal("y", x @ b, 0.5, observed=y)
        fit = find_MAP(model, progressbar=False)
        precision = x.T @ x / 0.25 + np.eye(12) / 0.64
        np.testing.assert_allclose(fit.params, np.linalg.solve(precision, x.T @ y / 0.25), atol=1e-10)
        np.testing.assert_allclose(fit.cov_params(), np.linalg.inv(precision), atol=1e-11)

    def test_flat_priors_make_it_the_likelihood(self):
        fit = find_MAP(flat_normal(), progressbar=False)
        np.testing.assert_allclose(fit.params, [Y.mean(), Y.std()], rtol=1e-9)
        np.testing.assert_allclose(fit.bse, Y.std() / np.sqrt([7, 14]), rtol=1e-9)
        llf = -3.5 * (np.log(2 * np.pi * Y.var()) + 1)
        assert fit.lpf == pytest.approx(llf, rel=1e-11)
        assert fit.aic == pytest.approx(-2 * llf + 4, rel=1e-11)
        assert fit.bic == pytest.approx(-2 * llf + 2 * np.log(7), rel=1e-11)

    def test_priors_only_give_the_support_to_a_likelihood_fit(self):
        with pm.Model() as model:
            mu = pm.Normal("mu", -40, 0.01)
            sigma = pm.HalfNormal("sigma", 1e-3)
            pm.Normal("y", mu, sigma, observed=Y)
        fit = find_MLE(model, progressbar=False)
        np.testing.assert_allclose(fit.params, [Y.mean(), Y.std()], rtol=1e-9)

    @pytest.mark.parametrize("name", ["aic", "aicc", "bic"])
    def test_criteria_of_a_mode_with_a_proper_prior_are_refused(self, fitted, name):
        with pytest.raises(RequestError, match=f"{name}.*find_MLE"):
            getattr(fitted(proper_normal, find_MAP), name)


def proper_normal():
    with pm.Model() as model:
        mu = pm.Normal("mu", 1.0, 0.7)
        pm.Normal("y", mu, 1.3, observed=Y)
    return model


class TestLatent:
    @pytest.mark.parametrize("find", [find_MLE, find_MAP])
    def test_centered_effects_for_a_given_scale(self, find):
        mu, theta, se_mu, se_theta = joint_mode()
        fit = find(centered(), fixed={"tau": TAU}, progressbar=False)
        assert fit.status.name == "CONVERGED"
        assert fit.params["mu"] == pytest.approx(mu, rel=1e-10)
        assert fit.bse["mu"] == pytest.approx(se_mu, rel=1e-9)
        labels = [f"theta[{s}]" for s in "abcdefgh"]
        np.testing.assert_allclose(fit.params[labels], theta, rtol=1e-10)
        np.testing.assert_allclose(fit.bse[labels], se_theta, rtol=1e-9)
        llf = stats.norm.logpdf(EFFECTS, theta, ERRORS).sum()
        assert fit.llf == pytest.approx(llf, rel=1e-11)
        assert fit.lpf == pytest.approx(llf + stats.norm.logpdf(theta, mu, TAU).sum(), rel=1e-11)
        assert fit.results.latents == ("theta",)

    @pytest.mark.parametrize("find", [find_MLE, find_MAP])
    def test_noncentered_effects_are_the_same_model(self, find):
        mu, theta, se_mu, se_theta = joint_mode()
        fit = find(noncentered(), fixed={"tau": TAU}, progressbar=False)
        assert fit.status.name == "CONVERGED"
        derived = fit.deterministic("theta")
        assert fit.params["mu"] == pytest.approx(mu, rel=1e-10)
        assert fit.bse["mu"] == pytest.approx(se_mu, rel=1e-9)
        np.testing.assert_allclose(derived.params, theta, rtol=1e-10)
        np.testing.assert_allclose(derived.bse, se_theta, rtol=1e-9)
        assert list(derived.params.index) == [f"theta[{s}]" for s in "abcdefgh"]
        z = (theta - mu) / TAU
        llf = stats.norm.logpdf(EFFECTS, theta, ERRORS).sum()
        assert fit.lpf == pytest.approx(llf + stats.norm.logpdf(z).sum(), rel=1e-11)
        assert fit.results.latents == ("z",)

    def test_finding_says_what_was_inferred(self):
        fit = find_MLE(noncentered(), fixed={"tau": TAU}, progressbar=False)
        assert any(finding.startswith("z ") and "latent" in finding for finding in fit.findings)

    def test_overruled_latent_is_a_parameter(self):
        # Without its density z is free: mu + tau z fits every school exactly, mu alone is not known.
        with pytest.warns(FitWarning, match="mu"):
            fit = find_MLE(noncentered(), fixed={"tau": TAU}, latent=[], progressbar=False)
        assert fit.status.name == "UNIDENTIFIED"
        derived = fit.deterministic("theta")
        np.testing.assert_allclose(derived.params, EFFECTS, rtol=1e-9)
        np.testing.assert_allclose(derived.bse, ERRORS, rtol=1e-8)
        assert np.isnan(fit.bse["mu"])
        assert fit.llf == pytest.approx(-np.sum(np.log(ERRORS)) - 4 * np.log(2 * np.pi), rel=1e-11)

    def test_requested_latent_keeps_its_density(self):
        with pm.Model() as model:
            mu = pm.Normal("mu", 1.0, 0.7)
            pm.Normal("y", mu, 1.3, observed=Y)
        fit = find_MLE(model, latent=["mu"], progressbar=False)
        precision = 1 / 0.49 + Y.size / 1.69
        assert fit.params["mu"] == pytest.approx((1 / 0.49 + Y.sum() / 1.69) / precision, rel=1e-12)

    def test_criteria_need_the_marginal_likelihood(self):
        fit = find_MLE(centered(), fixed={"tau": TAU}, progressbar=False)
        with pytest.raises(RequestError, match="theta"):
            _ = fit.aic
