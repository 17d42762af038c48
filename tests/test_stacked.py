"""Several points evaluated at once: the same values and gradients as one by one."""

import numpy as np
import pymc as pm
import pytest
from scipy import sparse

from ppl_mle import explain

RNG = np.random.default_rng(6)
N = 30
X = RNG.normal(size=(N, 3))
GROUP = RNG.integers(0, 4, N)
COUNTS = RNG.poisson(2.0, N)
HITS = RNG.integers(0, 2, N)
Y = RNG.normal(size=N)


def logistic():
    pm.Bernoulli("y", logit_p=pm.Flat("a") + X @ pm.Flat("b", shape=3), observed=HITS)


def poisson_with_exposure_and_groups():
    u = pm.Normal("u", 0, 1, shape=4)
    pm.Poisson("y", pm.math.exp(np.log(1 + X[:, 0] ** 2) + u[GROUP] + pm.Flat("b") * X[:, 1]), observed=COUNTS)


def two_terms():
    b = pm.Flat("b", shape=3)
    pm.Bernoulli("y", logit_p=X @ b, observed=HITS)
    pm.Poisson("z", pm.math.exp(X @ b), observed=COUNTS)


def potential_and_prior():
    b = pm.Laplace("b", 0, 1, shape=3)
    pm.Potential("y", -((Y - X @ b) ** 2) / 3)


def nonlinear_in_two_predictors():
    a, b = pm.Flat("a", shape=3), pm.Flat("b", shape=3)
    pm.Normal("y", X @ a, pm.math.exp(X @ b), observed=Y)


def sparse_design():
    from pytensor import sparse as graph

    design = graph.as_sparse_variable(sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0)))
    pm.Bernoulli("y", logit_p=graph.structured_dot(design, pm.Flat("b", shape=(3, 1)))[:, 0], observed=HITS)


MODELS = (
    logistic,
    poisson_with_exposure_and_groups,
    two_terms,
    potential_and_prior,
    nonlinear_in_two_predictors,
    sparse_design,
)


@pytest.mark.parametrize("weights", [None, RNG.integers(0, 3, N).astype(float)])
@pytest.mark.parametrize("declare", MODELS)
def test_foreseen_points_are_what_they_are_alone(declare, weights):
    with pm.Model() as model:
        declare()
    given = {"y": weights} if declare is two_terms and weights is not None else weights
    if declare is potential_and_prior and weights is not None:
        pytest.skip("a Potential takes no weights")
    likelihood = explain(model, weights=given).likelihood
    objective = likelihood.objective
    points = 0.5 * RNG.normal(size=(likelihood.size, 5))
    objective.forget()
    objective.foresee(points)
    known = len(objective._slopes)
    together = [objective.value_and_gradient(point) for point in points.T]
    assert len(objective._slopes) == (known or 5)
    objective.forget()
    for point, (value, gradient) in zip(points.T, together, strict=True):
        alone = objective.value_and_gradient(point)
        assert value == pytest.approx(alone[0], rel=1e-13)
        np.testing.assert_allclose(gradient, alone[1], rtol=1e-11, atol=1e-12)


def test_points_outside_the_support_are_left_to_be_asked_for():
    with pm.Model() as model:
        b = pm.Flat("b")
        pm.Potential("y", pm.math.switch(b * np.arange(1.0, 9.0) > 0, -b * np.arange(1.0, 9.0), -np.inf))
    objective = explain(model).likelihood.objective
    objective.foresee(np.array([[1.0, -1.0]]))
    assert objective.value_and_gradient(np.array([1.0]))[0] == -36.0
    assert objective.value_and_gradient(np.array([-1.0]))[0] == -np.inf
