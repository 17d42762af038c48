"""Quasi-random normal draws have exactly the moments asked for, and look independent."""

import arviz_stats
import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from ppl_mle.errors import RequestError
from ppl_mle.posterior import normal_draws

COVARIANCE = np.array([[4.0, 1.2, 0.0], [1.2, 1e-12 * 9 + 1.0, 0.0], [0.0, 0.0, 0.0]])
MEAN = np.array([1.0, -2.0, 7.0])


@pytest.mark.parametrize(("chains", "draws"), [(4, 1000), (4, 501), (3, 333), (1, 10)])
def test_moments_are_exact(chains, draws):
    x = normal_draws(MEAN, COVARIANCE, chains, draws)
    assert x.shape == (chains, draws, 3)
    flat = x.reshape(-1, 3)
    np.testing.assert_allclose(flat.mean(axis=0), MEAN, rtol=1e-12)
    np.testing.assert_allclose(np.median(flat, axis=0), MEAN, atol=1e-12)
    np.testing.assert_allclose(np.cov(flat.T), COVARIANCE, atol=1e-12)


def test_a_coordinate_without_variance_stays_at_its_mean():
    assert np.all(normal_draws(MEAN, COVARIANCE)[..., 2] == 7.0)


def test_scales_do_not_matter():
    sd = np.array([1e-9, 1.0, 1e9])
    flat = normal_draws(np.zeros(3), np.diag(sd**2)).reshape(-1, 3)
    np.testing.assert_allclose(flat.std(axis=0, ddof=1), sd, rtol=1e-10)


def test_singular_covariance():
    flat = normal_draws(np.zeros(2), np.ones((2, 2))).reshape(-1, 2)
    np.testing.assert_allclose(flat[:, 0], flat[:, 1], atol=1e-7)
    np.testing.assert_allclose(np.cov(flat.T), np.ones((2, 2)), rtol=1e-7)


def test_quantiles_are_those_of_the_normal():
    x = normal_draws(np.zeros(1), np.eye(1)).ravel()
    probs = [0.025, 0.25, 0.75, 0.975]
    np.testing.assert_allclose(np.quantile(x, probs), norm.ppf(probs), atol=0.005)


def test_chains_look_independent():
    x = xr.DataArray(normal_draws(np.zeros(1), np.eye(1))[..., 0], dims=("chain", "draw"))
    dataset = xr.Dataset({"x": x})
    assert abs(float(arviz_stats.rhat(dataset)["x"]) - 1) < 0.002
    assert float(arviz_stats.ess(dataset)["x"]) > 3000


def test_the_seed_decides():
    one, two, other = (normal_draws(MEAN, COVARIANCE, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.any(one != other)


def test_more_dimensions_than_pairs():
    flat = normal_draws(np.zeros(50), np.diag(np.arange(1.0, 51.0)), chains=2, draws=20).reshape(-1, 50)
    np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(flat.var(axis=0, ddof=1), np.arange(1.0, 51.0), rtol=1e-10)


def test_nothing_free():
    assert np.all(normal_draws(MEAN, np.zeros((3, 3))) == MEAN)


@pytest.mark.parametrize(
    ("covariance", "draws", "what"),
    [
        (np.array([[1.0, 2.0], [2.0, 1.0]]), 1000, "positive semidefinite"),
        (np.array([[np.nan, 0.0], [0.0, 1.0]]), 1000, "not finite"),
        (np.eye(2), 0, "fewer than 2"),
    ],
)
def test_refusals(covariance, draws, what):
    with pytest.raises(RequestError, match=what):
        normal_draws(np.zeros(2), covariance, draws=draws)
