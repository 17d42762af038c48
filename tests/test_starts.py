"""Several starts: on request and where the log-density is seen not to be concave, with what they reached."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy.optimize import brentq

from ppl_mle import RequestError, Status, find_MLE
from tests.reference import reference_problem


def cauchy(y, **options):
    with pm.Model() as model:
        theta = pm.Flat("theta", **options)
        pm.Cauchy("y", theta, 1, observed=y)
    return model


@pytest.mark.parametrize("initval", [None, -8.0, 0.0, 6.9])
def test_every_maximum_of_a_cauchy_location_is_named_and_the_highest_returned(initval):
    problem = reference_problem("existence/cauchy_location_multimodal")
    y = problem.data.iloc[:, -1].to_numpy(float)
    fit = find_MLE(cauchy(y, **({} if initval is None else {"initval": initval})), progressbar=False)
    table = pd.DataFrame(problem.facts["local_maxima"]).sort_values("loglik", ascending=False)
    assert fit.status is Status.CONVERGED
    assert fit.params["theta"] == pytest.approx(table["theta"].iloc[0], rel=1e-9)
    assert fit.llf == pytest.approx(table["loglik"].iloc[0], rel=1e-11)
    np.testing.assert_allclose(fit.certificate.maxima, table["loglik"], rtol=1e-11)
    (finding,) = fit.findings
    for theta in table["theta"].iloc[1:]:
        assert f"theta = {theta:.6g}" in finding


def test_mixture_names_its_corner_without_bound():
    problem = reference_problem("existence/faithful_mixture_unbounded")
    with pm.Model() as model:
        w = pm.Uniform("w", 0, 1)
        mu = pm.Flat("mu", shape=2, initval=[50.0, 80.0])
        sigma = pm.HalfFlat("sigma", shape=2, initval=[5.0, 5.0])
        waiting = problem.data["waiting"].to_numpy(float)
        pm.NormalMixture("y", w=pt.stack([w, 1 - w]), mu=mu, sigma=sigma, observed=waiting)
    fit = find_MLE(model, progressbar=False)
    interior = reference_problem("models/faithful_waiting_mixture2")
    assert fit.status is Status.CONVERGED
    assert fit.llf == pytest.approx(interior.facts["loglik"], rel=1e-10)
    assert any("without bound as sigma" in finding for finding in fit.findings)


def test_mixture_with_known_scales_has_no_corner():
    y = np.random.default_rng(0).normal(size=60) + np.repeat([-3, 3], 30)
    with pm.Model() as model:
        w = pm.Uniform("w", 0, 1)
        mu = pm.Flat("mu", shape=2, initval=[-1.0, 1.0])
        pm.NormalMixture("y", w=pt.stack([w, 1 - w]), mu=mu, sigma=np.ones(2), observed=y)
    fit = find_MLE(model, progressbar=False)
    assert fit.status is Status.CONVERGED
    assert not any("without bound" in finding for finding in fit.findings)


def test_concave_log_density_is_started_once():
    x = np.linspace(-1, 1, 30)
    y = np.random.default_rng(0).binomial(1, 1 / (1 + np.exp(-x)))
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=y)
    fit = find_MLE(model, progressbar=False)
    assert (fit.certificate.starts, fit.certificate.agreeing) == (1, 1)
    asked = find_MLE(model, starts=7, progressbar=False)
    assert (asked.certificate.starts, asked.certificate.agreeing) == (7, 7)
    assert len(asked.certificate.maxima) == 1
    np.testing.assert_allclose(asked.params, fit.params, rtol=1e-9)


@pytest.mark.parametrize("starts", [0, -1, 1.5, 10**6, True])
def test_number_of_starts_is_checked(starts):
    with pytest.raises(RequestError, match="starts="):
        find_MLE(cauchy(np.arange(3.0)), starts=starts, progressbar=False)


def test_two_peaks_of_a_potential_are_both_found():
    # -(m^2 - 1)^2 + m / 10: maxima near 1.0124 and -0.9870 (roots of the derivative, numpy.roots).
    with pm.Model() as model:
        m = pm.Flat("m", initval=-0.5)
        pm.Potential("double", -((m**2 - 1) ** 2) + m / 10)
    fit = find_MLE(model, progressbar=False)
    roots = np.sort(np.roots([-4, 0, 4, 0.1]).real)
    assert fit.params["m"] == pytest.approx(roots[-1], rel=1e-9)
    heights = [-((r**2 - 1) ** 2) + r / 10 for r in (roots[-1], roots[0])]
    np.testing.assert_allclose(fit.certificate.maxima, heights, rtol=1e-9)


def test_start_outside_many_supports_is_repaired_term_by_term():
    # Each threshold has to be brought below its own data; all at once would not happen by chance.
    rng = np.random.default_rng(0)
    data = [rng.gamma(4.0, size=30) - 3 * k for k in range(12)]
    with pm.Model() as model:
        for k, y in enumerate(data):
            shift = pm.Flat(f"shift{k}")
            pm.Potential(f"y{k}", pm.logp(pm.Gamma.dist(4.0, 1.0), y - shift).sum())
    fit = find_MLE(model, progressbar=False)
    assert fit.status is Status.CONVERGED, fit.message
    for k, y in enumerate(data):
        # The score equation of the shift: sum of 3 / (y - shift) = n, decreasing in the distance below min(y).
        root = brentq(lambda d, y=y: np.sum(3 / (y - y.min() + d)) - y.size, 1e-9, 50)
        assert fit.params[f"shift{k}"] == pytest.approx(y.min() - root, abs=1e-8)
