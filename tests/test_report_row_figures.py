"""Figures of rows: what their axes hold is what statsmodels, scikit-learn, SciPy or a closed form says."""

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from matplotlib import pyplot
from scipy import stats
from sklearn.metrics import roc_curve

from ppl_mle.read.response import read_response
from ppl_mle.report import binary_figures, count_figures, normal_figures, survival_figures
from ppl_mle.report.exponentiated import exponentiate, find_ratios
from ppl_mle.report.figure_kinds import FIGURES, draw_pictures
from ppl_mle.report.observed import Observed, observe
from ppl_mle.report.replicates import replicate
from ppl_mle.report.scene import FigureOfFit, Scene
from ppl_mle.reporting import _observed, _responses

RNG = np.random.default_rng(5)
X = np.linspace(-2, 3, 60)
LINE = 1 + 2 * X + RNG.normal(0, 1.5, 60)
ONES = RNG.binomial(1, 1 / (1 + np.exp(-(0.3 + 0.9 * X))))
COUNTS = RNG.poisson(np.exp(0.5 + 0.4 * X))
TIMES = np.exp(1 + 0.3 * X) * RNG.weibull(1.4, 60)
LIMIT = np.where(TIMES > 4, 4.0, np.inf)
DESIGN = sm.add_constant(X)


def line():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") * X, pm.HalfFlat("sigma"), observed=LINE)
    return model


def binary():
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * X, observed=ONES)
    return model


def counts():
    with pm.Model() as model:
        pm.Poisson("y", pm.math.exp(pm.Flat("a") + pm.Flat("b") * X), observed=COUNTS)
    return model


def survival():
    with pm.Model() as model:
        life = pm.Weibull.dist(pm.HalfFlat("alpha"), pm.math.exp(pm.Flat("a") + pm.Flat("b") * X))
        pm.Censored("t", life, lower=None, upper=LIMIT, observed=np.minimum(TIMES, LIMIT))
    return model


def observed_of(fit, name=None):
    return observe(fit.results, fit.maximum, read_response(fit.reading, name))


def points(axes, index=0):
    return np.asarray(axes.collections[index].get_offsets())


def test_residuals_against_fitted(fitted):
    axes = normal_figures.draw_residuals(observed_of(fitted(line))).axes[0]
    ols = sm.OLS(LINE, DESIGN).fit()
    np.testing.assert_allclose(points(axes), np.column_stack([ols.fittedvalues, ols.resid]), atol=1e-9)


def test_quantiles_scale_and_leverage_are_statsmodels(fitted):
    one = observed_of(fitted(line))
    influence = sm.OLS(LINE, DESIGN).fit().get_influence()
    student = influence.resid_studentized_internal
    drawn, diagonal = (line.get_data() for line in normal_figures.draw_quantiles(one).axes[0].lines)
    np.testing.assert_allclose(drawn[1], np.sort(student), rtol=1e-8)
    np.testing.assert_allclose(drawn[0], stats.norm.ppf(np.arange(1, 61) / 61), rtol=1e-12)
    np.testing.assert_array_equal(*diagonal)
    assert min(diagonal[0]) < drawn[0].min()
    assert max(diagonal[0]) > drawn[0].max()
    scale = points(normal_figures.draw_scale_location(one).axes[0])
    np.testing.assert_allclose(scale[:, 1], np.sqrt(np.abs(student)), rtol=1e-8)
    axes = normal_figures.draw_leverage(one).axes[0]
    np.testing.assert_allclose(points(axes), np.column_stack([influence.hat_matrix_diag, student]), rtol=1e-8)
    hat, residual = axes.lines[0].get_data()
    np.testing.assert_allclose(residual**2 / 2 * hat / (1 - hat), 0.5, rtol=1e-12)
    row = int(np.argmax(influence.cooks_distance[0]))
    assert f"of row {row}." in normal_figures.LEVERAGE.describe(one)
    assert f"{influence.cooks_distance[0][row]:.3g}" in normal_figures.LEVERAGE.describe(one)


def test_quantiles_of_many_rows_are_those_of_all():
    values = np.random.default_rng(3).standard_t(4, 30_000)
    one = Observed("y", "normal", values, np.zeros(30_000), pearson=values)
    shown, expected = np.sort(values), stats.norm.ppf(np.arange(1, 30_001) / 30_001)
    x, y = normal_figures.draw_quantiles(one).axes[0].lines[0].get_data()
    assert len(y) <= 2000
    np.testing.assert_array_equal([y[0], y[-1]], [shown[0], shown[-1]])
    np.testing.assert_allclose(x, expected[np.searchsorted(shown, y)], rtol=1e-12)
    assert f"{len(y):,} of 30,000 are shown." in normal_figures.QUANTILES.describe(one)


def test_roc_and_its_area(fitted):
    one = observed_of(fitted(binary))
    p = sm.Logit(ONES, DESIGN).fit(disp=0).predict()
    above = np.subtract.outer(p[ONES == 1], p[ONES == 0])
    area = np.mean((above > 0) + 0.5 * (above == 0))
    assert binary_figures.area(one) == pytest.approx(area, rel=1e-12)
    axes = binary_figures.draw_roc(one).axes[0]
    wrong, right = axes.lines[0].get_data()
    np.testing.assert_array_equal([wrong, right], roc_curve(ONES, p, drop_intermediate=False)[:2])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [f"area {area:.3f}"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("zeros above the threshold", "ones above the threshold")
    assert np.trapezoid(right, wrong) == pytest.approx(area, rel=1e-12)
    assert f"{area:.3f}" in binary_figures.ROC.title(one)


def test_binned_residuals_and_calibration_hold_every_row(fitted):
    one = observed_of(fitted(binary))
    p = sm.Logit(ONES, DESIGN).fit(disp=0).predict()
    drawn = points(binary_figures.draw_binned(one).axes[0], 1)
    parts = np.array_split(np.argsort(p, kind="stable"), 7)
    np.testing.assert_allclose(drawn[:, 0], [p[part].mean() for part in parts], rtol=1e-8)
    np.testing.assert_allclose(drawn[:, 1], [(ONES - p)[part].mean() for part in parts], atol=1e-9)
    probability, frequency = binary_figures.draw_calibration(one).axes[0].lines[1].get_data()
    edges = np.quantile(p, np.linspace(0, 1, 7))
    bins = np.searchsorted(edges[1:-1], p)
    np.testing.assert_allclose(probability, [p[bins == k].mean() for k in range(6)], rtol=1e-8)
    np.testing.assert_allclose(frequency, [ONES[bins == k].mean() for k in range(6)], rtol=1e-12)


def test_separation_plot_marks_the_ones(fitted):
    axes = binary_figures.draw_separation(observed_of(fitted(binary))).axes[0]
    p = sm.Logit(ONES, DESIGN).fit(disp=0).predict()
    order = np.argsort(p, kind="stable")
    np.testing.assert_allclose(axes.lines[0].get_ydata(), p[order], rtol=1e-8)
    places = [segment[0][0] for segment in axes.collections[0].get_segments()]
    np.testing.assert_array_equal(places, np.flatnonzero(ONES[order]))


def test_rootogram_and_dispersion(fitted):
    one = observed_of(fitted(counts))
    glm = sm.GLM(COUNTS, DESIGN, family=sm.families.Poisson()).fit()
    top = COUNTS.max() + 1
    expected = stats.poisson.pmf(np.arange(top + 1)[:, None], glm.mu).sum(axis=1)
    axes = count_figures.draw_rootogram(one).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.sqrt(expected), rtol=1e-7)
    heights = [bar.get_height() for bar in axes.patches]
    np.testing.assert_allclose(heights, np.sqrt(np.bincount(COUNTS, minlength=top + 1)), rtol=1e-12)
    phi = glm.pearson_chi2 / glm.df_resid
    assert count_figures.dispersion(one) == pytest.approx(phi, rel=1e-7)
    axes = count_figures.draw_dispersion(one).axes[0]
    np.testing.assert_allclose(points(axes)[:, 1], glm.resid_pearson**2, rtol=1e-6)
    assert axes.lines[1].get_ydata()[0] == pytest.approx(phi, rel=1e-7)


def test_survival_against_kaplan_and_meier(fitted):
    fit = fitted(survival)
    one = observed_of(fit)
    axes = survival_figures.draw_survival(one).axes[0]
    lines = {drawn.get_label(): drawn.get_data() for drawn in axes.lines}
    t, fitted_curve = lines["fitted"]
    a, b, alpha = fit.params[["a", "b", "alpha"]]
    closed = np.exp(-((t[:, None] / np.exp(a + b * X)) ** alpha)).mean(axis=1)
    np.testing.assert_allclose(fitted_curve, closed, rtol=1e-10)
    at, steps = lines["Kaplan-Meier"]
    seen = np.sort(np.minimum(TIMES, LIMIT))
    happened = np.sort(TIMES[TIMES <= 4])
    product = np.cumprod([1 - 1 / np.sum(seen >= when) for when in happened])
    np.testing.assert_allclose(at[1 : len(happened) + 1], happened, rtol=1e-12)
    np.testing.assert_allclose(steps[1 : len(happened) + 1], product, rtol=1e-12)
    assert len(lines["censored"][0]) == np.sum(TIMES > 4)


def test_ratios_by_family(fitted):
    kinds = {binary: ("odds ratio", ("a", "b")), counts: ("rate ratio", ("a", "b")), line: None}
    kinds[survival] = ("ratio of times", ("a", "b"))
    for build, expected in kinds.items():
        fit = fitted(build)
        ratios = find_ratios(fit.results, fit.maximum, read_response(fit.reading))
        assert (None if ratios is None else (ratios.name, ratios.labels)) == expected, build.__name__
        if ratios is not None:
            assert ratios.baselines == ("a",)
            shown = exponentiate(ratios, fit.summary())
            wald = fit.conf_int().loc["b"]
            assert shown.loc["b", "exp(estimate)"] == pytest.approx(np.exp(fit.params["b"]), rel=1e-14)
            np.testing.assert_allclose(shown.loc["b", ["ci95_lb", "ci95_ub"]].astype(float), np.exp(wald), rtol=1e-14)


def test_a_curved_predictor_gives_no_ratio(fitted):
    def curved():
        with pm.Model() as model:
            pm.Poisson("y", pm.math.exp(pm.Flat("a") + pm.math.exp(pm.Flat("b")) * X), observed=COUNTS)
        return model

    fit = fitted(curved)
    assert find_ratios(fit.results, fit.maximum, read_response(fit.reading)) is None


def test_replicates_have_the_fitted_mean(fitted):
    fit = fitted(counts)
    drawn = replicate(read_response(fit.reading), np.tile(fit.results.theta, (400, 1)), 1)
    mean = np.exp(fit.params["a"] + fit.params["b"] * X)
    assert drawn.shape == (400, 60)
    assert np.max(np.abs(drawn.mean(axis=0) - mean) / np.sqrt(mean / 400)) < 4.5


def test_figures_of_rows_leave_pyplot_alone(fitted):
    own = pyplot.figure()
    before = pyplot.rcParams.copy()
    for build in (line, binary):
        draw_pictures(Scene(fitted(build).results, observed=(observed_of(fitted(build)),)))
    assert pyplot.get_fignums() == [own.number]
    assert pyplot.rcParams == before
    pyplot.close(own)


def test_every_kind_of_row_is_drawn_with_words(fitted):
    keys = set()
    for build in (line, binary, counts, survival):
        fit = fitted(build)
        pictures = draw_pictures(Scene(fit.results, observed=(observed_of(fit),)))
        keys |= {picture.key for picture in pictures}
        assert all(len(picture.alt) > 60 and picture.render("svg").startswith(b"<?xml") for picture in pictures)
    rows = {kind.key for kind in FIGURES if not isinstance(kind, FigureOfFit)}
    assert keys == {*rows, "intervals"}


def test_a_response_without_a_mean_is_left_out(fitted):
    def heavy():
        with pm.Model() as model:
            pm.Cauchy("y", pm.Flat("a"), 1.0, observed=[0.0, 1.0, 1.5])
        return model

    fit = fitted(heavy)
    assert _observed(fit, _responses(fit)) == []
    assert isinstance(draw_pictures(Scene(fit.results))[0].title, str)
