"""Effects figures: bands are those of statsmodels' predictions, points those of its component-plus-residual plot."""

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from matplotlib.figure import Figure
from scipy.stats import norm

from ppl_mle.report.derived_columns import find_rules, move
from ppl_mle.report.effect_figures import EFFECTS, draw_effects
from ppl_mle.report.figure_kinds import draw_pictures
from ppl_mle.report.scene import Scene
from tests.test_report_numbers import line as one_predictor
from tests.test_report_numbers import markdown_of, material_of

RNG = np.random.default_rng(8)
N = 90
X, Z = RNG.normal(size=N), RNG.gamma(2.0, size=N)
U = (RNG.random(N) < 0.4).astype(float)
GROUP = np.arange(N) % 3
Y = 1 + X + 0.5 * Z + U + RNG.normal(size=N)
ONES = RNG.binomial(1, 1 / (1 + np.exp(-X + 0.5 * Z - U)))
COUNTS = RNG.poisson(np.exp(0.3 + 0.4 * X - 0.2 * Z))
EXPOSURE = RNG.uniform(1, 3, N)
TRIALS = RNG.integers(5, 20, N)
DESIGN = sm.add_constant(np.column_stack([X, Z, U]))


def normal():
    with pm.Model() as model:
        x, z = pm.Data("age", X), pm.Data("income", Z)
        mu = pm.Flat("a") + pm.Flat("b") * x + pm.Flat("c") * z + pm.Flat("d") * U
        pm.Normal("y", mu, pm.HalfFlat("sigma"), observed=Y)
    return model


def matrix():
    columns = ["x", "x2", "z", "xz"]
    with pm.Model(coords={"column": columns}) as model:
        b = pm.Flat("b", dims="column")
        pm.Normal("y", pm.Flat("a") + np.column_stack([X, X**2, Z, X * Z]) @ b, pm.HalfFlat("s"), observed=Y)
    return model


def binary():
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * X + pm.Flat("c") * Z + pm.Flat("d") * U, observed=ONES)
    return model


def counts():
    with pm.Model() as model:
        eta = pm.Flat("a") + pm.Flat("b") * X + pm.Flat("c") * Z + np.log(EXPOSURE)
        pm.Poisson("y", pm.math.exp(eta), observed=COUNTS)
    return model


def trials():
    with pm.Model() as model:
        p = pm.math.sigmoid(pm.Flat("a") + pm.Flat("b") * X + pm.Flat("c") * Z)
        pm.Binomial("y", n=TRIALS, p=p, observed=np.minimum(COUNTS, TRIALS))
    return model


def levels():
    with pm.Model(coords={"color": ["red", "green", "blue"]}) as model:
        mu = pm.Flat("a", dims="color")[GROUP] + pm.Flat("b") * X
        pm.Normal("y", mu, pm.HalfFlat("sigma"), observed=Y)
    return model


def slopes():
    with pm.Model() as model:
        mu = pm.Flat("a", shape=3)[GROUP] + pm.Flat("b", shape=3)[GROUP] * X + pm.Flat("c") * Z
        pm.Normal("y", mu, pm.HalfFlat("sigma"), observed=Y)
    return model


def curved():
    with pm.Model() as model:
        mu = pm.Flat("a", initval=1.0) * pm.math.exp(pm.Flat("b", initval=0.1) * X) + pm.Flat("c") * Z
        pm.Normal("y", mu, pm.HalfFlat("sigma"), observed=Y)
    return model


def many():
    columns = np.random.default_rng(1).normal(size=(N, 14))
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") + columns @ pm.Flat("b", shape=14), pm.HalfFlat("sigma"), observed=Y)
    return model


@pytest.fixture
def effects_of(fitted):
    def found(build, ci_prob=0.95):
        (one,) = material_of(fitted(build), ci_prob=ci_prob).observed
        return one.effects

    return found


def rows_at(design, place, grid):
    """Rows of a design with one column on a grid, the others at their means."""
    rows = np.tile(design.mean(axis=0), (len(grid), 1))
    rows[:, place] = grid
    return rows


def ols_band(design, rows, ci_prob=0.95):
    """Statsmodels' mean and standard error, with the variance divided by n and normal quantiles."""
    frame = sm.OLS(Y, design).fit().get_prediction(rows).summary_frame()
    se = frame["mean_se"] * np.sqrt((N - design.shape[1]) / N)
    z = norm.ppf((1 + ci_prob) / 2)
    return frame["mean"], frame["mean"] - z * se, frame["mean"] + z * se


def assert_band(panel, band, **tolerance):
    for ours, theirs in zip((panel.mean, panel.lower, panel.upper), band, strict=True):
        np.testing.assert_allclose(ours, theirs, **tolerance)


@pytest.mark.parametrize("ci_prob", [0.95, 0.8])
def test_bands_of_a_normal_model_are_those_of_least_squares(ci_prob, effects_of):
    effects = effects_of(normal, ci_prob)
    assert [panel.name for panel in effects.panels] == ["age", "income", "column of d"]
    assert effects.left_out == ()
    for place, panel in enumerate(effects.panels, start=1):
        column = DESIGN[:, place]
        np.testing.assert_allclose(panel.place[[0, -1]], [column.min(), column.max()])
        assert_band(panel, ols_band(DESIGN, rows_at(DESIGN, place, panel.place), ci_prob), rtol=1e-7, atol=1e-8)
    assert effects.panels[2].place.tolist() == [0.0, 1.0]
    assert effects.panels[2].levels == ("0", "1")


def test_points_are_those_of_component_and_residual(effects_of):
    ols = sm.OLS(Y, DESIGN).fit()
    means = DESIGN.mean(axis=0)
    for place, panel in enumerate(effects_of(normal).panels, start=1):
        points = sm.graphics.plot_ccpr(ols, place, ax=Figure().subplots()).axes[0].lines[0].get_data()
        others = ols.params @ means - ols.params[place] * means[place]
        np.testing.assert_allclose(panel.x, points[0])
        np.testing.assert_allclose(panel.partial, points[1] + others, rtol=1e-7, atol=1e-7)


def test_bands_of_a_logistic_model_are_symmetric_in_the_log_odds(effects_of):
    glm = sm.GLM(ONES, DESIGN, family=sm.families.Binomial()).fit()
    for place, panel in enumerate(effects_of(binary).panels, start=1):
        frame = glm.get_prediction(rows_at(DESIGN, place, panel.place)).summary_frame()
        assert_band(panel, (frame["mean"], frame["mean_ci_lower"], frame["mean_ci_upper"]), rtol=1e-5)
        assert len(panel.partial) == 0
        np.testing.assert_array_equal(panel.x, [] if place == 3 else np.sort(DESIGN[:, place]))


def test_an_offset_is_at_its_mean(effects_of):
    design = DESIGN[:, :3]
    glm = sm.GLM(COUNTS, design, family=sm.families.Poisson(), offset=np.log(EXPOSURE)).fit()
    for place, panel in enumerate(effects_of(counts).panels, start=1):
        rows = rows_at(design, place, panel.place)
        frame = glm.get_prediction(rows, offset=np.full(len(rows), np.log(EXPOSURE).mean())).summary_frame()
        assert_band(panel, (frame["mean"], frame["mean_ci_lower"], frame["mean_ci_upper"]), rtol=1e-5)


def test_binomial_means_are_those_of_one_trial(effects_of):
    design, hits = DESIGN[:, :3], np.minimum(COUNTS, TRIALS)
    glm = sm.GLM(np.column_stack([hits, TRIALS - hits]), design, family=sm.families.Binomial()).fit()
    for place, panel in enumerate(effects_of(trials).panels, start=1):
        frame = glm.get_prediction(rows_at(design, place, panel.place)).summary_frame()
        assert_band(panel, (frame["mean"], frame["mean_ci_lower"], frame["mean_ci_upper"]), rtol=1e-5)


def test_squares_and_products_move_with_their_columns(effects_of):
    effects = effects_of(matrix)
    assert [panel.name for panel in effects.panels] == ["x", "z"]
    assert {"x2 is a function of x: it has no panel, and moves with it."} < set(effects.left_out)
    assert any(said.startswith("xz is a function of x and z:") for said in effects.left_out)
    design = sm.add_constant(np.column_stack([X, X**2, Z, X * Z]))
    along, across = effects.panels
    rows = rows_at(design, 1, along.place)
    rows[:, 2], rows[:, 4] = along.place**2, along.place * Z.mean()
    assert_band(along, ols_band(design, rows), rtol=1e-6, atol=1e-7)
    rows = rows_at(design, 3, across.place)
    rows[:, 4] = across.place * X.mean()
    assert_band(across, ols_band(design, rows), rtol=1e-6, atol=1e-7)
    ols = sm.OLS(Y, design).fit()
    own = rows_at(design, 1, X)
    own[:, 2], own[:, 4] = X**2, X * Z.mean()
    np.testing.assert_allclose(along.partial, own @ ols.params + ols.resid, rtol=1e-7, atol=1e-7)


def test_levels_of_a_factor_are_one_panel(effects_of):
    effects = effects_of(levels)
    shown = {panel.name: panel for panel in effects.panels}
    assert set(shown) == {"a", "column of b"}
    assert shown["a"].levels == ("red", "green", "blue")
    design = np.column_stack([np.eye(3)[GROUP], X])
    rows = np.column_stack([np.eye(3), np.full(3, X.mean())])
    assert_band(shown["a"], ols_band(design, rows), rtol=1e-7, atol=1e-8)
    np.testing.assert_array_equal(shown["a"].x, GROUP)


def test_slopes_within_levels_are_not_moved(effects_of):
    effects = effects_of(slopes)
    assert [panel.name for panel in effects.panels] == ["column of c"]
    assert sum("a level of their factor goes with a slope of its own" in said for said in effects.left_out) == 2


def test_no_figure_without_a_sentence(fitted):
    text = markdown_of(material_of(fitted(curved)))
    assert "No effects of predictors of y: its mean is no function of" in text
    material = material_of(fitted(one_predictor))  # the fitted curve shows it
    assert material.curve is not None
    assert material.observed[0].effects is None
    assert "No effects" not in markdown_of(material)


def test_twelve_panels_in_rows_of_four(fitted):
    fit = fitted(many)
    material = material_of(fit)
    scene = Scene(fit.results, observed=material.observed)
    assert len(material.observed[0].effects.panels) == 12
    assert "The first 12 of 14 predictors are shown." in EFFECTS.describe(scene)
    figure = draw_effects(scene)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 12
    figure.draw_without_rendering()
    assert len({round(axes.get_position().x0, 6) for axes in shown}) == 4


def test_the_figure_holds_the_numbers(fitted):
    fit = fitted(normal)
    scene = Scene(fit.results, observed=material_of(fit).observed)
    figure = draw_effects(scene)
    for axes, panel in zip(figure.axes, scene.observed[0].effects.panels, strict=True):
        points = np.asarray(axes.collections[0].get_offsets())
        np.testing.assert_allclose(points, np.column_stack([panel.x, panel.partial]))
        np.testing.assert_allclose(axes.lines[0].get_data(), [panel.place, panel.mean])
    bars = np.array([bar[:, 1] for bar in figure.axes[2].collections[1].get_segments()])
    last = scene.observed[0].effects.panels[2]
    np.testing.assert_allclose(bars, np.column_stack([last.lower, last.upper]))
    picture = next(p for p in draw_pictures(scene) if p.key == "effects")
    assert f"{last.mean[0]:.4g} at 0 to {last.mean[1]:.4g} at 1" in picture.alt


@pytest.mark.parametrize(
    ("columns", "sources"),
    [
        (lambda x, z: [x, (x - 1) ** 2], {1: (0,)}),
        (lambda x, z: [x**2, x], {0: (1,)}),
        (lambda x, z: [x, z, np.exp(x)], {2: (0,)}),
        (lambda x, z: [np.log(z + 9), z], {1: (0,)}),
        (lambda x, z: [x, z, (x - 2) * (z + 1)], {2: (0, 1)}),
        (lambda x, z: [x, z, x + z + 1e-4 * np.sin(9 * z)], {}),
        (lambda x, z: [np.round(x), np.round(x) ** 2, z], {1: (0,)}),
        (lambda x, z: [(x > 0) * 1.0, (z > 0) * 1.0, ((x > 0) & (z > 0)) * 1.0], {2: (0, 1)}),
    ],
)
def test_functions_of_columns_are_found(columns, sources):
    rng = np.random.default_rng(3)
    matrix = np.column_stack(columns(rng.normal(size=200), rng.normal(size=200)))
    rules = find_rules(matrix)
    assert {place: rule.sources for place, rule in rules.items()} == sources
    for place, rule in rules.items():
        np.testing.assert_allclose(rule(matrix), matrix[:, place], atol=1e-8)


def test_a_chain_of_functions_moves_in_turn():
    x, z = RNG.normal(size=80), RNG.normal(size=80)
    matrix = np.column_stack([x**2 * z, x, z, x**2])
    grid = np.linspace(-1, 1, 5)
    means = matrix.mean(axis=0)
    moved = move(means, {1: grid}, find_rules(matrix))
    np.testing.assert_allclose(
        moved, np.column_stack([grid**2 * means[2], grid, np.full(5, means[2]), grid**2]), atol=1e-8
    )
