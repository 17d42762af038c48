"""Likelihood-ratio and score tests against closed forms, statsmodels and R; what is not nested; invariance."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ppl_mle import FitWarning, RequestError, find_MAP, find_MLE, load
from tests.reference import reference_problem

rng = np.random.default_rng(20240611)
X = rng.normal(size=40)
Y = rng.poisson(np.exp(0.5 + 0.4 * X))
LENGTHS = np.array([4.21, 3.87, 5.02, 4.66, 4.40, 3.95, 4.83, 4.12, 5.31, 4.57, 4.05])


def fit_of(model, **options):
    return find_MLE(model, progressbar=False, **options)


def birthwt(*left_out):
    problem = reference_problem("models/birthwt_logit")
    design = problem.design.drop(columns=list(left_out))
    with pm.Model(coords={"column": list(design.columns)}) as model:
        b = pm.Flat("b", dims="column")
        pm.Bernoulli("y", logit_p=design.to_numpy(float) @ b, observed=problem.data["low"])
    return model


def warpbreaks():
    problem = reference_problem("models/warpbreaks_poisson")
    with pm.Model(coords={"column": list(problem.design.columns)}) as model:
        b = pm.Flat("b", dims="column")
        pm.Poisson("y", pm.math.exp(problem.design.to_numpy(float) @ b), observed=problem.data["breaks"])
    return model


def mtcars():
    problem = reference_problem("models/mtcars_gaussian")
    with pm.Model(coords={"column": list(problem.design.columns)}) as model:
        b, sigma = pm.Flat("b", dims="column"), pm.HalfFlat("sigma")
        pm.Normal("y", problem.design.to_numpy(float) @ b, sigma, observed=problem.data["mpg"])
    return model


def meta_analysis(between=True, bounded=False):
    problem = reference_problem("models/bcg_meta")
    with pm.Model() as model:
        mu = pm.Flat("mu")
        tau = (pm.Uniform("tau", 0, 10) if bounded else pm.HalfFlat("tau")) if between else 0.0
        variance = problem.data["var_logRR"].to_numpy(float) + tau**2
        pm.Normal("y", mu, pm.math.sqrt(variance), observed=problem.data["logRR"].to_numpy(float))
    return model


def batches(rows, between=True, declare=pm.HalfFlat):
    """Rows with a random intercept, integrated out, in orthonormal contrasts: one carries the mean, the rest errors."""
    size = rows.shape[1]
    contrasts = rows @ np.linalg.qr(np.ones((size, 1)), mode="complete")[0]
    with pm.Model() as model:
        mu, within = pm.Flat("mu", initval=rows.mean()), pm.HalfFlat("sigma", initval=rows.std())
        tau = declare("tau", initval=rows.std()) if between else 0.0
        mean = np.sign(contrasts[0, 0]) * size**0.5 * mu
        pm.Normal("means", mean, pm.math.sqrt(within**2 + size * tau**2), observed=contrasts[:, 0])
        pm.Normal("errors", 0, within, observed=contrasts[:, 1:])
    return model


def correlated():
    """Normal values with correlations within threes, as a density that is no sum over rows."""
    with pm.Model() as model:
        sigma, residuals = pm.HalfFlat("sigma"), LENGTHS[:9] - pm.Flat("mu")
        precision = np.kron(np.eye(3), np.linalg.inv(np.eye(3) + 0.5))
        distance = pt.dot(residuals, pt.dot(precision, residuals))
        pm.Potential("y", -9 * pt.log(sigma) - distance / sigma**2 / 2)
    return model


def exchangeable(rows, declare=pm.HalfFlat):
    """The same random intercept as a multivariate density, which is no sum over rows of one number."""
    size = rows.shape[1]
    with pm.Model() as model:
        mu, within = pm.Flat("mu", initval=rows.mean()), pm.HalfFlat("sigma", initval=rows.std())
        tau = declare("tau", initval=rows.std())
        cov = within**2 * np.eye(size) + tau**2 * np.ones((size, size))
        pm.MvNormal("y", mu * pt.ones(size), cov=cov, observed=rows)
    return model


def counts(kind):
    problem = reference_problem("models/bioChemists_negbin")
    with pm.Model(coords={"column": list(problem.design.columns)}) as model:
        mu = pm.math.exp(problem.design.to_numpy(float) @ pm.Flat("b", dims="column"))
        y = problem.data["art"]
        if kind == "negbin":
            pm.NegativeBinomial("y", mu=mu, alpha=pm.HalfFlat("alpha"), observed=y)
        elif kind == "dispersion":
            pm.NegativeBinomial("y", mu=mu, alpha=1 / pm.HalfFlat("dispersion"), observed=y)
        elif kind == "both":
            alpha, psi = pm.HalfFlat("alpha"), pm.Uniform("psi", 0, 1)
            pm.ZeroInflatedNegativeBinomial("y", psi=psi, mu=mu, alpha=alpha, observed=y)
        else:
            pm.Poisson("y", mu, observed=y)
    return model


def normal(observed=LENGTHS):
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=observed)
    return model


def line(x=X, y=Y, extra=True, name="b"):
    with pm.Model() as model:
        eta = pm.Flat("a") + (pm.Flat(name) * x if extra else 0.0)
        pm.Poisson("y", pm.math.exp(eta), observed=y, shape=len(y))
    return model


def dice(observed=(5, 3, 2)):
    with pm.Model() as model:
        pm.Multinomial("y", n=sum(observed), p=pm.Dirichlet("p", np.ones(3)), observed=observed)
        pm.Poisson("other", pm.HalfFlat("rate"), observed=[3, 4])
    return model


def two_normals(both=True):
    y = reference_problem("models/faithful_eruptions_mixture2").data["eruptions"].to_numpy(float)
    with pm.Model() as model:
        mu, sigma = pm.Flat("mu", initval=2.0), pm.HalfFlat("sigma", initval=0.3)
        if not both:
            pm.Normal("y", mu, sigma, observed=y)
            return model
        w, other = pm.Uniform("w", 0, 1), pm.Flat("other", initval=4.3)
        parts = [pm.Normal.dist(mu, sigma), pm.Normal.dist(other, sigma)]
        pm.Mixture("y", w=pt.stack([1 - w, w]), comp_dists=parts, observed=y)
    return model


class TestLikelihoodRatio:
    def test_of_logistic_regressions_equals_r(self):
        # R 4.5, anova(test = "LRT") of glm fits to 1e-15.
        full = fit_of(birthwt())
        by_model = full.lr_test(fit_of(birthwt("raceblack", "raceother")))
        by_value = full.lr_test(fit_of(birthwt(), fixed={"b[raceblack]": 0.0, "b[raceother]": 0.0}))
        for test in (by_model, by_value):
            assert test.statistic == pytest.approx(7.46800508287816, rel=1e-9)
            assert test.p_value == pytest.approx(0.0238969954475458, rel=1e-8)
            assert (test.df, test.distribution) == (2, "chi2(2)")
            assert test.hypotheses == ("b[raceblack] = 0", "b[raceother] = 0")

    def test_of_poisson_regressions_equals_statsmodels_and_r(self):
        problem = reference_problem("models/warpbreaks_poisson")
        held = {"b[woolB:tensionM]": 0.0, "b[woolB:tensionH]": 0.0}
        test = fit_of(warpbreaks()).lr_test(fit_of(warpbreaks(), fixed=held))
        x, y, family = problem.design.astype(float), problem.data["breaks"], sm.families.Poisson()
        full, part = (sm.GLM(y, x.iloc[:, :k], family=family).fit(tol=1e-14, maxiter=100) for k in (6, 4))
        assert test.statistic == pytest.approx(2 * (full.llf - part.llf), rel=1e-9)
        assert test.statistic == pytest.approx(28.0867574766071, rel=1e-9)
        assert test.p_value == pytest.approx(7.96229211582483e-07, rel=1e-8)

    def test_of_least_squares_equals_statsmodels(self):
        problem = reference_problem("models/mtcars_gaussian")
        x, y = problem.design.astype(float), problem.data["mpg"].astype(float)
        full, part = (sm.OLS(y, z).fit() for z in (x, x[["(Intercept)", "wt"]]))
        statistic, p_value, df = full.compare_lr_test(part)
        test = fit_of(mtcars()).lr_test(fit_of(mtcars(), fixed={"b[qsec]": 0, "b[am]": 0}))
        assert test.statistic == pytest.approx(float(statistic), rel=1e-9)
        assert (test.p_value, test.df) == (pytest.approx(float(p_value), rel=1e-8), df)

    def test_signed_root_has_the_side_of_the_estimate(self):
        full = fit_of(normal())
        for value in (0.3, 0.6):
            test = full.lr_test(fit_of(normal(), fixed={"sigma": value}))
            ratio = LENGTHS.var() / value**2
            expected = LENGTHS.size * (ratio - 1 - np.log(ratio))
            assert test.statistic == pytest.approx(expected, rel=1e-9)
            assert test.z == pytest.approx(np.sign(ratio - 1) * np.sqrt(expected), rel=1e-9)

    def test_of_a_fixed_simplex(self):
        test = fit_of(dice()).lr_test(fit_of(dice(), fixed={"p": np.full(3, 1 / 3)}))
        expected = 2 * np.sum([5, 3, 2] * np.log(np.array([5, 3, 2]) / (10 / 3)))
        assert (test.statistic, test.df) == (pytest.approx(expected, rel=1e-9), 2)
        assert test.hypotheses == tuple(f"p[{i}] = 0.333333" for i in range(3))

    def test_of_two_fits_with_fixed_values(self):
        held = {"b[am]": 0.0}
        test = fit_of(mtcars(), fixed=held).lr_test(fit_of(mtcars(), fixed=held | {"b[qsec]": 0.5}))
        problem = reference_problem("models/mtcars_gaussian")
        x, y = problem.design.to_numpy(float), problem.data["mpg"].to_numpy(float)
        rss = [np.linalg.lstsq(x[:, :k], v, rcond=None)[1][0] for k, v in ((2, y - 0.5 * x[:, 2]), (3, y))]
        assert test.statistic == pytest.approx(len(y) * np.log(rss[0] / rss[1]), rel=1e-9)
        assert test.hypotheses == ("b[qsec] = 0.5",)

    def test_at_a_value_inside_the_support(self):
        # A Weibull density of shape 1 is the exponential's.
        y = reference_problem("models/groundbeef_weibull").data["serving"].to_numpy(float)
        with pm.Model() as weibull:
            pm.Weibull("y", alpha=pm.HalfFlat("shape"), beta=pm.HalfFlat("scale"), observed=y)
        with pm.Model() as exponential:
            pm.Exponential("y", scale=pm.HalfFlat("scale"), observed=y)
        loglik = reference_problem("models/groundbeef_weibull").facts["loglik"]
        test = fit_of(weibull).lr_test(fit_of(exponential))
        assert test.hypotheses == ("shape = 1",)
        assert test.statistic == pytest.approx(2 * (loglik + len(y) * (np.log(y.mean()) + 1)), rel=1e-9)
        assert test.distribution == "chi2(1)"

    def test_names_and_shapes_of_the_response_may_differ(self):
        with pm.Model() as t_model:
            nu = pm.HalfFlat("nu", initval=5.0)
            pm.StudentT("y", nu=nu, mu=pm.Flat("mu"), sigma=pm.Uniform("sigma", 0, 50), observed=heavy_tails())
        with pm.Model() as normal_model:
            pm.Normal("obs", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=heavy_tails()[:, None])
        full = fit_of(t_model)
        test = full.lr_test(fit_of(normal_model))
        null = stats.norm.logpdf(heavy_tails(), heavy_tails().mean(), heavy_tails().std()).sum()
        at = full.params
        alternative = stats.t.logpdf(heavy_tails(), at["nu"], at["mu"], at["sigma"]).sum()
        assert test.statistic == pytest.approx(2 * (alternative - null), rel=1e-8)
        assert test.hypotheses == ("nu -> inf",)


def heavy_tails():
    return np.random.default_rng(1).standard_t(2, size=60)


class TestEdge:
    @pytest.mark.parametrize("bounded", [False, True])
    def test_variance_of_zero_equals_metafor(self, bounded):
        # R, metafor: rma(method = "ML") against rma(method = "FE"), 2 (-12.6650763482768 + 70.2235699044310).
        test = fit_of(meta_analysis(bounded=bounded)).lr_test(fit_of(meta_analysis(between=False)))
        assert test.statistic == pytest.approx(115.1169871123084, rel=1e-9)
        assert test.p_value == pytest.approx(stats.chi2.sf(115.1169871123084, 1) / 2, rel=1e-7)
        assert test.distribution == "0.5 chi2(0) + 0.5 chi2(1)"
        assert test.hypotheses == ("tau = 0",)
        assert test.z is None

    def test_balanced_batches_are_closed_form(self):
        problem = reference_problem("models/Dyestuff_lmm")
        group, response = "Batch", "Yield"
        rows = np.array([g[response].to_numpy(float) for _, g in problem.data.groupby(group)])
        (a, m), means = rows.shape, rows.mean(axis=1)
        within, between = np.sum((rows - means[:, None]) ** 2), m * np.sum((means - means.mean()) ** 2)
        n = a * m
        assert between / a > within / (n - a)
        expected = n * np.log((within + between) / n) - (n - a) * np.log(within / (n - a)) - a * np.log(between / a)
        test = fit_of(batches(rows)).lr_test(fit_of(batches(rows, between=False)))
        assert test.statistic == pytest.approx(expected, rel=1e-8)
        assert test.p_value == pytest.approx(stats.chi2.sf(expected, 1) / 2, rel=1e-8)

    @pytest.mark.parametrize("build", [batches, exchangeable])
    @pytest.mark.parametrize(("declare", "held"), [(pm.HalfFlat, 1e-7), (pm.Flat, 0.0), (pm.Flat, 1e-7)])
    def test_variance_fixed_at_zero_is_on_the_edge(self, build, declare, held):
        # Stram and Lee (1994), as where the smaller model lacks it; between and within are mean squares.
        rows = np.array([[1.0, 2.0, 2.5], [2.0, 3.0, 3.5], [5.0, 3.5, 3.0], [4.0, 5.0, 4.2]])
        (a, m), means = rows.shape, rows.mean(axis=1)
        within, between = np.sum((rows - means[:, None]) ** 2), m * np.sum((means - means.mean()) ** 2)
        n = a * m
        expected = n * np.log((within + between) / n) - (n - a) * np.log(within / (n - a)) - a * np.log(between / a)
        model = build(rows, declare=declare)
        test = fit_of(model).lr_test(fit_of(model, fixed={"tau": held}))
        assert test.statistic == pytest.approx(expected, rel=1e-8)
        assert test.p_value == pytest.approx(stats.chi2.sf(expected, 1) / 2, rel=1e-7)
        assert (test.distribution, test.z) == ("0.5 chi2(0) + 0.5 chi2(1)", None)
        assert ("edge 0" if declare is pm.HalfFlat else "both sides of tau") in test.notes[0]
        assert fit_of(model).lr_test(fit_of(model, fixed={"tau": 0.5})).distribution == "chi2(1)"

    @pytest.mark.parametrize("declare", [pm.HalfFlat, pm.Flat])
    def test_variance_fixed_at_zero_beside_a_mean(self, declare):
        rows = np.array([[1.0, 2.0, 2.5], [2.0, 3.0, 3.5], [5.0, 3.5, 3.0], [4.0, 5.0, 4.2]])
        model = batches(rows, declare=declare)
        test = fit_of(model).lr_test(fit_of(model, fixed={"tau": 1e-7, "mu": 2.0}))
        tail = (stats.chi2.sf(test.statistic, 1) + stats.chi2.sf(test.statistic, 2)) / 2
        assert (test.p_value, test.df) == (pytest.approx(tail, rel=1e-12), 2)
        only_mean = fit_of(model).lr_test(fit_of(model, fixed={"mu": 2.0}))
        assert (only_mean.distribution, only_mean.notes) == ("chi2(1)", ())

    def test_data_that_are_symmetric_make_no_edge(self):
        # The log-likelihood is even in b because the data are, not because the model is.
        x, y = np.array([-1.0, 0.0, 1.0, -1.0, 1.0]), np.array([1, 2, 1, 3, 3])
        with pm.Model() as model:
            pm.Poisson("y", pm.math.exp(pm.Flat("a") + pm.Flat("b") * x), observed=y)
            pm.Normal("z", pm.Flat("other"), 1.0, observed=[0.5])
        test = fit_of(model).lr_test(fit_of(model, fixed={"a": 0.0, "b": 0.0}))
        assert test.distribution == "chi2(2)"
        expected = 2 * np.sum(y * np.log(2.0) - 2.0 + 1.0)
        assert test.p_value == pytest.approx(stats.chi2.sf(expected, 2), rel=1e-9)

    def test_estimate_on_the_edge_itself(self):
        rows = np.array([[1.0, 2.0, 6.0], [2.0, 3.0, 3.5], [5.0, 2.5, 1.0], [2.0, 5.0, 2.0]])
        full = fit_of(batches(rows))
        assert full.status.name == "BOUNDARY"
        test = full.lr_test(fit_of(batches(rows, between=False)))
        assert (test.statistic, test.p_value) == (0.0, 1.0)
        held = full.lr_test(fit_of(batches(rows), fixed={"tau": 1e-9}))
        assert held.distribution == "0.5 chi2(0) + 0.5 chi2(1)"
        assert full.lr_test(fit_of(batches(rows), fixed={"tau": 0.5})).distribution == "chi2(1)"

    def test_one_edge_and_one_inside(self):
        # Mixture of 1 and 2 degrees of freedom.
        problem = reference_problem("models/bcg_meta")
        y, v = (problem.data[c].to_numpy(float) for c in ("logRR", "var_logRR"))
        held = stats.norm.logpdf(y, 0.0, np.sqrt(v)).sum()
        with pm.Model() as null:
            pm.Normal("y", 0.0, pm.math.sqrt(v), observed=y)
            pm.Normal("z", pm.Flat("other"), 1.0, observed=[0.5])
        with pm.Model() as model:
            tau = pm.HalfFlat("tau")
            pm.Normal("y", pm.Flat("mu"), pm.math.sqrt(v + tau**2), observed=y)
            pm.Normal("z", pm.Flat("other"), 1.0, observed=[0.5])
        test = fit_of(model).lr_test(fit_of(null))
        expected = 2 * (-12.6650763482768 - held)  # metafor's log-likelihood of the model with both
        assert test.statistic == pytest.approx(expected, rel=1e-9)
        tail = (stats.chi2.sf(expected, 1) + stats.chi2.sf(expected, 2)) / 2
        assert test.p_value == pytest.approx(tail, rel=1e-7)
        assert test.distribution == "0.5 chi2(1) + 0.5 chi2(2)"

    @pytest.mark.parametrize(("kind", "said"), [("negbin", "alpha -> inf"), ("dispersion", "dispersion = 0")])
    def test_overdispersion_equals_pscl(self, kind, said):
        # R, pscl::odTest(glm.nb(art ~ ., bioChemists)).
        test = fit_of(counts(kind)).lr_test(fit_of(counts("poisson")))
        assert test.statistic == pytest.approx(180.195955202216, rel=1e-9)
        assert (test.hypotheses, test.distribution) == ((said,), "0.5 chi2(0) + 0.5 chi2(1)")
        assert test.p_value == pytest.approx(stats.chi2.sf(180.195955202216, 1) / 2, rel=1e-7)

    def test_several_edges_give_an_upper_bound(self):
        test = fit_of(counts("both")).lr_test(fit_of(counts("poisson")))
        assert test.distribution == "at most chi2(2)"
        assert "are tested on edges" in " ".join(test.notes)
        assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, 2), rel=1e-12)

    def test_parameter_without_meaning_under_the_hypothesis(self):
        with pytest.raises(RequestError, match=r"other means nothing once w = 0, .* \(Davies 1977\)"):
            fit_of(two_normals()).lr_test(fit_of(two_normals(both=False)))


class TestNotNested:
    def test_other_rows(self):
        other = LENGTHS.copy()
        other[[2, 7]] += 1
        with pytest.raises(RequestError, match=r"'y' differs in 2 of its 11 rows \(2, 7\)"):
            fit_of(normal()).lr_test(fit_of(normal(other), fixed={"sigma": 1.0}))
        with pytest.raises(RequestError, match="'y' has 11 observations in one and 10 in the other"):
            fit_of(normal()).lr_test(fit_of(normal(LENGTHS[1:]), fixed={"sigma": 1.0}))

    def test_other_weights(self):
        weights = np.ones(11)
        weights[3] = 2
        with pytest.raises(RequestError, match=r"weights differ in 1 rows \(3\)"):
            fit_of(normal(), weights=weights).lr_test(fit_of(normal(), fixed={"sigma": 1.0}))

    def test_same_labels_for_other_things(self):
        # A design that is balanced, so that the estimates are equal though the columns are not.
        y = np.array([1.0, 2.1, 2.1, 1.0])
        first, second = np.array([-1, -1, 1, 1.0]), np.array([-2, 2, -2, 2.0])
        with pm.Model() as full:
            pm.Normal("y", pm.Flat("a") + pm.Flat("b") * first + pm.Flat("c") * first * second, 1.0, observed=y)
        with pm.Model() as other:
            pm.Normal("y", pm.Flat("a") + pm.Flat("b") * second, 1.0, observed=y)
        with pytest.raises(RequestError, match="not shown to be nested: at and beside the smaller"):
            fit_of(full).lr_test(fit_of(other))

    def test_label_that_the_larger_lacks(self):
        with pytest.raises(RequestError, match="the smaller has c, which the larger lacks"):
            fit_of(line()).lr_test(fit_of(line(name="c")))

    def test_turned_around(self):
        full, part = fit_of(line()), fit_of(line(extra=False))
        with pytest.raises(RequestError, match="the larger fit lacks b; call lr_test of the larger fit"):
            part.lr_test(full)
        with pytest.raises(RequestError, match="both have the same free parameters"):
            full.lr_test(full)
        with pytest.raises(RequestError, match="the larger holds b fixed, which is free in the smaller"):
            fit_of(line(), fixed={"b": 0.0}).lr_test(full)

    def test_larger_fit_below_the_smaller(self):
        full, part = fit_of(line()), fit_of(line(extra=False))
        stuck = replace(full, results=replace(full.results, llf=part.llf - 0.1))
        with pytest.raises(RequestError, match="did not reach the maximum"):
            stuck.lr_test(part)

    def test_no_likelihood_or_no_maximum(self, tmp_path):
        full, part = fit_of(normal()), fit_of(normal(), fixed={"sigma": 1.0})
        with pm.Model() as with_prior:
            pm.Normal("y", pm.Normal("mu", 0, 1), pm.HalfFlat("sigma"), observed=LENGTHS)
        with pytest.raises(RequestError, match=r"its larger fit.* this one is a MAP fit; use find_MLE"):
            find_MAP(with_prior, progressbar=False).lr_test(part)
        with pm.Model() as nested:
            u = pm.Normal("u", pm.Flat("mu"), 1.0, shape=11)
            pm.Normal("y", u, 1.0, observed=LENGTHS)
        with pytest.raises(RequestError, match="needs the marginal likelihood, and u is latent"):
            fit_of(nested).lr_test(part)
        with pm.Model() as ridge:
            pm.Normal("y", pm.Flat("mu") + pm.Flat("nu"), pm.HalfFlat("sigma"), observed=LENGTHS)
        with pytest.warns(FitWarning):
            bad = fit_of(ridge)
        with pytest.raises(RequestError, match=r"larger fit.* needs a certified maximum, and this fit is UNIDENTIFIED"):
            bad.lr_test(full)
        full.save(tmp_path / "fit.json")
        with pytest.raises(RequestError, match="lr_test needs the graphs"):
            load(tmp_path / "fit.json").lr_test(part)
        with pytest.raises(RequestError, match="takes the smaller fit, got float"):
            full.lr_test(3.0)

    def test_robust_covariance_is_not_used(self):
        full, part = fit_of(line()), fit_of(line(extra=False))
        test = full.with_covariance("HC0").lr_test(part)
        assert test.statistic == full.lr_test(part).statistic
        assert "does not use the covariance HC0" in test.notes[0]


class TestScore:
    def test_of_logistic_regression_equals_statsmodels_and_r(self):
        # R 4.5, anova(test = "Rao").
        problem = reference_problem("models/birthwt_logit")
        x, y = problem.design.astype(float), problem.data["low"]
        race = ["raceblack", "raceother"]
        part = sm.GLM(y, x.drop(columns=race), family=sm.families.Binomial()).fit(tol=1e-14, maxiter=100)
        expected = part.score_test(exog_extra=x[race].to_numpy())
        fit = fit_of(birthwt(), fixed={f"b[{name}]": 0.0 for name in race})
        for information in ("observed", "expected"):
            test = fit.score_test(information)
            assert test.statistic == pytest.approx(float(expected.statistic.item()), rel=1e-9)
            assert test.p_value == pytest.approx(float(expected.pvalue.item()), rel=1e-8)
            assert test.statistic == pytest.approx(7.45307339679596, rel=1e-9)
            assert test.p_value == pytest.approx(0.0240760743202862, rel=1e-8)
            assert (test.df, test.covariance_kind) == (2, f"{information} information")

    def test_of_poisson_regression_equals_statsmodels_and_r(self):
        problem = reference_problem("models/warpbreaks_poisson")
        x, y = problem.design.to_numpy(float), problem.data["breaks"]
        part = sm.GLM(y, x[:, :4], family=sm.families.Poisson()).fit(tol=1e-14, maxiter=100)
        fit = fit_of(warpbreaks(), fixed={"b[woolB:tensionM]": 0.0, "b[woolB:tensionH]": 0.0})
        test = fit.score_test()
        assert test.statistic == pytest.approx(part.score_test(exog_extra=x[:, 4:]).statistic.item(), rel=1e-9)
        assert test.statistic == pytest.approx(28.1022864470777, rel=1e-9)
        assert test.p_value == pytest.approx(7.90070840853776e-07, rel=1e-8)

    def test_signed_root_equals_statmod(self):
        # R, statmod::glm.scoretest of each column alone, in the model of main effects.
        held = {"b[woolB:tensionM]": 0.0, "b[woolB:tensionH]": 0.0}
        for label, z in zip(held, (5.104136879463468, -0.706931712708232), strict=True):
            (other,) = set(held) - {label}
            model = warpbreaks_without(other)
            assert fit_of(model, fixed={label: 0.0}).score_test().z == pytest.approx(z, rel=1e-9)

    def test_of_least_squares_is_closed_form(self):
        problem = reference_problem("models/mtcars_gaussian")
        x, y = problem.design.to_numpy(float), problem.data["mpg"].to_numpy(float)
        n = len(y)
        b = np.linalg.lstsq(x[:, :2], y, rcond=None)[0]
        e = y - x[:, :2] @ b
        s = np.sqrt(e @ e / n)
        fit = fit_of(mtcars(), fixed={"b[qsec]": 0.0, "b[am]": 0.0})
        # Expected information: n (RSS0 - RSS1) / RSS0 (Breusch and Pagan 1980).
        rss = np.linalg.lstsq(x, y, rcond=None)[1][0]
        assert fit.score_test("expected").statistic == pytest.approx(n * (1 - rss / (e @ e)), rel=1e-9)
        score = np.concatenate([x.T @ e / s**2, [0.0]])
        rows = np.column_stack([x * e[:, None] / s**2, e**2 / s**3 - 1 / s])
        opg = score @ np.linalg.solve(rows.T @ rows, score)
        assert fit.score_test("opg").statistic == pytest.approx(opg, rel=1e-8)
        corner = 2 * x.T @ e / s**3
        observed = np.block([[x.T @ x / s**2, corner[:, None]], [corner[None, :], np.array([[2 * n / s**2]])]])
        expected = score @ np.linalg.solve(observed, score)
        assert fit.score_test().statistic == pytest.approx(expected, rel=1e-8)

    @pytest.mark.parametrize("value", [0.35, 0.45])
    def test_is_made_on_the_declared_scale(self, value):
        # U = n (m / s^2 - 1) / s and I = n (3 m / s^4 - 1 / s^2) for the mean square m; not those of log(sigma).
        n, mean_square = LENGTHS.size, LENGTHS.var()
        score = n * (mean_square / value**2 - 1) / value
        observed = n * (3 * mean_square / value**4 - 1 / value**2)
        fit = fit_of(normal(), fixed={"sigma": value})
        assert fit.score_test().statistic == pytest.approx(score**2 / observed, rel=1e-9)
        expected = score**2 / (2 * n / value**2)
        assert fit.score_test("expected").statistic == pytest.approx(expected, rel=1e-9)
        assert np.sign(fit.score_test().z) == np.sign(score)

    def test_of_a_proportion(self):
        # The score test of a proportion with the expected information is the test of Wilson's interval.
        with pm.Model() as model:
            pm.Bernoulli("y", p=pm.Uniform("p", 0, 1), observed=np.repeat([0, 1], [30, 10]))
            pm.Normal("z", pm.Flat("mu"), 1.0, observed=[0.0])
        fit = fit_of(model, fixed={"p": 0.4})
        score, observed = 10 / 0.4 - 30 / 0.6, 10 / 0.4**2 + 30 / 0.6**2
        assert fit.score_test().z == pytest.approx(score / np.sqrt(observed), rel=1e-9)

    def test_of_a_fixed_simplex_is_pearsons(self):
        fit = fit_of(dice(), fixed={"p": np.full(3, 1 / 3)})
        expected = np.sum((np.array([5, 3, 2]) - 10 / 3) ** 2) / (10 / 3)
        test = fit.score_test()
        assert (test.statistic, test.df) == (pytest.approx(expected, rel=1e-9), 2)

    def test_needs_something_fixed(self):
        with pytest.raises(RequestError, match="nothing is fixed"):
            fit_of(normal()).score_test()
        with pytest.raises(RequestError, match="information='robust' is unknown"):
            fit_of(normal(), fixed={"sigma": 1.0}).score_test("robust")

    def test_indefinite_information(self):
        with pytest.raises(RequestError, match=r"\(sigma fixed\) is not positive definite.*use 'expected', 'opg'"):
            fit_of(normal(), fixed={"sigma": 5.0}).score_test()

    def test_without_rows(self):
        # With m the mean of the whitened residuals' squares, U = n (m / s^2 - 1) / s as for independent normal values.
        fit = fit_of(correlated(), fixed={"sigma": 0.4})
        factor = np.linalg.inv(np.linalg.cholesky(np.eye(3) + 0.5))
        y, ones = (LENGTHS[:9].reshape(3, 3) @ factor.T).ravel(), np.tile(factor @ np.ones(3), 3)
        residuals = y - ones * (ones @ y) / (ones @ ones)
        mean_square = residuals @ residuals / 9
        score, observed = 9 * (mean_square / 0.16 - 1) / 0.4, 9 * (3 * mean_square / 0.4**4 - 1 / 0.16)
        assert fit.score_test().statistic == pytest.approx(score**2 / observed, rel=1e-8)
        with pytest.raises(RequestError, match="needs the rows of 'y', which has no predictor form"):
            fit.score_test("opg")

    def test_needs_the_graph(self, tmp_path):
        fit_of(normal(), fixed={"sigma": 1.0}).save(tmp_path / "fit.json")
        with pytest.raises(RequestError, match="score_test needs the model's graph"):
            load(tmp_path / "fit.json").score_test()


def warpbreaks_without(label):
    problem = reference_problem("models/warpbreaks_poisson")
    design = problem.design.drop(columns=[label[2:-1]])
    with pm.Model(coords={"column": list(design.columns)}) as model:
        b = pm.Flat("b", dims="column")
        pm.Poisson("y", pm.math.exp(design.to_numpy(float) @ b), observed=problem.data["breaks"])
    return model


class TestInvariance:
    @given(st.floats(-6, 6), st.booleans(), st.integers(0, 2**16))
    @settings(max_examples=12, deadline=None)
    def test_units_of_a_covariate_change_nothing(self, exponent, negative, seed):
        draws = np.random.default_rng(seed)
        x = draws.normal(size=25)
        y = draws.poisson(np.exp(0.7 + 0.3 * x)) + np.arange(25) % 2
        scale = (-1.0 if negative else 1.0) * 10.0**exponent
        found = []
        for z in (x, scale * x):
            part = fit_of(line(z, y), fixed={"b": 0.0})
            found.append([fit_of(line(z, y)).lr_test(part), part.score_test(), part.score_test("opg")])
        for one, other in zip(*found, strict=True):
            assert other.statistic == pytest.approx(one.statistic, rel=1e-8, abs=1e-10)

    @given(st.integers(0, 2**16), st.integers(1, 3))
    @settings(max_examples=12, deadline=None)
    def test_all_three_agree_where_the_log_likelihood_is_quadratic(self, seed, count):
        draws = np.random.default_rng(seed)
        x, y = draws.normal(size=(20, 4)), draws.normal(size=20)
        with pm.Model() as model:
            pm.Normal("y", x @ pm.Flat("b", shape=4), 0.7, observed=y)
        labels = [f"b[{i}]" for i in range(count)]
        full, part = fit_of(model), fit_of(model, fixed=dict.fromkeys(labels, 0.2))
        wald = full.wald_test([f"{label} = 0.2" for label in labels]).statistic
        away = y - 0.2 * x[:, :count].sum(axis=1)
        rss = [
            np.linalg.lstsq(x[:, count:], away, rcond=None)[1].sum(),
            np.linalg.lstsq(x, y, rcond=None)[1].sum(),
        ]
        assert wald == pytest.approx((rss[0] - rss[1]) / 0.49, rel=1e-8)
        assert full.lr_test(part).statistic == pytest.approx(wald, rel=1e-8)
        assert part.score_test().statistic == pytest.approx(wald, rel=1e-8)

    def test_parametrization_does_not_change_the_likelihood_ratio(self):
        with pm.Model() as by_log:
            pm.Normal("y", pm.Flat("mu"), pm.math.exp(pm.Flat("eta")), observed=LENGTHS)
        with pm.Model() as by_precision:
            pm.Normal("y", pm.Flat("mu"), tau=pm.HalfFlat("precision"), observed=LENGTHS)
        expected = fit_of(normal()).lr_test(fit_of(normal(), fixed={"sigma": 0.4})).statistic
        for model, held in ((by_log, {"eta": np.log(0.4)}), (by_precision, {"precision": 1 / 0.16})):
            assert fit_of(model).lr_test(fit_of(model, fixed=held)).statistic == pytest.approx(expected, rel=1e-9)
