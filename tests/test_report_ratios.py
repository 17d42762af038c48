"""Exponentials of coefficients: named as the link makes them, equal to those of statsmodels or of a closed form."""

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import gammaln
from statsmodels.discrete.count_model import ZeroInflatedPoisson
from statsmodels.miscmodels.ordinal_model import OrderedModel

from ppl_mle.read.response import read_response
from ppl_mle.report.exponentiated import exponentiate, find_ratios
from tests.test_report_numbers import markdown_of, material_of, table_after

RNG = np.random.default_rng(8)
X = RNG.normal(size=150)
DESIGN = sm.add_constant(X)
GROUP = np.repeat([0, 1], 75)
CLOGLOG = RNG.binomial(1, 1 - np.exp(-np.exp(-0.3 + 0.7 * X)))
RISK = np.r_[np.ones(15), np.zeros(60), np.ones(30), np.zeros(45)].astype(int)
COUNTS = RNG.negative_binomial(3, 3 / (3 + np.exp(1 + 0.5 * X)))
ZEROS = RNG.poisson(np.exp(1 + 0.4 * X)) * RNG.binomial(1, 0.7, 150)
ORDERED = np.digitize(0.8 * X + RNG.logistic(size=150), [-1.0, 1.0])
THREE = RNG.integers(0, 3, 150)
TIMES = RNG.weibull(1.5, 150) * np.exp(0.5 + 0.4 * GROUP)
LIMIT = 2.5
SEEN, HAPPENED = np.minimum(TIMES, LIMIT), TIMES < LIMIT


def predictor(x=X):
    return pm.Flat("a") + pm.Flat("b") * x


def censored(name, life):
    pm.Censored(name, life, lower=None, upper=LIMIT, observed=SEEN)


def cloglog():
    pm.Bernoulli("y", p=1 - pm.math.exp(-pm.math.exp(predictor())), observed=CLOGLOG)


def probit():
    pm.Bernoulli("y", p=pm.math.invprobit(predictor()), observed=CLOGLOG)


def of_risks():
    pm.Bernoulli("y", p=pm.math.exp(pm.Flat("a", initval=-1.5) + pm.Flat("b", initval=0) * GROUP), observed=RISK)


def of_odds():
    pm.Bernoulli("y", p=pm.math.sigmoid(pm.Flat("g", shape=2)[GROUP]), observed=RISK)


def of_zeros():
    pm.Bernoulli("y", p=pm.math.sigmoid(-predictor()), observed=CLOGLOG)


def negative_binomial():
    pm.NegativeBinomial("y", mu=pm.math.exp(predictor()), alpha=pm.HalfFlat("k"), observed=COUNTS)


def identity():
    pm.Normal("y", predictor(), pm.HalfFlat("s"), observed=TIMES)


def ordered():
    rising = pm.distributions.transforms.ordered
    points = pm.Normal("c", 0, 1, shape=2, transform=rising, initval=[-1, 1])
    pm.OrderedLogistic("y", eta=pm.Flat("b") * X, cutpoints=points, observed=ORDERED)


def ordered_probit():
    rising = pm.distributions.transforms.ordered
    points = pm.Normal("c", 0, 1, shape=2, transform=rising, initval=[-1, 1])
    pm.OrderedProbit("y", eta=pm.Flat("b") * X, cutpoints=points, observed=ORDERED)


def multinomial():
    level, slope = pm.Flat("a", shape=2), pm.Flat("b", shape=2)
    eta = pm.math.concatenate([np.zeros((150, 1)), level + X[:, None] * slope], axis=1)
    pm.Categorical("y", logit_p=eta, observed=THREE)


def rates():
    censored("t", pm.Exponential.dist(pm.math.exp(predictor(GROUP))))


def scales():
    censored("t", pm.Exponential.dist(scale=pm.math.exp(predictor(GROUP))))


def lives():
    censored("t", pm.Weibull.dist(pm.HalfFlat("k"), pm.math.exp(predictor(GROUP))))


def rates_of_gamma():
    pm.Gamma("t", pm.HalfFlat("k"), pm.math.exp(predictor(GROUP)), observed=TIMES)


def zero_inflated():
    pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi", 0, 1), mu=pm.math.exp(predictor()), observed=ZEROS)


def built(declare):
    def build():
        with pm.Model() as model:
            declare()
        return model

    return build


NAMED = {
    cloglog: ("hazard ratio", "complementary log-log"),
    of_risks: ("risk ratio", "log"),
    negative_binomial: ("rate ratio", "log"),
    ordered: ("odds ratio", "cumulative logit"),
    multinomial: ("relative risk ratio", "multinomial logit"),
    rates: ("hazard ratio", "log"),
    scales: ("ratio of times", "log"),
    lives: ("ratio of times", "log"),
    rates_of_gamma: ("ratio of rates", "log"),
    zero_inflated: ("ratio of means", "log"),
}
FITS = {declare: built(declare) for declare in (*NAMED, probit, of_zeros, identity, ordered_probit, of_odds)}


def shown(fitted, declare):
    """Ratios of a fit and their table."""
    fit = fitted(FITS[declare])
    ratios = find_ratios(fit.results, fit.maximum, read_response(fit.reading))
    return ratios, None if ratios is None else exponentiate(ratios, fit.summary())


@pytest.mark.parametrize("declare", NAMED, ids=lambda declare: declare.__name__)
def test_the_name_is_that_of_the_link(declare, fitted):
    ratios, _ = shown(fitted, declare)
    assert (ratios.name, ratios.link) == NAMED[declare]
    assert all(not label.startswith("a") for label in set(ratios.labels) - set(ratios.baselines))
    assert any(label.startswith("b") for label in set(ratios.labels) - set(ratios.baselines))


@pytest.mark.parametrize("declare", [probit, identity, ordered_probit, of_zeros], ids=lambda declare: declare.__name__)
def test_what_has_no_name_is_not_shown(declare, fitted):
    assert shown(fitted, declare)[0] is None


def test_levels_of_groups_are_no_ratios(fitted):
    ratios, table = shown(fitted, of_odds)
    assert ratios.baselines == ratios.labels == ("g[0]", "g[1]")
    np.testing.assert_allclose(table["exp(estimate)"], [15 / 60, 30 / 45], rtol=1e-6)


def test_hazard_ratios_are_those_of_a_complementary_log_log_model(fitted):
    glm = sm.GLM(CLOGLOG, DESIGN, family=sm.families.Binomial(sm.families.links.CLogLog())).fit(tol=1e-12)
    _, table = shown(fitted, cloglog)
    np.testing.assert_allclose(table["exp(estimate)"], np.exp(glm.params), rtol=1e-6)
    text = markdown_of(material_of(fitted(FITS[cloglog])))
    cells = table_after(text, "Exponentials of the coefficients (complementary log-log link: hazard ratio)")
    assert (cells["a"]["reads_as"], cells["b"]["reads_as"]) == ("level", "hazard ratio")
    assert float(cells["b"]["exp(estimate)"]) == pytest.approx(np.exp(glm.params[1]), rel=5e-3)
    assert f"Exponentials (hazard ratio): b {cells['b']['exp(estimate)']}" in text


def test_risk_ratios_are_those_of_two_proportions(fitted):
    _, table = shown(fitted, of_risks)
    assert table.loc["b", "exp(estimate)"] == pytest.approx(2.0, rel=1e-7)
    # delta method of a ratio of proportions: var(log) = (1 - p) / (n p), summed
    spread = np.sqrt(60 / 75 / 15 + 45 / 75 / 30)
    assert table.loc["b", "se"] == pytest.approx(2 * spread, rel=1e-5)
    np.testing.assert_allclose(
        table.loc["b", ["ci95_lb", "ci95_ub"]].astype(float), 2 * np.exp([-1.959964 * spread, 1.959964 * spread]), 1e-5
    )


def test_rate_ratios_of_a_negative_binomial(fitted):
    model = sm.NegativeBinomial(COUNTS, DESIGN).fit(disp=0, maxiter=500, gtol=1e-10)
    _, table = shown(fitted, negative_binomial)
    assert table.loc["b", "exp(estimate)"] == pytest.approx(np.exp(model.params[1]), rel=1e-4)


def test_ratios_of_means_of_a_zero_inflated_response(fitted):
    model = ZeroInflatedPoisson(ZEROS, DESIGN).fit(disp=0, method="newton", maxiter=200)
    _, table = shown(fitted, zero_inflated)
    assert table.loc["b", "exp(estimate)"] == pytest.approx(np.exp(model.params[2]), rel=1e-5)


def test_odds_ratios_of_an_ordered_response(fitted):
    model = OrderedModel(ORDERED, X[:, None], distr="logit").fit(method="bfgs", disp=0, gtol=1e-8)
    ratios, table = shown(fitted, ordered)
    assert ratios.labels == ("b",)
    assert table.loc["b", "exp(estimate)"] == pytest.approx(np.exp(model.params[0]), rel=1e-5)


def test_relative_risk_ratios_of_a_category(fitted):
    model = sm.MNLogit(THREE, DESIGN).fit(disp=0, method="newton", tol=1e-12)
    ratios, table = shown(fitted, multinomial)
    assert ratios.baselines == ("a[0]", "a[1]")
    np.testing.assert_allclose(table.loc[["b[0]", "b[1]"], "exp(estimate)"], np.exp(np.asarray(model.params)[1]), 1e-6)


def test_a_ratio_of_hazards_is_the_inverse_of_that_of_times(fitted):
    of_group = [HAPPENED[k == GROUP].sum() / SEEN[k == GROUP].sum() for k in (0, 1)]
    hazard = of_group[1] / of_group[0]
    assert shown(fitted, rates)[1].loc["b", "exp(estimate)"] == pytest.approx(hazard, rel=1e-6)
    assert shown(fitted, scales)[1].loc["b", "exp(estimate)"] == pytest.approx(1 / hazard, rel=1e-6)


def test_ratios_of_times_of_weibull_lives(fitted):
    def loss(theta):
        a, b, k = theta[0], theta[1], np.exp(theta[2])
        z = np.log(SEEN) - a - b * GROUP
        return -np.sum(HAPPENED * (np.log(k) + k * z - np.log(SEEN))) + np.sum(np.exp(k * z))

    found = minimize(loss, [0.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    assert shown(fitted, lives)[1].loc["b", "exp(estimate)"] == pytest.approx(np.exp(found.x[1]), rel=1e-5)


def test_ratios_of_rates_of_gamma_times(fitted):
    def loss(theta):
        k, rate = np.exp(theta[2]), np.exp(theta[0] + theta[1] * GROUP)
        return -np.sum(k * np.log(rate) - gammaln(k) + (k - 1) * np.log(TIMES) - rate * TIMES)

    found = minimize(loss, [0.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    assert shown(fitted, rates_of_gamma)[1].loc["b", "exp(estimate)"] == pytest.approx(np.exp(found.x[1]), rel=1e-5)


def zeros_by_x():
    psi = pm.math.sigmoid(pm.Flat("c") + pm.Flat("e") * X)
    pm.ZeroInflatedPoisson("y", psi=psi, mu=pm.math.exp(predictor()), observed=ZEROS)


def spread_by_x():
    pm.LogNormal("y", predictor(), pm.math.exp(pm.Flat("c") + pm.Flat("e") * X), observed=TIMES)


def shape_by_x():
    shape = pm.math.exp(pm.Flat("c") + pm.Flat("e") * GROUP)
    pm.Weibull("y", shape, pm.math.exp(predictor(GROUP)), observed=TIMES)


def shape_over_rate():
    shape, rate = (pm.math.exp(pm.Flat(one) + pm.Flat(other) * GROUP) for one, other in ("ce", "ab"))
    pm.Gamma("y", shape, rate, observed=TIMES)


def powers_of_two():
    pm.Poisson("y", 2 ** predictor(), observed=COUNTS)


def scaled_log_odds():
    pm.Bernoulli("y", logit_p=1.7 * predictor(), observed=CLOGLOG)


@pytest.mark.parametrize(
    "declare", [zeros_by_x, spread_by_x, shape_by_x, shape_over_rate, powers_of_two, scaled_log_odds]
)
def test_what_is_no_ratio_of_one_coefficient_is_not_called_one(declare, fitted):
    # The mean changes through another predictor as well, or by another factor than exp(b).
    fit = fitted(built(declare))
    assert find_ratios(fit.results, fit.maximum, read_response(fit.reading)) is None
