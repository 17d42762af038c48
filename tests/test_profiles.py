"""Profile and score intervals, profiles and contours against closed forms and root finding on the likelihood itself."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

import ppl_mle
from ppl_mle.errors import FitWarning, RequestError

RNG = np.random.default_rng(8)
Q = stats.chi2.ppf(0.95, 1)


def fitted(declare, **options):
    with pm.Model() as model:
        declare()
    return ppl_mle.find_MLE(model, progressbar=False, **options)


def crossings(fall, estimate, low, high):
    """Where twice the fall of a log-likelihood is the quantile of chi-squared, on both sides."""
    return [
        optimize.brentq(lambda x: 2 * fall(x) - Q, *ends, xtol=1e-14) for ends in ((low, estimate), (estimate, high))
    ]


def binomial():
    pm.Binomial("y", n=12, p=pm.Uniform("p", 0, 1), observed=3)


def test_profile_of_a_proportion():
    def logs(p):
        return 3 * np.log(p) + 9 * np.log1p(-p)

    expected = crossings(lambda p: logs(0.25) - logs(p), 0.25, 1e-9, 1 - 1e-9)
    found = fitted(binomial).conf_int(method="profile")
    np.testing.assert_allclose(found.loc["p"], expected, rtol=1e-9)
    assert found.attrs == {"method": "profile", "ci_prob": 0.95, "notes": []}


@pytest.mark.parametrize("ci_prob", [0.5, 0.95, 0.999])
def test_score_interval_of_a_proportion_is_wilsons(ci_prob):
    z = stats.norm.ppf((1 + ci_prob) / 2)
    center = (3 + z**2 / 2) / (12 + z**2)
    half = z / (12 + z**2) * np.sqrt(3 * 9 / 12 + z**2 / 4)
    found = fitted(binomial).conf_int(ci_prob, method="score")
    np.testing.assert_allclose(found.loc["p"], [center - half, center + half], rtol=1e-9)


def test_normal_mean_and_deviation():
    # 2 (l - l_p(mu)) = n log(1 + (ybar - mu)^2 / s^2); l_p(sigma) in closed form too.
    y = RNG.normal(3, 2, 15)
    n, mean, s2 = len(y), y.mean(), y.var()

    def declare():
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y)

    fit = fitted(declare)
    half = np.sqrt(s2 * np.expm1(Q / n))
    found = fit.conf_int(method="profile")
    np.testing.assert_allclose(found.loc["mu"], [mean - half, mean + half], rtol=1e-9)
    s = np.sqrt(s2)
    ends = crossings(lambda x: n * (np.log(x / s) + (s2 / x**2 - 1) / 2), s, 0.1 * s, 10 * s)
    np.testing.assert_allclose(found.loc["sigma"], ends, rtol=1e-9)
    # The score test of mu with everything else at its maximum: U^2 / I = n t^2 / (n - 1 + ...), by its own root.
    score = fit.conf_int(method="score")

    def statistic(mu):
        v = s2 + (mean - mu) ** 2
        slope, bend, cross = n * (mean - mu) / v, n / v, 2 * n * (mean - mu) / v
        return slope**2 / (bend - cross**2 / (2 * n))

    low, high = score.loc["mu"]
    np.testing.assert_allclose([statistic(low), statistic(high)], Q, rtol=1e-7)


def test_functions_of_parameters_agree_with_coordinates():
    # A monotone function of one parameter has that function of the interval; the constrained search must find the same.
    x = np.linspace(-1, 1, 30)
    y = RNG.random(30) < 1 / (1 + np.exp(-x))
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Deterministic("odds", pm.math.exp(b))
        pm.Bernoulli("y", logit_p=a + b * x, observed=y)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    direct = fit.conf_int(method="profile").loc["b"]
    np.testing.assert_allclose(fit.conf_int(method="profile", of="odds").loc["odds"], np.exp(direct), rtol=1e-8)
    cubed = (b**3).copy("cubed")
    np.testing.assert_allclose(fit.conf_int(method="profile", of=cubed).loc["cubed"], direct**3, rtol=1e-8)
    shifted = fit.conf_int(method="profile", of=[b + 0.0, "a", "odds"])
    np.testing.assert_allclose(shifted.iloc[0], direct, rtol=1e-8)
    scored = fit.conf_int(method="score").loc["b"]
    np.testing.assert_allclose(fit.conf_int(method="score", of="odds").loc["odds"], np.exp(scored), rtol=1e-7)


def test_a_sum_of_parameters_is_profiled_under_the_constraint():
    # Reparametrized so that the sum is a parameter of its own, its profile is that of a coordinate.
    x = np.linspace(-1, 1, 25)
    y = RNG.poisson(np.exp(0.5 + x))
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Poisson("y", pm.math.exp(a + b * x), observed=y)
    with pm.Model() as other:
        c, slope = pm.Flat("c"), pm.Flat("slope")
        pm.Poisson("y", pm.math.exp(c + slope * (x - 1)), observed=y)
    found = ppl_mle.find_MLE(model, progressbar=False).conf_int(method="profile", of=a + b)
    expected = ppl_mle.find_MLE(other, progressbar=False).conf_int(method="profile").loc["c"]
    np.testing.assert_allclose(found.iloc[0], expected, rtol=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.floats(-8, 8), st.floats(-3, 3))
def test_profiles_follow_units_and_origin(power, shift):
    x, y = np.arange(12.0), np.array([1, 0, 2, 3, 1, 4, 3, 6, 5, 9, 8, 11])
    scale = 10.0**power

    def declare(column):
        return lambda: pm.Poisson("y", pm.math.exp(pm.Flat("a") + pm.Flat("b") * column), observed=y)

    base = fitted(declare(x)).conf_int(method="profile")
    found = fitted(declare(scale * (x - shift))).conf_int(method="profile")
    np.testing.assert_allclose(found.loc["b"] * scale, base.loc["b"], rtol=1e-7)


def test_bound_that_no_value_reaches_is_infinite():
    # Counts that vary hardly more than Poisson ones have a finite estimate of alpha but no bound above.
    y = np.array([1, 5, 2, 7, 4, 8, 3, 9, 5, 1, 10, 4])
    fit = fitted(lambda: pm.NegativeBinomial("y", mu=pm.HalfFlat("mu"), alpha=pm.HalfFlat("alpha"), observed=y))
    assert fit.converged, fit.message
    found = fit.conf_int(method="profile")
    mean = y.mean()
    limit = stats.poisson.logpmf(y, mean).sum()
    assert 2 * (fit.llf - limit) < Q  # the Poisson limit itself is not rejected
    assert found.loc["alpha", "upper"] == np.inf
    assert "alpha: the upper bound is inf" in found.attrs["notes"][0]
    lower = found.loc["alpha", "lower"]
    # Given alpha, the maximum of mu is the mean.
    at = stats.nbinom.logpmf(y, lower, lower / (lower + mean)).sum()
    assert 2 * (fit.llf - at) == pytest.approx(Q, rel=1e-8)


def test_interval_at_an_edge_is_one_sided():
    # A variance beside known ones, at its edge 0: l(tau) = sum of normal log-densities with variance 1 + tau^2.
    y = np.array([-0.5, 0.3, 0.1, -0.2, 0.4, 0.05])

    def declare():
        tau = pm.HalfFlat("tau")
        pm.Normal("y", 0.0, pm.math.sqrt(1 + tau**2), observed=y)

    fit = fitted(declare)
    assert fit.status.name == "BOUNDARY"
    lower, upper = fit.conf_int(method="profile").loc["tau"]

    def logs(tau):
        return stats.norm.logpdf(y, 0, np.sqrt(1 + tau**2)).sum()

    assert lower == 0.0
    assert upper == pytest.approx(optimize.brentq(lambda t: 2 * (logs(0) - logs(t)) - Q, 0, 50), rel=1e-7)


def test_support_that_depends_on_the_parameter():
    # Uniform on (0, b): n log(b / largest) = quantile / 2.
    y = RNG.random(9)
    fit = fitted(lambda: pm.Uniform("y", 0, pm.HalfFlat("b"), observed=y))
    lower, upper = fit.conf_int(method="profile").loc["b"]
    assert lower == pytest.approx(y.max(), rel=1e-8)
    assert upper == pytest.approx(y.max() * np.exp(Q / 18), rel=1e-8)


def test_profile_curve():
    y = RNG.normal(3, 2, 15)
    fit = fitted(lambda: pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y))
    profile = fit.profile("mu")
    frame, n = profile.frame, len(y)
    expected = np.sqrt(n * np.log1p((y.mean() - frame["value"]) ** 2 / y.var())) * np.sign(frame["value"] - y.mean())
    np.testing.assert_allclose(frame["signed_root"], expected, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(frame["sigma"] ** 2, y.var() + (y.mean() - frame["value"]) ** 2, rtol=1e-8)
    np.testing.assert_allclose(frame["wald_root"], (frame["value"] - y.mean()) / fit.bse["mu"], rtol=1e-8, atol=1e-12)
    assert frame["signed_root"].max() > 2.4
    assert frame["signed_root"].min() < -2.4
    assert frame["signed_root"].diff().max() < 0.5
    assert (profile.lower, profile.upper) == tuple(fit.conf_int(method="profile").loc["mu"])
    assert repr(profile).startswith(f"Profile of mu: {y.mean():.6g}, 95 % likelihood-ratio interval")


def test_contour_of_independent_means_is_an_ellipse():
    y, z = RNG.normal(1, 1, 10), RNG.normal(-1, 1, 20)

    def declare():
        pm.Normal("y", pm.Flat("m"), 1.0, observed=y)
        pm.Normal("z", pm.Flat("k"), 1.0, observed=z)

    edge = fitted(declare).contour("m", "k", points=16)
    radius = 10 * (edge["m"] - y.mean()) ** 2 + 20 * (edge["k"] - z.mean()) ** 2
    np.testing.assert_allclose(radius, stats.chi2.ppf(0.95, 2), rtol=1e-8)
    assert len(edge) == 16


def test_fixed_parameters_are_points():
    fit = fitted(
        lambda: pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=[1.0, 2.0, 4.0]), fixed={"mu": 2.0}
    )
    found = fit.conf_int(method="profile")
    assert found.loc["mu"].tolist() == [2.0, 2.0]
    assert found.loc["sigma", "lower"] < fit.params["sigma"] < found.loc["sigma", "upper"]
    with pytest.raises(RequestError, match="'mu' is fixed in this fit"):
        fit.profile("mu")


def test_higher_maximum_on_the_way_is_followed():
    # The Cauchy log-likelihood of (-6, 5, 5.5, 6.5) in its location has a low maximum near -6 and a high one near 5.5.
    y = np.array([-6.0, 5.0, 5.5, 6.5])

    def minus(x):
        return -stats.cauchy.logpdf(y, x, 1).sum()

    low = optimize.minimize_scalar(minus, bounds=(-7, -5), method="bounded", options={"xatol": 1e-12})
    high = optimize.minimize_scalar(minus, bounds=(4, 7), method="bounded", options={"xatol": 1e-12})
    with pm.Model() as model:
        pm.Cauchy("y", pm.Flat("x"), 1.0, observed=y)
    engine = ppl_mle.maximize.Newton()
    fit = ppl_mle.find_MLE(model, initvals={"x": low.x}, engine=engine, starts=1, progressbar=False)
    assert fit.params["x"] == pytest.approx(low.x, abs=1e-6)
    with pytest.warns(FitWarning, match="a maximum higher by"):
        found = fit.conf_int(method="profile")
    expected = crossings(lambda x: minus(x) - high.fun, high.x, high.x - 3, high.x + 3)
    np.testing.assert_allclose(found.loc["x"], expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (lambda fit: fit.conf_int(method="likelihood"), "method='likelihood' is unknown; use one of 'wald', 'profile'"),
        (lambda fit: fit.conf_int(1.0, method="profile"), "ci_prob=1.0 is not strictly between 0 and 1"),
        (lambda fit: fit.conf_int(method="profile", of="q"), "'q' is nothing that the model declares; "),
        (lambda fit: fit.conf_int(method="profile", of=pt.constant(1.0)), "depends on no variable of the model"),
        (lambda fit: fit.contour("p", "p"), "a contour needs two different free elements"),
        (lambda fit: fit.contour("p", "p", points=0), "points=0 is no whole number of at least 3"),
        (lambda fit: fit.conf_int(method=None), "method=None is unknown; use one of 'wald'"),
    ],
)
def test_requests_that_make_no_sense(request_, sentence):
    with pytest.raises(RequestError, match=sentence):
        request_(fitted(binomial))


def test_foreign_random_variables_are_named():
    fit = fitted(binomial)
    with pytest.raises(RequestError, match="depends on fresh; write it in the free variables of the model: p"):
        fit.conf_int(method="profile", of=pm.Normal.dist(name="fresh") + 1.0)


def test_no_interval_without_a_maximum():
    x = np.arange(6.0)
    with pytest.warns(FitWarning):
        fit = fitted(lambda: pm.Normal("y", pm.Flat("a") + pm.Flat("b") * x + pm.Flat("c") * (2 * x), 1.0, observed=x))
    with pytest.raises(RequestError, match="a profile interval needs a maximum, and this fit ended as UNIDENTIFIED"):
        fit.conf_int(method="profile")


def test_elements_that_stay_finite_have_intervals_beside_separation():
    x, y = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([1.0, 2.0, 4.0, 5.0])

    def declare():
        pm.Bernoulli("hit", logit_p=pm.Flat("b") * x, observed=[0, 0, 1, 1])
        pm.Normal("y", pm.Flat("mu"), 1.0, observed=y)

    with pytest.warns(FitWarning):
        fit = fitted(declare)
    found = fit.conf_int(method="profile")
    np.testing.assert_allclose(found.loc["mu"], [3 - np.sqrt(Q / 4), 3 + np.sqrt(Q / 4)], rtol=1e-9)
    assert np.isnan(found.loc["b"]).all()


def test_edge_that_gives_way_along_a_profile():
    # A meta-analysis whose variance between studies is 0 at the maximum, but not at the ends of the interval of mu: the
    # bounds by brute force over that variance.
    y, se = np.array([0.1, -0.6, 0.9, 0.25, 0.4]), np.array([0.4, 0.5, 0.55, 0.3, 0.6])

    def declare():
        tau = pm.HalfFlat("tau")
        pm.Normal("y", pm.Flat("mu"), pm.math.sqrt(se**2 + tau**2), observed=y)

    fit = fitted(declare)
    assert fit.status.name == "BOUNDARY"

    def fall(mu):
        found = optimize.minimize_scalar(
            lambda v: -stats.norm.logpdf(y, mu, np.sqrt(se**2 + v)).sum(),
            bounds=(0, 9),
            method="bounded",
            options={"xatol": 1e-12},
        )
        return fit.llf - max(-found.fun, stats.norm.logpdf(y, mu, se).sum())

    estimate = fit.params["mu"]
    expected = crossings(fall, estimate, estimate - 3, estimate + 3)
    np.testing.assert_allclose(fit.conf_int(method="profile").loc["mu"], expected, rtol=1e-6)
    held = crossings(lambda mu: fit.llf - stats.norm.logpdf(y, mu, se).sum(), estimate, estimate - 3, estimate + 3)
    assert expected[1] - held[1] > 1e-3  # with the variance held at 0 the interval would be too narrow


def test_a_step_has_no_interval():
    y = np.array([-0.5, 0.3, 0.9, 0.4])
    with pm.Model() as model:
        mu = pm.Flat("mu")
        pm.Deterministic("high", pm.math.switch(mu > 0.2, 1.0, 0.0))
        pm.Normal("y", mu, 1.0, observed=y)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    for method in ("wald", "profile"):
        assert np.isnan(fit.conf_int(method=method, of="high").loc["high"]).all()


def test_wald_intervals_of_labels_follow_the_scale():
    fit = fitted(lambda: pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=[1.0, 2.0, 4.0, 4.5]))
    whole = fit.conf_int(scale="declared")
    assert fit.conf_int(of="sigma", scale="declared").loc["sigma"].tolist() == whole.loc["sigma"].tolist()
    with pytest.raises(RequestError, match="scale='declared' means nothing to profile intervals"):
        fit.conf_int(method="profile", scale="declared")
    with pytest.raises(RequestError, match=r"ci_prob='0\.95' is no number"):
        fit.conf_int("0.95")
    with pytest.raises(RequestError, match="of=3 names nothing"):
        fit.conf_int(of=3)


def test_profile_is_drawn_with_its_numbers():
    fit = fitted(binomial)
    axes = fit.plot_profile("p").axes[0]
    profile = fit.profile("p")
    curve, line = axes.lines[:2]
    np.testing.assert_array_equal(curve.get_xydata(), profile.frame[["value", "signed_root"]])
    np.testing.assert_array_equal(line.get_ydata(), profile.frame["wald_root"])
    assert axes.get_xlabel() == "p"


def test_contour_is_drawn_closed():
    fit = fitted(lambda: pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=[1.0, 2.0, 4.0, 4.5]))
    edge = fit.plot_contour("mu", "sigma").axes[0].lines[0].get_xydata()
    np.testing.assert_array_equal(edge[0], edge[-1])
    # Twice the fall of the log-likelihood is the quantile of chi-squared with 2 degrees of freedom all around.
    y = np.array([1.0, 2.0, 4.0, 4.5])
    fall = [fit.llf - stats.norm.logpdf(y, m, s).sum() for m, s in edge]
    np.testing.assert_allclose(2 * np.array(fall), stats.chi2.ppf(0.95, 2), rtol=1e-8)


def test_bootstrap_intervals_are_the_replicates_percentiles():
    y = RNG.normal(3, 2, 25)
    fit = fitted(lambda: pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y))
    replicates = fit.bootstrap(199, random_seed=2)
    found = fit.conf_int(method="bootstrap-percentile", bootstrap=replicates)
    expected = np.quantile(replicates.params["mu"], [0.025, 0.975], method="weibull")
    np.testing.assert_allclose(found.loc["mu"], expected, rtol=0.05)
    assert found.attrs["notes"] == ["bootstrap percentile, 199 of 199 replicates"]
    summary = fit.summary(method="bootstrap-bca")
    assert "bias-corrected and accelerated" in repr(summary)
    assert "999 of 999 replicates" in repr(summary)


def test_nuisance_that_runs_to_its_limit_on_the_way():
    # Student's t with data that the normal fits nearly as well: away from the estimate of sigma nu runs to infinity.
    y = stats.t(6).ppf((np.arange(60) + 0.5) / 60)
    fit = fitted(lambda: pm.StudentT("y", nu=pm.HalfFlat("nu"), mu=0.0, sigma=pm.HalfFlat("sigma"), observed=y))
    assert fit.converged
    lower, upper = fit.conf_int(method="profile").loc["sigma"]

    def highest(sigma):
        logs = [stats.t.logpdf(y, np.exp(u), 0, sigma).sum() for u in np.linspace(0, 16, 4001)]
        return max(*logs, stats.norm.logpdf(y, 0, sigma).sum())

    np.testing.assert_allclose([2 * (fit.llf - highest(x)) for x in (lower, upper)], Q, rtol=1e-4)


def test_bounds_of_an_empty_cell_are_not_made_up():
    with pm.Model() as model:
        pm.Multinomial("k", 12, pm.Dirichlet("p", np.ones(3)), observed=[7, 0, 5])
    fit = ppl_mle.find_MLE(model, progressbar=False)
    found = fit.conf_int(method="profile")
    assert np.isnan(found.loc["p[1]"]).all()
    assert any(note.startswith("p[1]: no lower bound") for note in found.attrs["notes"])
