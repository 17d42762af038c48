"""The predictive check: the data beside data sets drawn from the fitted model, as the kind of response allows."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import isotonic_regression

from ppl_mle.report.arviz_figures import draw_distributions, draw_frequencies
from ppl_mle.report.canvas import FIT_COLOR, POSTERIOR_COLOR, clear_frame, in_our_style, legend_below, new_figure, plain
from ppl_mle.report.observed import Observed
from ppl_mle.report.scene import FigureOfFit, Scene
from ppl_mle.report.survival_figures import kaplan_meier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Check = tuple[np.ndarray, np.ndarray, np.ndarray]
_FEW = 5
_POINTS = 300
_VALUES = 40


def check_distribution(one: Observed, drawn: np.ndarray) -> Check:
    """Values, the distribution function of the data there, and those of the drawn data sets."""
    ordered = np.sort(drawn, axis=1)
    grid = np.unique(np.concatenate([one.values, ordered.ravel()]))
    grid = grid if len(grid) <= _POINTS else np.linspace(grid[0], grid[-1], _POINTS)
    steps = np.array([np.searchsorted(row, grid, side="right") for row in ordered]) / ordered.shape[1]
    return grid, np.searchsorted(np.sort(one.values), grid, side="right") / len(one.values), steps


def check_calibration(one: Observed, drawn: np.ndarray) -> Check:
    """Fitted probabilities, and the frequency of ones at each: in the data, and in the drawn data sets.

    With many probabilities the frequencies are made to rise with them by pooling adjacent violators, which is the
    reliability diagram without bins (Dimitriadis, Gneiting and Jordan 2021).
    """
    places, member, sizes = np.unique(one.fitted, return_inverse=True, return_counts=True)
    ones = np.array([np.bincount(member, row, len(places)) for row in (one.values, *drawn)]) / sizes
    if len(places) >= _FEW:
        ones = np.array([isotonic_regression(row, weights=sizes.astype(float)).x for row in ones])
    return places, ones[0], ones[1:]


def check_survival(one: Observed, drawn: np.ndarray) -> Check:
    """Times, and Kaplan and Meier's estimate at each: of the data, and of the drawn data sets, censored alike."""
    survival = one.survival
    assert survival is not None
    curves = []
    for row in (survival.times, *drawn):
        times, steps, _ = kaplan_meier(replace(survival, times=row))
        curves.append(np.r_[1.0, steps][np.searchsorted(times, survival.grid, side="right")])
    return survival.grid, curves[0], np.array(curves[1:])


def check(one: Observed, drawn: np.ndarray) -> Check:
    """The check that suits a response whose values are not counted."""
    if one.survival is not None:
        return check_survival(one, drawn)
    return (check_calibration if one.kind == "binary" else check_distribution)(one, drawn)


def is_counted(one: Observed, drawn: np.ndarray) -> bool:
    """Whether the frequency of each value is shown: of categories, and of counts that are close together."""
    span = max(one.values.max(), drawn.max()) - min(one.values.min(), drawn.min())
    return one.kind == "category" or (one.kind == "counts" and bool(span < _VALUES))


def limits_of(drawn: np.ndarray, ci_prob: float) -> np.ndarray:
    """Pointwise bounds that hold a proportion of the drawn data sets, shape (2, m)."""
    tail = (1 - ci_prob) / 2
    return np.asarray(np.quantile(drawn, [tail, 1 - tail], axis=0))


@in_our_style
def draw_check(scene: Scene) -> "Figure":
    """One panel per response: the data beside a band that holds a proportion of the drawn data sets.

    Frequencies and distribution functions are by arviz-plots. Zeros and ones are drawn by ourselves: `plot_ppc_pava`
    puts rows at the means of their draws, not at their fitted probabilities, and pools no rows of equal ones. So are
    censored times: `plot_ppc_censored` takes all drawn times for events.
    """
    shown = [one for one in scene.observed if one.name in scene.replicates]
    figure = new_figure(6.5 if len(shown) == 1 else 9, 3.8)
    panels = figure.subplots(1, len(shown), squeeze=False).ravel()
    for panel, one in zip(panels, shown, strict=True):
        drawn = scene.replicates[one.name]
        if is_counted(one, drawn):
            _draw_counted(panel, one, drawn, scene)
        else:
            _draw_checked(panel, one, drawn, scene)
        panel.set_xlabel("fitted probability" if one.kind == "binary" else plain(one.name))
        clear_frame(panel)
        panel.spines["left"].set_visible(True)
    legend_below(figure, panels)
    return figure


def _draw_counted(panel: Any, one: Observed, drawn: np.ndarray, scene: Scene) -> None:
    nominal = one.kind == "category"
    draw_frequencies(panel, one.values, drawn, scene.ci_prob, "linear" if nominal else "sqrt")
    panel.margins(x=0.3 if nominal else 0.05)
    panel.set_ylim(bottom=0)
    panel.set_ylabel("frequency" if nominal else "frequency (root scale)")
    panel.locator_params(axis="x", integer=True)


def _draw_checked(panel: Any, one: Observed, drawn: np.ndarray, scene: Scene) -> None:
    place, own, each = check(one, drawn)
    band = limits_of(each, scene.ci_prob)
    if one.survival is not None:
        _draw_band(panel, place, band, scene, step="post")
        panel.step(place, own, where="post", color=POSTERIOR_COLOR, linewidth=1.3, label="the data")
        panel.set_ylabel("probability of lasting longer")
    elif one.kind != "binary":
        _draw_band(panel, place, band, scene, step="post")
        draw_distributions(panel, place, own, each)
        panel.set_ylabel("proportion up to the value")
    else:
        many = len(place) >= _FEW
        (_draw_band if many else _draw_bars)(panel, place, band, scene)
        mark: dict[str, Any] = {} if many else {"linestyle": "none", "marker": "o", "markersize": 5}
        panel.plot(place, own, color=POSTERIOR_COLOR, linewidth=1.3, label="the data", **mark)
        panel.set_ylabel("frequency of ones")


def _draw_band(panel: Any, place: np.ndarray, band: np.ndarray, scene: Scene, step: Any = None) -> None:
    label = f"{scene.percent} of data sets"
    panel.fill_between(place, *band, step=step, color=FIT_COLOR, alpha=0.25, linewidth=0, label=label)


def _draw_bars(panel: Any, place: np.ndarray, band: np.ndarray, scene: Scene) -> None:
    panel.vlines(place, *band, color=FIT_COLOR, alpha=0.35, linewidth=6, label=f"{scene.percent} of data sets")
    panel.margins(x=0.3, y=0.3)


def describe_check(scene: Scene) -> str:
    """What the figure shows, in words."""
    shown = [one for one in scene.observed if one.name in scene.replicates]
    said: list[str] = []
    kinds = {_words(one, scene): None for one in shown}
    for words in kinds:
        own = [one for one in shown if _words(one, scene) == words]
        names = ", ".join(one.name for one in own)
        said.append(
            f"{words[0]} of {names} beside a band that holds {scene.percent} of the {words[1]} of "
            f"{len(scene.replicates[own[0].name])} data sets drawn from the model, {scene.replicated_from}."
        )
        said += [_counted(one, scene) for one in own if one.kind == "binary" or one.survival is not None]
    return " ".join(said)


def _words(one: Observed, scene: Scene) -> tuple[str, str]:
    if one.survival is not None:
        return "Kaplan and Meier's curve", "curves"
    if one.kind == "binary":
        many = len(np.unique(one.fitted)) >= _FEW
        return f"Frequency of ones by fitted probability{', made to rise with it,' * many}", "frequencies"
    if is_counted(one, scene.replicates[one.name]):
        return f"Frequency of each {'category' if one.kind == 'category' else 'value'}", "frequencies"
    if one.kind == "vector":
        return "Distribution function of all components", "distribution functions"
    return "Distribution function", "distribution functions"


def _counted(one: Observed, scene: Scene) -> str:
    """How many ones, or events, there are, and in how many of the drawn data sets."""
    drawn = scene.replicates[one.name]
    if one.survival is not None:
        name, own, counts = "events", int(one.survival.happened.sum()), (drawn < one.survival.limits).sum(axis=1)
    else:
        name, own, counts = "ones", int(one.values.sum()), drawn.sum(axis=1)
    lower, upper = limits_of(counts, scene.ci_prob)
    return f"{own} {name} in the data; {scene.percent} of data sets have {lower:.4g} to {upper:.4g}."


CHECK = FigureOfFit(
    "predictive_check",
    lambda scene: bool(scene.replicates),
    lambda scene: f"Predictive check, {scene.replicated_from}",
    describe_check,
    draw_check,
)
