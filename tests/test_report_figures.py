"""Figures: what they show can be read off their artists, and the user's Matplotlib stays as it was."""

import matplotlib
import numpy as np
import pytest
from arviz_base import from_dict, rc_context, rcParams
from scipy.stats import gaussian_kde

from ppl_mle.inference import Estimates
from ppl_mle.read import Scale, Variable
from ppl_mle.report.canvas import render
from ppl_mle.report.figures import FittedCurve, draw_curve, draw_densities, draw_forest
from tests.closed_form import ESTIMATES, make_bad_results, make_posterior, make_results


def lines_of(axes, color):
    return [line.get_xdata() for line in axes.lines if line.get_color() == color]


def many_elements(count):
    labels = tuple(f"b[{i}]" for i in range(count))
    scales = (Scale(),) * count
    whole = slice(0, count)
    variable = Variable("b", "parameter", (count,), ("k",), labels, labels, scales, whole, whole, None, True)
    sd = np.logspace(-6, 6, count)
    estimates = Estimates(labels, sd * 3, np.diag(sd**2), scales)
    return make_results(variables=(variable,), coords={"k": np.arange(count)}, estimates=estimates)


def test_forest_of_comparable_elements_has_declared_units():
    axes = draw_forest(make_results()).axes[0]
    assert axes.get_xlabel() == "value"
    intervals = [x for x in lines_of(axes, "#1f5fa8") if len(x) == 2]
    np.testing.assert_allclose(intervals[0], [1.040036, 4.959964], atol=1e-6)


def test_forest_of_different_scales_is_standardized_and_cut():
    figure = draw_forest(many_elements(60))
    axes = figure.axes[0]
    assert axes.get_xlabel() == "(value - estimate) / standard error"
    assert "the first 40 of 60 elements" in axes.get_title()
    intervals = [x for x in lines_of(axes, "#1f5fa8") if len(x) == 2]
    assert len(intervals) == 40
    np.testing.assert_allclose(intervals, [[-1.959964, 1.959964]] * 40, atol=1e-6)


def test_forest_has_both_kinds_of_interval():
    axes = draw_forest(make_results(), make_posterior(mean=ESTIMATES + 1)).axes[0]
    posterior = [x for x in lines_of(axes, "#c2570c") if len(x) == 1]
    np.testing.assert_allclose(np.ravel(posterior), [1.0, 1.0, 2.0], atol=0.1)


def test_rows_without_standard_errors_say_so():
    texts = [text.get_text() for text in draw_forest(make_bad_results()).axes[0].texts]
    assert texts == ["no standard error"]


def test_densities():
    posterior = make_posterior(draws=4000)
    figure = draw_densities(make_results(), posterior, 0.9)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["m[x]", "m[y]", "sigma"]
    draws = posterior["posterior"]["m"].to_numpy()[..., 0].ravel()
    lines = {line.get_label(): line.get_data() for line in panels[0].lines}
    # normal draws of mean 3 and sd 1, height 1 at the mode
    x, density = next(line.get_data() for line in panels[0].lines if len(line.get_xdata()) > 10)
    np.testing.assert_allclose(density, np.exp(-((x - 3) ** 2) / 2), atol=0.05)
    kernels = gaussian_kde(draws, 0.15)(x)
    np.testing.assert_allclose(density, kernels / kernels.max(), atol=0.05)
    np.testing.assert_allclose(lines["posterior 90 % interval"][0], np.quantile(draws, [0.05, 0.95]), rtol=1e-12)
    np.testing.assert_allclose(lines["90 % Wald interval"][0], [3 - 1.644854, 3 + 1.644854], atol=1e-6)
    assert lines["estimate"][0] == [3.0, 3.0]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["posterior density", "posterior 90 % interval", "90 % Wald interval", "estimate"]


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_densities_know_no_scale(scale):
    results = make_results()
    tiny = Estimates(
        results.estimates.labels, ESTIMATES * scale, results.estimates.covariance * scale**2, results.estimates.scales
    )
    posterior = make_posterior(mean=ESTIMATES * scale, sd=np.array([1.0, 1.0, 0.5]) * scale)
    figure = draw_densities(make_results(estimates=tiny), posterior)
    curve = next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 10)
    x, density = curve.get_data()
    assert abs(x[density.argmax()] / scale - 3) < 0.3


def test_constant_draws_and_infinite_estimates_are_drawn():
    posterior = make_posterior()
    posterior["posterior"]["m"][..., 0] = 3.0
    figure = draw_densities(make_bad_results(), posterior)
    assert "estimate inf" in [text.get_text() for text in figure.axes[0].texts]
    assert render(figure).startswith(b"<?xml")
    sizes = [sum(len(line.get_xdata()) > 10 for line in axes.lines) for axes in figure.axes]
    assert sizes == [0, 1, 1]
    assert "posterior density" in [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("value", [2.0, np.inf, np.nan])
def test_a_posterior_that_stays_is_drawn(value):
    posterior = make_posterior()
    for name in ("m", "sigma"):
        posterior["posterior"][name][...] = value
    figure = draw_densities(make_results(), posterior)
    assert render(figure).startswith(b"<?xml")
    bounds = [x for x in lines_of(figure.axes[0], "#c2570c") if len(x) == 2]
    assert len(bounds) == np.isfinite(value)


def test_no_more_than_forty_densities():
    results = many_elements(45)
    rng = np.random.default_rng(0)
    draws = rng.normal(results.estimates.values, np.sqrt(np.diag(results.estimates.covariance)), (2, 50, 45))
    figure = draw_densities(results, from_dict({"posterior": {"b": draws}}, dims={"b": ["k"]}))
    assert len([axes for axes in figure.axes if axes.get_visible()]) == 40
    assert "the first 40 of 45 elements" in figure.get_suptitle()


def test_settings_of_arviz_change_nothing():
    posterior = make_posterior()
    before = render(draw_densities(make_results(), posterior))
    with rc_context({"plot.backend": "none", "stats.ci_kind": "hdi", "data.sample_dims": ["sample"]}):
        assert render(draw_densities(make_results(), posterior)) == before
        assert rcParams["stats.ci_kind"] == "hdi"


def test_curve():
    x = np.linspace(0, 10, 30)
    axes = draw_curve(FittedCurve("x", "$y$", x, x**2, x, x**2, x**2 - 1, x**2 + 1), 0.9).axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), x**2)
    assert axes.get_ylabel() == r"\$y\$"
    labels = axes.get_legend_handles_labels()[1]
    assert "90 % confidence band of the mean" in labels


def test_names_are_no_mathematics():
    results = make_results("$\\frac$")
    assert render(draw_forest(results)).startswith(b"<?xml")
    assert render(draw_forest(results), "png").startswith(b"\x89PNG")
    assert render(draw_densities(results, make_posterior(name="$\\frac$"))).startswith(b"<?xml")


def test_the_users_settings_stay():
    with matplotlib.rc_context({"font.size": 31.0, "text.usetex": True}):
        before = dict(matplotlib.rcParams)
        render(draw_densities(make_results(), make_posterior()))
        figure = draw_forest(make_results())
        render(figure)
        assert dict(matplotlib.rcParams) == before
    assert figure.axes[0].title.get_fontsize() == 9.0
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []
