"""The effects figure: the fitted mean against each predictor, the others at their means."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ppl_mle.report.canvas import FIT_COLOR, GRAY, clear_frame, in_our_style, new_figure, plain
from ppl_mle.report.effects import MOST_PANELS, EffectPanel, Effects
from ppl_mle.report.scene import FigureOfFit, Scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 4
_FEW_POINTS = 200
_LONG = 12


def shown_panels(scene: Scene) -> list[tuple[Effects, EffectPanel]]:
    """The panels of all responses, as many as are drawn."""
    found = [one.effects for one in scene.observed if one.effects is not None]
    return [(effects, panel) for effects in found for panel in effects.panels][:MOST_PANELS]


@in_our_style
def draw_effects(scene: Scene) -> "Figure":
    """One panel per predictor: partial residuals or a rug, the fitted mean, and its band."""
    shown = shown_panels(scene)
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(2.6 * columns + 0.6 if columns > 1 else 5.0, 0.6 + (2.5 if columns > 1 else 3.4) * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey="all").ravel()
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    for position, (axes, (effects, panel)) in enumerate(zip(panels, shown, strict=False)):
        _draw_data(axes, panel)
        _draw_levels(axes, panel, scene) if panel.levels else _draw_band(axes, panel, scene)
        axes.set_xlabel(plain(panel.name))
        if position % columns == 0 or effects is not shown[position - 1][0]:
            axes.set_ylabel(plain(effects.name) + (", component + residual" if len(panel.partial) else ", fitted mean"))
        clear_frame(axes)
        axes.spines["left"].set_visible(True)
    handles: dict[str, Any] = {}
    for axes in panels[: len(shown)]:
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True)) | handles
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=3 if columns > 2 else 1, frameon=False
    )
    return figure


def _draw_data(axes: Any, panel: EffectPanel) -> None:
    if len(panel.partial):
        many = len(panel.partial) > _FEW_POINTS
        size, alpha = (4.0, 0.25) if many else (12.0, 0.5)
        axes.scatter(
            panel.x,
            panel.partial,
            s=size,
            color=GRAY,
            alpha=alpha,
            linewidths=0,
            label="partial residuals",
            rasterized=many,
        )
    elif len(panel.x):
        axes.plot(
            panel.x,
            np.zeros(len(panel.x)),
            linestyle="none",
            marker="|",
            markersize=6,
            color=GRAY,
            alpha=0.5,
            transform=axes.get_xaxis_transform(),
            rasterized=len(panel.x) > _FEW_POINTS,
        )


def _draw_band(axes: Any, panel: EffectPanel, scene: Scene) -> None:
    label = f"{scene.percent} confidence band of the mean"
    axes.fill_between(panel.place, panel.lower, panel.upper, color=FIT_COLOR, alpha=0.25, linewidth=0, label=label)
    axes.plot(panel.place, panel.mean, color=FIT_COLOR, linewidth=1.6, label="fitted mean")
    axes.locator_params(axis="x", nbins=5)


def _draw_levels(axes: Any, panel: EffectPanel, scene: Scene) -> None:
    label = f"{scene.percent} confidence interval of the mean"
    axes.vlines(panel.place, panel.lower, panel.upper, color=FIT_COLOR, linewidth=3, alpha=0.6, label=label)
    axes.plot(panel.place, panel.mean, color=FIT_COLOR, linestyle="none", marker="o", markersize=5, label="fitted mean")
    slanted = sum(map(len, panel.levels)) > _LONG
    axes.set_xticks(panel.place, labels=[plain(level) for level in panel.levels], rotation=45 if slanted else 0)
    axes.margins(x=0.25)


def describe_effects(scene: Scene) -> str:
    """What the figure shows, in words."""
    said = [
        f"One panel per predictor: the fitted mean with its pointwise {scene.percent} Wald band, made on the scale of "
        "the linear predictor, the other columns of the design at their means."
    ]
    known = [one.effects for one in scene.observed if one.effects is not None]
    for effects in known:
        panels = [panel for own, panel in shown_panels(scene) if own is effects]
        if panels:
            said.append(f"{effects.name} against {'; '.join(map(_told, panels))}.")
        if effects.shown:
            some = "" if effects.shown == effects.rows else f" of {effects.shown:,} of the {effects.rows:,} rows"
            said.append(f"The points are partial residuals{some}: the mean in the panel plus the row's residual.")
        else:
            said.append("Marks at the lower edge are values of the predictor, evenly spaced in rank.")
        said += effects.left_out
    if sum(len(effects.panels) for effects in known) > MOST_PANELS:
        said.append(f"The first {MOST_PANELS} panels are shown.")
    return " ".join(said)


def _told(panel: EffectPanel) -> str:
    if len(panel.levels) > len(("0", "1")) or (panel.levels and panel.levels != ("0", "1")):
        parts = [f"{level} {mean:.4g}" for level, mean in zip(panel.levels, panel.mean, strict=True)]
        return f"the levels of {panel.name} ({', '.join(parts)})"
    ends = f"{panel.mean[0]:.4g} at {panel.place[0]:.4g} to {panel.mean[-1]:.4g} at {panel.place[-1]:.4g}"
    return f"{panel.name} (mean from {ends})"


EFFECTS = FigureOfFit(
    "effects",
    lambda scene: bool(shown_panels(scene)),
    lambda scene: "Effects of the predictors, the others at their means",
    describe_effects,
    draw_effects,
)
