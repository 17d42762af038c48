"""Random affine graphs: the predictors that were read reproduce what PyTensor evaluates, to rounding."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode

from ppl_mle.read import read_model
from ppl_mle.read.rows.closed import location_at, location_slopes
from tests.affine_growth import SHAPES, SIZE, Growth

PY = Mode(linker="py", optimizer=None)
ROUNDING, TINY = 1e-12, 1e-300
WEIGHTS = (0.5, 1.0, 2.0)  # exact
# What is declined although it is affine, for what it might have been: cumulative sums of products and of three axes,
# and products of products with a matrix of parameters.
LIMITS = ("a long cumulation of a nonlinear function", "a matrix product of two nonlinear functions")
ROWS = 90
X = np.random.default_rng(1).normal(size=(ROWS, 3))
WIDE = np.random.default_rng(2).normal(size=(5, 4))
CODES = np.random.default_rng(3).integers(0, 4, size=ROWS)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_predictors_are_what_pytensor_evaluates(data):
    theta = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=SIZE)
    with pm.Model() as model:
        growth = Growth(data.draw, theta)
        for _ in range(data.draw(st.integers(1, 8))):
            growth.grow()
    last = growth.pool[-1]
    likelihood = read(model, last.graph, last.shape)
    note([form.reason for form in likelihood.forms])
    assume(not any(form.reason in LIMITS for form in likelihood.forms))
    constant = [form.sums and form.sums[0].form == "constant" for form in likelihood.forms]
    assume(not any(constant))  # a difference of equal graphs
    check(model, last.graph, likelihood, theta, last.size.ravel())


def random_slopes(a, b, c, d):
    return (X[:, :2] * d[CODES % 3]).sum(axis=1) + c[CODES]


def sum_to_zero(a, b, c, d):
    return pt.concatenate([b, -b.sum(keepdims=True)])[CODES] + a


def centered(a, b, c, d):
    return (c - c.mean())[CODES] + X @ (b - b.mean())


def column_by_row(a, b, c, d):
    return (X @ d)[np.arange(ROWS), CODES % 2] - a


def many_columns_by_row(a, b, c, d):
    spread = pt.concatenate([WIDE[:, i % 4] * c[i % 4] + 0.0 * a for i in range(8)]).reshape((2, 20))
    return (X[:, :2] @ (spread[:, :1] + d[:2, :1]))[:, 0] + spread[0][np.arange(ROWS) % 20]


def random_walk(a, b, c, d):
    return pt.cumsum(c)[CODES] + pt.cumsum(X[:, 0]) * a


def sum_for_all_rows(a, b, c, d):
    return c.sum() + X @ b + (WIDE @ c).mean()


def one_product_for_all_rows(a, b, c, d):
    return (WIDE @ c)[2] + X @ b


def one_product_for_some_rows(a, b, c, d):
    return pt.set_subtensor(pt.alloc((WIDE @ c)[0], 5)[0], a)


def random_walks(a, b, c, d):
    return pt.cumsum(d, axis=0).ravel()


def scaled_matrix(a, b, c, d):
    return (X @ (np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]) * d)).ravel()


PATTERNS = (
    *(random_slopes, sum_to_zero, centered, column_by_row, many_columns_by_row, random_walk, sum_for_all_rows),
    *(one_product_for_all_rows, one_product_for_some_rows, random_walks, scaled_matrix),
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_of_models(pattern):
    theta = np.random.default_rng(4).normal(size=SIZE)
    with pm.Model() as model:
        graph = pattern(*(pm.Flat(name, shape=shape) for name, shape in SHAPES.items()))
    check(model, graph, read(model, graph, graph.type.shape), theta, 10.0)


def read(model, graph, shape):
    """The graph as the mean of normal rows, and as rows of a Potential, weighted so that no sum is taken apart."""
    with model:
        pm.Normal("y", graph, 2.0, observed=np.zeros(shape))
        pm.Potential("eta", np.resize(WEIGHTS, shape or (1,)) * graph)
    return read_model(model)


def check(model, graph, likelihood, theta, size):
    """Rows with their slopes, and the sums over rows, against those of the graph."""
    assert [form.reason for form in likelihood.forms] == ["", ""]
    (normal,), (potential,) = (form.sums for form in likelihood.forms)
    evaluate = evaluated(model, graph)
    expected, constant, allowed = evaluate(theta), evaluate(np.zeros(SIZE)), ROUNDING * (TINY + size)
    weights = np.resize(WEIGHTS, potential.count)
    value, slopes = rows_of(potential, theta)
    assert np.all(np.abs(value / weights - expected) <= allowed)
    assert np.all(np.abs(slopes @ theta / weights + constant - expected) <= allowed)
    if normal.form == "normal_known":
        assert np.all(np.abs(location_at(normal, theta) - expected) <= allowed)
        by_row = location_slopes(normal, theta, np.arange(SIZE))
        np.testing.assert_allclose(by_row, slopes / weights[:, None], rtol=1e-12, atol=1e-12)
    _, gradient, hessian = likelihood.objective.second_order(theta)
    design = slopes / weights[:, None]
    floor = 1e-11 * (1 + np.max(np.abs(design))) ** 2 * (1 + np.sum(np.abs(expected)))
    np.testing.assert_allclose(gradient, design.T @ (weights - expected / 4), rtol=1e-11, atol=floor)
    np.testing.assert_allclose(hessian, -design.T @ design / 4, rtol=1e-11, atol=floor)


def evaluated(model, graph):
    """The graph as a function of the unconstrained vector."""
    with pytensor.config.change_flags(cxx=""):
        graphs = model.replace_rvs_by_values([graph])
        function = pytensor.function(model.value_vars, graphs, mode=PY, on_unused_input="ignore")
    stops = np.cumsum([int(np.prod(shape)) for shape in SHAPES.values()])

    def evaluate(theta):
        parts = zip(np.split(theta, stops[:-1]), SHAPES.values(), strict=True)
        return np.ravel(function(*(part.reshape(shape) for part, shape in parts))[0])

    return evaluate


def rows_of(term, theta):
    """Value and Jacobian of the rows of a term that is affine, as they were read."""
    jet = term.density(theta, slice(0, term.count, 1), 2)
    assert all(np.all(d == 0) for d in jet.second.values())
    slopes = np.zeros((term.count, SIZE))
    for k, slope in jet.first.items():
        slopes += np.reshape(slope, (-1, 1)) * term.predictors[k].matrix(range(SIZE), term.count)
    assert term.scale == 1
    return jet.value, slopes
