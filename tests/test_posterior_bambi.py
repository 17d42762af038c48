"""bambi as a formula front end: the same estimates as statsmodels, and draws that bambi made compared."""

import arviz_base
import numpy as np
import pandas as pd
import pytest

import ppl_mle
from ppl_mle.read.formula import graph_of_formula, is_formula_model

bmb = pytest.importorskip("bambi", reason="bambi is not installed (extra `bambi`)")
smf = pytest.importorskip("statsmodels.formula.api")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    x = rng.normal(2, 1, size=100)
    group = rng.choice(list("abc"), 100)
    return pd.DataFrame(
        {"x": x, "g": group, "y": 1 + 2 * x + rng.normal(size=100), "k": (x > rng.normal(2, 2, 100)) * 1}
    )


def flat(*names):
    return {name: bmb.Prior("Flat") for name in names} | {"sigma": bmb.Prior("HalfFlat")}


@pytest.mark.parametrize("priors", ["flat", "default"])
def test_coefficients_are_those_of_the_formula(frame, priors):
    model = bmb.Model("y ~ x + g", frame, priors=flat("Intercept", "x", "g") if priors == "flat" else None)
    assert is_formula_model(model)
    fit = ppl_mle.find_MLE(graph_of_formula(model, "MLE"), progressbar=False)
    oracle = smf.ols("y ~ x + g", frame).fit()
    names = {"Intercept": "Intercept", "x": "x", "g[b]": "g[T.b]", "g[c]": "g[T.c]"}
    np.testing.assert_allclose(fit.params[list(names)], oracle.params[list(names.values())], rtol=1e-9)
    assert not model.built
    assert model.center_predictors


def test_priors_about_the_centered_intercept_stay_about_it(frame):
    model = bmb.Model("y ~ x", frame, center_predictors=True)
    centered = ppl_mle.find_MAP(graph_of_formula(model, "MAP"), progressbar=False)
    assert abs(centered.params["Intercept"] - frame["y"].mean()) < 0.1


def test_a_logistic_model(frame):
    fit = ppl_mle.find_MLE(graph_of_formula(bmb.Model("k ~ x", frame, family="bernoulli"), "MLE"), progressbar=False)
    oracle = smf.logit("k ~ x", frame).fit(disp=0)
    np.testing.assert_allclose(fit.params[["Intercept", "x"]], oracle.params, rtol=1e-6)
    np.testing.assert_allclose(fit.bse[["Intercept", "x"]], oracle.bse, rtol=1e-5)


def test_draws_with_another_intercept_are_refused(frame):
    # Incident: the Intercept of bambi's draws was called 33 sds below the graph's, which is at the predictors' means.
    model = bmb.Model("y ~ x", frame, center_predictors=True)
    fit = ppl_mle.find_MAP(graph_of_formula(model, "MAP"), progressbar=False)
    draws = {name: np.random.default_rng(1).normal(size=(2, 50)) for name in fit.params.index}
    tree = arviz_base.from_dict({"posterior": draws})
    tree["posterior"].attrs["modeling_interface"] = "bambi"
    with pytest.raises(ppl_mle.RequestError, match="center_predictors=False"):
        ppl_mle.compare(fit, tree)
    apart = bmb.Model("y ~ x", frame, center_predictors=False)
    as_declared = ppl_mle.find_MAP(graph_of_formula(apart, "MAP"), progressbar=False)
    assert len(ppl_mle.compare(as_declared, tree).table) == 3


@pytest.mark.slow
def test_draws_that_bambi_made_are_compared(frame):
    model = bmb.Model("y ~ x", frame, priors=flat("Intercept", "x"))
    fit = ppl_mle.find_MLE(graph_of_formula(model, "MLE"), progressbar=False)
    tree = model.fit(draws=500, tune=500, chains=2, cores=1, progressbar=False, random_seed=1)
    table = ppl_mle.compare(fit, tree).table
    assert np.all(table.loc[["Intercept", "x"], "shift_sd"].abs() < 0.2)
    assert np.all((table.loc[["Intercept", "x"], "sd_ratio"] - 1).abs() < 0.15)
