"""PyMC's own log-density as a witness where its gradient does not exist, or its constants round."""

import mpmath
import numpy as np
import pymc as pm
import pytest

from ppl_mle import Status, find_MLE
from ppl_mle.maximize.witness import bound_decrement

CERTIFIED = 1e-8
SLOPE = np.array([2e-5, -1e-5, 3e-5])
AXES = np.array([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.3, 4.0]])
PLACE = np.array([1.0, -2.0, 30.0])


def bound(density, slope=SLOPE):
    """The bound for minus a log-density given in standard errors z, with a slope in z at z = 0."""

    def value(x):
        z = np.linalg.solve(AXES, x - PLACE)
        return density(z) + slope @ z

    with np.errstate(all="ignore"):
        return bound_decrement(value, PLACE, AXES)


def bowl(z):
    return 1500.0 + 0.5 * float(z @ z) + 0.3 * float(np.sum(z**3))


class TestBound:
    @pytest.mark.parametrize("size", [1.0, 1e-3, 0.0])
    def test_it_is_above_the_decrement_and_certifies(self, size):
        found = bound(bowl, size * SLOPE)
        assert 0.5 * size**2 * SLOPE @ SLOPE <= found < CERTIFIED

    def test_a_slope_is_seen(self):
        found = bound(bowl, 10 * SLOPE)
        assert found > CERTIFIED
        assert found == pytest.approx(50 * SLOPE @ SLOPE, rel=0.5)

    def test_a_kink_is_no_maximum_with_a_gradient(self):
        assert bound(lambda z: bowl(z) + 1e-3 * abs(z[1])) > CERTIFIED

    @pytest.mark.parametrize("grain", [1e-5, 1e-6, 2e-7])
    def test_what_rounding_hides_is_not_certified(self, grain):
        hidden = bound(lambda z: grain * np.round((bowl(z) + 5 * SLOPE @ z) / grain), 0 * SLOPE)
        assert not hidden < CERTIFIED

    def test_a_value_that_does_not_exist_beside_is_not_certified(self):
        assert not bound(lambda z: bowl(z) if z[2] < 0.003 else np.inf) < CERTIFIED
        assert not bound(lambda z: bowl(z) if z[2] < 0.003 else np.nan) < CERTIFIED


def test_rounding_of_a_constant_does_not_count_and_is_shown():
    # PyMC's log of 2e9 over 7 is a difference of numbers of size 4e10.
    with pm.Model() as model:
        pm.Binomial("y", n=2_000_000_000, p=pm.Uniform("p", 0, 1), observed=7)
    fit = find_MLE(model, progressbar=False)
    with mpmath.workdps(40):
        p = mpmath.mpf(7) / 2_000_000_000
        truth = mpmath.log(mpmath.binomial(2_000_000_000, 7) * p**7) + (2_000_000_000 - 7) * mpmath.log1p(-p)
    assert fit.status is Status.CONVERGED, fit.message
    assert fit.llf == pytest.approx(float(truth), rel=1e-9)
    assert 1e-9 < abs(fit.certificate.original_value_difference) < 1e-4


def test_gradient_that_does_not_exist_is_replaced_by_differences():
    # A row without weight that has no density: PyMC's gradient is NaN everywhere, its value is that of the others.
    y, weights = np.array([-1, 0, 2, 3, 0, 1]), np.array([0, 1, 1, 1, 1, 1])
    fits = []
    for kept in (slice(None), slice(1, None)):
        with pm.Model() as model:
            pm.ZeroInflatedPoisson("y", psi=0.8, mu=pm.HalfFlat("mu"), observed=y[kept])
        fits.append(find_MLE(model, weights=weights[kept], progressbar=False))
    assert fits[0].status is fits[1].status is Status.CONVERGED
    assert fits[0].params["mu"] == pytest.approx(fits[1].params["mu"], rel=1e-10)
    assert fits[0].certificate.original_edm < CERTIFIED


class TestEdgesOfTransformedElements:
    @pytest.mark.parametrize("empty", [1, 3])
    def test_empty_cells_of_a_simplex_leave_the_rest(self, empty):
        counts = np.array([7, *[0] * empty, 5, 4])
        with pm.Model() as model:
            p = pm.Dirichlet("p", np.ones(len(counts)))
            pm.Categorical("y", p, observed=np.repeat(np.arange(len(counts)), counts))
        fit = find_MLE(model, progressbar=False)
        share = counts / 16
        assert fit.status is Status.BOUNDARY, fit.message
        assert [edge.label for edge in fit.certificate.boundary] == [f"p[{i + 1}]" for i in range(empty)]
        np.testing.assert_allclose(fit.params, share, rtol=1e-9)
        np.testing.assert_allclose(fit.bse, np.where(counts, np.sqrt(share * (1 - share) / 16), np.nan), rtol=1e-7)
        assert len(fit.certificate.maxima) == 1

    def test_kink_of_a_positive_location(self):
        with pm.Model() as model:
            pm.Laplace("y", pm.HalfFlat("m"), 1, observed=np.array([0.3, 1.7, 2.2, 4.1, 9.0]))
        fit = find_MLE(model, progressbar=False)
        assert fit.status is Status.CONVERGED, fit.message
        assert fit.params["m"] == pytest.approx(2.2, rel=1e-12)
        assert np.isnan(fit.bse["m"])
