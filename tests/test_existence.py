"""Separation and empty cells: which coefficients are infinite, with which sign, and what remains in the limit."""

import warnings

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, xlogy
from statsmodels.miscmodels.ordinal_model import OrderedModel

from ppl_mle import FitWarning, Status, find_MAP, find_MLE
from tests.reference import quantity, reference_problem

RNG = np.random.default_rng(7)
N = 60
X = RNG.normal(size=N)
GROUP = np.arange(N) % 3
NOISY = (X + RNG.logistic(size=N) > 0).astype(int)
ORDERED = pm.distributions.transforms.ordered


def fit_quietly(model, find=find_MLE, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", FitWarning)
        return find(model, progressbar=False, **options)


def infinite(model, find=find_MLE, **options):
    fit = fit_quietly(model, find, **options)
    assert fit.status is Status.INFINITE, fit.message
    return fit


def dummies(group):
    return np.column_stack([np.ones(len(group)), group == 1, group == 2]).astype(float)


def separated_group(y):
    """The last group holds no failure; the others are as they were."""
    return np.where(GROUP == 2, 1, y)


LINKS = {
    "logit": (lambda eta: {"logit_p": eta}, sm.families.links.Logit()),
    "logit of p": (lambda eta: {"p": pm.math.invlogit(eta)}, sm.families.links.Logit()),
    "probit": (lambda eta: {"p": pm.math.invprobit(eta)}, sm.families.links.Probit()),
    "cloglog": (lambda eta: {"p": 1 - pm.math.exp(-pm.math.exp(eta))}, sm.families.links.CLogLog()),
}


def check_rest(fit, names, reference):
    """The finite coefficients are those of the data that remain."""
    np.testing.assert_allclose(fit.params[list(names)], reference.params, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(fit.bse[list(names)], reference.bse, rtol=1e-6)
    assert fit.llf == pytest.approx(reference.llf, rel=1e-9)


def glm(y, x, family):
    return sm.GLM(y, x, family=family).fit(tol=1e-13, maxiter=200, cov_type="nonrobust")


def observed(reference):
    """Standard errors from the observed information, which for links that are not canonical is not the expected one."""
    return np.sqrt(np.diag(np.linalg.inv(-reference.model.hessian(reference.params, observed=True))))


@pytest.mark.parametrize("link", LINKS)
def test_a_group_without_failures(link):
    declare, statsmodels_link = LINKS[link]
    y, x = separated_group(NOISY), np.column_stack([dummies(GROUP), X])
    with pm.Model() as model:
        b = pm.Flat("b", shape=4)
        pm.Bernoulli("y", **declare(x @ b), observed=y)
    fit = infinite(model)
    rest = GROUP != 2
    reference = glm(y[rest], x[rest][:, [0, 1, 3]], sm.families.Binomial(statsmodels_link))
    names = ["b[0]", "b[1]", "b[3]"]
    assert fit.params["b[2]"] == np.inf
    np.testing.assert_allclose(fit.params[names], reference.params, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(fit.bse[names], observed(reference), rtol=1e-6)
    assert np.isnan(fit.bse["b[2]"])
    assert fit.llf == pytest.approx(reference.llf, rel=1e-9)
    for words in ("b[2] -> +inf", "quasi-complete separation", "rows 2, 5, 8", "20 of 60"):
        assert words in fit.message


@pytest.mark.parametrize("link", LINKS)
def test_binomial_counts_without_failures(link):
    declare, statsmodels_link = LINKS[link]
    trials = np.array([9, 7, 12, 8, 5])
    y = np.array([3, 2, 7, 8, 5])
    x = np.column_stack([np.ones(5), [0.0, 1, 2, 0, 1], [0.0, 0, 0, 1, 1]])
    with pm.Model() as model:
        b = pm.Flat("b", shape=3)
        pm.Binomial("y", n=trials, **declare(x @ b), observed=y)
    fit = infinite(model)
    rest = sm.GLM(np.column_stack([y, trials - y])[:3], x[:3, :2], family=sm.families.Binomial(statsmodels_link))
    reference = rest.fit(tol=1e-13)
    assert fit.params["b[2]"] == np.inf
    np.testing.assert_allclose(fit.params[["b[0]", "b[1]"]], reference.params, rtol=1e-7, atol=1e-8)
    assert fit.llf == pytest.approx(reference.llf, rel=1e-9)
    assert "2 of 5" in fit.message


def test_two_coefficients_of_opposite_sign_leave_a_third():
    group = np.arange(N) % 4
    y = np.where(group == 2, 1, np.where(group == 3, 0, NOISY))
    x = np.column_stack([np.ones(N), group == 2, group == 3, X]).astype(float)
    with pm.Model(coords={"k": ["one", "two", "three", "x"]}) as model:
        b = pm.Flat("b", dims="k")
        pm.Bernoulli("y", logit_p=x @ b, observed=y)
    fit = infinite(model)
    rest = group < 2
    assert fit.params["b[two]"] == np.inf
    assert fit.params["b[three]"] == -np.inf
    assert "b[two] -> +inf" in fit.message
    assert "b[three] -> -inf" in fit.message
    check_rest(fit, ["b[one]", "b[x]"], glm(y[rest], x[rest][:, [0, 3]], sm.families.Binomial()))


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (1e6, 1.0), (0.0, 1e8), (0.0, 1e-8), (1e3, 1e-3)])
def test_separation_does_not_depend_on_units(shift, scale):
    y = separated_group(NOISY)
    x = np.column_stack([dummies(GROUP)[:, 2], X]) * scale + shift
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b", shape=2)
        pm.Bernoulli("y", logit_p=a + x @ b, observed=y)
    fit = infinite(model)
    rest = GROUP != 2
    reference = glm(y[rest], np.column_stack([np.ones(N), X])[rest], sm.families.Binomial())
    assert fit.params["b[0]"] == np.inf
    assert fit.params["b[1]"] * scale == pytest.approx(reference.params[1], rel=1e-6)
    assert fit.bse["b[1]"] * scale == pytest.approx(reference.bse[1], rel=1e-6)
    assert fit.llf == pytest.approx(reference.llf, rel=1e-8)


def test_signs_that_the_data_leave_open_are_not_made_up():
    # y = 1 for x > 0 with points on both sides of 0: b -> +inf for sure, a anything of smaller size.
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=x > 0)
    fit = infinite(model)
    assert fit.params["b"] == np.inf
    assert np.isnan(fit.params["a"])
    assert fit.llf == pytest.approx(0, abs=1e-12)
    assert "complete separation" in fit.message
    assert "quasi" not in fit.message
    assert "tends to 0" in fit.message


def test_prior_on_the_separated_coefficient_bounds_it():
    y = separated_group(NOISY)
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Normal("b", 0, 2)
        pm.Bernoulli("y", logit_p=a + b * (GROUP == 2), observed=y)
    fit = fit_quietly(model, find_MAP)
    assert fit.status is Status.CONVERGED, fit.message
    # The score: 20 (1 - p) = b / 4, and the others' share is their mean.
    a, b = fit.params["a"], fit.params["b"]
    assert 20 * (1 - expit(a + b)) == pytest.approx(b / 4, rel=1e-8)


def test_prior_on_another_coefficient_does_not():
    y = separated_group(NOISY)
    with pm.Model() as model:
        a, b = pm.Normal("a", 0, 1), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * (GROUP == 2), observed=y)
    fit = infinite(model, find_MAP)
    hits, misses = y[GROUP != 2].sum(), (1 - y)[GROUP != 2].sum()
    a = fit.params["a"]
    assert fit.params["b"] == np.inf
    assert hits * (1 - expit(a)) - misses * expit(a) == pytest.approx(a, rel=1e-8)


def test_fixed_coefficient_is_no_direction():
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * (GROUP == 2), observed=separated_group(NOISY))
    assert fit_quietly(model, fixed={"b": 1.0}).status is Status.CONVERGED


def test_row_of_weight_zero_does_not_count():
    # The last row alone overlaps; with weight zero the rest is separated.
    x = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0])
    y = np.array([0, 0, 0, 1, 1, 1, 0])
    with pm.Model() as model:
        b = pm.Flat("b")
        pm.Bernoulli("y", logit_p=b * x, observed=y)
    assert fit_quietly(model).status is Status.CONVERGED
    fit = infinite(model, weights=np.array([1.0, 2, 1, 1, 3, 1, 0]))
    assert fit.params["b"] == np.inf
    assert fit.llf == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("size", [3.0, 30.0, 3e6])
def test_large_coefficients_of_overlapping_data_are_finite(size):
    # The same rows in other units: one pair overlaps, so that the maximum is finite but steep.
    x = np.r_[-1.0, -0.8, -0.6, -0.4, -0.1, 0.1, 0.4, 0.6, 0.8, 1.0]
    y = np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 1])
    reference = glm(y, x[:, None], sm.families.Binomial())
    unit = reference.params[0] / size
    with pm.Model() as model:
        b = pm.Flat("b")
        pm.Bernoulli("y", logit_p=b * (x * unit), observed=y)
    fit = fit_quietly(model)
    assert fit.status is Status.CONVERGED, fit.message
    assert fit.params["b"] == pytest.approx(size, rel=1e-8)


@pytest.mark.parametrize("overlap", [1e-2, 1e-4, 1e-6, 1e-8])
def test_the_least_overlap_is_no_separation(overlap):
    x = np.array([-2.0, -1.0, overlap, -overlap, 1.0, 2.0])
    y = np.array([0, 0, 0, 1, 1, 1])
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=y)
    fit = fit_quietly(model)
    assert fit.status not in (Status.INFINITE, Status.UNIDENTIFIED), fit.message
    assert fit.status is Status.CONVERGED, fit.message
    assert fit.params["a"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("overlap", [1e-10, 1e-12])
def test_an_overlap_near_rounding_is_not_called_infinite(overlap):
    x = np.array([-2.0, -1.0, overlap, -overlap, 1.0, 2.0])
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=np.array([0, 0, 0, 1, 1, 1]))
    fit = fit_quietly(model)
    assert fit.status in (Status.CONVERGED, Status.NOT_CONVERGED), fit.message


def test_ties_at_the_border_are_quasi_complete():
    # 0.1 + 0.2 is not 0.3 in floating point, but the design's two rows are tied.
    x = np.array([0.1, 0.2, 0.3, 0.3, 0.4, 0.5])
    y = np.array([0, 0, 0, 1, 1, 1])
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Deterministic("at the tie", a + 0.3 * b)
        pm.Bernoulli("y", logit_p=a + b * x, observed=y)
    fit = infinite(model)
    assert list(fit.params) == [-np.inf, np.inf]
    assert fit.llf == pytest.approx(2 * np.log(0.5), rel=1e-9)
    tie = fit.deterministic("at the tie")
    assert tie.params.iloc[0] == pytest.approx(0, abs=1e-7)
    assert tie.bse.iloc[0] == pytest.approx(np.sqrt(2), rel=1e-6)


class TestRankDeficient:
    def test_without_separation_it_is_a_ridge(self):
        with pm.Model() as model:
            a, b = pm.Flat("a"), pm.Flat("b", shape=3)
            pm.Bernoulli("y", logit_p=a + b[GROUP], observed=NOISY)
        assert fit_quietly(model).status is Status.UNIDENTIFIED

    def test_with_separation_both_are_said(self):
        y = separated_group(NOISY)
        with pm.Model() as model:
            a, b = pm.Flat("a"), pm.Flat("b", shape=3)
            pm.Deterministic("first", a + b[0])
            pm.Bernoulli("y", logit_p=a + b[GROUP], observed=y)
        fit = infinite(model)
        share = y[GROUP == 0].mean()
        assert fit.params["b[2]"] == np.inf
        assert np.all(np.isfinite(fit.params[["a", "b[0]", "b[1]"]]))
        assert fit.bse.isna().all()
        first = fit.deterministic("first")
        assert first.params.iloc[0] == pytest.approx(np.log(share / (1 - share)), rel=1e-7)
        assert first.bse.iloc[0] == pytest.approx((20 * share * (1 - share)) ** -0.5, rel=1e-6)
        assert "a - b[*]" in fit.message


class TestCounts:
    @pytest.mark.parametrize("exposed", [False, True])
    def test_poisson_cell_without_counts(self, exposed):
        y = np.where(GROUP == 2, 0, np.random.default_rng(1).poisson(3, N))
        exposure = np.linspace(1, 3, N) if exposed else np.ones(N)
        x = np.column_stack([dummies(GROUP), X])
        with pm.Model() as model:
            b = pm.Flat("b", shape=4)
            pm.Poisson("y", exposure * pm.math.exp(x @ b), observed=y)
        fit = infinite(model)
        rest = GROUP != 2
        reference = sm.GLM(y[rest], x[rest][:, [0, 1, 3]], family=sm.families.Poisson(), exposure=exposure[rest]).fit(
            tol=1e-13
        )
        assert fit.params["b[2]"] == -np.inf
        assert "a cell without counts" in fit.message
        check_rest(fit, ["b[0]", "b[1]", "b[3]"], reference)

    def test_negative_binomial_cell_keeps_its_dispersion(self):
        y = np.where(GROUP == 2, 0, np.random.default_rng(2).negative_binomial(1, 0.2, N))
        with pm.Model() as model:
            b, alpha = pm.Flat("b", shape=3), pm.HalfFlat("alpha")
            pm.NegativeBinomial("y", mu=pm.math.exp(b[GROUP]), alpha=alpha, observed=y)
        fit = infinite(model)
        rest = GROUP != 2
        x = np.column_stack([GROUP == 0, GROUP == 1])[rest].astype(float)
        reference = sm.NegativeBinomial(y[rest], x).fit(method="newton", tol=1e-12, maxiter=200, disp=False)
        assert fit.params["b[2]"] == -np.inf
        np.testing.assert_allclose(fit.params[["b[0]", "b[1]"]], reference.params[:2], rtol=1e-6)
        assert fit.params["alpha"] == pytest.approx(1 / reference.params[2], rel=1e-5)
        assert fit.llf == pytest.approx(reference.llf, rel=1e-9)

    def test_both_cell_and_dispersion_run_away(self):
        counts = np.tile([3, 4, 2, 3, 4, 3], 4)
        y, group = np.r_[counts, np.zeros(8, int)], np.r_[np.zeros(24, int), np.ones(8, int)]
        with pm.Model() as model:
            b, alpha = pm.Flat("b", shape=2), pm.HalfFlat("alpha")
            pm.NegativeBinomial("y", mu=pm.math.exp(b[group]), alpha=alpha, observed=y)
        fit = infinite(model)
        assert fit.params["b[1]"] == -np.inf
        assert fit.params["alpha"] == np.inf
        assert fit.params["b[0]"] == pytest.approx(np.log(counts.mean()), rel=1e-7)
        assert fit.llf == pytest.approx(stats.poisson.logpmf(counts, counts.mean()).sum(), rel=1e-6)

    def test_a_rate_of_zero_is_an_edge(self):
        with pm.Model() as model:
            rate = pm.HalfFlat("rate", shape=2)
            pm.Poisson("y", rate[np.array([0, 0, 0, 1, 1])], observed=[2, 3, 1, 0, 0])
        fit = fit_quietly(model)
        assert fit.status is Status.BOUNDARY, fit.message
        np.testing.assert_allclose(fit.params, [2.0, 0.0], rtol=1e-8)
        assert fit.llf == pytest.approx(stats.poisson.logpmf([2, 3, 1], 2).sum(), rel=1e-10)


def ordinal(levels, x, kind, start, compute_p=False):
    with pm.Model() as model:
        cuts = pm.Flat("cuts", shape=len(start), transform=ORDERED, initval=start)
        b = pm.Flat("b")
        kind("y", eta=b * x, cutpoints=cuts, compute_p=compute_p, observed=levels)
    return model


@pytest.mark.parametrize(("kind", "name"), [(pm.OrderedLogistic, "logit"), (pm.OrderedProbit, "probit")])
class TestOrdered:
    levels = np.digitize(X + np.random.default_rng(3).logistic(size=N), [-0.7, 0.7])

    def reference(self, levels, x, name):
        fit = OrderedModel(levels, x[:, None], distr=name).fit(method="newton", tol=1e-13, maxiter=100, disp=False)
        cuts = fit.model.transform_threshold_params(fit.params)[1:-1]
        return fit, cuts

    @pytest.mark.parametrize("empty", [0, 3])
    def test_empty_outer_category(self, kind, name, empty):
        levels = self.levels + (empty == 0)
        fit = infinite(ordinal(levels, X, kind, [-2.0, 0.0, 2.0]))
        reference, cuts = self.reference(self.levels, X, name)
        own = ["cuts[1]", "cuts[2]"] if empty == 0 else ["cuts[0]", "cuts[1]"]
        assert fit.params["cuts[0]" if empty == 0 else "cuts[2]"] == (-np.inf if empty == 0 else np.inf)
        assert "an empty category" in fit.message
        np.testing.assert_allclose(fit.params[own], cuts, rtol=1e-6)
        assert fit.params["b"] == pytest.approx(reference.params[0], rel=1e-6)
        assert fit.bse["b"] == pytest.approx(reference.bse[0], rel=1e-4)
        assert fit.llf == pytest.approx(reference.llf, rel=1e-8)

    def test_empty_middle_category(self, kind, name):
        levels = np.where(self.levels > 0, self.levels + 1, 0)
        fit = fit_quietly(ordinal(levels, X, kind, [-1.0, 0.0, 1.0]))
        reference, cuts = self.reference(self.levels, X, name)
        assert fit.status is Status.BOUNDARY, fit.message
        np.testing.assert_allclose(fit.params, [cuts[0], cuts[0], cuts[1], reference.params[0]], rtol=1e-6)
        assert "cuts[1] - cuts[0] = 0" in fit.message

    def test_covariate_that_separates_all_levels(self, kind, name):
        levels = np.digitize(X, [-0.5, 0.5])
        fit = infinite(ordinal(levels, X, kind, [-1.0, 1.0]))
        assert list(fit.params) == [-np.inf, np.inf, np.inf]
        assert fit.llf == pytest.approx(0, abs=1e-6)
        assert "complete separation" in fit.message

    def test_overlap_is_no_separation(self, kind, name):
        fit = fit_quietly(ordinal(self.levels, X, kind, [-1.0, 1.0]))
        assert fit.status is Status.CONVERGED, fit.message


@pytest.mark.parametrize("how", ["logit_p", "softmax"])
class TestMultinomial:
    def declare(self, y, x, how):
        with pm.Model() as model:
            b = pm.Flat("b", shape=(x.shape[1], 2))
            eta = pt.concatenate([pt.zeros((len(y), 1)), x @ b], axis=1)
            given = {"logit_p": eta} if how == "logit_p" else {"p": pm.math.softmax(eta, axis=1)}
            pm.Categorical("y", **given, observed=y)
        return model

    def test_a_category_that_a_group_never_takes(self, how):
        y = np.random.default_rng(5).integers(0, 3, N)
        late = (GROUP == 2).astype(float)
        y = np.where((late == 1) & (y == 2), 0, y)
        fit = infinite(self.declare(y, np.column_stack([np.ones(N), late]), how))
        rest, own = (np.bincount(y[late == k], minlength=3) for k in (0, 1))
        assert fit.params["b[1, 1]"] == -np.inf
        assert "b[1, 1] -> -inf" in fit.message
        expected = np.log(rest[1:] / rest[0])
        np.testing.assert_allclose(fit.params[["b[0, 0]", "b[0, 1]"]], expected, rtol=1e-7, atol=1e-8)
        assert fit.params["b[1, 0]"] == pytest.approx(np.log(own[1] / own[0]) - expected[0], rel=1e-7)
        entropy = sum(xlogy(k, k / k.sum()).sum() for k in (rest, own))
        assert fit.llf == pytest.approx(entropy, rel=1e-9)

    def test_complete_separation(self, how):
        y = np.digitize(X, [-0.5, 0.5])
        fit = infinite(self.declare(y, np.column_stack([np.ones(N), X]), how))
        assert fit.llf == pytest.approx(0, abs=1e-10)
        assert "complete separation" in fit.message
        # Against the lowest category, the slope of the others can only be positive.
        assert fit.params["b[1, 0]"] == np.inf
        assert fit.params["b[1, 1]"] == np.inf

    def test_overlap_is_no_separation(self, how):
        y = np.random.default_rng(5).integers(0, 3, N)
        fit = fit_quietly(self.declare(y, np.column_stack([np.ones(N), X]), how))
        assert fit.status is Status.CONVERGED, fit.message


class TestReference:
    """The reference problems, to what their finite part is known to."""

    def logit(self, problem, names, response):
        x = np.column_stack([np.ones(len(problem.data)), *(problem.data[name] for name in names)])
        with pm.Model(coords={"k": ["(Intercept)", *names]}) as model:
            b = pm.Flat("b", dims="k")
            pm.Deterministic("b0 + 2*b1", b[0] + 2 * b[1])
            pm.Bernoulli("y", logit_p=x @ b, observed=problem.data[response])
        return model

    @pytest.mark.parametrize(
        ("name", "columns", "response"),
        [
            ("endometrial_logit", ("NV", "PI", "EH"), "HG"),
            ("silvapulle_logit", ("ghqs",), "y"),
            ("complete_sep_1d", ("x",), "y"),
        ],
    )
    def test_logistic(self, name, columns, response):
        problem = reference_problem(f"existence/{name}")
        fit, facts = infinite(self.logit(problem, columns, response)), problem.facts
        for parameter, limit in facts["infinite"].items():
            assert quantity(fit, parameter)[0] == float(limit)
            assert f"b[{parameter}] -> {limit}" in fit.message
        for parameter, value in facts.get("finite_limits", {}).items():
            se = facts["finite_limits_se"][parameter]
            assert quantity(fit, parameter) == pytest.approx((value, se), rel=1e-7)
        for combination, value in facts.get("finite_functionals", {}).items():
            assert quantity(fit, combination)[0] == pytest.approx(value, abs=1e-7)
        assert fit.llf == pytest.approx(facts["supremum_loglik"], rel=1e-9, abs=1e-12)
        strict = facts["certificate"]["strictly_improved_observations"]
        assert f"{strict} of {len(problem.data)}" in fit.message
        assert ("quasi-complete" in fit.message) == bool(facts["certificate"]["tied_observations"])

    def test_poisson(self):
        problem = reference_problem("existence/poisson_sep")
        x = np.column_stack([np.ones(len(problem.data)), *(problem.data["g"] == k for k in "bcd")]).astype(float)
        with pm.Model(coords={"k": ["(Intercept)", "gb", "gc", "gd"]}) as model:
            b = pm.Flat("b", dims="k")
            pm.Poisson("y", problem.data["expo"].to_numpy(float) * pm.math.exp(x @ b), observed=problem.data["y"])
        fit, facts = infinite(model), problem.facts
        assert quantity(fit, "gc")[0] == -np.inf
        for parameter, value in facts["finite_limits"].items():
            assert quantity(fit, parameter) == pytest.approx((value, facts["finite_limits_se"][parameter]), rel=1e-7)
        assert fit.llf == pytest.approx(facts["supremum_loglik"], rel=1e-10)


def test_many_rows_and_columns():
    rng = np.random.default_rng(11)
    x = np.column_stack([np.ones(30_000), rng.normal(size=(30_000, 7)), rng.random(30_000) < 0.01])
    y = (x[:, :8] @ np.full(8, 0.3) + rng.logistic(size=30_000) > 0).astype(int)
    y[x[:, 8] == 1] = 0
    with pm.Model() as model:
        b = pm.Flat("b", shape=9)
        pm.Bernoulli("y", logit_p=x @ b, observed=y)
    fit = infinite(model)
    rest = x[:, 8] == 0
    assert fit.params["b[8]"] == -np.inf
    check_rest(fit, [f"b[{i}]" for i in range(8)], glm(y[rest], x[rest][:, :8], sm.families.Binomial()))
