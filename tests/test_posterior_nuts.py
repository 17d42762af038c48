"""Sampling: started at the fit, silent on stdout, whole or not at all, and the model left as it was."""

import sys

import numpy as np
import pymc as pm
import pytest

from ppl_mle.errors import ModelError, RequestError
from ppl_mle.posterior import check_draws, nuts, sample_nuts
from tests.closed_form import make_posterior

Y = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
FAR = 1e6


@pytest.fixture
def model():
    with pm.Model(coords={"k": ["x", "y"]}) as model:
        m = pm.Flat("m", dims="k")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", m[np.array([0, 0, 0, 1, 1])] + FAR, sigma, observed=Y + FAR)
    return model


@pytest.fixture
def asked(monkeypatch):
    """Record what `pm.sample` is asked for, and answer with known draws."""
    calls = {}

    def sample(**kwargs):
        calls.update(kwargs)
        print("PyMC talks")
        return make_posterior(draws=kwargs["draws"])

    monkeypatch.setattr(nuts.pm, "sample", sample)
    return calls


def test_the_tree_says_what_it_is(model, asked, capsys):
    tree = sample_nuts(model, None, draws=20)
    assert tree.attrs["kind"] == tree["posterior"].attrs["kind"] == "posterior"
    assert asked["initvals"] is None
    out, err = capsys.readouterr()
    assert out == ""
    assert "PyMC talks" in err


def test_the_progress_bar_needs_a_terminal(model, asked, monkeypatch):
    sample_nuts(model, None, draws=20)
    assert asked["progressbar"] is False
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    sample_nuts(model, None, draws=20)
    assert asked["progressbar"] is True
    sample_nuts(model, None, draws=20, progressbar=False)
    assert asked["progressbar"] is False


def test_only_variables_without_a_start_are_jittered(model, asked):
    sample_nuts(model, {"m": [2.0, 4.0]}, draws=20, nuts_sampler="nutpie")
    assert asked["compile_kwargs"]["jitter_rvs"] == {model["sigma"]}
    np.testing.assert_array_equal(asked["initvals"]["m"], [2.0, 4.0])
    sample_nuts(model, {"m": [2.0, 4.0]}, draws=20, nuts_sampler="pymc")
    assert asked["init"] == "adapt_diag"


def test_an_edge_is_no_start(model, asked):
    sample_nuts(model, {"m": [2.0, 4.0], "sigma": 0.0}, draws=20)
    assert set(asked["initvals"]) == {"m"}


def test_spread_draws_the_start_of_each_chain(model, asked):
    sample_nuts(model, {"m": [2.0, 4.0], "sigma": 1.0}, spread={"m": [1e-6, 0.0], "sigma": 0.5}, draws=20)
    start = pm.initial_point.make_initial_point_fn(model=model, overrides=asked["initvals"])
    points = [start(seed) for seed in range(200)]
    m, log_sigma = np.array([p["m"] for p in points]), np.array([p["sigma_log__"] for p in points])
    np.testing.assert_allclose(m.mean(axis=0), [2.0, 4.0], atol=1e-6)
    np.testing.assert_allclose(m[:, 0].std(), 1e-6, rtol=0.2)
    assert np.all(m[:, 1] == 4.0)
    np.testing.assert_allclose(log_sigma.std(), 0.5, rtol=0.2)


def test_spread_where_bounds_are_free_falls_back_to_the_start(asked):
    with pm.Model() as model:
        top = pm.Uniform("top", 0, 10)
        pm.Uniform("x", 0, top)
    sample_nuts(model, {"top": 5.0, "x": 1.0}, spread={"top": 0.1, "x": 0.1}, draws=20)
    assert {name: float(value) for name, value in asked["initvals"].items()} == {"top": 5.0, "x": 1.0}


def test_unknown_start(model):
    with pytest.raises(RequestError, match="'b', which is no free variable of the model; they are m, sigma"):
        sample_nuts(model, {"b": 1.0})


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        (pm.exceptions.SamplingError("Bad initial energy"), "Bad initial energy"),
        (RuntimeError("All initialization points failed\n\nStack backtrace:\n 0: x"), "points failed; look at"),
        (ImportError("nutpie not found"), "nuts_sampler='pymc'"),
        (TypeError("kernel() got an unexpected keyword argument"), "may not fit together, so install another one"),
    ],
)
def test_failures_are_one_sentence(model, monkeypatch, failure, what):
    def sample(**kwargs):
        raise failure

    monkeypatch.setattr(nuts.pm, "sample", sample)
    with pytest.raises(ModelError, match=what) as caught:
        sample_nuts(model, None)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is failure


def test_a_part_of_a_posterior_is_an_interrupt(model, asked, monkeypatch):
    monkeypatch.setattr(nuts.pm, "sample", lambda **kwargs: make_posterior(draws=7))
    with pytest.raises(KeyboardInterrupt, match="after 7 of 20 draws"):
        sample_nuts(model, None, draws=20)


@pytest.mark.slow
def test_a_real_run(model, capfd):
    before = str(model.initial_point()), [rv.name for rv in model.basic_RVs], dict(model.rvs_to_initial_values)
    tree = sample_nuts(
        model, {"m": [2.0, 4.5], "sigma": 1.0}, spread={"m": 0.1}, draws=100, tune=100, chains=2, random_seed=1
    )
    assert tree["posterior"].sizes == {"chain": 2, "draw": 100, "k": 2}
    assert np.all(np.abs(tree["posterior"]["m"].mean(("chain", "draw")) - [2.0, 4.5]) < 5)
    assert check_draws(tree).divergences is not None
    after = str(model.initial_point()), [rv.name for rv in model.basic_RVs], dict(model.rvs_to_initial_values)
    assert before == after
    assert capfd.readouterr().out == ""
