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


def simplex(counts, family):
    cells = np.repeat(np.arange(len(counts)), counts)
    with pm.Model() as model:
        p = pm.Dirichlet("p", np.ones(len(counts)))
        if family == "multinomial":
            pm.Multinomial("k", len(cells), p, observed=counts)
        else:
            pm.Categorical("k", p, observed=cells)
    return ppl_mle.find_MLE(model, progressbar=False)


@pytest.mark.parametrize("family", ["multinomial", "categorical"])
@pytest.mark.parametrize("counts", [[7, 0, 5], [0, 7, 5], [7, 5, 0], [7, 0, 5, 0], [3, 0, 4, 5]])
def test_cells_beside_an_empty_one(counts, family):
    # In an empty cell the profile log-likelihood falls by n log(1 - p), in the others as the binomial's.
    fit, n = simplex(counts, family), sum(counts)
    assert fit.status.name == "BOUNDARY"
    found = fit.conf_int(method="profile")
    for i, k in enumerate(counts):
        if not k:
            assert found.loc[f"p[{i}]", "lower"] == 0.0
            assert found.loc[f"p[{i}]", "upper"] == pytest.approx(1 - np.exp(-Q / (2 * n)), rel=1e-9)
            assert f"p[{i}]: the lower bound 0 is where the density ends" in found.attrs["notes"]
            continue

        def fall(p, k=k):
            return k * np.log(k / n / p) + (n - k) * np.log((1 - k / n) / (1 - p))

        np.testing.assert_allclose(found.loc[f"p[{i}]"], crossings(fall, k / n, 1e-9, 1 - 1e-9), rtol=1e-9)


def test_cells_of_a_simplex_with_all_in_one():
    found = simplex([7, 0, 0], "multinomial").conf_int(method="profile")
    other = 1 - np.exp(-Q / 14)
    np.testing.assert_allclose(found, [[1 - other, 1], [0, other], [0, other]], rtol=1e-9)


def normal_fit(y, *functions):
    with pm.Model() as model:
        mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        pm.Normal("y", mu, sigma, observed=y)
    return ppl_mle.find_MLE(model, progressbar=False), [f(mu, sigma).copy("g") for f in functions]


SPREAD = np.array([-0.7, -0.5, -0.2, 0.05, 0.1, 0.25, 0.4, 0.6])


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.0625, -0.2, 0.35, 3.0])
def test_square_and_size_of_a_mean(mean):
    # The interval of a function of mu is the image of the interval of mu, which is known in closed form.
    y = SPREAD + mean
    fit, functions = normal_fit(y, lambda mu, sigma: mu**2, lambda mu, sigma: abs(mu))
    half = np.sqrt(y.var() * np.expm1(Q / len(y)))
    ends = np.sort(np.abs([y.mean() - half, y.mean() + half]))
    inside = abs(y.mean()) < half
    expected = [0.0 if inside else ends[0], ends[1]]
    for power, function in zip((2, 1), functions, strict=True):
        found = fit.conf_int(method="profile", of=function)
        np.testing.assert_allclose(found.loc["g"], np.power(expected, power), rtol=1e-8, atol=1e-13)
        assert any("the lower bound 0 is not rejected" in note for note in found.attrs["notes"]) == inside
    score, of_mu = (fit.conf_int(method="score", of=one).iloc[0] for one in (functions[0], "mu"))
    assert score["upper"] == pytest.approx(np.max(of_mu**2), rel=1e-9)
    assert fit.profile(functions[0]).upper == pytest.approx(ends[1] ** 2, rel=1e-8)


def test_squared_difference_takes_the_farther_side():
    # (p - c)^2 where the estimate is on the side of c on which the interval of p ends first.
    with pm.Model() as model:
        p = pm.Uniform("p", 0, 1)
        pm.Binomial("y", n=12, p=p, observed=3)
    low, high = crossings(lambda p: 3 * np.log(0.25 / p) + 9 * np.log(0.75 / (1 - p)), 0.25, 1e-9, 1 - 1e-9)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    found = fit.conf_int(method="profile", of=((p - 0.251) ** 2).copy("g")).loc["g"]
    assert high - 0.251 > 0.251 - low
    np.testing.assert_allclose(found, [0, (high - 0.251) ** 2], rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize("shift", [0.0, 0.1, -0.3])
def test_squared_difference_of_two_means(shift):
    y, z = SPREAD, 2 * SPREAD[:5] + shift
    with pm.Model() as model:
        m, k = pm.Flat("m"), pm.Flat("k")
        pm.Normal("y", m, 1.0, observed=y)
        pm.Normal("z", k, 1.0, observed=z)
    found = ppl_mle.find_MLE(model, progressbar=False).conf_int(method="profile", of=((m - k) ** 2).copy("g")).loc["g"]
    far = abs(y.mean() - z.mean()) + np.sqrt(Q * (1 / len(y) + 1 / len(z)))
    np.testing.assert_allclose(found, [0, far**2], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("mean", "bounded"), [(0.0625, False), (-0.25, False), (0.6, True), (3.0, True)])
def test_coefficient_of_variation(mean, bounded):
    # Given c = sigma / mu the maximum over a = 1 / mu solves S2 a^2 - S1 a - n c^2 = 0.
    y = SPREAD + mean
    n, s1, s2, sign = len(y), y.sum(), (y**2).sum(), np.sign(mean)
    fit, (ratio,) = normal_fit(y, lambda mu, sigma: sigma / mu)

    def fall(c):
        a = (s1 + np.sign(c) * np.sqrt(s1**2 + 4 * n * c**2 * s2)) / (2 * s2)
        return fit.llf - stats.norm.logpdf(y, 1 / a, c / a).sum()

    at_zero = 2 * (fit.llf - stats.norm.logpdf(y, 0, np.sqrt(s2 / n)).sum())
    assert (at_zero > Q) == bounded
    estimate = y.std() / y.mean()
    near = optimize.brentq(lambda c: 2 * fall(c) - Q, *np.sort([estimate, estimate / 100]), xtol=1e-14)
    far = sign * np.inf
    if bounded:
        far = optimize.brentq(lambda c: 2 * fall(c) - Q, *np.sort([estimate, estimate * 100]), xtol=1e-14)
    found = fit.conf_int(method="profile", of=ratio)
    np.testing.assert_allclose(found.loc["g"], np.sort([near, far]), rtol=1e-8)
    behind = [note for note in found.attrs["notes"] if "of the other sign, behind infinity" in note]
    assert len(behind) == (not bounded)


def test_ratio_whose_estimate_is_infinite_has_no_interval():
    y = np.array([-1.0, -0.5, 0.5, 1.0])
    fit, (ratio,) = normal_fit(y, lambda mu, sigma: sigma / mu)
    found = fit.conf_int(method="profile", of=ratio)
    assert np.isnan(found).all(axis=None)
    assert len(found.attrs["notes"]) == 2


def test_reciprocals():
    y = SPREAD + 0.0625
    fit, functions = normal_fit(y, lambda mu, sigma: 1 / mu, lambda mu, sigma: 1 / mu**2, lambda mu, sigma: 1 / sigma)
    half = np.sqrt(y.var() * np.expm1(Q / len(y)))
    low, high = y.mean() - half, y.mean() + half
    sigma = fit.conf_int(method="profile", of="sigma").loc["sigma"]
    expected = [[1 / high, np.inf], [1 / max(-low, high) ** 2, np.inf], [1 / sigma["upper"], 1 / sigma["lower"]]]
    for function, ends in zip(functions, expected, strict=True):
        np.testing.assert_allclose(fit.conf_int(method="profile", of=function).loc["g"], ends, rtol=1e-8)


def test_functions_of_a_coordinate_without_a_bound():
    y = np.array([1, 5, 2, 7, 4, 8, 3, 9, 5, 1, 10, 4])
    with pm.Model() as model:
        alpha = pm.HalfFlat("alpha")
        pm.NegativeBinomial("y", mu=pm.HalfFlat("mu"), alpha=alpha, observed=y)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    logs = stats.nbinom.logpmf
    lower = optimize.brentq(lambda a: 2 * (fit.llf - logs(y, a, a / (a + y.mean())).sum()) - Q, 0.5, 3, xtol=1e-14)
    found = [fit.conf_int(method="profile", of=one).iloc[0] for one in (1 / alpha, alpha**2)]
    np.testing.assert_allclose(found, [[0, 1 / lower], [lower**2, np.inf]], rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_functions_of_two_deviations_with_one_at_its_edge(share):
    # Random intercepts, six groups of four: means ~ N(mu, tau^2 + sigma^2 / 4), contrasts within ~ N(0, sigma^2).
    rng = np.random.default_rng(5)
    means, within = rng.normal(0, 0.5, 6), rng.normal(0, 1, 18)
    between, inner = means - means.mean(), (within**2).sum()
    between = between * np.sqrt(share * inner / 18 / 4 * 6 / (between**2).sum())
    with pm.Model() as model:
        tau, sigma = pm.HalfFlat("tau"), pm.HalfFlat("sigma")
        pm.Normal("means", pm.Flat("mu"), pm.math.sqrt(tau**2 + sigma**2 / 4), observed=between)
        pm.Normal("within", 0.0, sigma, observed=within)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    assert fit.status.name == "BOUNDARY"

    def highest(tau_of, sigma_of):
        """Over r from 0 to 1, for both deviations as functions of it."""

        def minus(r):
            total = tau_of(r) ** 2 + sigma_of(r) ** 2 / 4
            return (
                -stats.norm.logpdf(between, 0, np.sqrt(total)).sum() - stats.norm.logpdf(within, 0, sigma_of(r)).sum()
            )

        found = optimize.minimize_scalar(minus, bounds=(0, 1 - 1e-9), method="bounded", options={"xatol": 1e-13})
        return max(-found.fun, -minus(0.0))

    def of_total(c):
        return highest(lambda r: c * np.sqrt(r), lambda r: c * np.sqrt(1 - r))

    def of_sum(c):
        return highest(lambda r: c * r, lambda r: c * (1 - r))

    def of_ratio(c):
        return highest(lambda r: c * np.exp(6 * r - 3), lambda r: np.exp(6 * r - 3))

    estimate = fit.params["sigma"]
    for function, profile in ((pt.sqrt(tau**2 + sigma**2), of_total), (tau + sigma, of_sum)):
        expected = crossings(lambda c, profile=profile: fit.llf - profile(c), estimate, 0.4 * estimate, 4 * estimate)
        found = fit.conf_int(method="profile", of=function).iloc[0]
        np.testing.assert_allclose(found, expected, rtol=1e-7)
    # The sum is highest inside, the total deviation with tau at its edge.
    assert expected[1] > fit.conf_int(method="profile", of="sigma").loc["sigma", "upper"] + 0.01
    upper = optimize.brentq(lambda c: 2 * (fit.llf - of_ratio(c)) - Q, 0, 9, xtol=1e-13)
    for function, ends in ((tau / sigma, upper), (tau**2 / (tau**2 + sigma**2), upper**2 / (1 + upper**2))):
        found = fit.conf_int(method="profile", of=function).iloc[0]
        np.testing.assert_allclose(found, [0, ends], rtol=1e-7, atol=1e-13)
    squared = fit.conf_int(method="profile", of=tau**2).iloc[0]
    np.testing.assert_allclose(squared, fit.conf_int(method="profile").loc["tau"] ** 2, rtol=1e-9)


def test_functions_of_two_proportions_with_one_at_zero():
    # None of 10 and 3 of 12: given p, the other follows from the value of the function.
    with pm.Model() as model:
        p, r = pm.Uniform("p", 0, 1), pm.Uniform("r", 0, 1)
        pm.Binomial("a", n=10, p=p, observed=0)
        pm.Binomial("b", n=12, p=r, observed=3)
    fit = ppl_mle.find_MLE(model, progressbar=False)

    def fall(other, largest, smallest=1e-300):
        def minus(x):
            return -(10 * np.log1p(-x) + 3 * np.log(other(x) / 0.25) + 9 * np.log((1 - other(x)) / 0.75))

        found = optimize.minimize_scalar(
            minus, bounds=(smallest, largest * (1 - 1e-12)), method="bounded", options={"xatol": 1e-14}
        )
        return min(found.fun, minus(smallest * (1 + 1e-12)))

    def root(fall, low, high):
        return optimize.brentq(lambda c: 2 * fall(c) - Q, low, high, xtol=1e-14)

    alone = crossings(lambda x: 3 * np.log(0.25 / x) + 9 * np.log(0.75 / (1 - x)), 0.25, 1e-9, 1 - 1e-9)
    expected = {
        "sum": [alone[0], root(lambda c: fall(lambda x: c - x, c), 0.25, 0.9)],
        "difference": [root(lambda c: fall(lambda x: c + x, min(1, 1 - c), max(1e-300, -c)), -0.5, 0.25), alone[1]],
        "ratio": [0.0, root(lambda c: fall(lambda x: x / c if x else 1e-300, min(c, 1)), 1e-3, 3)],
    }
    for function, ends in zip((p + r, r - p, p / r), expected.values(), strict=True):
        found = fit.conf_int(method="profile", of=function).iloc[0]
        np.testing.assert_allclose(found, ends, rtol=1e-7, atol=1e-12)
    # The estimate of r / p is infinite.
    assert np.isnan(fit.conf_int(method="profile", of=r / p)).all(axis=None)


def test_product_of_coefficients_and_their_ratio_through_infinity():
    # Of independent means: m / k by Fieller (1954), and m k along the ellipse that is the edge of the region.
    y, z = SPREAD + 0.9, SPREAD[:6] + 0.5
    n, o, a, b = len(y), 6, (SPREAD + 0.9).mean(), (SPREAD[:6] + 0.5).mean()
    with pm.Model() as model:
        m, k = pm.Flat("m"), pm.Flat("k")
        pm.Normal("y", m, 1.0, observed=y)
        pm.Normal("z", k, 1.0, observed=z)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    # (a - c b)^2 <= Q (1 / n + c^2 / o)
    low, high = np.sort(np.roots([b**2 - Q / o, -2 * a * b, a**2 - Q / n]).real)
    assert b**2 < Q / o
    found = fit.conf_int(method="profile", of=(m / k).copy("g"))
    np.testing.assert_allclose(found.loc["g"], [high if a / b > high else low, np.inf], rtol=1e-8)
    assert "behind infinity" in found.attrs["notes"][0]
    angle = np.linspace(0, 2 * np.pi, 200001)
    product = (a + np.sqrt(Q / n) * np.cos(angle)) * (b + np.sqrt(Q / o) * np.sin(angle))
    found = fit.conf_int(method="profile", of=m * k).iloc[0]
    np.testing.assert_allclose(found, [product.min(), product.max()], rtol=1e-8)
