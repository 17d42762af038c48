"""How fits end: every status on plain cases, with the numbers that remain, and the reference cases with a verdict."""

import warnings

import mpmath
import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import stats
from scipy.special import xlogy

from ppl_mle import FitError, FitWarning, Status, find_MAP, find_MLE
from tests.reference import nist_table, quantity, reference_problem

Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2, 3.1, 2.6])
X = np.arange(8.0)


def quiet(model, find=find_MLE, **options):
    """The fit without its own warning; a warning of NumPy's that reaches the user fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", FitWarning)
        return find(model, progressbar=False, **options)


def warned(model, status, find=find_MLE):
    """The fit of a model that has no finite maximum: it must warn with its own message."""
    with pytest.warns(FitWarning) as caught:
        fit = find(model, progressbar=False)
    assert fit.status is Status[status], fit.message
    assert not fit.converged
    assert str(caught[0].message) == fit.message
    return fit


def two_intercepts():
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        sigma = pm.HalfFlat("sigma")
        pm.Deterministic("level", a + b)
        pm.Normal("y", a + b, sigma, observed=Y)
    return model


def no_events():
    with pm.Model() as model:
        p = pm.Uniform("p", 0, 1)
        pm.Bernoulli("y", p=p, observed=np.zeros(25, int))
    return model


def separated():
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * X, observed=X > 3.5)
    return model


def saturated():
    with pm.Model() as model:
        mu = pm.Flat("mu", shape=Y.size)
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", mu, sigma, observed=Y)
    return model


def kinked():
    with pm.Model() as model:
        m = pm.Flat("m")
        pm.Laplace("y", m, 1, observed=np.array([0.3, 1.7, 2.2, 4.1, 9.0]))
    return model


def ordinal(levels, counts):
    with pm.Model() as model:
        cuts = pm.Flat("cuts", shape=3, transform=pm.distributions.transforms.ordered, initval=[-1.0, 0.0, 1.0])
        pm.OrderedLogistic("y", eta=0.0, cutpoints=cuts, compute_p=False, observed=np.repeat(levels, counts))
    return model


def eight_schools():
    y, s = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        theta = pm.Normal("theta", mu, tau, shape=8)
        pm.Normal("y", theta, s, observed=y)
    return model


class TestUnidentified:
    def test_two_intercepts_are_named_and_the_rest_is_right(self):
        fit = warned(two_intercepts(), "UNIDENTIFIED")
        sd, n = Y.std(), Y.size
        assert "a - b" in fit.message or "b - a" in fit.message
        assert np.isnan(fit.bse["a"])
        assert np.isnan(fit.bse["b"])
        assert np.isnan(fit.cov_params().loc["a", "b"])
        assert fit.params["a"] + fit.params["b"] == pytest.approx(Y.mean(), rel=1e-9)
        assert fit.params["sigma"] == pytest.approx(sd, rel=1e-9)
        assert fit.bse["sigma"] == pytest.approx(sd / np.sqrt(2 * n), rel=1e-7)
        assert fit.llf == pytest.approx(-n / 2 * (np.log(2 * np.pi * sd**2) + 1), rel=1e-11)

    def test_estimable_combination_keeps_its_standard_error(self):
        level = quiet(two_intercepts()).deterministic("level")
        assert level.params["level"] == pytest.approx(Y.mean(), rel=1e-9)
        assert level.bse["level"] == pytest.approx(Y.std() / np.sqrt(Y.size), rel=1e-7)

    def test_dummy_trap(self):
        group = np.array([0, 0, 1, 1, 1, 2, 2, 2])
        with pm.Model(coords={"group": list("uvw")}) as model:
            a = pm.Flat("a")
            b = pm.Flat("b", dims="group")
            pm.Normal("y", a + b[group], 0.5, observed=Y)
        fit = warned(model, "UNIDENTIFIED")
        assert "a - b[*]" in fit.message
        for label in ("a", "b[u]", "b[v]", "b[w]"):
            assert np.isnan(fit.bse[label])
        means = [Y[:2].mean(), Y[2:5].mean(), Y[5:].mean()]
        np.testing.assert_allclose(fit.params["a"] + fit.params[["b[u]", "b[v]", "b[w]"]], means, rtol=1e-9)

    def test_scale_of_a_product_is_unidentified(self):
        # y ~ N(a b x, 1): only the product is known; the ridge is curved.
        with pm.Model() as model:
            a, b = pm.HalfFlat("a"), pm.HalfFlat("b")
            pm.Deterministic("slope", a * b)
            pm.Normal("y", a * b * X, 1, observed=Y)
        fit = warned(model, "UNIDENTIFIED")
        slope = fit.deterministic("slope")
        assert slope.params["slope"] == pytest.approx(X @ Y / (X @ X), rel=1e-9)
        assert slope.bse["slope"] == pytest.approx((X @ X) ** -0.5, rel=1e-7)

    def test_unused_parameter_is_named(self):
        with pm.Model() as model:
            mu, idle = pm.Flat("mu"), pm.Flat("idle")
            pm.Normal("y", mu + 0 * idle, 1, observed=Y)
        fit = warned(model, "UNIDENTIFIED")
        assert "idle" in fit.message
        assert np.isnan(fit.bse["idle"])
        assert fit.params["mu"] == pytest.approx(Y.mean(), rel=1e-10)
        assert fit.bse["mu"] == pytest.approx(Y.size**-0.5, rel=1e-8)

    def test_a_proper_prior_settles_it(self):
        with pm.Model() as model:
            a, b = pm.Normal("a", 0, 1), pm.Normal("b", 0, 1)
            pm.Normal("y", a + b, 1, observed=Y)
        fit = find_MAP(model, progressbar=False)
        expected = Y.sum() / (2 * Y.size + 1)
        assert fit.status is Status.CONVERGED
        np.testing.assert_allclose(fit.params, [expected, expected], rtol=1e-9)


class TestBoundary:
    def test_proportion_without_events(self):
        fit = quiet(no_events())
        assert fit.status is Status.BOUNDARY, fit.message
        assert fit.converged
        assert fit.params["p"] == 0
        assert np.isnan(fit.bse["p"])
        assert fit.llf == pytest.approx(0, abs=1e-8)
        (edge,) = fit.certificate.boundary
        assert (edge.label, edge.value) == ("p", 0.0)
        assert edge.score == pytest.approx(-25, rel=1e-3)  # d/dp [25 log(1 - p)] at 0

    def test_proportion_of_all_events(self):
        with pm.Model() as model:
            p = pm.Beta("p", 1, 1)
            pm.Binomial("y", n=12, p=p, observed=12)
        fit = quiet(model)
        assert fit.status is Status.BOUNDARY, fit.message
        assert fit.params["p"] == 1
        assert [edge.value for edge in fit.certificate.boundary] == [1.0]

    def test_poisson_rate_without_counts(self):
        with pm.Model() as model:
            rate = pm.HalfFlat("rate")
            pm.Poisson("y", rate, observed=np.zeros(6, int))
        fit = quiet(model)
        assert fit.status is Status.BOUNDARY, fit.message
        assert fit.params["rate"] == 0
        assert fit.certificate.boundary[0].score == pytest.approx(-6, rel=1e-3)

    def test_empty_category_of_a_simplex(self):
        counts = np.array([7, 0, 5])
        with pm.Model() as model:
            p = pm.Dirichlet("p", np.ones(3))
            pm.Multinomial("y", n=12, p=p, observed=counts)
        fit = quiet(model)
        assert fit.status is Status.BOUNDARY, fit.message
        np.testing.assert_allclose(fit.params, counts / 12, atol=1e-7)
        assert fit.params["p[1]"] == 0
        assert fit.bse["p[0]"] == pytest.approx(np.sqrt(7 * 5 / 12**3), rel=1e-5)
        assert [edge.label for edge in fit.certificate.boundary] == ["p[1]"]

    def test_empty_category_between_two_cutpoints(self):
        fit = quiet(ordinal([0, 2, 3], [5, 4, 3]))
        assert fit.status is Status.BOUNDARY, fit.message
        np.testing.assert_allclose(fit.params, np.log([5 / 7, 5 / 7, 3]), rtol=1e-6)

    def test_variance_of_underdispersed_data_is_zero(self):
        errors = np.array([3.0, 2.0, 4.0, 2.5, 3.5, 3.0, 2.0, 5.0])
        with pm.Model() as model:
            mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
            pm.Normal("y", mu, pm.math.sqrt(errors**2 + tau**2), observed=Y)
        fit = quiet(model)
        weight = errors**-2
        mean = weight @ Y / weight.sum()
        assert fit.status is Status.BOUNDARY, fit.message
        assert fit.params["tau"] == 0
        assert np.isnan(fit.bse["tau"])
        assert fit.params["mu"] == pytest.approx(mean, rel=1e-8)
        assert fit.bse["mu"] == pytest.approx(weight.sum() ** -0.5, rel=1e-7)
        assert fit.llf == pytest.approx(stats.norm.logpdf(Y, mean, errors).sum(), rel=1e-9)
        assert [edge.label for edge in fit.certificate.boundary] == ["tau"]
        assert "tau = 0" in fit.message

    def test_support_that_depends_on_the_parameter(self):
        # y ~ Uniform(0, b): the maximum is b = max(y), with slope -n/b there and no Hessian standard error.
        with pm.Model() as model:
            b = pm.HalfFlat("b")
            pm.Uniform("y", 0, b, observed=Y)
        fit = quiet(model, initvals={"b": 6.0})
        assert fit.status is not Status.CONVERGED, fit.message
        assert fit.params["b"] == pytest.approx(Y.max(), rel=1e-9)
        assert np.isnan(fit.bse["b"])


class TestInfinite:
    def test_separated_logistic_regression(self):
        # Incident: pm.find_MAP answered b = 354 on separated data and called it a success.
        fit = warned(separated(), "INFINITE")
        assert fit.params["a"] == -np.inf
        assert fit.params["b"] == np.inf
        assert np.isnan(fit.bse).all()
        assert "a" in fit.message
        assert "b" in fit.message

    def test_separated_group_leaves_the_rest(self):
        group = np.repeat([0, 1], [10, 6])
        y = np.r_[np.repeat([0, 1], [7, 3]), np.ones(6, int)]
        with pm.Model() as model:
            a, b = pm.Flat("a"), pm.Flat("b")
            pm.Bernoulli("y", logit_p=a + b * group, observed=y)
        fit = warned(model, "INFINITE")
        assert fit.params["b"] == np.inf
        assert fit.params["a"] == pytest.approx(np.log(3 / 7), rel=1e-6)
        assert fit.bse["a"] == pytest.approx(1 / np.sqrt(2.1), rel=1e-6)
        assert fit.llf == pytest.approx(xlogy(3, 0.3) + xlogy(7, 0.7), rel=1e-6)

    def test_negative_binomial_of_underdispersed_counts(self):
        counts = np.array([3, 4, 2, 3, 4, 3, 2, 3])
        with pm.Model() as model:
            mu, alpha = pm.HalfFlat("mu"), pm.HalfFlat("alpha")
            pm.NegativeBinomial("y", mu=mu, alpha=alpha, observed=counts)
        fit = warned(model, "INFINITE")
        assert fit.params["alpha"] == np.inf
        assert fit.params["mu"] == pytest.approx(3.0, rel=1e-6)
        assert fit.bse["mu"] == pytest.approx(np.sqrt(3 / 8), rel=1e-4)
        assert fit.llf == pytest.approx(stats.poisson.logpmf(counts, 3).sum(), rel=1e-5)

    def test_poisson_group_without_counts(self):
        group = np.repeat([0, 1], [4, 5])
        y = np.r_[3, 1, 4, 2, np.zeros(5, int)]
        with pm.Model() as model:
            a, b = pm.Flat("a"), pm.Flat("b")
            pm.Poisson("y", pm.math.exp(a + b * group), observed=y)
        fit = warned(model, "INFINITE")
        assert fit.params["b"] == -np.inf
        assert fit.params["a"] == pytest.approx(np.log(2.5), rel=1e-7)
        assert fit.bse["a"] == pytest.approx(10**-0.5, rel=1e-6)

    def test_empty_first_category(self):
        fit = warned(ordinal([1, 2, 3], [5, 4, 3]), "INFINITE")
        assert fit.params["cuts[0]"] == -np.inf
        np.testing.assert_allclose(fit.params[["cuts[1]", "cuts[2]"]], np.log([5 / 7, 3]), rtol=1e-5)

    def test_limits_of_beta_binomial_counts(self):
        # Counts of less than binomial spread: both shapes grow, towards a binomial with half.
        counts = np.array([5, 5, 4, 6, 5, 5, 6, 4])
        with pm.Model() as model:
            a, b = pm.HalfFlat("a"), pm.HalfFlat("b")
            pm.BetaBinomial("y", alpha=a, beta=b, n=10, observed=counts)
        fit = warned(model, "INFINITE")
        assert list(fit.params) == [np.inf, np.inf]
        assert fit.llf == pytest.approx(stats.binom.logpmf(counts, 10, 0.5).sum(), rel=1e-6)
        # Incident: rounding in PyMC's log-beta at 1e13 was reported as a higher maximum from another start.
        assert not any("higher" in finding for finding in fit.findings)


class TestUnbounded:
    def test_constant_response(self):
        with pm.Model() as model:
            mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
            pm.Normal("y", mu, sigma, observed=np.full(5, 3.3))
        fit = warned(model, "UNBOUNDED")
        assert np.isnan(fit.params["sigma"])

    def test_everything_that_runs_away_is_withheld(self):
        # Gamma at one point: shape and rate both grow without limit, their ratio fixed.
        with pm.Model() as model:
            shape, rate = pm.HalfFlat("shape"), pm.HalfFlat("rate")
            pm.Gamma("y", alpha=shape, beta=rate, observed=np.full(5, 3.3))
        fit = warned(model, "UNBOUNDED")
        assert np.isnan(fit.params[["shape", "rate"]]).all()

    def test_saturated_mean_with_free_sigma(self):
        fit = warned(saturated(), "UNBOUNDED")
        assert np.isnan(fit.params["sigma"])
        assert "sigma" in fit.message
        assert np.isnan(fit.bse).all()

    @pytest.mark.parametrize("find", [find_MLE, find_MAP])
    def test_joint_mode_of_a_hierarchical_model(self, find):
        # Incident: pm.find_MAP answered tau = 1e-8 and called it a success.
        fit = warned(eight_schools(), "UNBOUNDED", find)
        assert np.isnan(fit.params["tau"])
        assert "tau" in fit.message


class TestNeverSilentlyWrong:
    def test_kink_is_not_certified_off_the_median(self):
        # The maximum is the median, 2.2, where the density has a kink: no curvature, no standard error.
        fit = quiet(kinked())
        if fit.converged:
            assert fit.params["m"] == pytest.approx(2.2, abs=1e-9)
            assert np.isnan(fit.bse["m"])
        else:
            assert fit.status in (Status.NOT_CONVERGED, Status.UNIDENTIFIED)

    def test_plateau_of_an_even_kink_is_not_certified(self):
        with pm.Model() as model:
            m = pm.Flat("m")
            pm.Laplace("y", m, 1, observed=np.array([0.3, 1.7, 4.1, 9.0]))
        fit = quiet(model)
        assert fit.status is not Status.CONVERGED
        assert 1.7 <= fit.params["m"] <= 4.1
        assert fit.llf == pytest.approx(-11.1 - 4 * np.log(2), rel=1e-9)

    def test_start_at_a_saddle_is_left(self):
        # (a^2 + b^2)/2 - (a^4 + b^4)/4 has a stationary point of minimum type at the start 0 and maxima at +-1.
        with pm.Model() as model:
            v = pm.Flat("v", shape=2)
            pm.Potential("bowl", pt.sum(v**2 / 2 - v**4 / 4))
        fit = quiet(model)
        assert fit.status is Status.CONVERGED, fit.message
        np.testing.assert_allclose(np.abs(fit.params), 1, rtol=1e-9)
        np.testing.assert_allclose(fit.bse, 0.5**0.5, rtol=1e-9)

    def test_start_between_two_maxima_is_left(self):
        # y ~ N(a^2, 1): the start 0 is a minimum; the maxima are +-sqrt(mean).
        with pm.Model() as model:
            a = pm.Flat("a")
            pm.Normal("y", a**2, 1, observed=Y)
        fit = quiet(model)
        top = np.sqrt(Y.mean())
        assert fit.status is Status.CONVERGED, fit.message
        assert abs(fit.params["a"]) == pytest.approx(top, rel=1e-9)
        assert fit.bse["a"] == pytest.approx(1 / (2 * top * np.sqrt(Y.size)), rel=1e-9)

    @pytest.mark.parametrize("apart", [1e-6, 1e-7, 3e-8, 1e-8, 1e-10])
    def test_nearly_equal_columns_are_not_infinite(self, apart):
        # Incident: coefficients of columns that differ by 1e-8 were called infinite, with a log-likelihood below the
        # maximum. It is finite; it may be missed, or the columns be called indistinguishable, but not more.
        x, z, noise = np.random.default_rng(3).normal(size=(3, 20))
        y = 1 + x + noise
        with pm.Model() as model:
            a, b, sigma = pm.Flat("a"), pm.Flat("b", shape=2), pm.HalfFlat("sigma")
            pm.Normal("y", a + x * b[0] + (x + apart * z) * b[1], sigma, observed=y)
        fit = quiet(model)
        assert fit.status in (Status.CONVERGED, Status.UNIDENTIFIED, Status.NOT_CONVERGED), fit.message
        if fit.converged:
            with mpmath.workdps(60):  # of the columns as they are stored, which rounding has moved by 1e-16
                design = mpmath.matrix(np.column_stack([np.ones(20), x, x + apart * z]).tolist())
                left = mpmath.matrix(y.tolist()) - design * mpmath.qr_solve(design, mpmath.matrix(y.tolist()))[0]
                rss = float(mpmath.norm(left) ** 2)
            # Coefficients of size 1 / apart round the mean by 1e-16 / apart.
            assert fit.llf == pytest.approx(-10 * (np.log(2 * np.pi * rss / 20) + 1), rel=1e-17 / apart)

    def test_quartic_maximum_has_no_standard_error(self):
        # -m^4: a strict maximum at 0 without curvature. Anything may be said but a certified finite standard error.
        with pm.Model() as model:
            m = pm.Flat("m", initval=1.0)
            pm.Potential("quartic", -(m**4))
        fit = quiet(model)
        assert fit.status is not Status.CONVERGED or not np.isfinite(fit.bse["m"])

    @pytest.mark.parametrize("fall", [1e-7, 1e-3, 1.0])
    def test_maximum_far_out_along_a_curve_is_not_infinite(self, fall):
        # The density rises towards a = 1e5 by ever less, and falls again behind it, by so much in all.
        with pm.Model() as model:
            a, b = pm.Flat("a", initval=3.0), pm.Flat("b")
            pm.Potential("bowl", -fall * (1e5 / a - 1) ** 2 - (b - pt.log(a)) ** 2)
        fit = quiet(model)
        assert fit.status is not Status.INFINITE, fit.message
        if fit.converged:
            assert fit.params["a"] == pytest.approx(1e5, rel=1e-6)

    def test_density_without_bound_in_a_polynomial(self):
        with pm.Model() as model:
            m = pm.Flat("m", initval=0.3)
            pm.Potential("line", 1 * m)
        fit = quiet(model)
        assert not fit.converged
        assert fit.status in (Status.UNBOUNDED, Status.NOT_CONVERGED)

    @pytest.mark.parametrize(
        ("build", "status"), [(separated, "INFINITE"), (saturated, "UNBOUNDED"), (two_intercepts, "UNIDENTIFIED")]
    )
    def test_strict_raises_with_the_fit(self, build, status):
        with pytest.raises(FitError) as caught:
            find_MLE(build(), strict=True, progressbar=False)
        assert caught.value.fit.status is Status[status]
        assert str(caught.value) == caught.value.fit.message


def existence(name):
    return reference_problem(f"existence/{name}")


def column(problem, name):
    return problem.data[name].to_numpy(float)


def named_coefficients(*names):
    pm.modelcontext(None).add_coord("column", list(names))
    return pm.Flat("b", dims="column")


def glm(problem, y, columns, names=None):
    x = np.column_stack([np.ones(len(problem.data)), *(np.asarray(c, float) for c in columns.values())])
    return x @ named_coefficients("(Intercept)", *columns), y


def bortkiewicz(problem):
    mu, theta = pm.HalfFlat("mu"), pm.HalfFlat("theta")
    y = np.repeat(problem.data["deaths"], problem.data["corps_years"])
    pm.NegativeBinomial("y", mu=mu, alpha=theta, observed=y)


def logit_1d(x, y):
    def declare(problem):
        eta, _ = glm(problem, None, {x: problem.data[x]})
        pm.Bernoulli("y", logit_p=eta, observed=problem.data[y])

    return declare


def dummy_trap(problem):
    g = problem.data["g"]
    b0, bx = pm.Flat("b0"), pm.Flat("bx")
    ba, bb, bc = (pm.Flat(f"b{k}") for k in "abc")
    sigma = pm.HalfFlat("sigma")
    for k, v in zip("abc", (ba, bb, bc), strict=True):
        pm.Deterministic(f"b0+b{k}", b0 + v)
    mu = (
        b0
        + bx * column(problem, "x")
        + sum(v * (g == k).to_numpy(float) for k, v in zip("abc", (ba, bb, bc), strict=True))
    )
    pm.Normal("y", mu, sigma, observed=column(problem, "y"))


def schools_centered(problem):
    mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
    theta = pm.Normal("theta", mu, tau, shape=8)
    pm.Normal("y", theta, column(problem, "sigma"), observed=column(problem, "y"))


def schools_marginal(problem):
    mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
    spread = pm.math.sqrt(column(problem, "sigma") ** 2 + tau**2)
    pm.Normal("y", mu, spread, observed=column(problem, "y"))


def endometrial(problem):
    eta, _ = glm(problem, None, {name: problem.data[name] for name in ("NV", "PI", "EH")})
    pm.Bernoulli("y", logit_p=eta, observed=problem.data["HG"])


def heart_loglink(problem):
    data = problem.data
    columns = {f"{f}{k}": data[f] == k for f in ("AgeGroup", "Severity", "Delay", "Region") for k in (2, 3)}
    x = np.column_stack([np.ones(len(data)), *columns.values()]).astype(float)
    pm.modelcontext(None).add_coord("column", ["(Intercept)", *columns])
    b = pm.Flat("b", dims="column", initval=np.r_[-4.0, np.zeros(8)])
    pm.Binomial("y", n=data["Patients"], p=pm.math.exp(x @ b), observed=data["Deaths"])


def lizards(problem):
    data = problem.data
    total = data["grahami"] + data["opalinus"]
    keep = (total > 0).to_numpy()
    levels = (("height", ">=5ft"), ("diameter", ">2in"), ("light", "sunny"), ("time", "midday"), ("time", "late"))
    columns = {factor + level: data[factor] == level for factor, level in levels}
    eta, _ = glm(problem, None, columns)
    pm.Binomial("y", n=total[keep], logit_p=eta[np.flatnonzero(keep)], observed=data["grahami"][keep])


def intercept_only(problem):
    b = named_coefficients("(Intercept)")
    pm.Bernoulli("y", logit_p=b[0] * np.ones(4), observed=problem.data["y"])


def poisson_groups(problem):
    eta, _ = glm(problem, None, {f"g{k}": problem.data["g"] == k for k in "bcd"})
    pm.Poisson("y", column(problem, "expo") * pm.math.exp(eta), observed=problem.data["y"])


def shifted_exponential(problem):
    delta, s = pm.Flat("delta", initval=4.0), pm.HalfFlat("s")
    y = column(problem, "y")
    pm.Potential("y", pt.switch(pt.all(pt.ge(y, delta)), -pt.log(s) * y.size - pt.sum(y - delta) / s, -np.inf))


def silvapulle_log(problem):
    pm.modelcontext(None).add_coord("column", ["(Intercept)", "ghqs"])
    b = pm.Flat("b", dims="column", initval=[-2.0, 0.1])
    pm.Bernoulli("y", p=pm.math.exp(b[0] + b[1] * column(problem, "ghqs")), observed=problem.data["y"])


def student_t(problem):
    mu, sigma, nu = pm.Flat("mu"), pm.HalfFlat("sigma"), pm.HalfFlat("nu")
    pm.StudentT("y", nu=nu, mu=mu, sigma=sigma, observed=column(problem, "y"))


def wampler(problem):
    table = nist_table("Wampler1.dat")
    b, sigma = pm.Flat("b", shape=6), pm.HalfFlat("sigma")
    pm.Normal("y", np.vander(table[:, 1], 6, increasing=True) @ b, sigma, observed=table[:, 0])


def no_successes(problem):
    p = pm.Uniform("p", 0, 1)
    pm.Binomial("y", n=problem.data["trials"], p=p, observed=problem.data["successes"])


# name: how it is declared, statuses that are right (the first is the best), in words of the verdict
NO_FINITE_MAXIMUM = {
    "bortkiewicz_negbin": (bortkiewicz, "INFINITE"),
    "complete_sep_1d": (logit_1d("x", "y"), "INFINITE"),
    "dummy_trap": (dummy_trap, "UNIDENTIFIED"),
    "eight_schools_centered_map": (schools_centered, "UNBOUNDED"),
    "endometrial_logit": (endometrial, "INFINITE"),
    "poisson_sep": (poisson_groups, "INFINITE"),
    "silvapulle_logit": (logit_1d("ghqs", "y"), "INFINITE"),
    "student_t_nu_infinite_small": (student_t, "INFINITE"),
    "wampler1_sigma_mle": (wampler, "UNBOUNDED"),
}
ON_AN_EDGE = {
    "eight_schools_marginal_mle": schools_marginal,
    "shifted_exponential": shifted_exponential,
    "silvapulle_loglink": silvapulle_log,
    "zero_successes": no_successes,
}
UNIQUE = {
    "glm2_heart_loglink": heart_loglink,
    "lizards_logit": lizards,
    "logistic_null_bad_start": intercept_only,
    "near_separation_1d": logit_1d("x", "y"),
}


def declared(name, declare):
    problem = existence(name)
    with pm.Model() as model:
        declare(problem)
    return problem, model


@pytest.mark.parametrize("name", sorted(NO_FINITE_MAXIMUM))
def test_without_a_finite_maximum_none_is_reported(name):
    declare, status = NO_FINITE_MAXIMUM[name]
    problem, model = declared(name, declare)
    fit = quiet(model, find_MAP if "map" in name else find_MLE)
    assert fit.status is not Status.CONVERGED, fit.params
    assert not fit.converged, fit.message
    assert fit.status is Status[status], fit.message
    for parameter, limit in problem.facts.get("infinite", {}).items():
        assert quantity(fit, parameter)[0] == float(limit), parameter
    if status == "INFINITE":
        limits = problem.facts.get("finite_limits", {})
        for parameter, value in limits.items():
            se = problem.facts["finite_limits_se"][parameter]
            found = quantity(fit, parameter)
            assert found[0] == pytest.approx(value, abs=1e-4 * se), parameter
            assert found[1] == pytest.approx(se, rel=1e-3), parameter
        assert fit.llf == pytest.approx(problem.facts["supremum_loglik"], abs=1e-5)


def test_reference_dummy_trap_keeps_what_is_estimable():
    problem, model = declared("dummy_trap", dummy_trap)
    fit = quiet(model)
    for name, value in problem.facts["estimable"].items():
        found = quantity(fit, name)
        assert found[0] == pytest.approx(value, rel=1e-8), name
        assert found[1] == pytest.approx(problem.facts["estimable_se"][name], rel=1e-7), name
    for name in ("b0", "ba", "bb", "bc"):
        assert np.isnan(fit.bse[name])
        assert name in fit.message
    assert fit.llf == pytest.approx(problem.facts["loglik"], rel=1e-10)


@pytest.mark.parametrize("name", sorted(ON_AN_EDGE))
def test_maximum_on_an_edge_is_not_called_interior(name):
    problem, model = declared(name, ON_AN_EDGE[name])
    fit = quiet(model)
    assert fit.status is not Status.CONVERGED, fit.params
    supremum = problem.facts.get("loglik", problem.facts.get("supremum_loglik"))
    assert fit.llf == pytest.approx(supremum, abs=0.02)


@pytest.mark.parametrize("name", sorted(ON_AN_EDGE))
def test_maximum_on_an_edge_is_found_there(name):
    problem, model = declared(name, ON_AN_EDGE[name])
    fit, facts = quiet(model), problem.facts
    assert fit.status is Status.BOUNDARY, fit.message
    assert fit.llf == pytest.approx(facts.get("loglik", facts.get("supremum_loglik")), abs=1e-7)
    for parameter, value in facts.get("estimates", facts.get("boundary", {})).items():
        assert quantity(fit, parameter)[0] == pytest.approx(value, abs=1e-7), parameter
    for parameter, se in facts.get("se_of_the_rest", {}).items():
        assert quantity(fit, parameter)[1] == pytest.approx(se, rel=1e-7), parameter


@pytest.mark.parametrize("name", sorted(UNIQUE))
def test_unique_maximum_is_certified(name):
    problem, model = declared(name, UNIQUE[name])
    fit = find_MLE(model, progressbar=False)
    assert fit.status is Status.CONVERGED, fit.message
    for parameter, value in problem.facts["estimates"].items():
        se = problem.facts["se"][parameter]
        found = quantity(fit, parameter)
        assert found[0] == pytest.approx(value, abs=1e-7 * se), parameter
        assert found[1] == pytest.approx(se, rel=1e-7), parameter
    assert fit.llf == pytest.approx(problem.facts["loglik"], rel=1e-10)


@pytest.mark.parametrize("start", [-1.75, -1.81, -5.0, 10.0])
def test_bad_starts_of_a_null_model(start):
    # Incident: from -1.81 R's glm() diverges to an infinite estimate of log 3 (Marschner 2011).
    problem, _ = declared("logistic_null_bad_start", intercept_only)
    with pm.Model() as model:
        b = pm.Flat("b")
        pm.Bernoulli("y", logit_p=b, observed=problem.data["y"])
    fit = find_MLE(model, initvals={"b": start}, progressbar=False)
    assert fit.params["b"] == pytest.approx(np.log(3), rel=1e-10)
    assert fit.bse["b"] == pytest.approx(np.sqrt(4 / 3), rel=1e-9)


@pytest.mark.parametrize("start", [-8.0, 0.0, 5.0, 6.9])
def test_cauchy_ends_in_one_of_its_maxima(start):
    problem = existence("cauchy_location_multimodal")
    with pm.Model() as model:
        theta = pm.Flat("theta")
        pm.Cauchy("y", theta, 1, observed=column(problem, "y"))
    fit = find_MLE(model, initvals={"theta": start}, progressbar=False)
    table = pd.DataFrame(problem.facts["local_maxima"])
    nearest = table.iloc[(table["theta"] - fit.params["theta"]).abs().argmin()]
    assert fit.status is Status.CONVERGED
    assert fit.params["theta"] == pytest.approx(nearest["theta"], abs=1e-7)
    assert fit.llf == pytest.approx(nearest["loglik"], rel=1e-10)
    assert fit.bse["theta"] == pytest.approx(nearest["se"], rel=1e-7)


def test_mixture_ends_in_its_interior_maximum():
    # The likelihood is unbounded where a component sits on one row; the interior maximum is the sensible answer.
    problem = existence("faithful_mixture_unbounded")
    with pm.Model() as model:
        w = pm.Uniform("w", 0, 1)
        mu = pm.Flat("mu", shape=2, initval=[50.0, 80.0])
        sigma = pm.HalfFlat("sigma", shape=2, initval=[5.0, 5.0])
        pm.NormalMixture("y", w=pt.stack([w, 1 - w]), mu=mu, sigma=sigma, observed=column(problem, "waiting"))
    fit = quiet(model)
    interior = reference_problem("models/faithful_waiting_mixture2")
    assert fit.status is Status.CONVERGED, fit.message
    expected = interior.estimates[["mu1", "mu2", "sigma1", "sigma2"]]
    np.testing.assert_allclose(fit.params[["mu[0]", "mu[1]", "sigma[0]", "sigma[1]"]], expected, rtol=1e-7)


@pytest.mark.slow
def test_mixture_from_identical_components_is_not_certified_there():
    # From PyMC's start both components are equal, and the search ends with one of them empty: llf -1095.3, no maximum.
    problem = existence("faithful_mixture_unbounded")
    with pm.Model() as model:
        w = pm.Uniform("w", 0, 1)
        mu = pm.Flat("mu", shape=2)
        sigma = pm.HalfFlat("sigma", shape=2)
        pm.NormalMixture("y", w=pt.stack([w, 1 - w]), mu=mu, sigma=sigma, observed=column(problem, "waiting"))
    fit = quiet(model)
    interior = reference_problem("models/faithful_waiting_mixture2")
    assert not fit.converged or fit.llf == pytest.approx(interior.facts["loglik"], rel=1e-9), fit.message
