"""Supports that depend on parameters: an observation touches the edge at the maximum; truths are closed forms."""

import numpy as np
import pymc as pm
import pytest
from scipy.optimize import linprog

from ppl_mle import Status, find_MLE
from tests.reference import reference_problem

Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2])
X = np.arange(6.0)


def check_edge(fit, **edges):
    assert fit.status is Status.BOUNDARY, fit.message
    for label, (value, score) in edges.items():
        (edge,) = [edge for edge in fit.certificate.boundary if edge.label == label]
        assert edge.value == pytest.approx(value, rel=1e-12)
        assert edge.score == pytest.approx(score, rel=1e-9)
        assert fit.params[label] == pytest.approx(value, rel=1e-12)
        assert np.isnan(fit.bse[label])
        assert label in fit.message


def test_uniform_ends_at_the_largest_observation():
    with pm.Model() as model:
        b = pm.HalfFlat("b", initval=5.0)
        pm.Uniform("y", 0, b, observed=Y)
    fit = find_MLE(model, progressbar=False)
    check_edge(fit, b=(3.9, -6 / 3.9))  # llf = -n log b
    assert fit.llf == pytest.approx(-6 * np.log(3.9), rel=1e-12)
    assert "row 4 of y" in fit.message


def test_both_ends_of_a_uniform():
    with pm.Model() as model:
        low, high = pm.Flat("low", initval=0.0), pm.Flat("high", initval=9.0)
        pm.Uniform("y", low, high, observed=Y)
    fit = find_MLE(model, progressbar=False)
    check_edge(fit, low=(1.9, 6 / 2.0), high=(3.9, -6 / 2.0))
    assert fit.llf == pytest.approx(-6 * np.log(2.0), rel=1e-12)


def test_shifted_exponential():
    problem = reference_problem("existence/shifted_exponential")
    y = problem.data.iloc[:, -1].to_numpy(float)
    with pm.Model() as model:
        delta, s = pm.Flat("delta", initval=0.0), pm.HalfFlat("s")
        pm.Potential("y", pm.logp(pm.Exponential.dist(1 / s), y - delta).sum())
    fit = find_MLE(model, progressbar=False)
    truth = problem.facts["estimates"]
    check_edge(fit, delta=(truth["delta"], y.size / truth["s"]))
    assert fit.params["s"] == pytest.approx(truth["s"], rel=1e-11)
    assert fit.bse["s"] == pytest.approx(truth["s"] / np.sqrt(y.size), rel=1e-9)
    assert fit.llf == pytest.approx(problem.facts["loglik"], rel=1e-11)


def test_pareto_threshold_and_shape():
    with pm.Model() as model:
        m, alpha = pm.HalfFlat("m", initval=1.0), pm.HalfFlat("alpha")
        pm.Pareto("y", alpha, m, observed=Y)
    fit = find_MLE(model, progressbar=False)
    shape = 6 / np.log(Y / 1.9).sum()  # Hill's estimator with the threshold at the smallest observation
    check_edge(fit, m=(1.9, 6 * shape / 1.9))
    assert fit.params["alpha"] == pytest.approx(shape, rel=1e-10)
    assert fit.bse["alpha"] == pytest.approx(shape / np.sqrt(6), rel=1e-9)


def test_deterministic_frontier_is_a_linear_program():
    # Exponential inefficiency above a line: the line maximizes its sum below all points (Schmidt 1976).
    with pm.Model() as model:
        a, b, s = pm.Flat("a", initval=-3.0), pm.Flat("b"), pm.HalfFlat("s")
        pm.Potential("y", pm.logp(pm.Exponential.dist(1 / s), Y - (a + b * X)).sum())
    fit = find_MLE(model, progressbar=False)
    design = np.column_stack([np.ones(6), X])
    line = linprog(-design.sum(axis=0), A_ub=design, b_ub=Y, bounds=[(None, None)] * 2).x
    assert fit.status is Status.BOUNDARY, fit.message
    np.testing.assert_allclose(fit.params[["a", "b"]], line, rtol=1e-11)
    assert fit.bse[["a", "b"]].isna().all()
    s = np.mean(Y - design @ line)
    assert fit.params["s"] == pytest.approx(s, rel=1e-10)
    assert fit.bse["s"] == pytest.approx(s / np.sqrt(6), rel=1e-9)


def test_edge_that_does_not_press_is_no_boundary():
    # A triangular-like density that vanishes at its end: the maximum stays inside the support.
    with pm.Model() as model:
        b = pm.HalfFlat("b", initval=9.0)
        y = np.array([1.0, 2.0, 3.0])
        pm.Potential("y", pm.math.switch(y < b, 2 * pm.math.log(b - y) - 3 * pm.math.log(b), -np.inf).sum())
    fit = find_MLE(model, progressbar=False)
    # sum of 2 / (b - y) = 9 / b: the largest root of the polynomial.
    p = np.polynomial.Polynomial.fromroots
    left = 9 * p([1, 2, 3]) - 2 * p([0]) * (p([2, 3]) + p([1, 3]) + p([1, 2]))
    assert fit.status is Status.CONVERGED, fit.message
    assert fit.params["b"] == pytest.approx(max(left.roots().real), rel=1e-9)
