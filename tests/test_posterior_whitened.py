"""Posteriors in coordinates z of center + root z: the same density and gradient, evaluated by SciPy."""

import numpy as np
import pymc as pm
import pytest
from pytensor.graph.traversal import ancestors
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import Dot
from scipy import stats
from scipy.special import expit

from ppl_mle.read import DensityAround
from ppl_mle.read.posterior import read_posterior
from ppl_mle.read.standardized import standardize

RNG = np.random.default_rng(8)
X = np.column_stack([np.ones(30), RNG.normal(size=(30, 2))])
WAVE = X @ [1.0, 2.0, -1.0] + RNG.normal(size=30)
HIT = RNG.random(30) < 0.5
COUNT = RNG.poisson(2.0, 30)
GROUP = np.arange(30) % 4


def normal():
    pm.Normal("y", X @ pm.Flat("b", shape=3), pm.HalfFlat("s"), observed=WAVE)
    return lambda t: stats.norm.logpdf(WAVE, X @ t[:3], np.exp(t[3])).sum() + t[3]


def sample_of_one_mean():
    pm.Normal("y", pm.Flat("m"), pm.HalfFlat("s"), observed=WAVE)
    return lambda t: stats.norm.logpdf(WAVE, t[0], np.exp(t[1])).sum() + t[1]


def normal_of_interval():
    pm.Normal("y", X @ pm.Flat("b", shape=3), pm.Uniform("s", 0, 5), observed=WAVE)
    s = lambda t: 5 * expit(t[3])  # noqa: E731
    return lambda t: stats.norm.logpdf(WAVE, X @ t[:3], s(t)).sum() - np.log(5) + np.log(s(t) * (5 - s(t)) / 5)


def logistic_with_a_prior():
    pm.Bernoulli("y", logit_p=X @ pm.Normal("b", 0, 2, shape=3), observed=HIT)
    return lambda t: stats.bernoulli.logpmf(HIT, expit(X @ t)).sum() + stats.norm.logpdf(t, 0, 2).sum()


def counts_by_group():
    pm.NegativeBinomial("y", mu=pm.math.exp(pm.Flat("u", shape=4)[GROUP]), alpha=pm.HalfNormal("a", 3), observed=COUNT)
    return lambda t: (
        stats.nbinom.logpmf(COUNT, np.exp(t[4]), np.exp(t[4]) / (np.exp(t[4]) + np.exp(t[:4][GROUP]))).sum()
        + stats.halfnorm.logpdf(np.exp(t[4]), scale=3)
        + t[4]
    )


def two_terms():
    b, s = pm.Flat("b", shape=3), pm.HalfFlat("s")
    pm.Normal("y", X @ b, s, observed=WAVE)
    pm.Poisson("n", pm.math.exp(0.3 * (X @ b)), observed=COUNT)
    return lambda t: (
        stats.norm.logpdf(WAVE, X @ t[:3], np.exp(t[3])).sum()
        + stats.poisson.logpmf(COUNT, np.exp(0.3 * X @ t[:3])).sum()
        + t[3]
    )


def joint_rows():
    pm.MvNormal("y", pm.Flat("b", shape=3), np.diag([1.0, 2.0, 3.0]), observed=X)
    return lambda t: stats.multivariate_normal(t, np.diag([1.0, 2.0, 3.0])).logpdf(X).sum()


@pytest.mark.parametrize(
    "declare",
    [normal, sample_of_one_mean, normal_of_interval, logistic_with_a_prior, counts_by_group, two_terms, joint_rows],
)
def test_density_and_gradient_are_those_of_scipy(declare):
    with pm.Model() as model:
        truth = declare()
    posterior = read_posterior(model)
    rng, size = np.random.default_rng(1), posterior.size
    center, root = 0.2 * rng.normal(size=size), 0.3 * rng.normal(size=(size, size))
    points = rng.normal(size=(3, size))
    for z, value, gradient in zip(points, *DensityAround(posterior, center, root)(points), strict=True):
        assert value == pytest.approx(truth(center + root @ z), rel=1e-11)
        slope = [(truth(center + root @ (z + h)) - truth(center + root @ (z - h))) / 2e-5 for h in 1e-5 * np.eye(size)]
        np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-6)


def test_outside_the_support_the_density_is_zero():
    with pm.Model() as model:
        pm.Poisson("y", pm.Uniform("m", 0, 10) + pm.Flat("b") * X[:, 1], observed=COUNT)
    density = DensityAround(read_posterior(model), np.array([0.0, 0.0]), np.eye(2))
    values, gradients = density(np.array([[0.0, 1e6], [0.0, 0.0]]))
    assert values[0] == -np.inf
    assert values[1] == pytest.approx(stats.poisson.logpmf(COUNT, 5).sum() - np.log(10) + np.log(2.5), rel=1e-12)
    np.testing.assert_array_equal(gradients[0], 0)


def test_no_matrix_product_is_left_to_compile():
    with pm.Model() as model:
        logistic_with_a_prior()
    graph = standardize(model, read_posterior(model), np.zeros(3), np.eye(3)).logp()
    ops = [a.owner.op for a in ancestors([graph]) if a.owner]
    assert not any(isinstance(op.core_op if isinstance(op, Blockwise) else op, Dot) for op in ops)
