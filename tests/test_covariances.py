"""Covariances of an estimate against statsmodels, R's sandwich package and closed forms."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import statsmodels.api as sm
import statsmodels.stats.sandwich_covariance as sandwich

import ppl_mle
from ppl_mle.errors import RequestError
from ppl_mle.inference.covariances import COVARIANCES
from tests.reference import reference_problem

RNG = np.random.default_rng(20)
N = 240
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2)), RNG.random(N) < 0.4])
ETA = X @ [0.3, 0.6, -0.4, 0.2]
FIRM, YEAR = RNG.integers(0, 24, N), RNG.integers(0, 9, N)
HIT = RNG.random(N) < 1 / (1 + np.exp(-ETA))
COUNT = RNG.negative_binomial(3, 3 / (3 + np.exp(ETA)))
WAVE = ETA + RNG.normal(size=N) * (1 + X[:, 1] ** 2)


def logit(x):
    pm.Bernoulli("y", logit_p=x @ pm.Flat("b", shape=4), observed=HIT)


def probit(x):
    pm.Bernoulli("y", p=pm.math.invprobit(x @ pm.Flat("b", shape=4)), observed=HIT)


def poisson(x):
    pm.Poisson("y", pm.math.exp(x @ pm.Flat("b", shape=4)), observed=COUNT)


def gaussian(x):
    pm.Normal("y", x @ pm.Flat("b", shape=4), pm.HalfFlat("sigma"), observed=WAVE)


PEERS = {
    "logit": (logit, lambda: sm.Logit(HIT, X).fit(disp=0, tol=1e-14, method="newton")),
    "probit": (probit, lambda: sm.Probit(HIT, X).fit(disp=0, tol=1e-14, method="newton")),
    "poisson": (poisson, lambda: sm.Poisson(COUNT, X).fit(disp=0, tol=1e-14, method="newton")),
    "gaussian": (gaussian, lambda: sm.OLS(WAVE, X).fit()),
}


def fitted(declare, x=X, **options):
    with pm.Model() as model:
        declare(x)
    return ppl_mle.find_MLE(model, progressbar=False, **options)


@pytest.fixture(scope="module", params=PEERS)
def pair(request):
    declare, peer = PEERS[request.param]
    return fitted(declare), peer()


def errors(fit):
    return fit.bse.to_numpy()[:4]


def roots(matrix):
    return np.sqrt(np.diag(matrix))


@pytest.mark.parametrize(("kind", "corrected"), [("HC0", False), ("HC1", True)])
def test_white_as_statsmodels(pair, kind, corrected):
    fit, peer = pair
    expected = roots(sandwich.cov_white_simple(peer, use_correction=corrected))
    np.testing.assert_allclose(errors(fit.with_covariance(kind)), expected, rtol=1e-11)


@pytest.mark.parametrize("corrected", [True, False])
def test_clusters_as_statsmodels(pair, corrected):
    fit, peer = pair
    one = fit.with_covariance("cluster", groups=FIRM, use_correction=corrected)
    two = fit.with_covariance("cluster", groups=[FIRM, YEAR], use_correction=corrected)
    expected = sandwich.cov_cluster(peer, FIRM, use_correction=corrected)
    both = sandwich.cov_cluster_2groups(peer, FIRM, YEAR, use_correction=corrected)[0]
    np.testing.assert_allclose(errors(one), roots(expected), rtol=1e-11)
    np.testing.assert_allclose(two.cov_params().to_numpy()[:4, :4], both, rtol=1e-9, atol=1e-14)
    assert "24 groups" in one.summary().caption.footer[0]
    assert "24 x 9 groups" in two.results.covariance_kind


@pytest.mark.parametrize(("lags", "corrected"), [(0, False), (3, False), (7, True), (None, False)])
def test_hac_as_statsmodels(pair, lags, corrected):
    fit, peer = pair
    found = fit.with_covariance("HAC", maxlags=lags, use_correction=corrected)
    expected = sandwich.cov_hac_simple(peer, lags, use_correction=corrected)
    np.testing.assert_allclose(errors(found), roots(expected), rtol=1e-11)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_white_of_least_squares(kind):
    expected = sm.OLS(WAVE, X).fit().get_robustcov_results(kind).bse
    np.testing.assert_allclose(errors(fitted(gaussian).with_covariance(kind)), expected, rtol=1e-12)


# R 4.2.2, sandwich: glm(..., control = glm.control(epsilon = 1e-15)), then sqrt(diag(vcovHC(m, type = ))) and
# sqrt(diag(vcovCL(m, cluster = age, type = "HC1"))), with cluster = data.frame(age, lwt) for two ways.
BIRTHWT = {
    "HC2": [
        *(1.25505373875408299, 0.03662470566927028, 0.00740495469306847, 0.52858232161241603, 0.44508776505334491),
        *(0.39541402961977784, 0.42987702377997827, 0.70127555477526160, 0.50828684366027777, 0.17463509274798555),
    ],
    "HC3": [
        *(1.30212842255191363, 0.03796356911537666, 0.00770105019618697, 0.55079030859667821, 0.46000479061629707),
        *(0.40948197415446486, 0.45541571125769986, 0.74334699290213302, 0.52892683851441080, 0.18122316871588171),
    ],
    "age": [
        *(1.29462961468421711, 0.03203488320944166, 0.00887621837437363, 0.41850655198349801, 0.44783291824184807),
        *(0.39264418636298037, 0.31700976392589436, 0.70254102266112606, 0.50001427313627800, 0.20364635135254122),
    ],
    "age x lwt": [
        *(1.31682572215222171, 0.03171477914593219, 0.00905303474089229, 0.51905277413899076, 0.50310683784909960),
        *(0.33209365680644148, 0.29416222354232796, 0.65889237035383263, 0.60805197501103858, 0.19044081035952284),
    ],
}
WARPBREAKS = {
    "HC2": [
        *(0.135394477745866, 0.178578600961538, 0.181105652028501),
        *(0.194364135446962, 0.241435796105568, 0.242654740903749),
    ],
    "HC3": [
        *(0.143607530023969, 0.189411209572065, 0.192091551990846),
        *(0.206154297291011, 0.256081332971130, 0.257374219170159),
    ],
}


def test_birthwt_as_r():
    problem = reference_problem("models/birthwt_logit")
    with pm.Model() as model:
        eta = problem.design.to_numpy(float) @ pm.Flat("b", shape=10)
        pm.Bernoulli("y", logit_p=eta, observed=problem.data["low"])
    fit = ppl_mle.find_MLE(model, progressbar=False)
    age, lwt = problem.data["age"], problem.data["lwt"]
    found = {kind: fit.with_covariance(kind) for kind in ("HC2", "HC3")}
    found["age"] = fit.with_covariance("cluster", groups=age)
    found["age x lwt"] = fit.with_covariance("cluster", groups=pd.DataFrame({"age": age, "lwt": lwt}))
    for kind, expected in BIRTHWT.items():
        np.testing.assert_allclose(found[kind].bse, expected, rtol=1e-9)


def test_warpbreaks_as_r():
    problem = reference_problem("models/warpbreaks_poisson")
    with pm.Model() as model:
        eta = problem.design.to_numpy(float) @ pm.Flat("b", shape=6)
        pm.Poisson("y", pm.math.exp(eta), observed=problem.data["breaks"])
    fit = ppl_mle.find_MLE(model, progressbar=False)
    for kind, expected in WARPBREAKS.items():
        np.testing.assert_allclose(fit.with_covariance(kind).bse, expected, rtol=1e-9)


# R 4.2.2, sandwich 3.0: glm(low ~ age + lwt + smoke, binomial(link), birthwt), begun again from its answer
# until that stood still; vcovHC and vcovCL(age).
OFF_THE_CANONICAL_LINK = {
    "probit": {
        "HC0": (0.594800541910909, 0.0175932031398742, 0.00352753843570958, 0.199390890870481),
        "HC1": (0.601196430552926, 0.0177823828063513, 0.00356547004710777, 0.201534940588629),
        "HC2": (0.603720662025373, 0.0178429568161901, 0.00358438124927329, 0.201616500948241),
        "HC3": (0.612828267020088, 0.0180976804408245, 0.00364246666728933, 0.203877348756642),
        "cluster": (0.658886554584994, 0.0175336595106036, 0.00464959344818917, 0.204385742319606),
    },
    "cloglog": {
        "HC0": (0.849460225335095, 0.0250297108782136, 0.00528684793644752, 0.26689219544524),
        "HC1": (0.858594468874274, 0.0252988552925818, 0.00534369739821852, 0.269762086511587),
        "HC2": (0.86217229895143, 0.0253955010926912, 0.00536771368049411, 0.269895582007667),
        "HC3": (0.875121139485133, 0.0257682832886232, 0.00545010277036594, 0.272945685128961),
        "cluster": (0.982566741122443, 0.0245574021657554, 0.00719540780959138, 0.275657438407537),
    },
}
LINKS = {"probit": pm.math.invprobit, "cloglog": lambda eta: 1 - pm.math.exp(-pm.math.exp(eta))}


@pytest.mark.parametrize("link", OFF_THE_CANONICAL_LINK)
def test_expected_bread_as_r(link):
    problem = reference_problem("models/birthwt_logit")
    with pm.Model() as model:
        x = np.column_stack([np.ones(len(problem.data)), problem.data[["age", "lwt", "smoke"]].to_numpy(float)])
        pm.Bernoulli("y", p=LINKS[link](x @ pm.Flat("b", shape=4)), observed=problem.data["low"])
    fit = ppl_mle.find_MLE(model, progressbar=False)
    for kind, expected in OFF_THE_CANONICAL_LINK[link].items():
        groups = problem.data["age"] if kind == "cluster" else None
        found = fit.with_covariance(kind, groups=groups, bread="expected")
        np.testing.assert_allclose(found.bse, expected, rtol=1e-9)
        assert "around the expected information" in found.results.covariance_kind


def test_bread_is_the_observed_or_the_expected_information():
    fit = fitted(probit)
    with pytest.raises(RequestError, match="bread='half' is unknown; use 'observed' or 'expected'"):
        fit.with_covariance("HC1", bread="half")
    with pytest.raises(RequestError, match="bread= means nothing to 'OPG'"):
        fit.with_covariance("OPG", bread="expected")


@pytest.mark.parametrize(
    ("declare", "family", "y"),
    [
        (logit, sm.families.Binomial(), HIT),
        (probit, sm.families.Binomial(sm.families.links.Probit()), HIT),
        (poisson, sm.families.Poisson(), COUNT),
    ],
)
def test_expected_information_as_glm(declare, family, y):
    # statsmodels' GLM reports the expected information of iteratively reweighted least squares.
    expected = sm.GLM(y, X, family).fit(tol=1e-14, maxiter=200, tol_criterion="params").bse
    np.testing.assert_allclose(fitted(declare).with_covariance("expected").bse, expected, rtol=1e-9)


def test_expected_information_of_two_parameters():
    # Closed forms: normal (Lehmann and Casella 1998, 2.5), Weibull (Lawless 2003, 5.2) and gamma, on logarithms.
    y = RNG.weibull(1.5, 60) + 0.05

    def both(declare):
        fit = fitted(declare, None).with_covariance("expected")
        return fit.params.to_numpy(), fit.bse.to_numpy()

    (_, sigma), se = both(lambda x: pm.Normal("y", pm.Flat("m"), pm.HalfFlat("s"), observed=y))
    np.testing.assert_allclose(se, sigma / np.sqrt([60, 120]), rtol=1e-10)
    (k, scale), se = both(lambda x: pm.Weibull("y", pm.HalfFlat("k"), pm.HalfFlat("scale"), observed=y))
    g = 1 - np.euler_gamma
    information = 60 * np.array([[(g**2 + np.pi**2 / 6) / k**2, -g / scale], [-g / scale, k**2 / scale**2]])
    np.testing.assert_allclose(se, roots(np.linalg.inv(information)), rtol=1e-10)


def test_expected_information_of_the_negative_binomial():
    # Dense sum of the squared scores over the support, from scipy's probabilities by central differences.
    from scipy import stats

    def law(x):
        pm.NegativeBinomial("y", mu=pm.HalfFlat("mu"), alpha=pm.HalfFlat("a"), observed=COUNT)

    fit = fitted(law, None)
    mu, a = fit.params
    y = np.arange(3000)

    def logs(m, s):
        return stats.nbinom.logpmf(y, s, s / (s + m))

    step = 1e-5
    slopes = [(logs(mu * (1 + step), a) - logs(mu * (1 - step), a)) / (2 * step * mu)]
    slopes += [(logs(mu, a * (1 + step)) - logs(mu, a * (1 - step))) / (2 * step * a)]
    kept = np.exp(logs(mu, a))
    information = N * np.array([[np.sum(kept * p * q) for p in slopes] for q in slopes])
    found = fit.with_covariance("expected").bse
    np.testing.assert_allclose(found, roots(np.linalg.inv(information)), rtol=1e-6)


def test_outer_products_are_those_of_the_scores():
    # Scores of the logit model: x (y - p).
    fit = fitted(logit)
    chance = 1 / (1 + np.exp(-X @ fit.params.to_numpy()))
    scores = X * (HIT - chance)[:, None]
    expected = roots(np.linalg.inv(scores.T @ scores))
    np.testing.assert_allclose(fit.with_covariance("OPG").bse, expected, rtol=1e-10)


WEIGHTS = RNG.integers(0, 4, N)
REPEATED = np.repeat(np.arange(N), WEIGHTS)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "expected", "OPG"])
def test_frequency_weights_count_rows(kind):
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=X[REPEATED] @ pm.Flat("b", shape=4), observed=HIT[REPEATED])
    expanded = ppl_mle.find_MLE(model, progressbar=False).with_covariance(kind)
    found = fitted(logit, weights=WEIGHTS).with_covariance(kind)
    np.testing.assert_allclose(found.bse, expanded.bse, rtol=1e-9)
    assert found.results.covariance_kind == expanded.results.covariance_kind


@pytest.mark.parametrize("kind", [one.name for one in COVARIANCES])
def test_every_kind_follows_the_units_of_a_column(kind):
    options = {"groups": FIRM} if kind == "cluster" else {"replicates": 40} if kind == "bootstrap" else {}
    scale = np.array([1.0, 1e8, 1e-8, 1.0])
    base = fitted(poisson).with_covariance(kind, **options)
    found = fitted(poisson, X * scale).with_covariance(kind, **options)
    np.testing.assert_allclose(found.bse * scale, base.bse, rtol=1e-9)


def test_other_quantities_follow_the_covariance():
    fit = fitted(gaussian)
    robust = fit.with_covariance("HC3")
    assert robust.params.equals(fit.params)
    assert robust.llf == fit.llf
    np.testing.assert_allclose(robust.tvalues, robust.params / robust.bse, rtol=1e-12)
    half = 1.959963984540054 * robust.bse["b[1]"]
    assert robust.conf_int().loc["b[1]", "upper"] == pytest.approx(robust.params["b[1]"] + half, rel=1e-12)
    assert robust.conf_int().attrs["covariance"] == "HC3"
    assert "HC3" in robust.summary().caption.footer[0]
    back = robust.with_covariance("observed")
    assert back.bse.equals(fit.bse)


def test_two_way_clusters_that_are_indefinite_are_reported():
    # Each group of either way balances its scores; only the intersections do not.
    y = np.array([1.0, -1.0, -1.0, 1.0]) + 5.0
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), 1.0, observed=y)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    found = fit.with_covariance("cluster", groups=[[0, 0, 1, 1], [0, 1, 0, 1]], use_correction=False)
    # Sums of scores vanish within both ways; over the four intersections they are 1 each: 0 + 0 - 4 / 16.
    assert found.cov_params().loc["mu", "mu"] == pytest.approx(-0.25, rel=1e-12)
    assert np.isnan(found.bse["mu"])
    assert any("negative" in finding for finding in found.findings)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kind": "HC9"}, "covariance kind 'HC9' is unknown; use one of observed, expected"),
        ({"kind": "cluster"}, "'cluster' needs groups="),
        ({"kind": "cluster", "groups": FIRM[:-1]}, "groups has 239 labels for 240 rows of 'y'"),
        ({"kind": "cluster", "groups": np.where(FIRM == 3, np.nan, FIRM)}, "groups is missing in row"),
        ({"kind": "cluster", "groups": np.zeros(N)}, "groups has the single label"),
        ({"kind": "cluster", "groups": np.zeros((N, 3))}, "groups has 3 ways of clustering"),
        ({"kind": "cluster", "groups": {"z": FIRM}}, r"groups names \['z'\], not 'y'"),
        ({"kind": "HC1", "groups": FIRM}, "groups= means nothing to 'HC1'; it is used by cluster"),
        ({"kind": "HAC", "maxlags": N}, "maxlags=240 is no whole number from 0 to 239"),
    ],
)
def test_requests_that_make_no_sense(options, sentence):
    with pytest.raises(RequestError, match=sentence):
        fitted(logit).with_covariance(**options)


def test_rows_that_do_not_exist():
    with pm.Model() as model:
        pm.MvNormal("y", pm.Flat("mu", shape=2), np.eye(2) + 0.3, observed=RNG.normal(size=(9, 2)))
    fit = ppl_mle.find_MLE(model, progressbar=False)
    with pytest.raises(RequestError, match="HC0 needs the rows of 'y', which has no predictor form"):
        fit.with_covariance("HC0")


def test_leverage_needs_one_mean_predictor():
    with pm.Model() as model:
        b, c = pm.Flat("b", shape=4), pm.Flat("c", shape=4)
        pm.Normal("y", X @ b, pm.math.exp(X @ c), observed=WAVE)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    assert fit.with_covariance("HC2").status.name == "CONVERGED"  # the mean is one predictor, whatever the scale is
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Normal("y", a * pm.math.exp(b * X[:, 1]), 1.0, observed=WAVE)
    curve = ppl_mle.find_MLE(model, progressbar=False, initvals={"a": 1.0, "b": 0.1})
    with pytest.raises(RequestError, match="leverage needs one affine mean predictor"):
        curve.with_covariance("HC3")


def test_likelihood_is_asked_for():
    with pm.Model() as model:
        pm.Normal("y", pm.Normal("mu", 0, 1), 1.0, observed=[1.0, 2.0])
    with pytest.raises(RequestError, match="HC0 needs a maximized likelihood, but priors entered this one"):
        ppl_mle.find_MAP(model, progressbar=False).with_covariance("HC0")


def test_separated_data_have_no_covariance_of_infinite_coefficients():
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("b") * x, observed=[0, 0, 1, 1])
    with pytest.warns(ppl_mle.FitWarning):
        fit = ppl_mle.find_MLE(model, progressbar=False)
    assert np.isnan(fit.with_covariance("HC0").bse["b"])


def test_jackknife_is_that_of_fits_without_each_row():
    base = fitted(poisson)
    estimates = []
    for i in range(N):
        kept = np.arange(N) != i
        peer = sm.GLM(COUNT[kept], X[kept], sm.families.Poisson())
        estimates.append(peer.fit(tol=1e-14, tol_criterion="params").params)
    apart = np.array(estimates) - np.mean(estimates, axis=0)
    expected = (N - 1) / N * apart.T @ apart
    found = base.with_covariance("jackknife")
    np.testing.assert_allclose(found.cov_params(), expected, rtol=1e-7)
    assert found.results.covariance_kind == "jackknife"


def test_bootstrap_covariance_is_that_of_its_replicates():
    fit = fitted(gaussian)
    found = fit.with_covariance("bootstrap", replicates=60, random_seed=4)
    replicates = fit.bootstrap(60, random_seed=4).params[[f"b[{i}]" for i in range(4)]]
    np.testing.assert_allclose(errors(found), replicates.std(ddof=1), rtol=1e-9)
    assert found.results.covariance_kind == "bootstrap of rows, 60 replicates, seed 4"


def test_factors_count_what_is_estimable():
    # A column twice: the coefficients of the others are those of the design without it, and so is k.
    twice = np.column_stack([X, X[:, 1]])

    def declare(x):
        pm.Normal("y", x @ pm.Flat("b", shape=x.shape[1]), pm.HalfFlat("sigma"), observed=WAVE)

    with pytest.warns(ppl_mle.FitWarning):
        ridge = fitted(declare, twice)
    plain = sm.OLS(WAVE, X).fit().get_robustcov_results("HC1").bse
    found = ridge.with_covariance("HC1").bse
    np.testing.assert_allclose(found[["b[0]", "b[2]", "b[3]"]], plain[[0, 2, 3]], rtol=1e-8)


def test_what_is_independent_is_said():
    with pm.Model() as model:
        b = pm.Flat("b", shape=4)
        pm.Normal("y", X @ b, 1.0, observed=WAVE)
        pm.Normal("z", X @ b, 1.0, observed=ETA)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    assert fit.with_covariance("HC0").results.covariance_kind == "HC0, rows of y, z taken as independent"
    with pytest.raises(RequestError, match="HC3 needs leverages within one observed variable, not y, z; use HC1"):
        fit.with_covariance("HC3")
    with pytest.raises(RequestError, match="HAC needs one series of rows in time"):
        fit.with_covariance("HAC")
    with pytest.raises(RequestError, match="HAC needs rows in time, and frequency weights repeat them"):
        fitted(gaussian, weights=WEIGHTS).with_covariance("HAC")
