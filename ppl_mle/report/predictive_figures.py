"""The predictive check: the data beside data sets drawn from the fitted model, as the kind of response allows."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import isotonic_regression

from ppl_mle.report.canvas import FIT_COLOR, POSTERIOR_COLOR, clear_frame, in_our_style, new_figure, plain
from ppl_mle.report.observed import Observed
from ppl_mle.report.scene import FigureOfFit, Scene
from ppl_mle.report.survival_figures import kaplan_meier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Check = tuple[np.ndarray, np.ndarray, np.ndarray]
_FEW = 5
_POINTS = 300


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


def check_categories(one: Observed, drawn: np.ndarray) -> Check:
    """Categories, and the frequency of each: in the data, and in the drawn data sets."""
    codes = np.arange(int(max(one.values.max(), drawn.max())) + 1)
    counts = [np.bincount(row.astype(int), minlength=len(codes)) for row in (one.values, *drawn)]
    return codes.astype(float), counts[0] / len(one.values), np.array(counts[1:]) / len(one.values)


def check(one: Observed, drawn: np.ndarray) -> Check:
    """The check that suits a response."""
    if one.survival is not None:
        return check_survival(one, drawn)
    return _CHECKS.get(one.kind, check_distribution)(one, drawn)


_CHECKS: dict[str, Callable[[Observed, np.ndarray], Check]] = {
    "binary": check_calibration,
    "category": check_categories,
}


def limits_of(drawn: np.ndarray, ci_prob: float) -> np.ndarray:
    """Pointwise bounds that hold a proportion of the drawn data sets, shape (2, m)."""
    tail = (1 - ci_prob) / 2
    return np.asarray(np.quantile(drawn, [tail, 1 - tail], axis=0))


@in_our_style
def draw_check(scene: Scene) -> "Figure":
    """One panel per response: the data beside a band that holds a proportion of the drawn data sets."""
    shown = [one for one in scene.observed if one.name in scene.replicates]
    figure = new_figure(6.5 if len(shown) == 1 else 9, 3.8)
    panels = figure.subplots(1, len(shown), squeeze=False).ravel()
    for panel, one in zip(panels, shown, strict=True):
        place, own, drawn = check(one, scene.replicates[one.name])
        band = limits_of(drawn, scene.ci_prob)
        draw = _draw_points if _is_of_points(one, place) else _draw_steps if one.kind != "binary" else _draw_lines
        draw(panel, place, own, band, scene)
        panel.set_xlabel("fitted probability" if one.kind == "binary" else plain(one.name))
        panel.set_ylabel(_heights(one))
        clear_frame(panel)
        panel.spines["left"].set_visible(True)
    panels[0].legend(frameon=False, fontsize=7)
    return figure


def _is_of_points(one: Observed, place: np.ndarray) -> bool:
    return one.kind == "category" or (one.kind == "binary" and len(place) < _FEW)


def _heights(one: Observed) -> str:
    if one.survival is not None:
        return "probability of lasting longer"
    return {"binary": "frequency of ones", "category": "frequency"}.get(one.kind, "proportion up to the value")


def _draw_steps(panel: Any, place: np.ndarray, own: np.ndarray, band: np.ndarray, scene: Scene) -> None:
    label = f"{scene.percent} of data sets"
    panel.fill_between(place, *band, step="post", color=FIT_COLOR, alpha=0.25, linewidth=0, label=label)
    panel.step(place, own, where="post", color=POSTERIOR_COLOR, linewidth=1.3, label="the data")


def _draw_lines(panel: Any, place: np.ndarray, own: np.ndarray, band: np.ndarray, scene: Scene) -> None:
    label = f"{scene.percent} of data sets"
    panel.fill_between(place, *band, color=FIT_COLOR, alpha=0.25, linewidth=0, label=label)
    panel.plot(place, own, color=POSTERIOR_COLOR, linewidth=1.3, label="the data")


def _draw_points(panel: Any, place: np.ndarray, own: np.ndarray, band: np.ndarray, scene: Scene) -> None:
    panel.vlines(place, *band, color=FIT_COLOR, alpha=0.35, linewidth=6, label=f"{scene.percent} of data sets")
    panel.plot(place, own, color=POSTERIOR_COLOR, linestyle="none", marker="o", markersize=5, label="the data")
    panel.margins(x=0.3, y=0.3)
    if np.all(place == np.arange(len(place))):
        panel.locator_params(axis="x", integer=True)


def describe_check(scene: Scene) -> str:
    """What the figure shows, in words."""
    shown = [one for one in scene.observed if one.name in scene.replicates]
    said: list[str] = []
    kinds = {_words(one): None for one in shown}
    for words in kinds:
        own = [one for one in shown if _words(one) == words]
        names = ", ".join(one.name for one in own)
        said.append(
            f"{words[0]} of {names} beside a band that holds {scene.percent} of the {words[1]} of "
            f"{len(scene.replicates[own[0].name])} data sets drawn from the model, {scene.replicated_from}."
        )
        said += [_counted(one, scene) for one in own if one.kind == "binary" or one.survival is not None]
    return " ".join(said)


def _words(one: Observed) -> tuple[str, str]:
    if one.survival is not None:
        return "Kaplan and Meier's curve", "curves"
    if one.kind == "binary":
        many = len(np.unique(one.fitted)) >= _FEW
        return f"Frequency of ones by fitted probability{', made to rise with it,' * many}", "frequencies"
    if one.kind == "category":
        return "Frequency of each category", "frequencies"
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
