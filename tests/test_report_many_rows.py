"""Reports of many rows have every figure, say which rows these show, and name what is missing."""

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

import ppl_mle
from ppl_mle import find_MLE
from ppl_mle.read.response import read_response
from ppl_mle.report import observed as observed_module
from ppl_mle.report import replicates as replicates_module
from ppl_mle.report.blocks import Picture, Text
from ppl_mle.report.censoring import Survival, complete_lower_limits
from ppl_mle.report.document import build_document
from ppl_mle.report.figure_kinds import draw_pictures
from ppl_mle.report.html import render_html
from ppl_mle.report.observed import Observed, observe
from ppl_mle.report.replicates import can_be_checked, find_limits
from ppl_mle.report.scene import Scene
from ppl_mle.report.some_rows import spread_rows
from ppl_mle.report.thinning import pooled, shown_ranks, shown_rows, thinned, words_of_shown
from tests.test_report_numbers import markdown_of, material_of, separated

N = 100_000
RNG = np.random.default_rng(2)
X, Z = RNG.normal(size=N), RNG.normal(size=N)
TRUTH = 0.3 + 0.8 * X - 0.4 * Z
Y = TRUTH + RNG.normal(size=N)
ONES = RNG.binomial(1, 1 / (1 + np.exp(-TRUTH)))
COUNTS = RNG.poisson(np.exp(TRUTH / 2))
LIFE, LIMIT = np.exp(1 + TRUTH) * RNG.weibull(1.4, N), RNG.exponential(8, N)


def linear():
    return pm.Flat("a") + pm.Flat("b") * X + pm.Flat("c") * Z


def normal():
    with pm.Model() as model:
        pm.Normal("y", linear(), pm.HalfFlat("sigma"), observed=Y)
    return model


def binary():
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=linear(), observed=ONES)
    return model


def counts():
    with pm.Model() as model:
        pm.Poisson("y", pm.math.exp(linear()), observed=COUNTS)
    return model


def survival():
    with pm.Model() as model:
        life = pm.Weibull.dist(pm.HalfFlat("k"), pm.math.exp(linear()))
        upper = np.where(LIFE > LIMIT, LIMIT, np.inf)
        pm.Censored("y", life, lower=None, upper=upper, observed=np.minimum(LIFE, LIMIT))
    return model


def figures_of(document):
    section = next(section for section in document.sections if section.key == "figures")
    return {block.key: block for block in section.blocks if isinstance(block, Picture)}


KEYS = {
    normal: ("residuals", "quantiles", "scale_location", "leverage"),
    binary: ("binned_residuals", "roc", "calibration", "separation_plot"),
    counts: ("leverage", "rootogram", "dispersion"),
    survival: ("survival",),
}


@pytest.mark.parametrize("build", list(KEYS))
def test_a_hundred_thousand_rows_have_every_figure(build, fitted):
    document = build_document(material_of(fitted(build)))
    found = figures_of(document)
    assert {*KEYS[build], "effects", "intervals", "predictive_check"} == set(found)
    assert "of 40 data sets drawn" in found["predictive_check"].alt
    assert len(render_html(document)) < 3_000_000
    for key in {"residuals", "leverage", "separation_plot"} & set(found):
        assert "2,000 of 100,000 rows shown" in found[key].title
        assert "2,000 of 100,000 rows shown" in found[key].alt
    assert "No profile likelihoods and joint regions:" in markdown_of(material_of(fitted(build)))


def test_rows_shown_hold_the_most_extreme(fitted):
    one = material_of(fitted(normal)).observed[0]
    rows = shown_rows(one)
    assert len(rows) == len(np.unique(rows)) == 2000
    ols = sm.OLS(Y, sm.add_constant(np.column_stack([X, Z]))).fit()
    influence = ols.get_influence()
    for values in (np.abs(ols.resid), influence.hat_matrix_diag, influence.cooks_distance[0]):
        assert np.isin(np.argsort(values)[-20:], rows).all()
    # the others are drawn at random: their mean is that of all within its standard error
    assert abs(X[rows].mean() - X.mean()) < 4.5 / np.sqrt(2000)
    shown = thinned(one)
    np.testing.assert_allclose(shown.values, Y[rows])
    np.testing.assert_array_equal(shown.influence.index, rows)
    assert thinned(shown) is shown
    assert words_of_shown(one) == "2,000 of 100,000 rows shown, the most extreme among them"
    points = np.asarray(
        figures_of(build_document(material_of(fitted(normal))))["residuals"].figure.axes[0].collections[0].get_offsets()
    )
    np.testing.assert_allclose(points, np.column_stack([ols.fittedvalues, ols.resid])[rows], atol=1e-8)


def test_numbers_are_those_of_all_rows(fitted):
    from sklearn.metrics import roc_auc_score

    found = figures_of(build_document(material_of(fitted(binary))))
    logit = sm.Logit(ONES, sm.add_constant(np.column_stack([X, Z]))).fit(disp=0)
    assert f"{roc_auc_score(ONES, logit.predict()):.3f}" in found["roc"].title
    assert f"{ONES.sum()} ones in the data" in found["predictive_check"].alt
    one = material_of(fitted(counts)).observed[0]
    glm = sm.GLM(COUNTS, sm.add_constant(np.column_stack([X, Z])), family=sm.families.Poisson()).fit()
    expected = [stats.poisson.pmf(k, glm.mu).sum() for k in range(COUNTS.max() + 2)]
    np.testing.assert_allclose(one.expected_counts, expected, rtol=1e-6)


def test_the_product_limit_is_that_of_statsmodels():
    life, limit = RNG.exponential(1.0, 3000).round(2), RNG.exponential(2.0, 3000).round(2)
    times, limits = np.minimum(life, limit), np.where(life < limit, np.inf, limit)
    own = Survival(times, limits, np.zeros(1), np.ones(1))
    known = SurvfuncRight(times, own.happened.astype(int))
    places, steps, errors = own.product_limit()
    assert 100 < len(places) <= 1000
    at = np.searchsorted(known.surv_times, places)
    np.testing.assert_array_equal(np.asarray(known.surv_times)[at], places)
    np.testing.assert_allclose(steps, np.asarray(known.surv_prob)[at], rtol=1e-10)
    np.testing.assert_allclose(errors[:-1], np.asarray(known.surv_prob_se)[at][:-1], rtol=1e-8)
    long = Survival(np.arange(5000.0), np.full(5000, np.inf), np.zeros(1), np.ones(1))
    places, steps, _ = long.product_limit()
    assert 500 <= len(places) <= 1000
    np.testing.assert_allclose(steps, 1 - (places + 1) / 5000, atol=1e-12)
    # Incident: steps at even ranks alone left the tail of a long-tailed distribution flat.
    far = Survival(np.exp(np.linspace(0, 9, 20_000)), np.full(20_000, np.inf), np.zeros(1), np.ones(1))
    places = far.product_limit()[0]
    assert np.diff(places).max() <= 2 * np.exp(9) / 499
    assert np.diff(np.searchsorted(far.times, places)).max() <= 41


def test_ranks_and_pools():
    ranks = shown_ranks(50_000)
    assert len(ranks) <= 2000
    assert {0, 199, 49_800, 49_999} <= set(ranks)
    p = np.linspace(0.1, 0.9, 6000)
    one = pooled(Observed("y", "binary", np.zeros(6000), p))
    np.testing.assert_allclose(np.unique(one.fitted), p.reshape(300, 20).mean(axis=1))
    rows = spread_rows(p)
    assert len(rows) == 2000
    assert set(range(10)) | set(range(5990, 6000)) <= set(rows)


def test_an_average_over_some_rows_is_said(fitted, monkeypatch):
    monkeypatch.setattr(observed_module, "_MOST_COUNTED", 400_000)
    fit = fitted(counts)
    one = observe(fit.results, fit.maximum, read_response(fit.reading))
    used = 400_000 // (COUNTS.max() + 2)
    assert one.remarks["rootogram"].startswith(f"What is expected is an average over {used:,} of the 100,000 rows")
    mu = np.exp(fit.params["a"] + fit.params["b"] * X + fit.params["c"] * Z)
    for k in range(4):
        p = stats.poisson.pmf(k, mu)
        assert one.expected_counts[k] == pytest.approx(p.sum(), rel=1e-3)
    picture = next(p for p in draw_pictures(Scene(fit.results, observed=(one,))) if p.key == "rootogram")
    assert picture.alt.endswith("evenly spaced in the order of their fitted means.")


def test_a_check_of_some_rows_is_of_the_same_rows(fitted, monkeypatch):
    monkeypatch.setattr(replicates_module, "_MOST_CHECKED", 2000)
    for build in (normal, binary, survival):
        fit = fitted(build)
        material = material_of(fit)
        (one,), drawn = material.observed, material.replicates["y"]
        assert drawn.shape == (100, 2000)
        alt = figures_of(build_document(material))["predictive_check"].alt
        assert "The check is of 2,000 of 100,000 rows, drawn at random." in alt
        if build is normal:
            np.testing.assert_allclose(drawn.mean(axis=0), one.fitted[one.checked], atol=4.5 / 10 + 0.1)
        if build is binary:
            assert f"{ONES[one.checked].sum()} ones in the data" in alt
        if build is survival:
            assert (drawn <= one.survival.limits[one.checked]).all()
            assert f"{np.sum((LIFE < LIMIT)[one.checked])} events in the data" in alt


def left_censored(lower, upper=None):
    y = np.maximum(np.random.default_rng(4).normal(0, 1, 400), np.where(np.isfinite(lower), lower, -9))
    y = y if upper is None else np.minimum(y, upper)
    with pm.Model() as model:
        pm.Censored("y", pm.Normal.dist(pm.Flat("m"), pm.HalfFlat("s")), lower=lower, upper=upper, observed=y)
    return find_MLE(model, progressbar=False)


def test_limits_on_the_left_are_completed_as_in_a_mirror():
    rng = np.random.default_rng(6)
    life, limit = -rng.exponential(1.0, 4000), -rng.exponential(2.0, 4000)
    values, declared = np.maximum(life, limit), np.where(life > limit, -np.inf, limit)
    whole = complete_lower_limits(values, declared)
    np.testing.assert_array_equal(whole[life <= limit], limit[life <= limit])
    assert (whole < values)[life > limit].all()
    for t in (0.5, 1.0, 2.0):  # exponential limits of mean 2, as those that were hidden
        assert abs(np.mean(-whole > t) - np.exp(-t / 2)) < 4.5 * np.sqrt(2 / 4000)


def test_a_left_censored_response_is_checked():
    rng = np.random.default_rng(4)
    life, limit = rng.normal(0, 1, 400), rng.normal(-1, 0.7, 400)
    fit = left_censored(np.where(life > limit, -np.inf, limit))
    material = material_of(fit)
    drawn = material.replicates["y"]
    alt = figures_of(build_document(material))["predictive_check"].alt
    assert "Limits on the left of rows that do not reach theirs are drawn from Kaplan and Meier's estimate" in alt
    low = find_limits(read_response(fit.reading), material.observed[0]).low
    assert (drawn >= low).all()
    # as many drawn values are censored as in the data
    censored, own = np.mean(drawn == low), np.mean(life < limit)
    assert abs(censored - own) < 4.5 * np.sqrt(2 * own * (1 - own) / 400)


@pytest.mark.parametrize("upper", [1.5, np.where(np.arange(400) % 2, 1.5, np.inf)])
def test_limits_on_both_sides_are_named(upper):
    lower = np.where(np.arange(400) % 3, -np.inf, -1.0)
    fit = left_censored(lower, upper)
    material = material_of(fit)
    assert not material.replicates
    assert not can_be_checked(read_response(fit.reading), material.observed[0])
    text = markdown_of(material)
    assert "No predictive check of y: its rows are censored on both sides at limits that differ between them" in text
    assert "No survival function of y beside that of Kaplan and Meier" in text


def test_a_fit_that_did_not_converge_says_why_there_are_none(fitted):
    text = markdown_of(material_of(fitted(separated)))
    assert "predictive checks: these show a fit that converged, and this one is INFINITE." in text


def test_what_has_no_figure_is_named():
    with pm.Model() as model:
        pm.Cauchy("w", pm.Flat("a"), 1.0, observed=[0.0, 1.0, 1.5])
        pm.Poisson("k", pm.math.exp(pm.Flat("b")), observed=[250, 300, 280])
        pm.Bernoulli("z", p=pm.Uniform("p", 0, 1), observed=[0, 1, 1])
    material = material_of(find_MLE(model, progressbar=False))
    said = [
        b.text
        for b in next(s for s in build_document(material).sections if s.key == "figures").blocks
        if isinstance(b, Text)
    ]
    assert "No figures of w: no mean is known of its distribution." in said
    assert "No rootogram of k: its largest value is 300, and a rootogram shows values up to 200." in said
    assert any(text.startswith("No residuals in bins, ROC curve, calibration or separation of z:") for text in said)
    assert any(text.startswith("No figure of the leverage or dispersion of k:") for text in said)


def test_a_curve_of_many_rows_shows_some(fitted):
    def one_predictor():
        with pm.Model() as model:
            x = pm.Data("x", X[:5000])
            pm.Normal("y", pm.Flat("a") + pm.Flat("b") * x, pm.HalfFlat("sigma"), observed=Y[:5000])
        return model

    picture = figures_of(build_document(material_of(fitted(one_predictor))))["curve"]
    assert picture.alt.endswith("2,000 of 5,000 rows shown, the most extreme among them.")
    assert len(picture.figure.axes[0].collections[0].get_offsets()) == 2000


def test_rows_with_weights_have_no_figures_but_a_sentence(tmp_path):
    # Incident: the rootogram of a table of frequencies showed one of each value, and a good fit looked absurd.
    with pm.Model() as model:
        pm.Poisson("y", pm.math.exp(pm.Flat("a")), observed=np.arange(6))
    fit = ppl_mle.find_MLE(model, weights=np.array([55, 32, 9, 3, 1, 1]), progressbar=False)
    text = ppl_mle.report(fit, path=tmp_path / "r.md").read_text()
    assert "No figures of y: its rows are weighted" in text
    assert "rootogram" not in text
    assert "predictive_check" not in text
