"""NIST's nonlinear regressions: certified from the near start, and no false verdict from the far one."""

import warnings

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from ppl_mle import FitWarning, Status, find_MLE
from tests.reference import nist_table, reference_problem


def enso(x, b):
    def wave(i, j, period):
        return b[i] * pt.cos(2 * np.pi * x / period) + b[j] * pt.sin(2 * np.pi * x / period)

    return b[0] + wave(1, 2, 12) + wave(4, 5, b[3]) + wave(7, 8, b[6])


def gauss(x, b):
    peaks = b[2] * pt.exp(-((x - b[3]) ** 2) / b[4] ** 2) + b[5] * pt.exp(-((x - b[6]) ** 2) / b[7] ** 2)
    return b[0] * pt.exp(-b[1] * x) + peaks


MEANS = {
    "BoxBOD": lambda x, b: b[0] * (1 - pt.exp(-b[1] * x)),
    "ENSO": enso,
    "Eckerle4": lambda x, b: b[0] / b[1] * pt.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": gauss,
    "Kirby2": lambda x, b: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Lanczos2": lambda x, b: b[0] * pt.exp(-b[1] * x) + b[2] * pt.exp(-b[3] * x) + b[4] * pt.exp(-b[5] * x),
    "MGH09": lambda x, b: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH17": lambda x, b: b[0] + b[1] * pt.exp(-x * b[3]) + b[2] * pt.exp(-x * b[4]),
    "Rat42": lambda x, b: b[0] / (1 + pt.exp(b[1] - b[2] * x)),
}
NEAR = ("BoxBOD", "Eckerle4", "Gauss1", "Kirby2", "MGH09", "Rat42")
FAR = ("BoxBOD", "Eckerle4", "ENSO", "MGH17")


def solve(name, start):
    problem = reference_problem(f"nist/{name}")
    table = nist_table(f"{name}.dat")
    values = problem.facts[start]
    begin = np.array(list(values.values()) if isinstance(values, dict) else values, float)
    with pm.Model() as model:
        b = pm.Flat("b", shape=begin.size, initval=begin)
        sigma = pm.HalfFlat("sigma", initval=float(table[:, 0].std()))
        pm.Normal("y", MEANS[name](table[:, 1], b), sigma, observed=table[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return problem, find_MLE(model, progressbar=False)


def assert_certified(problem, fit, digits):
    assert fit.status is Status.CONVERGED, fit.message
    np.testing.assert_allclose(fit.params[:-1], problem.facts["certified_parameters"], rtol=10.0**-digits)
    np.testing.assert_allclose(fit.params, problem.estimates, rtol=10.0**-digits)
    np.testing.assert_allclose(fit.bse, problem.se, rtol=10.0**-digits)
    rss, n = problem.facts["certified_rss"], int(fit.nobs)
    assert n == len(nist_table(f"{problem.path.stem}.dat"))
    assert fit.llf == pytest.approx(-n / 2 * (np.log(2 * np.pi * rss / n) + 1), rel=1e-9)


@pytest.mark.parametrize("name", NEAR)
def test_near_start_is_certified(name):
    assert_certified(*solve(name, "start2"), digits=8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *FAR,
    ],
)
def test_far_start_is_certified_or_left_open(name):
    # Incident: on these problems pm.find_MAP claimed a false success in 43 of 54 runs. Each has a finite maximum, so
    # any verdict but CONVERGED there and NOT_CONVERGED says something untrue.
    problem, fit = solve(name, "start1")
    if fit.converged:
        assert_certified(problem, fit, digits=8)
    else:
        assert fit.status is Status.NOT_CONVERGED, fit.message


@pytest.mark.slow
def test_exponents_that_meet_are_no_ridge_of_the_maximum():
    # From the near start of Lanczos2 two exponents meet, where b[0] - b[2] is free; the maximum is 150 higher.
    problem, fit = solve("Lanczos2", "start2")
    if fit.converged:
        assert_certified(problem, fit, digits=8)
    else:
        assert fit.status is Status.NOT_CONVERGED, fit.message
