"""Functions evaluated node by node: what PyTensor's own call gives, in value, type and error, and no shared memory."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pymc.logprob.utils import ParameterValueError

from ppl_mle import explain
from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.straight import StraightLine

RNG = np.random.default_rng(5)
A = RNG.normal(size=(7, 3))


def own_call(inputs, outputs):
    """PyTensor's own function, by its Python linker."""
    with without_compiler():
        return pytensor.function(inputs, outputs, mode=pytensor.compile.mode.Mode("py", "fast_compile"))


X, B, M = pt.dvector("x"), pt.dscalar("b"), pt.dmatrix("m")
GRAPHS = {
    "elementwise": ([X, B], [pt.exp(X) * B + pt.log1p(X**2), pt.sqrt(pt.abs(X)), B + 1]),
    "integers become floats": ([X], [X / 2 + pt.as_tensor(np.arange(7)), pt.as_tensor(np.arange(7)) / 2 + 0 * X]),
    "truth values": ([X], [pt.gt(X, 0), pt.switch(X > 0, X, -np.inf), pt.all(X > -9)]),
    "products": ([X, M], [M.T @ X, pt.outer(X, X), M.sum(axis=1), M.max()]),
    "many operands": ([X], [pt.add(*[X + i for i in range(12)]), pt.mul(*[X + i for i in range(5)])]),
    "special functions": ([X], [pt.gammaln(X**2 + 1), pt.erf(X), pt.softplus(X), pt.sigmoid(X), pt.psi(X**2 + 1)]),
    "shapes": ([X, M], [X.reshape((7, 1)) + M, M[1:, 0], pt.concatenate([X, X]), pt.stack([X, 2 * X]), M[[0, 0, 3]]]),
    "the argument itself": ([X, B], [X, B, pt.as_tensor(np.arange(3.0))]),
    "the same twice": ([X], [X * 2, X * 2]),
}


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_call_gives_what_pytensor_gives(name):
    inputs, outputs = GRAPHS[name]
    function, truth = interpreted(inputs, outputs), own_call(inputs, outputs)
    assert isinstance(function, StraightLine)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        values = {"x": rng.normal(size=7), "b": np.array(rng.normal()), "m": rng.normal(size=(7, 3))}
        given = [values[var.name] for var in inputs]
        for ours, theirs in zip(function(*given), truth(*given), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-14)
            assert np.asarray(ours).dtype == np.asarray(theirs).dtype
            assert np.shape(ours) == np.shape(theirs)


def test_results_share_no_memory():
    inputs, outputs = GRAPHS["the argument itself"]
    function, x = interpreted(inputs, outputs), np.arange(7.0)
    function(x, np.array(2.0))
    first = function(x, np.array(2.0))
    for part in first:
        part[...] = 99.0
    np.testing.assert_array_equal(x, np.arange(7.0))
    np.testing.assert_array_equal(function(x, np.array(2.0))[2], np.arange(3.0))


def test_one_output_comes_alone():
    function = interpreted([X], X.sum())
    assert [float(function(np.ones(n))) for n in (3, 3, 5, 5)] == [3.0, 3.0, 5.0, 5.0]


def test_new_shapes_are_checked_again():
    function = interpreted([X, M], X[:, None] + M)
    np.testing.assert_array_equal(function(np.ones(7), A), A + 1)
    np.testing.assert_array_equal(function(np.ones(7), A), A + 1)
    with pytest.raises(ValueError, match="broadcast"):
        function(np.ones(1), A)  # PyTensor does not repeat a dimension that was not declared to have length one


def test_arguments_of_another_type_are_converted():
    function = interpreted([X], X * 2)
    for _ in range(2):
        result = function(np.arange(3.0, dtype="float32"))
        assert result.dtype == np.float64
    np.testing.assert_array_equal(function(np.arange(3.0)), [0, 2, 4])


def test_failed_check_raises_each_time():
    with pm.Model() as model:
        s = pm.Flat("s")
        pm.Normal("y", 0, s, observed=np.arange(3.0))
    original = explain(model).likelihood.original
    for _ in range(3):
        assert original.value_and_gradient(np.array([-1.0]))[0] == -np.inf
        assert np.isfinite(original.value_and_gradient(np.array([1.0]))[0])
        original.forget()
    assert issubclass(ParameterValueError, Exception)


def test_loops_and_random_variables_stay_with_pytensor():
    with without_compiler():
        draw = pytensor.function([], pt.random.normal(), mode=pytensor.compile.mode.Mode("py", "fast_compile"))
    assert not StraightLine.suits(draw, 0)
