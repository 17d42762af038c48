"""The bootstrap, the jackknife and simulation: against full refits, closed forms and SciPy."""

import warnings

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import gammaln

from ppl_mle import find_MAP, find_MLE
from ppl_mle.errors import RequestError
from ppl_mle.inference.quantities import chosen_quantities
from ppl_mle.inference.resampling.bootstrap import bootstrap_covariance, bootstrap_of, demand_same_fit
from ppl_mle.inference.resampling.drawn_data import draw_data
from ppl_mle.inference.resampling.jackknife import jackknife_covariance
from ppl_mle.inference.resampling.reweighted import drawn
from ppl_mle.inference.resampling.units import find_pools, say_together
from ppl_mle.read.rows import threads

MEMBERS = [0, 5, 17, 38]


def quiet(model, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return find_MLE(model, progressbar=False, **options)


def logistic(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [1.0, 1e4, 1e-3]
    y = rng.binomial(1, 1 / (1 + np.exp(-(X / [1.0, 1e4, 1e-3]) @ [0.5, -0.7, 0.2])))
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b", shape=3)
        pm.Bernoulli("y", logit_p=a + X @ b, observed=y)
    return model


def poisson_factor(n=90, seed=1):
    rng = np.random.default_rng(seed)
    level, x = rng.integers(0, 3, n), rng.normal(size=n) + 1e5
    y = rng.poisson(np.exp(np.array([0.5, 1.0, 8.0])[level] + 0.3 * (x - 1e5)))
    with pm.Model() as model:
        u, b = pm.Flat("u", shape=3), pm.Flat("b")
        pm.Poisson("y", mu=pm.math.exp(u[level] + b * x), observed=y)
    return model


def negative_binomial(n=400, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(1 + 0.5 * x)))
    with pm.Model() as model:
        a, b, alpha = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("alpha")
        pm.NegativeBinomial("y", mu=pm.math.exp(a + b * x), alpha=alpha, observed=y)
    return model


def heteroscedastic(n=80, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    with pm.Model() as model:
        a, b, c, d = (pm.Flat(name) for name in "abcd")
        pm.Normal("y", a + b * x, pm.math.exp(c + d * x), observed=1 + x + np.exp(0.3 * x) * rng.normal(size=n))
    return model


def weibull_censored(n=100, seed=4):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    t = np.minimum(np.exp(0.5 + 0.4 * x) * rng.weibull(1.5, n), 2.0)
    with pm.Model() as model:
        a, b, shape = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("shape")
        beta = pm.math.exp(a + b * x)
        pm.Censored("t", pm.Weibull.dist(alpha=shape, beta=beta), lower=None, upper=2.0, observed=t)
    return model


def student(n=60, seed=5):
    rng = np.random.default_rng(seed)
    with pm.Model() as model:
        mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        pm.StudentT("y", nu=4, mu=mu, sigma=sigma, observed=rng.standard_t(4, n))
    return model


def normal(y):
    with pm.Model() as model:
        mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        pm.Normal("y", mu, sigma, observed=y)
    return model


FAMILIES = [logistic, poisson_factor, negative_binomial, heteroscedastic, weibull_censored, student]


def weights_of(fit, members, seed=0, groups=None):
    sample = drawn(fit.maximum, find_pools(fit.maximum, groups), 999, seed)
    return sample.weights(np.asarray(members))[0]


@pytest.mark.parametrize("make", FAMILIES, ids=lambda f: f.__name__)
def test_replicates_are_full_refits(make):
    model = make()
    fit = find_MLE(model)
    found = fit.bootstrap(40)
    assert found.statuses == {"CONVERGED": 40}
    assert found.refits.together == 40
    for member, w in zip(MEMBERS, weights_of(fit, MEMBERS), strict=True):
        assert w.sum() == len(w)
        full = find_MLE(model, weights=w)
        np.testing.assert_allclose((found.params.loc[member] - full.params) / full.bse, 0, atol=1e-9)
        np.testing.assert_allclose(found.refits.errors[member], full.bse, rtol=1e-6)


def test_replicates_do_not_depend_on_the_number_of_cores(monkeypatch):
    fit = find_MLE(logistic(n=1000))
    several = fit.bootstrap(100, random_seed=7)
    monkeypatch.setattr(threads, "_cores", lambda: 1)
    np.testing.assert_array_equal(fit.bootstrap(100, random_seed=7).params, several.params)
    assert not np.array_equal(fit.bootstrap(100, random_seed=8).params, several.params)


Y = np.random.default_rng(6).gamma(2.0, size=40)


def test_percentile_and_bca_are_scipys():
    # The same replicates are handed to SciPy, which takes the acceleration from the jackknife: of a mean, the same.
    fit = find_MLE(normal(Y))
    found = fit.bootstrap(999)
    means = weights_of(fit, np.arange(999)) @ Y / len(Y)
    np.testing.assert_allclose(found.params["mu"], means, rtol=1e-11)
    given = stats._resampling.BootstrapResult(None, means, means.std(ddof=1))
    for method in ("percentile", "bca"):
        theirs = stats.bootstrap((Y,), np.mean, n_resamples=0, bootstrap_result=given, method=method, axis=-1)
        ours = found.conf_int(method=method)
        np.testing.assert_allclose(ours.loc["mu"], theirs.confidence_interval, rtol=1e-9)
        assert method.upper() in ours.attrs["method"].upper()
    np.testing.assert_allclose(found.bse["mu"], means.std(ddof=1), rtol=1e-10)
    np.testing.assert_allclose(found.cov_params().loc["mu", "mu"], means.var(ddof=1), rtol=1e-10)


def test_bca_of_a_transformed_parameter_moves_with_it():
    # BCa respects monotone maps: of a spread, its logarithm and its inverse, the same interval up to interpolation.
    y, ends = Y, {}
    with pm.Model() as precision:
        mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
        pm.Normal("y", mu, tau=tau, observed=y)
    for name, model in (("sigma", normal(y)), ("tau", precision)):
        ends[name] = find_MLE(model).bootstrap(9999).conf_int(method="bca").loc[name].to_numpy()
    np.testing.assert_allclose(ends["sigma"], 1 / np.sqrt(ends["tau"][::-1]), rtol=2e-3)


def test_other_quantities_from_the_same_replicates():
    # Percentile and BCa intervals of a Deterministic that is a rising function of an element are that function of its.
    with pm.Model() as model:
        mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        pm.Deterministic("cubed", mu**3)
        pm.Normal("y", mu, sigma, observed=Y)
    fit = find_MLE(model)
    found = fit.bootstrap(999)
    other = bootstrap_of(found, fit.maximum, chosen_quantities(fit.maximum, "cubed"))
    np.testing.assert_allclose(other.params["cubed"], found.params["mu"] ** 3, rtol=1e-12)
    np.testing.assert_allclose(other.acceleration, found.acceleration[0], rtol=1e-9)
    ends = [one.conf_int(method="bca").iloc[0].to_numpy() for one in (found, other)]
    np.testing.assert_allclose(ends[0] ** 3, ends[1], rtol=1e-3)
    with pytest.raises(RequestError, match="only elements have"):
        other.conf_int(method="t")
    demand_same_fit(found, fit.maximum)
    with pytest.raises(RequestError, match="of another fit"):
        demand_same_fit(found, find_MLE(normal(Y + 1)).maximum)


def test_bootstrap_t_by_hand():
    fit = find_MLE(normal(Y))
    w, n = weights_of(fit, np.arange(999)), len(Y)
    means = w @ Y / n
    deviations = np.sqrt(w @ Y**2 / n - means**2)
    low, high = np.quantile((means - Y.mean()) / (deviations / np.sqrt(n)), [0.05, 0.95])
    by_hand = Y.mean() - np.array([high, low]) * Y.std() / np.sqrt(n)
    ours = fit.bootstrap(999).conf_int(0.9, method="t")
    np.testing.assert_allclose(ours.loc["mu"], by_hand, rtol=1e-7)
    low, high = np.quantile(np.sqrt(2 * n) * np.log(deviations / Y.std()), [0.05, 0.95])  # SE of log sigma: 1/sqrt(2n)
    by_hand = Y.std() * np.exp(-np.array([high, low]) / np.sqrt(2 * n))
    np.testing.assert_allclose(ours.loc["sigma"], by_hand, rtol=1e-7)


def test_separated_replicates_are_counted():
    x = np.array([-2.0, -1.5, -1.0, -0.6, -0.3, 0.1, 0.4, 0.7, 1.1, 1.6])
    y = np.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 1])
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=y)
    fit = find_MLE(model)
    found = fit.bootstrap(200)
    infinite = []
    for w in weights_of(fit, np.arange(200)):
        zeros, ones = x[(w > 0) & (y == 0)], x[(w > 0) & (y == 1)]
        apart = not len(zeros) or not len(ones) or zeros.max() <= ones.min() or ones.max() <= zeros.min()
        infinite.append(apart)
    assert 10 < sum(infinite) < 190
    np.testing.assert_array_equal(found.params.isna().all(axis=1), infinite)
    assert found.statuses["CONVERGED"] == found.used == 200 - sum(infinite)
    assert f"{found.used} of 200" in found.conf_int().attrs["method"]
    assert "INFINITE" in repr(found)


def clustered(seed=9):
    rng = np.random.default_rng(seed)
    groups = np.repeat([f"g{i}" for i in range(30)], rng.integers(1, 6, 30))
    effect = dict(zip(np.unique(groups), rng.normal(size=30), strict=True))
    y = 2 + np.array([effect[g] for g in groups]) + 0.3 * rng.normal(size=len(groups))
    return groups, y


def test_whole_groups_are_drawn():
    groups, y = clustered()
    model = normal(y)
    fit = find_MLE(model)
    found = fit.bootstrap(999, groups=groups)
    assert "30 groups" in repr(found)
    codes = np.unique(groups, return_inverse=True)[1]
    for member, w in zip(MEMBERS, weights_of(fit, MEMBERS, groups=groups), strict=True):
        counts = np.array([w[codes == g][0] for g in range(30)])
        np.testing.assert_array_equal(w, counts[codes])
        assert counts.sum() == 30
        np.testing.assert_allclose(found.params.loc[member, "mu"], np.average(y, weights=w), rtol=1e-12)
    peer = sm.OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert found.bse["mu"] == pytest.approx(peer.bse[0], rel=0.1)
    assert found.bse["mu"] > 1.4 * fit.bse["mu"]


def test_frequency_weights_are_equal_rows():
    y, w = np.array([1.0, 2.0, 4.0, 7.0]), np.array([3.0, 1.0, 5.0, 2.0])
    few, many = find_MLE(normal(y), weights=w), find_MLE(normal(np.repeat(y, w.astype(int))))
    np.testing.assert_allclose(jackknife_covariance(few.maximum), jackknife_covariance(many.maximum), rtol=1e-9)
    found = few.bootstrap(2000)
    assert "11 rows" in repr(found)
    assert found.bse["mu"] == pytest.approx(many.bootstrap(2000).bse["mu"], rel=0.06)
    np.testing.assert_allclose(few.bootstrap(50).acceleration, many.bootstrap(50).acceleration, rtol=1e-9)


def test_other_weights_stay_with_their_rows():
    w = np.linspace(0.5, 1.5, len(Y))
    fit = find_MLE(normal(Y), weights=w)
    (first,) = weights_of(fit, [0])
    assert np.all((first / w) % 1 == 0)
    assert fit.bootstrap(5).params.loc[0, "mu"] == pytest.approx(np.average(Y, weights=first), rel=1e-12)


def test_variables_of_one_length_are_drawn_together():
    with pm.Model() as model:
        a, b, c = pm.Flat("a"), pm.Flat("b"), pm.Flat("c")
        pm.Normal("y", a, 1, observed=Y)
        pm.Normal("z", b, 1, observed=2 * Y)
        pm.Normal("short", c, 1, observed=Y[:10])
    found = find_MLE(model).bootstrap(50)
    np.testing.assert_allclose(found.params["b"], 2 * found.params["a"], rtol=1e-12)
    assert "40 rows (y and z drawn together) and 10 rows" in repr(found)
    pools = find_pools(find_MLE(model).maximum)
    assert say_together(pools) == "rows of y and z together"
    assert say_together(find_pools(find_MLE(normal(Y)).maximum)) == ""
    assert abs(found.params["c"].corr(found.params["a"])) < 0.5


def test_jackknife_of_least_squares():
    # Leaving out row i moves the coefficients by (X'X)^-1 x e / (1 - h) (Miller 1974).
    rng = np.random.default_rng(10)
    x = rng.normal(size=30)
    X, y = np.column_stack([np.ones(30), x]), 1 + x + rng.standard_t(3, 30)
    with pm.Model() as model:
        a, b, sigma = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("sigma")
        pm.Normal("y", a + b * x, sigma, observed=y)
    inverse = np.linalg.inv(X.T @ X)
    residuals, leverage = y - X @ inverse @ X.T @ y, np.einsum("ij,jk,ik->i", X, inverse, X)
    moves = (residuals / (1 - leverage))[:, None] * (X @ inverse)
    moves = moves - moves.mean(axis=0)
    ours = jackknife_covariance(find_MLE(model).maximum)
    np.testing.assert_allclose(ours[:2, :2], 29 / 30 * moves.T @ moves, rtol=1e-9)


def test_bootstrap_covariance_is_that_of_the_replicates():
    fit = find_MLE(normal(Y))
    means = weights_of(fit, np.arange(300), seed=4) @ Y / len(Y)
    ours = bootstrap_covariance(fit.maximum, 300, 4)
    assert ours[0, 0] == pytest.approx(means.var(ddof=1), rel=1e-10)
    separated = logistic(n=14, seed=1)
    with pytest.raises(RequestError, match=r"every replicate, and of 200 there are .* INFINITE"):
        bootstrap_covariance(find_MLE(separated).maximum, 200, 0)
    with pytest.raises(RequestError, match="without number 0 the fit is INFINITE"):
        jackknife_covariance(find_MLE(one_success()).maximum)


def one_success():
    with pm.Model() as model:
        a = pm.Flat("a")
        pm.Bernoulli("y", logit_p=a, observed=np.array([1, 0, 0, 0, 0]))
    return model


def test_jackknife_without_a_group():
    groups, y = clustered()
    ours = jackknife_covariance(find_MLE(normal(y)).maximum, groups)
    means = np.array([y[groups != g].mean() for g in np.unique(groups)])
    assert ours[0, 0] == pytest.approx(29 / 30 * np.sum((means - means.mean()) ** 2), rel=1e-10)


@pytest.mark.parametrize("make", [logistic, poisson_factor, weibull_censored], ids=lambda f: f.__name__)
def test_parametric_replicates_are_fits_to_the_drawn_data(make):
    model = make()
    fit = find_MLE(model)
    before = fit.model_hash, fit.data_hash
    found = fit.bootstrap(30, kind="parametric", random_seed=3)
    assert found.refits.together == 30
    data = draw_data(fit.maximum, model, 30, 3).data
    (name,) = data
    for member in MEMBERS[:3]:
        new = make()
        new.rvs_to_values[new[name]] = new.rvs_to_values[new[name]].type.constant_type(
            new.rvs_to_values[new[name]].type, data[name][member].astype(new.rvs_to_values[new[name]].type.dtype)
        )
        full = find_MLE(new)
        np.testing.assert_allclose((found.params.loc[member] - full.params) / full.bse, 0, atol=1e-8)
    again = find_MLE(model)
    assert (again.model_hash, again.data_hash) == before


def test_parametric_without_rows():
    # Equicorrelated normal rows: the estimate of the mean is the mean of what was drawn.
    sigma = 0.5 + 0.5 * np.eye(12)
    with pm.Model() as model:
        mu = pm.Flat("mu")
        pm.MvNormal("y", mu * np.ones(12), cov=sigma, observed=Y[:12])
    fit = find_MLE(model)
    found = fit.bootstrap(20, kind="parametric")
    means = draw_data(fit.maximum, model, 20, 0).data["y"].mean(axis=1)
    np.testing.assert_allclose(found.params["mu"], means, rtol=1e-9)
    with pytest.raises(RequestError, match=r"'y'.*not elementwise.*parametric"):
        fit.bootstrap(20)
    with pytest.raises(RequestError, match=r"bca.*influence of rows"):
        fit.bootstrap(50, kind="parametric").conf_int(method="bca")


def test_fixed_elements_stay():
    fit = find_MLE(logistic(), fixed={"a": 0.25})
    found = fit.bootstrap(100)
    assert (found.params["a"] == 0.25).all()
    assert found.bse["a"] == 0
    for method in ("percentile", "bca", "t"):
        assert found.conf_int(method=method).loc["a"].tolist() == [0.25, 0.25]


def test_priors_stay_as_they_are():
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 0.5)
        pm.Normal("y", mu, 1, observed=Y)
    fit = find_MAP(model)
    means = weights_of(fit, np.arange(10)) @ Y
    np.testing.assert_allclose(fit.bootstrap(10).params["mu"], means / (len(Y) + 4), rtol=1e-11)


def test_a_variance_at_zero_is_a_maximum():
    # Group means with variance tau^2 + 0.25: tau is 0 where their spread is smaller.
    means = np.random.default_rng(12).normal(size=12) * 0.6
    with pm.Model() as model:
        mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
        pm.Normal("y", mu, pm.math.sqrt(tau**2 + 0.25), observed=means)
    fit = find_MLE(model)
    assert fit.status.name == "CONVERGED"
    found = fit.bootstrap(60)
    w = weights_of(fit, np.arange(60))
    spread = w @ means**2 / 12 - (w @ means / 12) ** 2
    np.testing.assert_allclose(found.params["tau"], np.sqrt(np.maximum(spread - 0.25, 0)), atol=1e-6)
    assert found.statuses["BOUNDARY"] == np.sum(spread <= 0.25) > 3
    assert found.used == 60


def test_intervals_of_replicates_on_an_edge_are_used():
    # With v = max(0.25, mean square about mu), the profile log-likelihood of mu is -n (log v + mean square / v) / 2.
    means = np.random.default_rng(12).normal(size=12) * 0.4
    with pm.Model() as model:
        mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
        pm.Normal("y", mu, pm.math.sqrt(tau**2 + 0.25), observed=means)
    fit = quiet(model)
    assert fit.status.name == "BOUNDARY"
    found = fit.simulate_refit(12, method="profile")
    assert found.statuses["BOUNDARY"] > 2
    y = draw_data(fit.maximum, fit.model, 12, 0).data["y"]

    def height(center):
        square = np.mean((y - center) ** 2, axis=1)
        v = np.maximum(0.25, square)
        return -6 * (np.log(v) + square / v)

    fall = height(y.mean(axis=1)[:, None]) - height(means.mean())
    np.testing.assert_array_equal(found.covered[:, 0], 2 * fall <= stats.chi2.ppf(0.95, 1))
    assert found.table.intervals.tolist() == [12, 12]


def test_every_replicate_the_same():
    with pm.Model() as model:
        pm.Bernoulli("y", p=pm.Uniform("p", 0, 1), observed=np.zeros(20, int))
        pm.Normal("z", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=Y)
    found = quiet(model, fixed={"sigma": 1.0}).bootstrap(60)
    interval = found.conf_int(0.9)
    assert interval.loc["p"].tolist() == [0.0, 0.0]
    for notes in (found.notes, found.bse.attrs["notes"], interval.attrs["notes"]):
        assert list(notes) == [
            "every replicate has p = 0, so the bootstrap says nothing of its error; use profile intervals"
        ]


def test_a_penalized_fit_has_no_resampling():
    fit = find_MLE(logistic(n=30), penalty="jeffreys")
    said = "is not available for a fit with Jeffreys' penalty; use its profile intervals"
    for ask in (
        lambda: fit.bootstrap(10),
        lambda: fit.bootstrap(10, kind="parametric"),
        lambda: fit.simulate_refit(10),
        lambda: fit.with_covariance("jackknife"),
        lambda: fit.with_covariance("bootstrap"),
    ):
        with pytest.raises(RequestError, match=said):
            ask()


def test_groups_of_rows_without_a_response():
    y = Y[:12].copy()
    y[[2, 7]] = np.nan
    with pytest.warns(UserWarning, match="missing values"):
        model = normal(y)
    fit = quiet(model)
    groups = np.repeat(np.arange(4), 3)
    with pytest.raises(RequestError, match="12 values for 10 rows: the 2 rows without a response are left out"):
        fit.bootstrap(10, groups=groups)
    kept = groups[~np.isnan(y)]
    assert fit.bootstrap(10, groups={"y": kept}).params.equals(fit.bootstrap(10, groups=kept).params)


def test_coverage_of_a_normal_mean_and_spread():
    # Wald and likelihood-ratio intervals of a mean are functions of Student's t; the spread's bias is a gamma ratio.
    n, replicates = 10, 2000
    fit = find_MLE(normal(Y[:n]))
    wald = fit.simulate_refit(replicates, random_seed=2)
    profile = fit.simulate_refit(replicates, random_seed=2, method="profile")
    z = stats.norm.ppf(0.975)
    t = stats.t(n - 1)
    exact = {"wald": 2 * t.cdf(z * np.sqrt((n - 1) / n)) - 1, "profile": 0.0}
    exact["profile"] = 2 * t.cdf(np.sqrt((n - 1) * np.expm1(z**2 / n))) - 1
    for found, name in ((wald, "wald"), (profile, "profile")):
        table = found.table
        assert found.statuses == {"CONVERGED": replicates}
        assert abs(table.coverage["mu"] - exact[name]) < 3.5 * table.coverage_mcse["mu"]
        assert (table.intervals == replicates).all()
        mean = fit.params["sigma"] * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2)) * np.sqrt(2 / n)
        assert abs(table["mean"]["sigma"] - mean) < 3.5 * table.bias_mcse["sigma"]
        assert abs(table.bias["mu"]) < 3.5 * table.bias_mcse["mu"]
    assert "profile" in repr(profile)
    assert "2000 CONVERGED" in repr(profile)


def test_coverage_by_ratio_is_that_of_the_intervals():
    fit = find_MLE(poisson_factor(n=40))
    found = fit.simulate_refit(25, method="profile")
    slow = []
    sample = draw_data(fit.maximum, fit.model, 25, 0)
    for member in range(25):
        new = poisson_factor(n=40)
        value = new.rvs_to_values[new["y"]]
        new.rvs_to_values[new["y"]] = value.type.constant_type(value.type, sample.data["y"][member])
        bounds = find_MLE(new).conf_int(method="profile")
        slow.append((bounds.lower <= fit.params) & (bounds.upper >= fit.params))
    np.testing.assert_array_equal(found.covered, slow)


BAD_GROUPS = [
    (["a"] * 39, "39 values for 40 rows"),
    ([*["a", "b"] * 19, "a", None], "missing at row 39"),
    ([*[0.0, 1.0] * 19, 2.0, np.nan], "missing at row 39"),
    (["a"] * 40, "1 group;"),
    ({"z": ["a"] * 40}, "no entry for 'y'"),
]


@pytest.mark.parametrize(("groups", "said"), BAD_GROUPS, ids=["short", "None", "NaN", "one", "name"])
def test_bad_groups(groups, said):
    with pytest.raises(RequestError, match=said):
        find_MLE(normal(Y)).bootstrap(10, groups=groups)


def test_bad_requests():
    fit = find_MLE(normal(Y))
    for options, said in (
        ({"kind": "pairs"}, "kind='pairs'"),
        ({"replicates": 1}, "replicates=1"),
        ({"replicates": 2.5}, "replicates=2.5"),
        ({"random_seed": -1}, "random_seed=-1"),
        ({"kind": "parametric", "groups": Y}, "groups are for"),
    ):
        with pytest.raises(RequestError, match=said):
            fit.bootstrap(**options)
    found = fit.bootstrap(30)
    with pytest.raises(RequestError, match="at least 40 replicates"):
        found.conf_int()
    with pytest.raises(RequestError, match="ci_prob=95"):
        found.conf_int(95)
    with pytest.raises(RequestError, match="method='normal'"):
        found.conf_int(0.5, method="normal")
    weighted = find_MLE(normal(Y), weights=np.full(40, 2.0))
    with pytest.raises(RequestError, match="weighted rows cannot be simulated"):
        weighted.bootstrap(10, kind="parametric")


def test_a_fit_without_a_maximum_is_refused():
    with pm.Model() as model:
        a = pm.Flat("a")
        pm.Bernoulli("y", logit_p=a, observed=np.ones(5, int))
    with pytest.raises(RequestError, match="INFINITE in a"):
        quiet(model).bootstrap(10)


def test_potentials_alone_have_no_rows():
    with pm.Model() as model:
        a = pm.Flat("a")
        pm.Potential("p", -((a - Y) ** 2))
    for kind in ("rows", "parametric"):
        with pytest.raises(RequestError, match="Potentials alone"):
            find_MLE(model).bootstrap(10, kind=kind)
