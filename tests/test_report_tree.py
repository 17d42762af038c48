"""DataTrees: ArviZ reads them, netCDF holds them, and a point has the layout of PyMC's own."""

import arviz_stats
import numpy as np
import pymc as pm
import pytest
import xarray as xr

from ppl_mle.errors import RequestError
from ppl_mle.posterior import normal_draws
from ppl_mle.report.tree import read_point, to_datatree
from tests.closed_form import ESTIMATES, LLF, STANDARD_ERRORS, make_bad_results, make_posterior, make_results

Y = np.array([1, 2, 3, 4, 5, 2, 4, 6, 8, 10.0])
DATA = {"observed_data": xr.Dataset({"y": ("row", Y)}, coords={"row": np.arange(10)})}


@pytest.fixture
def tree():
    results = make_results()
    draws = normal_draws(results.theta, results.theta_covariance)
    draws[..., 2] = np.exp(draws[..., 2])
    return to_datatree(results, draws, DATA, deterministics={"twice": (("g",), 2 * ESTIMATES[:2])})


@pytest.fixture(scope="module")
def pymc_tree():
    """PyMC's own point of the same model."""
    with pm.Model(coords={"g": ["x", "y"], "row": np.arange(10)}):
        m = pm.Flat("m", dims="g")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", m[np.repeat([0, 1], 5)], sigma, observed=Y, dims="row")
        return pm.find_MAP(
            return_inferencedata=True,
            compute_hessian=True,
            jitter=False,
            progressbar=False,
            compile_kwargs={"mode": "FAST_COMPILE"},
        )


def test_summaries_show_the_estimator(tree):
    assert tree.attrs["kind"] == tree["posterior"].attrs["kind"] == "estimator"
    table = arviz_stats.summary(tree, round_to="none")
    assert list(table.index) == ["m[x]", "m[y]", "sigma"]
    np.testing.assert_allclose(table.loc[["m[x]", "m[y]"], "mean"], [3.0, 6.0], rtol=1e-10)
    np.testing.assert_allclose(table.loc[["m[x]", "m[y]"], "sd"], [1.0, 1.0], rtol=1e-10)
    medians = arviz_stats.summary(tree, kind="stats_median", round_to="none")["median"]
    np.testing.assert_allclose(medians, ESTIMATES, rtol=1e-3)


def test_intervals_feed_a_forest_plot(tree):
    stats = tree["point_estimate_stats"]
    assert stats["twig"]["m"].dims == ("g", "ci_bound")
    np.testing.assert_allclose(stats["twig"]["m"].sel(g="x"), [1.040036, 4.959964], atol=1e-6)
    np.testing.assert_allclose(stats["trunk"]["m"].sel(g="x"), [3 - 0.6744898, 3 + 0.6744898], atol=1e-6)
    np.testing.assert_allclose(stats["standard_error"]["sigma"], 0.5)
    np.testing.assert_allclose(tree["point_estimate"]["m"], ESTIMATES[:2])
    np.testing.assert_allclose(tree["point_estimate"]["twice"].sel(g="y"), 12.0)
    plots = pytest.importorskip("arviz_plots")
    drawn = plots.plot_forest(
        tree,
        combined=True,
        backend="none",
        stats={
            "trunk": stats["trunk"].to_dataset(),
            "twig": stats["twig"].to_dataset(),
            "point_estimate": tree["point_estimate"].to_dataset()[["m", "sigma"]],
        },
    )
    assert drawn is not None


@pytest.mark.parametrize("kind", ["estimator", "point"])
def test_netcdf_holds_it(tree, tmp_path, kind):
    written = tree if kind == "estimator" else to_datatree(make_results(), None, DATA, kind="point")
    written.to_netcdf(tmp_path / "fit.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "fit.nc", engine="h5netcdf") as read:
        xr.testing.assert_equal(read.load(), written)
        assert bool(read["optimizer_result"]["success"])


def test_netcdf_holds_mixed_coordinates_and_infinities(tmp_path):
    results = make_bad_results(coords={"g": np.array(["x", 1], dtype=object)})
    to_datatree(results, None, {}, kind="point").to_netcdf(tmp_path / "fit.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "fit.nc", engine="h5netcdf") as read:
        assert list(read["posterior"]["g"].values) == ["x", "1"]
        assert np.isposinf(read["posterior"]["m"].values[0, 0, 0])
        assert not bool(read["optimizer_result"]["success"])


@pytest.mark.slow
def test_a_point_has_the_layout_of_pymc(pymc_tree):
    ours = to_datatree(make_results(), None, DATA, kind="point")
    assert list(ours.children) == list(pymc_tree.children)
    assert ours.attrs == pymc_tree.attrs
    for name in ("posterior", "observed_data", "fit"):
        mine, theirs = ours[name].to_dataset(), pymc_tree[name].to_dataset()
        assert set(mine.data_vars) == set(theirs.data_vars)
        assert list(mine.attrs) == list(theirs.attrs)
        for variable in mine.variables:
            assert mine[variable].dims == theirs[variable].dims
            if mine[variable].dtype.kind == "f":
                np.testing.assert_allclose(mine[variable], theirs[variable], rtol=1e-3, atol=1e-3)
            else:
                np.testing.assert_array_equal(mine[variable], theirs[variable])
    mine, theirs = ours["optimizer_result"].to_dataset(), pymc_tree["optimizer_result"].to_dataset()
    assert set(mine.variables) <= set(theirs.variables)
    for variable in mine.variables:
        assert mine[variable].dims == theirs[variable].dims
        assert mine[variable].dtype.kind == theirs[variable].dtype.kind
    np.testing.assert_allclose(mine["fun"], -LLF, rtol=1e-12)
    np.testing.assert_allclose(theirs["fun"], -LLF, rtol=1e-6)


@pytest.mark.slow
def test_points_are_read_back(tree, pymc_tree):
    for source, tolerance in ((tree, 1e-12), (pymc_tree, 1e-3)):
        point = read_point(source)
        np.testing.assert_allclose(point["m"], ESTIMATES[:2], rtol=tolerance)
        np.testing.assert_allclose(point["sigma"], ESTIMATES[2], rtol=tolerance)


def test_the_covariance_is_on_the_unconstrained_scale(tree):
    fit = tree["fit"]
    assert list(fit["rows"].values) == ["m[x]", "m[y]", "sigma_log__"]
    np.testing.assert_allclose(np.sqrt(np.diag(fit["covariance_matrix"])), [*STANDARD_ERRORS[:2], 1 / np.sqrt(20)])


def test_refusals():
    with pytest.raises(RequestError, match="needs draws"):
        to_datatree(make_results(), None, {})
    with pytest.raises(RequestError, match="unknown"):
        to_datatree(make_results(), None, {}, kind="posterior")
    with pytest.raises(RequestError, match="'a/b' contains a slash"):
        to_datatree(make_results("a/b"), None, {}, kind="point")
    with pytest.raises(RequestError, match="2000 draws, not a point"):
        read_point(make_posterior())
    with pytest.raises(RequestError, match="no point"):
        read_point(xr.DataTree())
