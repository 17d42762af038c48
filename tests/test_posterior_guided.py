"""NUTS in the coordinates of the normal approximation: the same posterior, with less to tune."""

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from scipy.stats import norm
from scipy.stats import t as student

from ppl_mle.errors import ModelError
from ppl_mle.posterior import check_draws, find_mode, guided
from ppl_mle.posterior.guided import sample_guided, why_unguided
from ppl_mle.progress import Progress
from ppl_mle.read import read
from ppl_mle.read.interpret import without_compiler
from ppl_mle.read.standardized import standardize

Y = 3 + 2 * norm.ppf((np.arange(60) + 0.5) / 60)
INTERPRETED = Mode(linker="py", optimizer=None)


@pytest.fixture(scope="module")
def model():
    with pm.Model() as model:
        mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        pm.Deterministic("twice", 2 * mu)
        pm.Normal("y", mu, sigma, observed=Y)
    return model


@pytest.fixture(scope="module")
def mode(model):
    return find_mode(model)


def sample(model, mode, **options):
    common = {"draws": 500, "tune": None, "chains": 2, "cores": 1, "random_seed": 1, "progressbar": False}
    common["progress"] = Progress("sampling", visible=False)
    return sample_guided(model, mode, read(model, "MAP").groups, **common | options)


def recorded(monkeypatch):
    """What `pm.sample` will be asked for; it then fails."""
    asked = {}

    def record(**options):
        asked.update(options)
        raise RuntimeError("enough")

    monkeypatch.setattr(pm, "sample", record)
    return asked


def test_the_posterior_is_the_exact_one(model, mode):
    # With flat priors on mu and sigma, (mu - mean) / (s sqrt((n - 1) / (n - 2)) / sqrt(n)) is t with n - 2 degrees.
    tree = sample(model, mode, draws=4000)
    n, check = len(Y), check_draws(tree)
    assert check.reliable, check.problems
    unit = Y.std(ddof=1) * np.sqrt((n - 1) / (n - 2)) / np.sqrt(n)
    levels = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    found = np.quantile(tree["posterior"]["mu"], levels)
    exact = Y.mean() + unit * student(n - 2).ppf(levels)
    np.testing.assert_allclose(found, exact, atol=5 * float(check.table.loc["mu", "mcse_mean"]))
    np.testing.assert_allclose(tree["posterior"]["twice"], 2 * tree["posterior"]["mu"], rtol=1e-12)


def test_the_tree_is_as_pymc_writes_it(model, mode):
    tree = sample(model, mode)
    assert tree["posterior"].sizes == {"chain": 2, "draw": 500}
    assert {"posterior", "sample_stats", "observed_data"} <= set(tree.children)
    assert {"diverging", "energy", "n_steps"} <= set(tree["sample_stats"].data_vars)
    assert tree["posterior"].attrs["kind"] == "posterior"
    assert check_draws(tree).bfmi is not None


def test_the_seed_decides(model, mode):
    one, two, other = (sample(model, mode, draws=50, random_seed=seed)["posterior"]["mu"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.any(one != other)


def test_no_compiler_is_started(model, mode, monkeypatch):
    monkeypatch.setattr(guided, "_COMPILING", 3600.0)
    monkeypatch.setattr(guided, "_COMPILING_IN_PYTHON", 3600.0)
    monkeypatch.setattr(pm, "sample", lambda **options: pytest.fail("pm.sample was called"))
    sample(model, mode, draws=20)


def test_what_is_slow_is_compiled(model, mode, monkeypatch):
    monkeypatch.setattr(guided, "_COMPILING", 0.0)
    monkeypatch.setattr(guided, "_COMPILING_IN_PYTHON", 0.0)
    recorded(monkeypatch)
    with pytest.raises(ModelError, match="enough"):
        sample(model, mode)


def test_a_sampler_by_name_is_compiled_for(model, mode, monkeypatch):
    asked = recorded(monkeypatch)
    with pytest.raises(ModelError, match="enough"):
        sample(model, mode, nuts_sampler="pymc", target_accept=0.9)
    assert [rv.name for rv in asked["model"].free_RVs] == ["z"]
    assert asked["tune"] == 300
    assert asked["target_accept"] == 0.9


def test_the_standardized_density_is_standard_at_the_mode(model, mode):
    root = np.linalg.cholesky(mode.observed_covariance)
    standard = standardize(model, mode.plan.likelihood, mode.theta, root)
    assert [rv.name for rv in standard.free_RVs] == ["z"]
    with without_compiler():
        gradient = standard.compile_dlogp(mode=INTERPRETED)
        density, original = (m.compile_logp(mode=INTERPRETED) for m in (standard, model))
    slopes = [gradient({"z": z}) for z in (np.zeros(2), np.array([1e-5, 0.0]), np.array([0.0, 1e-5]))]
    np.testing.assert_allclose(slopes[0], 0, atol=1e-7)
    np.testing.assert_allclose((slopes[1:] - slopes[0]) / 1e-5, -np.eye(2), atol=1e-3)
    z = np.array([0.3, -0.4])
    mu, log_sigma = mode.theta + root @ z
    np.testing.assert_allclose(density({"z": z}), original({"mu": mu, "sigma_log__": log_sigma}), rtol=1e-12)


def test_what_cannot_be_guided_says_why(model, mode):
    assert why_unguided(mode, {}) == ""
    assert why_unguided(mode, {"target_accept": 0.9}) == ""
    assert "'init'" in why_unguided(mode, {"init": "adapt_full"})
    with pm.Model() as constant:
        pm.Normal("y", pm.Flat("m"), pm.HalfFlat("s"), observed=[1.0, 1.0, 1.0])
    assert "no certified mode" in why_unguided(find_mode(constant), {})
