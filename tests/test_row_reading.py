"""Reading rows off a graph: the sum of the rows is PyMC's log-density, whatever is shared between its parts."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from ppl_mle.read import read_model

THETA = np.linspace(-0.7, 0.9, 6)
W = np.arange(1.0, 4.0)


def both_sums(x):
    e = pt.exp(x)
    return (pt.log1p(e.sum(axis=0)) * W).sum() + pt.sqrt(e.sum(axis=1)).sum()


def both_joins(x):
    e, g = pt.exp(x), pt.cos(x)
    tall, wide = pt.concatenate([e, g], axis=0), pt.concatenate([e, g], axis=1)
    return (tall * np.arange(12.0).reshape(4, 3)).sum() - (pt.sqr(wide) * np.arange(12.0).reshape(2, 6)).sum()


def both_softmaxes(x):
    e = pt.sin(x)
    return (pt.special.log_softmax(e, axis=0) * W).sum() + (pt.special.log_softmax(e, axis=1) ** 2 * W).sum()


def two_settings(x):
    e = pt.exp(x)
    return (pt.set_subtensor(e[0], 2.0) * W).sum() + (pt.set_subtensor(e[1, 2], 5.0) ** 2 * W).sum()


@pytest.mark.parametrize("function", [both_sums, both_joins, both_softmaxes, two_settings])
def test_two_uses_of_one_array_are_not_mixed_up(function):
    # Incident: answers were kept by the array alone, so a sum over rows was taken for one over columns.
    with pm.Model() as model:
        x = pm.Flat("x", shape=(2, 3))
        pm.Potential("p", function(x))
    likelihood = read_model(model)
    assert likelihood.forms[0].sums, likelihood.forms[0].reason
    value, gradient = likelihood.objective.value_and_gradient(THETA)
    expected, slope = likelihood.original.value_and_gradient(THETA)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-12, atol=1e-12)


GRID = np.linspace(-1.3, 1.4, 6)


def counted(x):
    return (1.0 * (x[0, 0] < GRID) + 1.0 * (x[0, 1] < GRID) + x[1, 2]) ** 2


def switched(x):
    late = x[0, 0] < GRID
    return (x[1, 1] * late + (1 - late)) ** 2


def summed_truths(x):
    return ((GRID[:, None] > x[0]).sum(axis=1) + x[1, 0]) ** 2


def cast_truths(x):
    return x[0, 0] * ((x[1, 0] < GRID) * 1 + (-x[1, 1] < GRID).astype("float64"))


@pytest.mark.parametrize("function", [counted, switched, summed_truths, cast_truths])
def test_truth_values_count_as_numbers(function):
    # Incident: two truth values added up to a truth value, and one less another was refused by NumPy.
    with pm.Model() as model:
        pm.Potential("p", function(pm.Flat("x", shape=(2, 3))))
    likelihood = read_model(model)
    assert likelihood.forms[0].sums, likelihood.forms[0].reason
    value, gradient = likelihood.objective.value_and_gradient(THETA)
    expected, slope = likelihood.original.value_and_gradient(THETA)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-12, atol=1e-12)


def test_neighbours_are_read():
    # Incident: PyMC sums log(tau) over an axis that a number does not have, and reading pm.CAR crashed.
    chain = (abs(np.subtract.outer(np.arange(6), np.arange(6))) == 1) * 1
    with pm.Model() as model:
        pm.CAR("y", mu=pm.Flat("m") * np.ones(6), W=chain, alpha=0.5, tau=pm.HalfFlat("t"), observed=GRID)
    precision = np.diag(chain.sum(axis=1)) - 0.5 * chain
    mean = precision.sum(axis=0) @ GRID / precision.sum()
    tau = 6 / ((GRID - mean) @ precision @ (GRID - mean))
    np.testing.assert_allclose(fitted(model).params, [mean, tau], rtol=1e-8)


def fitted(model, **options):
    from ppl_mle import find_MLE

    return find_MLE(model, progressbar=False, **options)


def test_binomial_with_one_number_of_trials():
    # Incident: the closed form took n for the trials of all rows together.
    with pm.Model() as model:
        pm.Binomial("y", n=10, p=pm.Uniform("p", 0, 1), observed=[1, 0, 2])
    assert fitted(model).params["p"] == pytest.approx(0.1, rel=1e-12)


def test_row_of_weight_zero_may_hold_anything():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("b"), pm.HalfFlat("s"), observed=[1.0, 2.0, 1e200])
    fit = fitted(model, weights=[1, 1, 0])
    np.testing.assert_allclose(fit.params, [1.5, 0.5], rtol=1e-12)


def test_one_row_of_a_product_for_all():
    rng = np.random.default_rng(0)
    design, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    with pm.Model() as model:
        eta = pt.dot(design, pm.Flat("b", shape=2))
        pm.Normal("y", eta + eta[[3]], pm.HalfFlat("s"), observed=y)
    exact = np.linalg.lstsq(design + design[[3]], y, rcond=None)[0]
    np.testing.assert_allclose(fitted(model).params[:2], exact, rtol=1e-10)


def test_term_without_rows():
    with pm.Model() as model:
        a = pm.Flat("a", shape=2)
        pm.Poisson("z", pt.exp(a[np.zeros(0, int)]), observed=np.zeros(0, int))
        pm.Normal("y", a, 1.0, observed=[1.0, 2.0])
    np.testing.assert_allclose(fitted(model).params, [1.0, 2.0], rtol=1e-12)


def test_mean_that_is_a_sum_of_forty_parts():
    # Incident: NumPy evaluates 32 arrays in one step, and PyMC's own log-density could not be interpreted.
    rng = np.random.default_rng(0)
    design, y = rng.normal(size=(50, 40)), rng.normal(size=50)
    with pm.Model() as model:
        b, mean = pm.Flat("b", shape=3), 0
        for i in range(40):
            mean = mean + b[i % 3] * design[:, i]
        pm.Normal("y", mean, pm.HalfFlat("s"), observed=y)
    folded = np.column_stack([design[:, i::3].sum(axis=1) for i in range(3)])
    np.testing.assert_allclose(fitted(model).params[:3], np.linalg.lstsq(folded, y, rcond=None)[0], rtol=1e-10)
