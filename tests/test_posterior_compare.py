"""compare: draws made anywhere, one model or several."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy.special import gammaln

import ppl_mle
from ppl_mle.errors import DataError, RequestError

X = np.linspace(-1, 1, 200)
Y = 1 + 2 * X + np.random.default_rng(2).normal(size=200)


def declare(slope=True):
    with pm.Model() as model:
        a, sigma = pm.Flat("a"), pm.HalfFlat("sigma")
        mean = a + pm.Flat("b") * X if slope else a
        pm.Deterministic("precision", sigma**-2)
        pm.Deterministic("mean", mean + 0 * X)
        pm.Normal("y", mean, sigma, observed=Y)
    return model


@pytest.fixture(scope="module")
def fit():
    return ppl_mle.find_MLE(declare())


@pytest.fixture(scope="module")
def draws(fit):
    return ppl_mle.sample(fit, random_seed=1, progressbar=False)


def test_draws_of_other_data_are_refused():
    def model_of(values):
        with pm.Model() as model:
            pm.Normal("y", pm.Flat("m"), 1.0, observed=values)
        return model

    values = np.array([1.0, 2.0, 4.0])
    fit = ppl_mle.find_MLE(model_of(values), progressbar=False)
    other = ppl_mle.sample(model_of(values + 1), random_seed=1)
    with pytest.raises(
        RequestError, match=r"their 'y' has the shape \(3,\) and the mean 3.33333, .* \(3,\) and 2.33333"
    ):
        ppl_mle.compare(fit, other)
    longer = ppl_mle.sample(model_of(np.append(values, 1.0)), random_seed=1)
    with pytest.raises(RequestError, match=r"shape \(4,\)"):
        ppl_mle.compare(fit, longer)


def test_forced_draws_of_no_posterior_say_so(tmp_path):
    # Two groups and a flat scale between them: the posterior of tau has no finite mass (Gelman 2006).
    with pm.Model() as model:
        tau = pm.HalfFlat("tau")
        pm.Normal("y", pm.Flat("m") + pm.Normal("u", 0, tau, shape=2), 1.0, observed=[0.0, 1.0])
    draws = ppl_mle.sample(
        model, method="nuts", draws=20, tune=20, chains=2, random_seed=1, force=True, progressbar=False
    )
    assert not ppl_mle.posterior.check_draws(draws).mixed
    assert "improper" in ppl_mle.posterior.check_draws(draws).problems[0]
    draws.to_netcdf(tmp_path / "a.nc")
    assert "improper" in ppl_mle.posterior.draws_file.read_draws(tmp_path / "a.nc")["posterior"].attrs


def test_parameters_and_small_deterministics(fit, draws):
    agreement = ppl_mle.compare(fit, draws)
    assert list(agreement.table.index) == ["a", "sigma", "b", "precision"]
    np.testing.assert_allclose(agreement.table.loc["precision", "estimate"], fit.params["sigma"] ** -2, rtol=1e-9)
    # sigma^2 is inverse gamma with n - 3 degrees of freedom: flat priors of sigma and of two coefficients.
    half = (len(Y) - 3) / 2
    expected = fit.params["sigma"] * np.sqrt(len(Y) / 2) * np.exp(gammaln(half - 0.5) - gammaln(half))
    sigma = agreement.table.loc["sigma"]
    np.testing.assert_allclose(sigma["mean"], expected, atol=4 * sigma["sd"] / np.sqrt(sigma["ess_bulk"]))
    assert agreement.conclusion.startswith("The posterior differs from the fit: sigma (mean 0.1")
    assert agreement.conclusion.endswith("2 of 4 agree.")
    assert "mean[199]" in ppl_mle.compare(fit, draws, var_names="mean").table.index
    assert list(ppl_mle.compare(fit, draws, var_names=[]).table.index) == ["a", "sigma", "b"]
    with pytest.raises(RequestError, match="'nothing' is no Deterministic"):
        ppl_mle.compare(fit, draws, var_names="nothing")


def test_a_file_is_as_good_as_a_tree(fit, draws, tmp_path):
    path = tmp_path / "draws.nc"
    draws.to_netcdf(path, engine="h5netcdf")
    for source in (path, str(path), draws["posterior"].to_dataset()):
        assert ppl_mle.compare(fit, source).table.loc["a", "mean"] == ppl_mle.compare(fit, draws).table.loc["a", "mean"]


def test_what_is_no_file_of_draws_is_said(fit, tmp_path):
    with pytest.raises(DataError, match=r"missing\.nc"):
        ppl_mle.compare(fit, tmp_path / "missing.nc")
    (tmp_path / "text.nc").write_text("no draws")
    with pytest.raises(DataError, match=r"text\.nc"):
        ppl_mle.compare(fit, tmp_path / "text.nc")
    with pytest.raises(RequestError, match="got list"):
        ppl_mle.compare(fit, [1, 2])


def test_a_point_of_pymc_is_a_point(fit, draws):
    point = xr.DataTree.from_dict({"posterior": draws["posterior"].to_dataset().isel(chain=[0], draw=[0])})
    assert ppl_mle.compare(fit, point).conclusion.startswith("One draw: a point, not a posterior")


def test_several_models_in_one_table(fit, draws):
    constant = ppl_mle.find_MLE(declare(slope=False))
    other = ppl_mle.sample(constant, random_seed=1, progressbar=False)
    several = ppl_mle.compare({"line": (fit, draws), "constant": (constant, other)})
    assert several.table.index.names == ["model", "term"]
    assert ("constant", "a") in several.table.index
    assert several["line"].conclusion in several.conclusion
    assert set(several.predictive["reason"].str.contains("log_likelihood")) == {True}
    assert "constant: The posterior" in repr(several)
    with pytest.raises(RequestError, match="'line' holds DataTree, not a pair"):
        ppl_mle.compare({"line": draws})
    with pytest.raises(RequestError, match="a dict of fits holds the draws"):
        ppl_mle.compare({"line": (fit, draws)}, draws)


def test_the_mean_of_resampled_draws_is_as_uncertain_as_said(fit):
    # Over many seeds the means of b spread as their stated Monte Carlo error says (chi2(59) / 59, 0.1 % each side).
    means, errors = [], []
    for seed in range(60):
        table = ppl_mle.compare(fit, ppl_mle.sample(fit, draws=250, random_seed=seed, progressbar=False)).table
        means.append(table.loc["b", "mean"])
        errors.append(table.loc["b", "sd"] / np.sqrt(table.loc["b", "ess_bulk"]))
    assert 0.51 < np.var(means, ddof=1) / np.mean(np.square(errors)) < 1.69
