"""Predictive checks: the data's curve by hand or by scikit-learn, the band from the same rule at every drawn data set.

What is drawn has the moments of the fitted model, and a model that is wrong shows.
"""

import warnings

import numpy as np
import pymc as pm
import pytest
from matplotlib import pyplot
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from ppl_mle import find_MLE
from ppl_mle.report.canvas import render
from ppl_mle.report.figure_kinds import draw_pictures
from ppl_mle.report.observed import complete_limits, observe
from ppl_mle.report.predictive_figures import CHECK, draw_check
from ppl_mle.report.replicates import can_be_checked, replicate_like
from ppl_mle.report.scene import Scene
from tests.test_report_numbers import line, markdown_of, material_of
from tests.test_report_row_figures import COUNTS, LIMIT, ONES, TIMES, X, binary, counts, observed_of, survival

RNG = np.random.default_rng(11)
GROUP = np.repeat([0, 1], 40)
OF_GROUPS = np.r_[np.ones(10), np.zeros(30), np.ones(28), np.zeros(12)].astype(int)
KINDS = np.repeat([0, 1, 2], [30, 50, 20])
STEEP = RNG.weibull(4.0, 150)
MANY = RNG.poisson(400, 50)


def grouped():
    with pm.Model() as model:
        pm.Bernoulli("y", p=pm.Uniform("p", 0, 1, shape=2)[GROUP], observed=OF_GROUPS)
    return model


def constant_hazard():
    with pm.Model() as model:
        life = pm.Exponential.dist(scale=pm.HalfFlat("m"))
        pm.Censored("t", life, lower=None, upper=1.2, observed=np.minimum(STEEP, 1.2))
    return model


def categories():
    with pm.Model() as model:
        pm.Categorical("y", p=pm.Dirichlet("p", np.ones(3)), observed=KINDS)
    return model


def vectors():
    with pm.Model() as model:
        rows = np.random.default_rng(2).normal([1.0, 3.0], 1.0, (40, 2))
        pm.MvNormal("y", pm.Flat("m", shape=2), np.eye(2), observed=rows)
    return model


def many_counts():
    with pm.Model() as model:
        pm.Poisson("y", pm.HalfFlat("m"), observed=MANY)
    return model


def scene_of(fit, draws=200, ci_prob=0.95):
    """The fit's rows and data sets drawn at the estimate."""
    from ppl_mle.read.response import read_response

    response = read_response(fit.reading)
    one = observe(fit.results, fit.maximum, response)
    drawn = replicate_like(response, one, np.tile(fit.results.theta, (draws, 1)), 3)
    return Scene(fit.results, ci_prob, observed=(one,), replicates={one.name: drawn}, replicated_from="at the estimate")


def drawn_band(axes):
    """Both edges of the shaded band, by place, from its outline."""
    return axes.collections[0].get_paths()[0].vertices


def product_limit(times, happened, grid):
    """Kaplan and Meier's estimate by its definition."""
    found = []
    for t in grid:
        factors = [
            1 - np.sum((times == u) & happened) / np.sum(times >= u) for u in np.unique(times[happened]) if u <= t
        ]
        found.append(np.prod(factors))
    return np.array(found)


def test_binary_rows_are_held_to_isotonic_regressions(fitted):
    fit = fitted(binary)
    scene = scene_of(fit)
    axes = draw_check(scene).axes[0]
    p = 1 / (1 + np.exp(-(fit.params["a"] + fit.params["b"] * X)))
    place, height = axes.lines[0].get_data()
    order = np.argsort(p)
    np.testing.assert_allclose(place, p[order], rtol=1e-10)
    np.testing.assert_allclose(height, IsotonicRegression().fit_transform(p, ONES)[order], atol=1e-12)
    drawn = scene.replicates["y"]
    curves = [IsotonicRegression().fit_transform(p, row)[order] for row in drawn]
    lower, upper = np.quantile(curves, [0.025, 0.975], axis=0)
    edges = drawn_band(axes)
    assert np.isin(np.round(lower, 9), np.round(edges[:, 1], 9)).all()
    assert np.isin(np.round(upper, 9), np.round(edges[:, 1], 9)).all()
    total = drawn.sum(axis=1)
    assert abs(total.mean() - ONES.sum()) < 4.5 * np.sqrt(np.sum(p * (1 - p)) / len(drawn))
    words = CHECK.describe(scene)
    assert f"{ONES.sum()} ones in the data; 95 % of data sets have {np.quantile(total, 0.025):.4g} to" in words


def test_groups_of_binary_rows_are_proportions(fitted):
    scene = scene_of(fitted(grouped), ci_prob=0.9)
    axes = draw_check(scene).axes[0]
    place, height = axes.lines[0].get_data()
    np.testing.assert_allclose(place, [0.25, 0.7], atol=1e-7)
    np.testing.assert_allclose(height, [0.25, 0.7], rtol=1e-12)
    bars = np.array([segment[:, 1] for segment in axes.collections[0].get_segments()])
    drawn = scene.replicates["y"]
    parts = [drawn[:, k == GROUP].mean(axis=1) for k in (0, 1)]
    np.testing.assert_allclose(bars, [np.quantile(part, [0.05, 0.95]) for part in parts], rtol=1e-12)
    # near the quantiles of the binomial distribution of 40 rows
    np.testing.assert_allclose(bars[0], stats.binom.ppf([0.05, 0.95], 40, 0.25) / 40, atol=0.05)


def test_censored_times_are_held_to_kaplan_and_meier(fitted):
    scene = scene_of(fitted(survival), draws=60)
    axes = draw_check(scene).axes[0]
    grid, height = axes.lines[0].get_data()
    seen, happened = np.minimum(TIMES, LIMIT), TIMES < LIMIT
    np.testing.assert_allclose(height, product_limit(seen, happened, grid), atol=1e-12)
    drawn = scene.replicates["t"]
    assert drawn.max() == 4.0  # declared for the censored rows alone
    some = grid[::20]
    curves = np.array([product_limit(row, row < 4, some) for row in drawn])
    band = drawn_band(axes)
    for edge in np.quantile(curves, [0.025, 0.975], axis=0):
        assert np.isin(np.round(edge, 9), np.round(band[:, 1], 9)).all()
    events = (drawn < 4).sum(axis=1)
    words = CHECK.describe(scene)
    low, high = np.quantile(events, [0.025, 0.975])
    assert f"{happened.sum()} events in the data; 95 % of data sets have {low:.4g} to {high:.4g}." in words


def test_limits_of_rows_with_an_event_are_completed():
    # Incident: limits declared for the censored rows alone left all others uncensored, and the drawn data sets had too
    # many events.
    rng = np.random.default_rng(6)
    life, limit = rng.exponential(1.0, 4000), rng.exponential(2.0, 4000)
    times, declared = np.minimum(life, limit), np.where(life < limit, np.inf, limit)
    assert complete_limits(np.array([4.0, 4.0]), np.array([np.inf, 4.0])).tolist() == [np.inf, 4.0]
    whole = complete_limits(times, declared)
    np.testing.assert_array_equal(whole[life >= limit], limit[life >= limit])
    assert (whole > times)[life < limit].all()
    # exponential limits of mean 2, as those that were hidden
    for t in (0.5, 1.0, 2.0):
        assert abs(np.mean(whole > t) - np.exp(-t / 2)) < 4.5 * np.sqrt(2 / 4000)
    again = np.minimum(rng.exponential(1.0, 4000), whole)
    assert abs(np.mean(again < whole) - 2 / 3) < 4.5 * np.sqrt(2 / 9 / 4000) * np.sqrt(2)


def test_a_wrong_hazard_leaves_the_band(fitted):
    fit = fitted(constant_hazard)
    scene = scene_of(fit)
    from ppl_mle.report.predictive_figures import check, limits_of

    grid, own, drawn = check(scene.observed[0], scene.replicates["t"])
    # S(t) = exp(-t / m) with m = total time / events
    seen = np.minimum(STEEP, 1.2)
    m = seen.sum() / np.sum(STEEP < 1.2)
    spread = np.sqrt(np.exp(-grid / m) * (1 - np.exp(-grid / m)) / len(STEEP) / len(drawn))
    inside = grid < 1.2
    assert (np.abs(drawn.mean(axis=0) - np.exp(-grid / m))[inside] <= 4.5 * spread[inside] + 1e-12).all()
    lower, upper = limits_of(drawn, 0.95)
    assert np.mean((own < lower) | (own > upper)) > 0.5


def frequencies_drawn(axes):
    """Places and bounds of the bars; places and heights of the points of drawn data sets and of the data."""
    bars = {line.get_xdata()[0]: line.get_ydata() for line in axes.lines}
    marks = [np.asarray(found.get_offsets()) for found in axes.collections]
    return bars, dict(marks[0].tolist()), dict(np.vstack(marks[1:]).tolist())


def frequencies_by_hand(drawn, places, ci_prob):
    counts = np.array([[np.sum(row == place) for place in places] for row in drawn])
    tail = (1 - ci_prob) / 2
    return counts, dict(zip(places, np.quantile(counts, [tail, 1 - tail], axis=0).T, strict=True))


def test_categories_are_frequencies(fitted):
    scene = scene_of(fitted(categories), ci_prob=0.9)
    axes = draw_check(scene).axes[0]
    bars, _, data = frequencies_drawn(axes)
    assert data == {0: 30, 1: 50, 2: 20}
    counts, expected = frequencies_by_hand(scene.replicates["y"], [0, 1, 2], 0.9)
    assert (np.abs(counts.mean(axis=0) - [30, 50, 20]) < 4.5 * np.sqrt([21, 25, 16]) / np.sqrt(len(counts))).all()
    np.testing.assert_allclose([bars[k] for k in range(3)], [expected[k] for k in range(3)], rtol=1e-12)
    assert axes.get_yscale() == "linear"
    assert CHECK.describe(scene).startswith("Frequency of each category of y beside a band that holds 90 %")


def test_counts_are_frequencies_of_each_value(fitted):
    scene = scene_of(fitted(counts))
    axes = draw_check(scene).axes[0]
    bars, middle, data = frequencies_drawn(axes)
    drawn = scene.replicates["y"]
    places = np.unique(drawn)
    found, expected = frequencies_by_hand(drawn, places, 0.95)
    assert bars.keys() == expected.keys()
    np.testing.assert_allclose(list(bars.values()), [expected[place] for place in bars], rtol=1e-12)
    assert middle == dict(zip(places, np.median(found, axis=0), strict=True))
    assert data == {place: np.sum(place == COUNTS) for place in np.union1d(places, COUNTS)}
    assert axes.get_yscale() == "sqrt"
    assert CHECK.describe(scene).startswith("Frequency of each value of y beside a band that holds 95 % of the freq")


def test_counts_of_many_values_are_distribution_functions(fitted):
    scene = scene_of(fitted(many_counts))
    grid, height = draw_check(scene).axes[0].lines[-1].get_data()
    np.testing.assert_allclose(height, [np.mean(g >= MANY) for g in grid], atol=1e-12)
    assert CHECK.describe(scene).startswith("Distribution function of y beside")


def test_vectors_are_pooled(fitted):
    scene = scene_of(fitted(vectors))
    axes = draw_check(scene).axes[0]
    grid, height = axes.lines[-1].get_data()
    rows = np.random.default_rng(2).normal([1.0, 3.0], 1.0, (40, 2))
    np.testing.assert_allclose(height, [np.mean(rows <= g) for g in grid], atol=1e-12)
    drawn = scene.replicates["y"]
    assert len(axes.lines) == 21
    known = {np.mean(row[:, None] <= grid, axis=0).tobytes() for row in drawn}
    assert all(line.get_ydata().tobytes() in known for line in axes.lines[:-1])
    assert {line.get_drawstyle() for line in axes.lines} == {"steps-post"}
    lower, upper = np.quantile([np.mean(row[:, None] <= grid, axis=0) for row in drawn], [0.025, 0.975], axis=0)
    edges = np.round(drawn_band(axes)[:, 1], 9)
    assert np.isin(np.round(np.r_[lower, upper], 9), edges).all()
    assert (np.abs(drawn.reshape(-1, 40, 2).mean(axis=(0, 1)) - rows.mean(axis=0)) < 4.5 / np.sqrt(40 * 200)).all()


def test_the_check_is_the_same_each_time_and_leaves_pyplot_alone(fitted):
    own = pyplot.figure()
    before = pyplot.rcParams.copy()
    for build in (counts, vectors, categories):
        scene = scene_of(fitted(build), draws=30)
        assert render(draw_check(scene)) == render(draw_check(scene))
    assert pyplot.get_fignums() == [own.number]
    assert pyplot.rcParams == before
    pyplot.close(own)


@pytest.mark.parametrize("build", [line, binary, counts, grouped, survival, constant_hazard, categories, vectors])
def test_a_report_has_the_check(build, fitted):
    text = markdown_of(material_of(fitted(build)))
    assert "predictive_check.svg" in text
    assert "100 data sets drawn from the model, at draws around the estimate." in text


@pytest.mark.parametrize("limit", [-1.0, np.where(np.arange(50) % 2, -1.0, -2.0)])
def test_limits_on_the_left_are_those_of_the_drawn_data_sets(limit):
    y = np.maximum(np.random.default_rng(4).normal(0, 1, 50), limit)
    with pm.Model() as model:
        life = pm.Normal.dist(pm.Flat("m"), pm.HalfFlat("s"))
        pm.Censored("y", life, lower=limit, upper=None, observed=y)
    fit = find_MLE(model, progressbar=False)
    drawn = material_of(fit).replicates["y"]
    assert (drawn >= limit).all()
    np.testing.assert_array_equal(np.unique(drawn[drawn == limit]), np.unique(limit))
    from ppl_mle.read.response import read_response

    assert can_be_checked(read_response(fit.reading), observed_of(fit))


def test_a_survival_function_of_values_below_zero_begins_there():
    y = np.minimum(np.random.default_rng(4).normal(0, 1, 80), 1.0)
    with pm.Model() as model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        life = pm.Normal.dist(pm.Flat("m"), pm.HalfFlat("s"))
        pm.Censored("y", life, lower=None, upper=1.0, observed=y)
    fit = find_MLE(model, progressbar=False)
    curve = observed_of(fit).survival
    assert curve.grid[0] == y.min()
    np.testing.assert_allclose(curve.fitted, stats.norm.sf(curve.grid, fit.params["m"], fit.params["s"]), rtol=1e-8)
    assert {picture.key for picture in draw_pictures(Scene(fit.results, observed=(observed_of(fit),)))} >= {"survival"}
