"""Terms that are no sums over rows are declined with the reason, and the other terms of the model keep their form."""

import re
from functools import cache

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

from ppl_mle import explain
from tests.original_density import OriginalDensity

N = 12
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2))
Y = 0.5 + RNG.normal(size=N)
PAIRS = RNG.normal(size=(N, 2))
COUNTS = RNG.poisson(2, size=N)
WAITS = RNG.gamma(2, 1, size=N)
CHAIN = np.diag(np.ones(N - 1), 1) + np.diag(np.ones(N - 1), -1)
HALF = np.array([[1.0, 0.5], [0.5, 1.0]])


def multivariate():
    pm.MvNormal("y", pm.Flat("m", shape=2), pm.HalfFlat("s") ** 2 * HALF, observed=PAIRS)


def cholesky_prior():
    chol, _, _ = pm.LKJCholeskyCov("L", eta=2, n=2, sd_dist=pm.HalfNormal.dist(1), compute_corr=True)
    pm.MvNormal("y", np.zeros(2), chol=chol, observed=PAIRS)


def gaussian_process():
    kernel = pm.HalfNormal("amplitude", 1) ** 2 * pm.gp.cov.ExpQuad(1, ls=pm.Gamma("length", 2, 1))
    process = pm.gp.Marginal(cov_func=kernel)
    process.marginal_likelihood("y", X=np.arange(float(N))[:, None], y=Y, sigma=pm.HalfNormal("s", 1))


def garch():
    pm.GARCH11("y", omega=pm.HalfFlat("w"), alpha_1=0.2, beta_1=pm.Uniform("b"), initial_vol=1.0, observed=Y)


def recursion():
    decay = pm.Uniform("decay")
    level = pytensor.scan(
        lambda x, last, decay: decay * last + x,
        sequences=[pt.constant(X[:, 0])],
        outputs_info=[0.0 * decay],
        non_sequences=[decay],
        return_updates=False,
    )
    pm.Normal("y", level, 1.0, observed=Y)


def factors():
    pm.Normal("y", pm.Normal("u", 0, 1, shape=(N, 2)) @ pm.Normal("v", 0, 1, shape=(2, 2)), 1.0, observed=PAIRS)


def large_sum():
    pm.Potential("y", -pt.sqrt(1 + (pm.Normal("b", 0, 1, shape=100) ** 2).sum()))


def many_categories():
    pm.Categorical("y", p=pm.math.softmax(pm.Normal("b", 0, 1, shape=70)), observed=np.arange(N))


def many_predictors():
    pm.Categorical("y", p=pm.math.softmax(pm.Normal("b", 0, 1, shape=50)), observed=np.arange(N))


def censored_gamma():
    pm.Censored("y", pm.Gamma.dist(pm.HalfFlat("shape"), 1.0), lower=None, upper=3.0, observed=np.minimum(WAITS, 3))


def censored_beta():
    shares = np.minimum(1 / (1 + np.exp(-Y)), 0.7)
    pm.Censored("y", pm.Beta.dist(pm.HalfFlat("shape"), 2.0), lower=None, upper=0.7, observed=shares)


def directions():
    pm.VonMises("y", mu=pm.Uniform("m", -3, 3), kappa=pm.HalfFlat("k"), observed=np.clip(Y, -3, 3))


def chosen_by_a_parameter():
    place = pt.cast(pm.Uniform("place", 0, 5), "int64")
    pm.Normal("y", pm.Flat("a") + pt.constant(X[:, 0])[place], 1.0, observed=Y)


def ranks():
    pm.Normal("y", pt.sort(pm.Normal("u", 0, 1, shape=3))[np.arange(N) % 3], 1.0, observed=Y)


def determinant():
    pm.Potential("y", -((pt.linalg.det(pt.eye(2) + pm.Normal("L", 0, 1, shape=(2, 2))) - 1) ** 2))


def inverse():
    weights = pt.linalg.inv(pt.eye(2) + 0.1 * pm.Normal("L", 0, 1, shape=(2, 2)))
    pm.Normal("y", (X @ weights)[:, 0], 1.0, observed=Y)


DECLINED = {
    multivariate: "(?i)cholesky|solve",
    cholesky_prior: "(?i)cholesky|solve|triangular|diag",
    gaussian_process: "(?i)cholesky|solve",
    garch: "Scan has no plain evaluation",
    recursion: "Scan has no plain evaluation",
    factors: "a matrix product of two nonlinear functions",
    large_sum: "Sum over 100 elements inside a nonlinear function",
    many_categories: "Softmax over 70 elements inside a nonlinear function",
    many_predictors: "a row depends on more than 40 predictors",
    censored_gamma: "GammaInc has no derivative in its first argument",
    censored_beta: "BetaInc has no rule for its derivatives",
    directions: "I0e has no rule for its derivatives",
    chosen_by_a_parameter: "Subtensor with indices that depend on parameters",
    ranks: "SortOp is not elementwise",
    determinant: "(?i)det",
    inverse: "(?i)inv",
}
CASES = pytest.mark.parametrize("declare", list(DECLINED))


@cache
def declared(declare):
    with pm.Model() as model:
        declare()
        pm.Poisson("counts", pm.math.exp(pm.Flat("a_") + X @ pm.Flat("b_", shape=2)), observed=COUNTS)
    return model


@cache
def planned(declare):
    return explain(declared(declare), estimator="MAP")


@CASES
def test_reason(declare):
    (term,) = [term for term in planned(declare).terms if term.name == "y"]
    assert (term.form, term.predictors) == ("general", ())
    assert re.search(DECLINED[declare], term.reason), term.reason
    assert f"general ({term.reason})" in str(planned(declare))
    assert term.reason in str(planned(declare).record())


@CASES
def test_other_terms_keep_their_form(declare):
    (term,) = [term for term in planned(declare).terms if term.name == "counts"]
    assert (term.form, term.reason, term.predictors[0].columns) == ("poisson log", "", 3)
    assert planned(declare).engine == "predictor Newton"


@CASES
def test_gradient_is_that_of_the_declared_density(declare):
    likelihood = planned(declare).likelihood
    original = OriginalDensity(declared(declare))
    theta = 0.3 * np.random.default_rng(1).normal(size=likelihood.size)
    value, gradient = likelihood.objective.value_and_gradient(theta)
    assert value == pytest.approx(original.value(theta), rel=1e-7)
    np.testing.assert_allclose(gradient, original.differences(theta), rtol=1e-6, atol=1e-6)
