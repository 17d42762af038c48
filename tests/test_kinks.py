"""Maxima at kinks: least absolute deviations, quantiles, the lasso; truths by linear programs and closed forms."""

import warnings

import numpy as np
import pymc as pm
import pytest
from scipy.optimize import linprog

from ppl_mle import FitWarning, Status, find_MAP, find_MLE

RNG = np.random.default_rng(1)
N = 101
X = RNG.normal(size=(N, 3))
Y = 1 + X @ [1, -2, 0.5] + RNG.laplace(size=N)
A = np.column_stack([np.ones(N), X])


def quantile_regression(q):
    """Koenker and Bassett (1978) as a linear program: coefficients, and the sum of the check losses."""
    positive = [(0, None)] * (2 * N)
    cost = np.r_[np.zeros(4), np.full(N, q), np.full(N, 1 - q)]
    found = linprog(cost, A_eq=np.hstack([A, np.eye(N), -np.eye(N)]), b_eq=Y, bounds=[(None, None)] * 4 + positive)
    return found.x[:4], found.fun


def declare(density):
    with pm.Model() as model:
        a, b, s = pm.Flat("a"), pm.Flat("b", shape=3), pm.HalfFlat("s")
        density(a + X @ b, s)
    return model


def check_kink(fit, labels):
    """Certified, with a finding that names what has no standard error from curvature."""
    assert fit.status is Status.CONVERGED, fit.message
    (finding,) = [finding for finding in fit.findings if "kink" in finding]
    assert f"do not apply to {', '.join(labels)};" in finding
    assert fit.bse[list(labels)].isna().all()
    assert np.isfinite(fit.bse.drop(list(labels))).all()


def test_median_is_the_laplace_location():
    with pm.Model() as model:
        m = pm.Flat("m")
        pm.Laplace("y", m, 1, observed=np.array([0.3, 1.7, 2.2, 4.1, 9.0]))
    fit = find_MLE(model, progressbar=False)
    check_kink(fit, ["m"])
    assert fit.params["m"] == 2.2
    assert fit.llf == pytest.approx(-5 * np.log(2) - (1.9 + 0.5 + 0 + 1.9 + 6.8), rel=1e-14)


def test_least_absolute_deviations_with_unknown_scale():
    fit = find_MLE(declare(lambda mean, s: pm.Laplace("y", mean, s, observed=Y)), progressbar=False)
    coefficients, loss = quantile_regression(0.5)
    scale = 2 * loss / N
    check_kink(fit, ["a", "b[0]", "b[1]", "b[2]"])
    np.testing.assert_allclose(fit.params, [*coefficients, scale], rtol=1e-12)
    assert fit.llf == pytest.approx(-N * (np.log(2 * scale) + 1), rel=1e-12)
    assert fit.bse["s"] == pytest.approx(scale / np.sqrt(N), rel=1e-9)  # information n / s^2 with the location held


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantile_regression(q):
    # The density is q (1 - q) / s exp(-check / s), so s = mean check loss; PyMC's b is sqrt(q (1 - q)) / s.
    fit = find_MLE(declare(lambda mean, s: pm.AsymmetricLaplace("y", mu=mean, b=s, q=q, observed=Y)), progressbar=False)
    coefficients, loss = quantile_regression(q)
    check_kink(fit, ["a", "b[0]", "b[1]", "b[2]"])
    np.testing.assert_allclose(fit.params[:4], coefficients, rtol=1e-12)
    assert fit.params["s"] == pytest.approx(np.sqrt(q * (1 - q)) * N / loss, rel=1e-12)


@pytest.mark.parametrize("q", [0.2, 0.5])
@pytest.mark.parametrize("write", ["maximum", "switch"])
def test_check_loss_as_a_potential(q, write):
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b", shape=3)
        u = Y - (a + X @ b)
        steep, shallow = q * u, (q - 1) * u
        loss = pm.math.maximum(steep, shallow) if write == "maximum" else pm.math.switch(u > 0, steep, shallow)
        pm.Potential("loss", -loss.sum())
    fit = find_MLE(model, progressbar=False)
    coefficients, loss = quantile_regression(q)
    check_kink(fit, ["a", "b[0]", "b[1]", "b[2]"])
    np.testing.assert_allclose(fit.params, coefficients, rtol=1e-12)
    assert fit.llf == pytest.approx(-loss, rel=1e-12)


def test_lasso_sets_coefficients_to_zero():
    # An orthogonal design: the estimate is the soft-thresholded least-squares one (Tibshirani 1996, section 2.2).
    design = np.linalg.qr(np.random.default_rng(3).normal(size=(20, 4)))[0]
    y = design @ np.array([3.0, 0.2, -2.0, -0.1])
    with pm.Model() as model:
        b = pm.Laplace("b", 0, 2.0, shape=4)
        pm.Normal("y", design @ b, 1.0, observed=y)
    fit = find_MAP(model, progressbar=False)
    check_kink(fit, ["b[1]", "b[3]"])
    np.testing.assert_allclose(fit.params, [2.5, 0, -1.5, 0], atol=1e-14)
    np.testing.assert_allclose(fit.bse[["b[0]", "b[2]"]], 1.0, rtol=1e-9)


def test_kink_is_reached_from_any_start():
    model = declare(lambda mean, s: pm.Laplace("y", mean, s, observed=Y))
    truth = quantile_regression(0.5)[0]
    for seed in range(3):
        start = {"b": np.random.default_rng(seed).normal(scale=5, size=3)}
        fit = find_MLE(model, progressbar=False, initvals=start)
        np.testing.assert_allclose(fit.params[:4], truth, rtol=1e-12)


def test_flat_top_between_two_observations_is_no_unique_maximum():
    with pm.Model() as model:
        m = pm.Flat("m")
        pm.Laplace("y", m, 1, observed=np.array([0.0, 1.0, 3.0, 9.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        fit = find_MLE(model, progressbar=False)
    assert fit.status is Status.UNIDENTIFIED, fit.message
    assert 1 <= fit.params["m"] <= 3
    assert fit.llf == pytest.approx(-4 * np.log(2) - 11, rel=1e-14)


def test_outlying_cusp_is_not_called_a_maximum():
    # A convex kink is a minimum along its direction; the maximum is elsewhere, at +-1.
    with pm.Model() as model:
        m = pm.Flat("m", initval=0.0)
        pm.Potential("cusp", pm.math.abs(m) - m**2 / 2)
    fit = find_MLE(model, progressbar=False)
    assert fit.converged
    assert abs(fit.params["m"]) == pytest.approx(1, rel=1e-9)
