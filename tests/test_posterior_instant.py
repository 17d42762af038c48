"""The instant posterior against posteriors in closed form, and the density it is made of against PyMC's."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import ppl_mle
from ppl_mle.errors import ModelError, RequestError
from ppl_mle.posterior import check_draws, find_mode, sample_instantly, summarize_draws
from ppl_mle.posterior.approximation import approximate
from ppl_mle.read import densities_at, read_posterior

RNG = np.random.default_rng(12)
X = np.linspace(-10, 30, 100)
Y = 10 + 4 * X + RNG.normal(10, 5, 100)


def linear():
    with pm.Model() as model:
        a, b, sigma = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("sigma")
        pm.Deterministic("ratio", a / b)
        pm.Normal("y", a + b * X, sigma, observed=Y)
    return model


def mixed():
    """Every kind of transform: none, log, interval with constant and with free bounds, simplex, ordered."""
    with pm.Model() as model:
        mu, s, u = pm.Normal("mu", 0, 1, shape=2), pm.HalfNormal("s", 1), pm.Uniform("u", 0, 3)
        w, z = pm.Dirichlet("w", np.ones(3)), pm.Uniform("z", 0, u)
        ordered = pm.distributions.transforms.ordered
        o = pm.Normal("o", 0, 1, shape=3, transform=ordered, initval=[-1, 0, 1])
        pm.Normal("y", mu[0] + mu[1] * np.arange(5) + o.sum() + z, s, observed=np.arange(5.0))
        pm.Multinomial("k", 10, w, observed=[3, 3, 4])
    return model


@pytest.mark.parametrize("build", [linear, mixed])
def test_density_is_pymcs_with_the_jacobian(build):
    model = build()
    posterior = read_posterior(model)
    points = 0.3 * np.random.default_rng(0).normal(size=(5, posterior.size))
    shapes = {name: np.shape(value) for name, value in model.initial_point().items()}
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    original, slope = model.compile_logp(jacobian=True), model.compile_dlogp(jacobian=True)
    values = densities_at(posterior, points)
    for point, value in zip(points, values, strict=True):
        parts = zip(shapes.items(), np.split(point, ends[:-1]), strict=True)
        where = {name: part.reshape(shape) for (name, shape), part in parts}
        assert value == pytest.approx(float(original(where)), rel=1e-7)
        found, gradient = posterior.objective.value_and_gradient(point)
        assert found == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(gradient, slope(where), rtol=1e-9, atol=1e-10)


def test_hessian_of_the_jacobian():
    posterior = read_posterior(mixed())
    jacobian, point = posterior.objective.extra, 0.2 * RNG.normal(size=posterior.size)
    step = 1e-6
    moved = [
        (jacobian.value_and_gradient(point + step * e)[1] - jacobian.value_and_gradient(point - step * e)[1])
        / (2 * step)
        for e in np.eye(len(point))
    ]
    np.testing.assert_allclose(jacobian.hessian(point), moved, atol=1e-7)


def test_mode_of_the_unconstrained_density():
    # p(sigma) = 1 and the Jacobian sigma: the mode of log(sigma) is at S / (n - 1), that of a and b is least squares.
    mode = find_mode(linear())
    design = np.column_stack([np.ones(100), X])
    coefficients, squares, *_ = np.linalg.lstsq(design, Y)
    assert mode.status.name == "CONVERGED"
    np.testing.assert_allclose(mode.theta, [*coefficients, np.log(squares[0] / 99) / 2], rtol=1e-8)


@pytest.mark.parametrize("shape", ["normal", "t", "split"])
def test_proposals_have_the_density_that_is_said(shape):
    # The mean of one over the density over draws inside a box is its volume.
    model = linear()
    approximation = approximate(find_mode(model), shape)
    draws = approximation.draw(200_000, np.random.default_rng(1))
    density = np.exp(approximation.log_density(draws))
    scale = np.sqrt(np.diag(approximation.root @ approximation.root.T))
    inside = np.all(np.abs(draws - approximation.center) < scale, axis=1)
    volume = np.mean(inside / density)
    assert volume == pytest.approx(np.prod(2 * scale), rel=0.05)


@pytest.fixture(scope="module")
def tree():
    return ppl_mle.sample(linear(), random_seed=3)


def test_flat_linear_posterior_is_students(tree):
    # With p(sigma) = 1: b is t with n - 3 degrees of freedom about least squares, and S / sigma^2 is chi-squared with
    # as many.
    design = np.column_stack([np.ones(100), X])
    coefficients, squares, *_ = np.linalg.lstsq(design, Y)
    df = 100 - 2 - 1
    se = np.sqrt(squares[0] / df * np.linalg.inv(design.T @ design).diagonal())
    draws, ess = tree.posterior, tree.attrs["ess"]
    for name, center, scale in zip("ab", coefficients, se, strict=True):
        sd = scale * np.sqrt(df / (df - 2))
        assert abs(float(draws[name].mean()) - center) < 4 * sd / np.sqrt(ess)
        assert float(draws[name].std()) == pytest.approx(sd, rel=0.05)
    law = stats.chi2(df)
    quantiles = np.sqrt(squares[0] / law.ppf([0.9, 0.5, 0.1]))
    np.testing.assert_allclose(np.quantile(draws["sigma"], [0.1, 0.5, 0.9]), quantiles, rtol=0.02)
    np.testing.assert_allclose(draws["ratio"], draws["a"] / draws["b"], rtol=1e-12)


def test_resampled_draws_carry_their_proof_and_no_r_hat(tree):
    assert tree.attrs["kind"] == "posterior"
    assert tree.attrs["method"] == "psis"
    assert tree.attrs["k_hat"] < 0.5
    assert tree.attrs["ess"] > 2000
    assert dict(tree.posterior.sizes) == {"chain": 4, "draw": 1000}
    assert "sample_stats" not in tree.children
    check = check_draws(tree)
    assert check.reliable
    assert "rhat" not in check.table
    assert not [name for name in summarize_draws(tree, ["a", "b"]).columns if "hat" in name]


def test_conclusion_stands_on_the_weights(tree):
    fit = ppl_mle.find_MLE(linear(), progressbar=False)
    agreement = ppl_mle.compare(fit, tree)
    # The posterior mean of sigma is above its estimate: the likelihood divides by n, the posterior by about n - 5.
    assert agreement.conclusion.startswith("The posterior differs from the fit: sigma (mean")
    assert agreement.conclusion.endswith("3 of 4 agree.")
    assert "rhat" not in agreement.table


def test_seeds_repeat():
    first, second = (ppl_mle.sample(linear(), random_seed=5, draws=50) for _ in range(2))
    assert first.posterior.equals(second.posterior)


def test_heavy_weights_are_no_posterior():
    # Two far modes: proposals at one of them see nothing of the other; and a cross-shaped density.
    with pm.Model() as model:
        x = pm.Normal("x", 0, 10, initval=4.0)
        pm.Potential("modes", pm.math.logaddexp(-0.5 * ((x - 5) / 0.5) ** 2, -0.5 * ((x + 5) / 0.5) ** 2))
    instant = sample_instantly(find_mode(model), 1000, np.random.default_rng(0))
    assert instant.reason
    with pm.Model() as cross:
        v = pm.Flat("v", shape=2)
        pm.Potential("cross", -0.5 * (v[0] * v[1]) ** 2 * 50 - 0.5 * pm.math.sum(v**2) / 9)
    instant = sample_instantly(find_mode(cross), 1000, np.random.default_rng(0))
    assert "k-hat" in instant.reason or "effective sample" in instant.reason or "mode" in instant.reason


def test_laplace_draws_are_marked_as_an_approximation():
    tree = ppl_mle.sample(linear(), method="laplace", random_seed=1)
    assert tree.attrs["kind"] == "approximation"
    fit = ppl_mle.find_MLE(linear(), progressbar=False)
    assert ppl_mle.compare(fit, tree).conclusion.startswith("No conclusion")


def test_improper_posteriors_are_refused_by_name():
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * x, observed=[0, 0, 1, 1])
    with pytest.raises(ModelError, match=r"the posterior is improper: .*b -> \+inf"):
        ppl_mle.sample(model)


def test_a_seed_that_is_none():
    with pytest.raises(RequestError, match="random_seed='q' is no seed"):
        ppl_mle.sample(linear(), random_seed="q")


def test_unknown_method():
    with pytest.raises(RequestError, match="method='vi' is unknown; use one of 'auto', 'nuts'"):
        ppl_mle.sample(linear(), method="vi")
