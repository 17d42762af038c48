"""Firth's bias reduction against R's brglm2, and against the penalized likelihood written out."""

import numpy as np
import pymc as pm
import pytest
from scipy import optimize, stats

import ppl_mle
from ppl_mle.errors import RequestError
from tests.reference import reference_problem

X = np.array([-2.0, -1.0, 1.0, 2.0, 3.0])
Y = np.array([0, 0, 1, 1, 1])
Q = stats.chi2.ppf(0.95, 1)

# R 4.2.2, brglm2 0.9: glm(..., method = "brglmFit", epsilon = 1e-14, maxit = 1000), type = "AS_mean" for the logit and
# log links (Firth's penalty) and type = "MPL_Jeffreys" for the probit link; coef(m) and sqrt(diag(vcov(m))).
BIRTHWT_LOGIT = (
    [
        *(0.3364892885210737, -0.0278257691352720, -0.0138629172646199, 1.2121480203142798, 0.8416170149064435),
        *(0.8958336423618243, 0.5033930319871431, 1.7293523962558155, 0.7428687539776871, 0.0742650739730126),
    ],
    [
        *(1.17110858167793541, 0.03639408160388576, 0.00671949551319242, 0.52009611641920250, 0.43162479277823662),
        *(0.39433104269237290, 0.34128535438467600, 0.68600668434385381, 0.45542355048443617, 0.16882205016808632),
    ],
)
BIRTHWT_PROBIT = (
    [
        *(0.2033878210786468, -0.0173409978097161, -0.0082938828105942, 0.7256514399094914, 0.5070750442790040),
        *(0.5510450451720340, 0.3054177264720692, 1.0598985356059203, 0.4547729360180697, 0.0331372177648775),
    ],
    [
        *(0.69230624512117467, 0.02145052356349895, 0.00393025018537936, 0.31220411130899550, 0.25269486844239997),
        *(0.23222311592727710, 0.20722395257286205, 0.41367787214118862, 0.27824708709522905, 0.10043341467683137),
    ],
)
WARPBREAKS = (
    [
        *(3.797982956050597, -0.455906697396239, -0.617616985944272),
        *(-0.594784943901626, 0.637072852559638, 0.188337034731554),
    ],
    [
        *(0.0499065128505950, 0.0801244850803172, 0.0843184301872870),
        *(0.0836978656307128, 0.1220345660087090, 0.1297471032831388),
    ],
)


def separated():
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * X, observed=Y)
    return model


@pytest.fixture(scope="module")
def firth():
    return ppl_mle.find_MLE(separated(), penalty="jeffreys", progressbar=False)


def birthwt(link):
    problem = reference_problem("models/birthwt_logit")
    with pm.Model() as model:
        eta = problem.design.to_numpy(float) @ pm.Flat("b", shape=10)
        pm.Bernoulli("y", p=link(eta), observed=problem.data["low"])
    return model


@pytest.mark.parametrize(("link", "expected"), [(pm.math.invlogit, BIRTHWT_LOGIT), (pm.math.invprobit, BIRTHWT_PROBIT)])
def test_binary_responses_as_brglm2(link, expected):
    fit = ppl_mle.find_MLE(birthwt(link), penalty="jeffreys", progressbar=False)
    assert fit.status.name == "CONVERGED"
    np.testing.assert_allclose(fit.params, expected[0], rtol=1e-9)
    np.testing.assert_allclose(fit.bse, expected[1], rtol=1e-9)


def test_counts_as_brglm2():
    problem = reference_problem("models/warpbreaks_poisson")
    with pm.Model() as model:
        eta = problem.design.to_numpy(float) @ pm.Flat("b", shape=6)
        pm.Poisson("y", pm.math.exp(eta), observed=problem.data["breaks"])
    fit = ppl_mle.find_MLE(model, penalty="jeffreys", progressbar=False)
    np.testing.assert_allclose(fit.params, WARPBREAKS[0], rtol=1e-8)
    np.testing.assert_allclose(fit.bse, WARPBREAKS[1], rtol=1e-8)


def penalized(theta):
    """The logistic log-likelihood of the separated data with log det(I) / 2, written out."""
    eta = theta[0] + theta[1] * X
    chance = 1 / (1 + np.exp(-eta))
    design = np.column_stack([np.ones(5), X])
    information = design.T @ (design * (chance * (1 - chance))[:, None])
    return np.sum(Y * eta - np.logaddexp(0, eta)) + np.linalg.slogdet(information)[1] / 2


def test_separated_data_have_a_finite_estimate(firth):
    # brglm2 as above; the log-likelihood of the data alone diverges.
    with pytest.warns(ppl_mle.FitWarning):
        assert ppl_mle.find_MLE(separated(), progressbar=False).status.name == "INFINITE"
    np.testing.assert_allclose(firth.params, [-0.0166184804568412, 0.9579087399267152], rtol=1e-9)
    np.testing.assert_allclose(firth.bse, [1.230118722512304, 0.762738366695174], rtol=1e-9)
    assert firth.lpf == pytest.approx(penalized(firth.params.to_numpy()), rel=1e-12)


def test_profile_intervals_are_of_the_penalized_likelihood(firth):
    top = penalized(firth.params.to_numpy())

    def excess(value, k):
        def other(t):
            return -penalized([value, t] if k == 0 else [t, value])

        found = optimize.minimize_scalar(other, bracket=(0.0, 0.5), options={"xtol": 1e-12})
        return 2 * (top + found.fun) - Q

    bounds = firth.conf_int(method="profile")
    for k, label in enumerate("ab"):
        np.testing.assert_allclose([excess(value, k) for value in bounds.loc[label]], 0, atol=1e-7)


def test_normal_responses_divide_by_one_less():
    # The information of (mu, sigma) is n diag(1, 2) / sigma^2, so the penalty is -2 log(sigma) up to a constant and
    # the maximum of -(n + 2) log(sigma) - S / (2 sigma^2) is at S / (n + 2).
    y = np.array([1.0, 2.0, 4.0, 7.0, 3.0])
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y)
    fit = ppl_mle.find_MLE(model, penalty="jeffreys", progressbar=False)
    assert fit.params["mu"] == pytest.approx(y.mean(), rel=1e-12)
    assert fit.params["sigma"] == pytest.approx(np.sqrt(np.sum((y - y.mean()) ** 2) / 7), rel=1e-10)


def test_rows_without_a_kernel():
    # Exponential by rate as a graph: on u = log(rate) the observed information is sum(y) exp(u), so the penalty is
    # u / 2 less the logarithm of the Jacobian, u, and the maximum is at (n - 1 / 2) / sum(y).
    y = np.array([0.5, 1.0, 2.5, 0.2])
    with pm.Model() as model:
        rate = pm.HalfFlat("rate")
        pm.Potential("y", pm.math.log(rate) - rate * y)
    fit = ppl_mle.find_MLE(model, penalty="jeffreys", progressbar=False)
    assert fit.params["rate"] == pytest.approx(3.5 / y.sum(), rel=1e-9)


def test_fixed_parameters_are_no_part_of_the_information():
    # With the slope held, the intercept alone: its information is sum p (1 - p).
    fit = ppl_mle.find_MLE(separated(), penalty="jeffreys", fixed={"b": 1.0}, progressbar=False)

    def minus(a):
        chance = 1 / (1 + np.exp(-(a + X)))
        return -np.sum(Y * (a + X) - np.logaddexp(0, a + X)) - np.log(np.sum(chance * (1 - chance))) / 2

    found = optimize.minimize_scalar(minus, bracket=(-1, 1), options={"xtol": 1e-12})
    assert fit.params["a"] == pytest.approx(found.x, abs=1e-7)


def test_the_penalty_is_said(firth):
    assert "information of the likelihood, without the penalty" in firth.summary().caption.footer[0]
    assert any("Firth 1993" in finding for finding in firth.findings)
    with pytest.raises(RequestError, match="aic is defined for a maximum-likelihood fit, not for one with Jeffreys"):
        _ = firth.aic


def test_units_of_a_column_change_nothing(firth):
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * (1e6 * X), observed=Y)
    fit = ppl_mle.find_MLE(model, penalty="jeffreys", progressbar=False)
    assert fit.params["b"] * 1e6 == pytest.approx(firth.params["b"], rel=1e-9)


@pytest.mark.parametrize(
    ("declare", "sentence"),
    [
        (
            lambda: pm.MvNormal("y", pm.Flat("m", shape=2), np.eye(2), observed=np.ones((3, 2))),
            "needs the predictor form",
        ),
        (
            lambda: pm.Normal("y", pm.Normal("u", pm.Flat("m"), 1, shape=3), 1, observed=[1.0, 2.0, 3.0]),
            "without latent",
        ),
        (lambda: pm.Categorical("y", pm.Dirichlet("p", np.ones(3)), observed=[0, 1, 2, 2]), "not defined for 'p'"),
    ],
)
def test_models_without_such_a_penalty(declare, sentence):
    with pm.Model() as model:
        declare()
    with pytest.raises(RequestError, match=sentence):
        ppl_mle.find_MLE(model, penalty="jeffreys", progressbar=False)


def test_unknown_penalty():
    with pytest.raises(RequestError, match="penalty='ridge' is unknown; use 'jeffreys'"):
        ppl_mle.find_MLE(separated(), penalty="ridge", progressbar=False)
