"""What can be asked of a fit, against closed forms: intervals, fixed parameters, weights, Potentials, missing rows."""

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, logit

from ppl_mle import FitError, ModelError, RequestError, find_MLE
from ppl_mle.maximize import QuasiNewton

LENGTHS = np.array([4.21, 3.87, 5.02, 4.66, 4.40, 3.95, 4.83, 4.12, 5.31, 4.57, 4.05])
N, MEAN, SD = LENGTHS.size, LENGTHS.mean(), LENGTHS.std()
X = np.array([[0.5, 1.0], [1.5, -1.0], [2.0, 0.5], [3.5, 2.0], [4.0, -0.5], [5.5, 1.5], [6.0, 0.0], [7.5, -2.0]])
Y = np.array([1.1, 2.3, 2.2, 4.6, 3.9, 6.1, 6.6, 7.0])
COUNTS = np.array([3, 0, 5, 2, 7])


def normal_model(observed=LENGTHS):
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", mu, sigma, observed=observed)
    return model


def coin_model():
    with pm.Model() as model:
        p = pm.Uniform("p", 0, 1)
        pm.Bernoulli("y", p=p, observed=np.repeat([0, 1], [30, 10]))
    return model


def linear_model():
    with pm.Model(coords={"column": ["u", "v"]}) as model:
        a = pm.Flat("a")
        b = pm.Flat("b", dims="column")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", a + X @ b, sigma, observed=Y)
    return model


def simplex_model():
    with pm.Model() as model:
        p = pm.Dirichlet("p", np.ones(3))
        pm.Categorical("y", p=p, observed=np.repeat([0, 1, 2], [5, 3, 2]))
    return model


class TestIntervals:
    @pytest.mark.parametrize("ci_prob", [0.5, 0.89, 0.95, 0.999])
    def test_wald_intervals_are_made_on_the_unconstrained_scale(self, fitted, ci_prob):
        table = fitted(normal_model).conf_int(ci_prob=ci_prob)
        z = stats.norm.ppf(0.5 + ci_prob / 2)
        factor = np.exp(z / np.sqrt(2 * N))
        np.testing.assert_allclose(table.loc["mu"], MEAN + np.array([-z, z]) * SD / np.sqrt(N), rtol=1e-9)
        np.testing.assert_allclose(table.loc["sigma"], [SD / factor, SD * factor], rtol=1e-9)
        assert list(table.columns) == ["lower", "upper"]

    def test_wald_interval_of_a_proportion_is_made_on_the_logit_scale(self, fitted):
        z = stats.norm.ppf(0.975)
        se = 1 / np.sqrt(40 * 0.25 * 0.75)
        expected = expit(logit(0.25) + np.array([-z, z]) * se)
        np.testing.assert_allclose(fitted(coin_model).conf_int().loc["p"], expected, rtol=1e-9)

    def test_declared_scale_is_symmetric(self, fitted):
        z = stats.norm.ppf(0.95)
        table = fitted(normal_model).conf_int(ci_prob=0.9, scale="declared")
        np.testing.assert_allclose(table.loc["sigma"], SD + np.array([-z, z]) * SD / np.sqrt(2 * N), rtol=1e-9)

    def test_interval_of_a_bounded_parameter(self):
        # p = 2 q - 1 with q a proportion of 3/4: the interval of q by logit, moved.
        with pm.Model() as model:
            r = pm.Uniform("r", -1, 1)
            pm.Bernoulli("y", p=(r + 1) / 2, observed=np.repeat([1, 0], [30, 10]))
        fit = find_MLE(model, progressbar=False)
        z = stats.norm.ppf(0.975)
        q = expit(logit(0.75) + np.array([-z, z]) / np.sqrt(40 * 0.75 * 0.25))
        assert fit.params["r"] == pytest.approx(0.5, rel=1e-9)
        np.testing.assert_allclose(fit.conf_int().loc["r"], 2 * q - 1, rtol=1e-8)

    @pytest.mark.parametrize("ci_prob", [0, 1, 1.5, -0.1, 95, np.nan])
    def test_probability_outside_the_unit_interval_is_refused(self, fitted, ci_prob):
        with pytest.raises(RequestError, match="ci_prob"):
            fitted(normal_model).conf_int(ci_prob=ci_prob)

    @pytest.mark.parametrize("option", [{"method": "magic"}, {"scale": "log"}])
    def test_unknown_options_are_refused(self, fitted, option):
        (name, value) = next(iter(option.items()))
        with pytest.raises(RequestError, match=f"{name}='{value}'"):
            fitted(normal_model).conf_int(**option)

    def test_p_values(self, fitted):
        fit = fitted(normal_model)
        z = MEAN / (SD / np.sqrt(N))
        assert fit.tvalues["mu"] == pytest.approx(z, rel=1e-9)
        assert fit.pvalues["mu"] == pytest.approx(2 * stats.norm.sf(z), rel=1e-6)
        assert np.isnan(fit.pvalues["sigma"])
        assert fit.tvalues["sigma"] == pytest.approx(np.sqrt(2 * N), rel=1e-9)

    def test_p_value_needs_zero_inside_the_support(self, fitted):
        assert np.isnan(fitted(coin_model).pvalues["p"])
        with pm.Model() as model:
            r = pm.Uniform("r", -1, 1)
            pm.Bernoulli("y", p=(r + 1) / 2, observed=np.repeat([1, 0], [30, 10]))
        se = 2 * np.sqrt(0.75 * 0.25 / 40)
        fit = find_MLE(model, progressbar=False)
        assert fit.pvalues["r"] == pytest.approx(2 * stats.norm.sf(0.5 / se), rel=1e-8)


class TestFixed:
    def test_fixed_sigma(self):
        fit = find_MLE(normal_model(), fixed={"sigma": 0.6}, progressbar=False)
        assert fit.params["mu"] == pytest.approx(MEAN, rel=1e-12)
        assert fit.params["sigma"] == pytest.approx(0.6, rel=1e-14)
        assert fit.bse["mu"] == pytest.approx(0.6 / np.sqrt(N), rel=1e-10)
        assert fit.bse["sigma"] == 0
        assert fit.df_model == 1
        assert fit.llf == pytest.approx(stats.norm.logpdf(LENGTHS, MEAN, 0.6).sum(), rel=1e-12)
        np.testing.assert_allclose(fit.conf_int().loc["sigma"], 0.6, rtol=1e-12)

    def test_fixed_element_is_the_model_without_its_column(self, fitted):
        fit = find_MLE(linear_model(), fixed={"b[v]": 0.0}, progressbar=False)
        small = sm.OLS(Y, sm.add_constant(X[:, :1])).fit()
        sigma = np.sqrt(small.ssr / Y.size)
        np.testing.assert_allclose(fit.params, [*small.params, 0, sigma], rtol=1e-9)
        ses = small.bse * np.sqrt(small.df_resid / Y.size)
        np.testing.assert_allclose(fit.bse, [*ses, 0, sigma / np.sqrt(2 * Y.size)], rtol=1e-9)
        assert fit.df_model == 3
        assert fit.llf == pytest.approx(small.llf, rel=1e-11)
        full = sm.OLS(Y, sm.add_constant(X)).fit()
        ratio = 2 * (fitted(linear_model).llf - fit.llf)
        assert ratio == pytest.approx(Y.size * np.log(small.ssr / full.ssr), rel=1e-9)

    def test_fixed_vector(self):
        fit = find_MLE(linear_model(), fixed={"b": [1.0, -0.5]}, progressbar=False)
        rest = Y - X @ [1.0, -0.5]
        np.testing.assert_allclose(fit.params, [rest.mean(), 1.0, -0.5, rest.std()], rtol=1e-10)
        assert fit.df_model == 2

    def test_nothing_left_free_is_refused(self):
        with pytest.raises(ModelError, match="every parameter is fixed"):
            find_MLE(coin_model(), fixed={"p": 0.4}, progressbar=False)

    def test_one_element_of_a_simplex_cannot_be_fixed(self):
        with pytest.raises(RequestError, match=r"p\[1\]"):
            find_MLE(simplex_model(), fixed={"p[1]": 0.2}, progressbar=False)

    @pytest.mark.parametrize(
        ("fixed", "words"),
        [
            ({"b[w]": 0.0}, r"b\[w\]"),
            ({"sigma": -1.0}, "sigma"),
            ({"sigma": 0.0}, "sigma"),
            ({"b": [1.0, 2.0, 3.0]}, "b"),
            ({"b[u]": [1.0, 2.0]}, r"b\[u\]"),
            ({"a": np.nan}, "a"),
        ],
    )
    def test_impossible_requests_are_refused_by_name(self, fixed, words):
        with pytest.raises(RequestError, match=f"'{words}'"):
            find_MLE(linear_model(), fixed=fixed, progressbar=False)


class TestWeights:
    def test_weighted_rows_are_repeated_rows(self):
        weights = np.array([2, 1, 0, 3, 1, 1, 4, 1, 2, 1, 1])
        fit = find_MLE(normal_model(), weights=weights, progressbar=False)
        rows = np.repeat(LENGTHS, weights)
        n, m, s = rows.size, rows.mean(), rows.std()
        assert fit.status.name == "CONVERGED"
        np.testing.assert_allclose(fit.params, [m, s], rtol=1e-10)
        np.testing.assert_allclose(fit.bse, [s / np.sqrt(n), s / np.sqrt(2 * n)], rtol=1e-9)
        assert fit.llf == pytest.approx(stats.norm.logpdf(rows, m, s).sum(), rel=1e-11)
        assert fit.nobs == weights.sum() == n
        assert fit.bic == pytest.approx(-2 * fit.llf + 2 * np.log(n), rel=1e-12)

    def test_weighted_poisson_regression_is_statsmodels_with_freq_weights(self):
        x, y, w = np.array([0.0, 1, 2, 3, 4]), COUNTS, np.array([2.0, 3, 1, 5, 2])
        with pm.Model() as model:
            a = pm.Flat("a")
            b = pm.Flat("b")
            pm.Poisson("y", pm.math.exp(a + b * x), observed=y)
        fit = find_MLE(model, weights={"y": w}, progressbar=False)
        glm = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson(), freq_weights=w)
        oracle = glm.fit(tol=1e-14, maxiter=100)
        np.testing.assert_allclose(fit.params, oracle.params, rtol=1e-9)
        # statsmodels takes its covariance one step before the last, so the information is formed here.
        design = sm.add_constant(x)
        information = (design.T * (w * oracle.mu)) @ design
        np.testing.assert_allclose(fit.cov_params(), np.linalg.inv(information), rtol=1e-9)
        assert fit.llf == pytest.approx(oracle.llf, rel=1e-11)
        assert fit.nobs == 13

    @pytest.mark.parametrize(
        ("weights", "words"),
        [
            (np.ones(3), "3"),
            (np.r_[-1.0, np.ones(10)], "row 0"),
            (np.r_[np.ones(10), np.nan], "row 10"),
            (np.zeros(11), "zero"),
            ({"z": np.ones(11)}, "'z'"),
        ],
    )
    def test_impossible_weights_are_refused(self, weights, words):
        with pytest.raises(RequestError, match=words):
            find_MLE(normal_model(), weights=weights, progressbar=False)

    @pytest.mark.filterwarnings("ignore::pymc.exceptions.ImputationWarning")
    def test_weights_of_rows_without_a_response_are_to_be_left_out(self):
        y = np.array([1.0, np.nan, 3.0, 8.0])
        with pm.Model() as model:
            pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y)
        words = "has 4 values for 3 rows; rows without a response are left out, leave their weights out too"
        with pytest.raises(RequestError, match=words):
            find_MLE(model, weights=np.ones(4), progressbar=False)
        fit = find_MLE(model, weights=[2, 1, 1], progressbar=False)
        np.testing.assert_allclose(fit.params["mu"], np.mean([1, 1, 3, 8]), rtol=1e-12)


class TestPotentials:
    @staticmethod
    def model():
        with pm.Model() as model:
            mu = pm.Flat("mu")
            sigma = pm.HalfFlat("sigma")
            pm.Potential("rows", pm.logp(pm.Normal.dist(mu, sigma), LENGTHS))
        return model

    def test_a_potential_is_likelihood_without_rows(self):
        fit = find_MLE(self.model(), progressbar=False)
        np.testing.assert_allclose(fit.params, [MEAN, SD], rtol=1e-9)
        llf = -N / 2 * (np.log(2 * np.pi * SD**2) + 1)
        assert fit.llf == pytest.approx(llf, rel=1e-11)
        assert np.isnan(fit.nobs)
        assert np.isnan(fit.bic)
        assert np.isnan(fit.aicc)
        assert fit.aic == pytest.approx(-2 * llf + 4, rel=1e-11)

    def test_given_number_of_observations_is_used(self):
        fit = find_MLE(self.model(), nobs=N, progressbar=False)
        assert fit.nobs == N
        llf = -N / 2 * (np.log(2 * np.pi * SD**2) + 1)
        assert fit.bic == pytest.approx(-2 * llf + 2 * np.log(N), rel=1e-11)

    @pytest.mark.parametrize("nobs", [0, -3, np.inf, np.nan])
    def test_impossible_number_is_refused(self, nobs):
        with pytest.raises(RequestError, match="nobs"):
            find_MLE(self.model(), nobs=nobs, progressbar=False)


@pytest.mark.filterwarnings("ignore::pymc.exceptions.ImputationWarning")
class TestMissing:
    def test_normal_rows_without_a_response_are_left_out(self):
        gaps = np.arange(N) % 4 == 1
        fit = find_MLE(normal_model(np.ma.masked_array(LENGTHS, gaps)), progressbar=False)
        rows = LENGTHS[~gaps]
        n, m, s = rows.size, rows.mean(), rows.std()
        assert fit.labels == ["mu", "sigma"]
        np.testing.assert_allclose(fit.params, [m, s], rtol=1e-10)
        np.testing.assert_allclose(fit.bse, [s / np.sqrt(n), s / np.sqrt(2 * n)], rtol=1e-9)
        assert fit.nobs == n
        assert any(str(gaps.sum()) in finding and "'y'" in finding for finding in fit.findings)

    def test_poisson_rows_without_a_response_are_left_out(self):
        with pm.Model() as model:
            rate = pm.HalfFlat("rate")
            pm.Poisson("y", rate, observed=np.ma.masked_array(COUNTS, [0, 1, 0, 0, 1]))
        fit = find_MLE(model, progressbar=False)
        kept = COUNTS[[0, 2, 3]]
        assert fit.params["rate"] == pytest.approx(kept.mean(), rel=1e-10)
        assert fit.bse["rate"] == pytest.approx(np.sqrt(kept.mean() / 3), rel=1e-9)
        assert fit.llf == pytest.approx(stats.poisson.logpmf(kept, kept.mean()).sum(), rel=1e-11)
        assert fit.nobs == 3

    def test_regression_rows_without_a_response_are_left_out(self):
        gaps = np.arange(Y.size) == 3
        with pm.Model() as model:
            a = pm.Flat("a")
            b = pm.Flat("b", shape=2)
            sigma = pm.HalfFlat("sigma")
            pm.Normal("y", a + X @ b, sigma, observed=np.ma.masked_array(Y, gaps))
        fit = find_MLE(model, progressbar=False)
        oracle = sm.OLS(Y[~gaps], sm.add_constant(X[~gaps])).fit()
        np.testing.assert_allclose(fit.params[:3], oracle.params, rtol=1e-9)
        assert fit.llf == pytest.approx(oracle.llf, rel=1e-10)

    def test_rows_that_are_not_independent_are_refused(self):
        rows = np.ma.masked_array(np.ones((4, 2)), [[0, 0], [0, 1], [0, 0], [0, 0]])
        with pm.Model() as model:
            mu = pm.Flat("mu", shape=2)
            pm.MvNormal("pair", mu, np.eye(2), observed=rows)
        with pytest.raises(ModelError, match="pair"):
            find_MLE(model, progressbar=False)

    def test_imputed_covariate_is_refused(self):
        with pm.Model() as model:
            b = pm.Flat("b")
            x = pm.Normal("x", 0, 1, observed=np.ma.masked_array(Y, np.arange(Y.size) == 2))
            pm.Normal("y", b * x, 1, observed=Y)
        with pytest.raises(ModelError, match="'x'"):
            find_MLE(model, progressbar=False)


class TestEngine:
    def test_quasi_newton_gives_the_closed_form(self):
        fit = find_MLE(normal_model(), engine=QuasiNewton(), progressbar=False)
        assert fit.status.name == "CONVERGED"
        np.testing.assert_allclose(fit.params, [MEAN, SD], rtol=1e-9)
        np.testing.assert_allclose(fit.bse, [SD / np.sqrt(N), SD / np.sqrt(2 * N)], rtol=1e-9)
        assert fit.plan.engine == "quasi-Newton"

    def test_initvals_do_not_change_the_answer(self):
        for start in ({"mu": -500.0, "sigma": 1e-3}, {"mu": 1e5, "sigma": 1e4}):
            fit = find_MLE(normal_model(), initvals=start, progressbar=False)
            assert fit.status.name == "CONVERGED", start
            np.testing.assert_allclose(fit.params, [MEAN, SD], rtol=1e-8)

    def test_unknown_initial_value_is_refused(self):
        with pytest.raises(RequestError, match="'nu'"):
            find_MLE(normal_model(), initvals={"nu": 1.0}, progressbar=False)

    def test_strict_fit_that_converges_is_returned(self):
        assert find_MLE(coin_model(), strict=True, progressbar=False).params["p"] == pytest.approx(0.25, rel=1e-10)

    def test_strict_fit_that_does_not_is_raised(self):
        with pm.Model() as model:
            p = pm.Flat("a")
            pm.Bernoulli("y", logit_p=p, observed=np.ones(5))
        with pytest.raises(FitError) as caught:
            find_MLE(model, strict=True, progressbar=False)
        assert caught.value.fit.status.name == "INFINITE"
        assert caught.value.fit.params["a"] == np.inf
