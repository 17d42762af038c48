"""A report of a real fit: every number in its tables, prose and figures is the fit's; golden files hold the rest."""

import os
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy.stats import chi2, norm

import ppl_mle
from ppl_mle import RequestError
from ppl_mle.report.document import build_document
from ppl_mle.report.fit_figures import draw_pairs, draw_profiles
from ppl_mle.report.html import render_html
from ppl_mle.report.latex import render_latex
from ppl_mle.report.markdown import render_markdown
from ppl_mle.report.material import Recipe
from ppl_mle.report.predictive_figures import draw_check
from ppl_mle.report.scene import Scene
from ppl_mle.reporting import collect

GOLDEN = Path(__file__).parent / "golden"
X = np.arange(12.0)
Y = np.array([1.3, 2.9, 5.4, 6.6, 9.2, 10.6, 13.4, 14.8, 17.3, 18.5, 21.4, 22.9])
ONES = np.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 1, 0, 1])


def line():
    with pm.Model() as model:
        x = pm.Data("x", X)
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") * x, pm.HalfFlat("sigma"), observed=Y)
    return model


def level():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a"), pm.HalfFlat("sigma"), observed=Y)
    return model


def logit(ones=ONES):
    with pm.Model() as model:
        x = pm.Data("x", X)
        pm.Bernoulli("passed", logit_p=pm.Flat("a") + pm.Flat("b") * x, observed=ones)
    return model


def separated():
    return logit((X > 5).astype(int))


def material_of(fit, posterior=None, others=(), **changes):
    parts = {"title": "case", "ci_prob": 0.95, "method": "wald", "reference": None, "model_text": "", "data_text": ""}
    agreement = None if posterior is None else ppl_mle.compare(fit, posterior)
    return collect(
        fit, posterior, agreement, others=others, **parts | changes, recipe=Recipe("ppl-mle report case.py", 0)
    )


def markdown_of(material):
    document = build_document(material)
    return render_markdown(document, {picture.key: f"case_files/{picture.key}.svg" for picture in document.pictures})


def table_after(text, caption):
    rows = text.split(f"**{caption}")[1].split("\n\n")[1].splitlines()
    cells = [[cell.strip().replace("\\", "") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    head, body = cells[0], cells[2:]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in body}


@pytest.fixture(scope="module")
def good(fitted):
    return material_of(fitted(line))


@pytest.fixture(scope="module")
def bad():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return material_of(ppl_mle.find_MLE(separated(), progressbar=False))


def test_the_table_is_the_fits(good, fitted):
    shown = table_after(markdown_of(good), "Estimates with 95 % intervals")
    fit = fitted(line)
    assert {label: row["estimate"] for label, row in shown.items()} == fit.summary().shown()["estimate"].to_dict()
    for label, row in shown.items():
        assert float(row["estimate"]) == pytest.approx(fit.params[label], abs=fit.bse[label] / 100)
        assert float(row["se"]) == pytest.approx(fit.bse[label], rel=5e-3)
        assert float(row["ci95_lb"]) == pytest.approx(fit.conf_int().loc[label, "lower"], abs=fit.bse[label] / 100)


@pytest.mark.parametrize("build", [line, logit])
def test_every_number_of_the_prose_is_in_a_table(build, fitted):
    text = markdown_of(material_of(fitted(build)))
    prose = text.split("## In words")[1].split("##")[0]
    elsewhere = text.replace(prose, "")
    numbers = [number.rstrip(".") for number in re.findall(r"-?\d[\d.]*(?:e-?\d+)?", prose)]
    assert len(numbers) > 12
    for number in numbers:
        assert number in elsewhere, number


def draws_beside(fit, seed=3):
    """A posterior whose draws are shifted from the estimates by half a standard error."""
    rng = np.random.default_rng(seed)
    center, spread = fit.params + fit.bse / 2, 1.5 * fit.bse
    draws = {name: rng.normal(center[name], spread[name], (4, 500)) for name in fit.params.index}
    draws["sigma"] = np.abs(draws["sigma"])
    return xr.DataTree.from_dict(
        {"posterior": xr.Dataset({k: (("chain", "draw"), v) for k, v in draws.items()})}, name="made"
    )


def test_the_prose_on_a_posterior_is_that_of_its_table(fitted):
    fit = fitted(line)
    tree = draws_beside(fit)
    material = material_of(fit, tree)
    text = markdown_of(material)
    shown = table_after(text, "The fit (estimate, se, 95 % Wald interval) and the posterior")
    own = tree["posterior"]["b"].values
    assert float(shown["b"]["mean"]) == pytest.approx(own.mean(), abs=fit.bse["b"] / 100)
    assert float(shown["b"]["eti_upper"]) == pytest.approx(np.quantile(own, 0.975), abs=fit.bse["b"] / 100)
    conclusion = text.split("## In words")[1].split("##")[0].split("sigma = ")[1].split(").", 1)[1]
    said = re.findall(r"(?:mean|sd|skewness) [+-]?(\d+\.\d+)", conclusion)
    assert len(said) >= 3
    table = material.agreement.table[["shift_sd", "sd_ratio", "skewness"]].abs().to_numpy().ravel()
    for number in said:
        assert np.min(np.abs(table - float(number))) <= 0.5 * 10.0 ** -len(number.split(".")[1]) + 1e-12, number


def test_figures_show_the_posterior_beside_the_fit(good, fitted):
    fit = fitted(line)
    tree = draws_beside(fit)
    scene = Scene(fit.results, idata=tree, profiles=good.profiles, contours=good.contours)
    own = {name: tree["posterior"][name].values.ravel() for name in ("a", "b")}
    outline = draw_profiles(scene).axes[1].collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(1.0)
    assert abs(outline[outline[:, 1].argmax(), 0] - own["b"].mean()) < 0.2 * own["b"].std()
    panel = draw_pairs(scene).axes[0]
    points = np.asarray(panel.collections[0].get_offsets())
    np.testing.assert_array_equal(points, np.column_stack([own["a"], own["b"]])[::4])
    assert [drawn.get_label() for drawn in panel.lines[:2]] == ["likelihood ratio", "Wald"]


def test_exponentials_are_odds_ratios(fitted):
    fit = fitted(logit)
    shown = table_after(markdown_of(material_of(fit)), "Exponentials of the coefficients")
    assert float(shown["b"]["exp(estimate)"]) == pytest.approx(np.exp(fit.params["b"]), rel=5e-3)
    assert float(shown["b"]["ci95_ub"]) == pytest.approx(np.exp(fit.conf_int().loc["b", "upper"]), rel=5e-3)
    assert (shown["a"]["reads_as"], shown["b"]["reads_as"]) == ("level", "odds ratio")


def test_the_data_are_counted(fitted, bad):
    shown = table_after(markdown_of(material_of(fitted(logit))), "Arrays of the model")
    assert shown["passed"]["events"] == "6 ones, 6 zeros"
    assert (shown["x"]["minimum"], shown["x"]["mean"], shown["x"]["maximum"]) == ("0", "5.5", "11")
    assert table_after(markdown_of(bad), "Arrays of the model")["passed"]["events"] == "6 ones, 6 zeros"


def test_missing_rows_are_counted():
    counts = np.ma.masked_invalid([1.0, np.nan, 3, 2, 0, 4])
    with pm.Model() as model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pm.Poisson("y", pm.HalfFlat("mu"), observed=counts)
    text = markdown_of(material_of(ppl_mle.find_MLE(model, progressbar=False)))
    assert table_after(text, "Arrays of the model")["y"]["missing"] == "1"
    assert "Rows of y left out because the response is missing: 1." in text


def test_methods_are_named(fitted):
    fit = fitted(line).with_covariance("HC1")
    text = markdown_of(material_of(fit, method="profile"))
    assert f"| Covariance | {fit.results.covariance_kind} |" in text
    assert "HC1" in fit.results.covariance_kind
    assert "profile likelihood ratio" in text
    shown = table_after(text, "Estimates with 95 % intervals")
    profile = fit.conf_int(method="profile").loc["sigma"]
    assert float(shown["sigma"]["ci95_ub"]) == pytest.approx(profile["upper"], rel=5e-3)


def test_several_models_are_ranked_as_compare_fits_ranks_them(fitted):
    fits = {"case": fitted(line), "level": fitted(level)}
    text = markdown_of(material_of(fits["case"], others={"level": fits["level"]}))
    shown = table_after(text, "Ranking by information criterion")
    ranking = ppl_mle.compare_fits(fits)
    assert list(shown) == list(ranking.index) == ["case", "level"]
    assert float(shown["level"]["delta"]) == pytest.approx(ranking.loc["level", "delta"], abs=1e-3)
    side = table_after(text, "Coefficients of several models")
    assert side["b"]["level"] == ""
    assert side["a"]["level"].startswith(f"{Y.mean():.2f} (")
    assert side["log-likelihood"]["case"] == f"{fits['case'].llf:.3f}"


def test_models_of_other_data_are_not_ranked(fitted):
    text = markdown_of(material_of(fitted(line), others=[fitted(logit)]))
    assert "No ranking by an information criterion:" in text
    assert "not fits of the same data" in text
    assert "model 2" in table_after(text, "Coefficients of several models")["n"]


def test_others_must_be_fits(fitted):
    with pytest.raises(RequestError, match="others: 'model 2' is of type int"):
        material_of(fitted(line), others=[3])


def test_profile_figure_is_the_profile(good, fitted):
    fit = fitted(line)
    figure = draw_profiles(Scene(fit.results, profiles=good.profiles))
    assert [axes.get_title() for axes in figure.axes[:3]] == ["a", "b", "sigma"]
    curve, wald = figure.axes[1].lines[:2]
    value, height = curve.get_data()
    # of a normal regression: llf(b) - llf = -n/2 log(1 + (b - b_hat)^2 Sxx / RSS)
    slope, intercept = np.polyfit(X, Y, 1)
    rss, sxx = np.sum((Y - intercept - slope * X) ** 2), np.sum((X - X.mean()) ** 2)
    np.testing.assert_allclose(height, (1 + (value - slope) ** 2 * sxx / rss) ** -6.0, atol=1e-8)
    se = np.sqrt(rss / 12 / sxx)
    np.testing.assert_allclose(wald.get_ydata(), np.exp(-(((value - slope) / se) ** 2) / 2), atol=1e-8)
    bounds = figure.axes[1].lines[3].get_xdata()
    np.testing.assert_allclose(bounds, fit.conf_int(method="profile").loc["b"], rtol=1e-8)


def test_pairs_figure_holds_contour_and_ellipse(good, fitted):
    fit = fitted(line)
    figure = draw_pairs(Scene(fit.results, contours=good.contours))
    edge, ellipse = (np.array(drawn.get_data()) for drawn in figure.axes[0].lines[:2])
    slope, intercept = np.polyfit(X, Y, 1)
    rss = np.sum((Y - intercept - slope * X) ** 2)
    own = np.array([np.sum((Y - a - b * X) ** 2) for a, b in edge.T])
    np.testing.assert_allclose(12 * np.log(own / rss), chi2.ppf(0.95, 2), rtol=1e-6)
    design = np.column_stack([np.ones(12), X])
    away = ellipse.T - [intercept, slope]
    np.testing.assert_allclose(
        np.einsum("ij,jk,ik->i", away, design.T @ design / (rss / 12), away), chi2.ppf(0.95, 2), rtol=1e-6
    )


def test_predictive_check_shows_the_data_and_the_band(good):
    axes = draw_check(Scene(good.results, observed=good.observed, replicates=good.replicates)).axes[0]
    grid, height = axes.lines[-1].get_data()
    np.testing.assert_allclose(height, [np.mean(g >= Y) for g in grid], atol=1e-12)
    assert good.replicates["y"].shape == (100, 12)
    params = good.results.estimates.params
    z = (good.replicates["y"].mean() - Y.mean()) / (params["sigma"] / np.sqrt(1200) * np.sqrt(1 + 100 / 1))
    assert abs(z) < norm.ppf(1 - 1e-4)


def steadied(text):
    """The text without what changes from machine to machine: versions, times, hashes, digits of rounding error."""
    text = re.sub(r"[0-9a-f]{32}", "HASH", text)
    text = re.sub(r"\d+ iterations from (\d+) (starts?), \d+ evaluations, [\d.e-]+ s", r"N iterations from \1 \2", text)
    health = re.compile(r"^((?:\| |<div><dt>|\\item\[\{)(?:Distance|PyMC|Smallest|Second).*)$", re.MULTILINE)
    number = re.compile(r"(?<![#\d])-?\d[\d.]*(?:e(?:-|\{-\})?\d+)?")
    return health.sub(lambda found: number.sub("X", found[1]), text)


def as_markdown(material):
    return steadied(markdown_of(material))


def as_latex(material):
    document = build_document(material)
    return steadied(render_latex(document, {picture.key: f"{picture.key}.pdf" for picture in document.pictures}))


def as_html(material):
    """What the page says: the body without figures, whose bytes depend on Matplotlib's release."""
    body = render_html(build_document(material)).split("<body>")[1].split("</body>")[0]
    body = re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL)
    return steadied(re.sub(r'src="data:[^"]*"', 'src="FIGURE"', body))


FORMS = {"md": as_markdown, "tex": as_latex, "html": as_html}


@pytest.fixture(scope="module")
def both(fitted):
    """A report with draws, the same on every machine, that stand for a posterior beside the estimates."""
    fit = fitted(line)
    return material_of(fit, draws_beside(fit), others=[fitted(level)])


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("name", ["good", "bad", "both"])
def test_golden(name, suffix, request):
    material = request.getfixturevalue(name)
    text = FORMS[suffix](replace(material, versions={"ppl_mle": "VERSION", "pymc": "VERSION"}))
    path = GOLDEN / f"{name}.{suffix}"
    if os.environ.get("PPL_MLE_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
