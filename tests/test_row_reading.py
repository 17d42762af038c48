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
