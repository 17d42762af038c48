"""Figures that any fit can have: curve, intervals, profiles, pairs, posterior densities."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2

from ppl_mle.inference import normal_quantile
from ppl_mle.posterior.agreement import draws_by_label
from ppl_mle.report.arviz_figures import draw_marginals
from ppl_mle.report.canvas import (
    FIT_COLOR,
    GRAY,
    POSTERIOR_COLOR,
    clear_frame,
    in_our_style,
    legend_below,
    new_figure,
    plain,
)
from ppl_mle.report.figures import draw_curve, draw_densities, draw_forest
from ppl_mle.report.scene import FigureOfFit, Scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 3
_SHOWN_DRAWS = 500


@in_our_style
def draw_profiles(scene: Scene) -> "Figure":
    """Relative profile likelihood of each element, with the normal one behind the Wald interval and the posterior.

    All three have height 1 at their mode. Where profile and dashed curve part, the Wald interval is off. Drawn by
    ourselves but for the posterior, since no library has profiles.
    """
    profiles = scene.profiles
    rows = -(-len(profiles) // _COLUMNS)
    figure = new_figure(9, 0.7 + 2.3 * rows)
    panels = figure.subplots(rows, min(_COLUMNS, len(profiles)), squeeze=False).ravel()
    for panel in panels[len(profiles) :]:
        panel.set_visible(False)
    if scene.idata is not None:
        draws = draws_by_label(scene.results, scene.idata)
        draw_marginals(panels[: len(profiles)], [draws[label].to_numpy(float) for label in profiles])
    cut = float(np.exp(-(normal_quantile(scene.ci_prob) ** 2) / 2))
    for panel, (label, profile) in zip(panels, profiles.items(), strict=False):
        value = profile.frame["value"].to_numpy(float)
        panel.plot(value, np.exp(-(profile.frame["signed_root"] ** 2) / 2), color=FIT_COLOR, label="profile")
        wald = np.exp(-(profile.frame["wald_root"] ** 2) / 2)
        panel.plot(value, wald, color=FIT_COLOR, linestyle="--", linewidth=1, label="Wald")
        panel.axhline(cut, color=GRAY, linewidth=0.6)
        panel.plot([profile.lower, profile.upper], [cut, cut], color=FIT_COLOR, linewidth=0, marker="|", markersize=10)
        panel.set_title(plain(label))
        panel.set_yticks([])
        panel.locator_params(axis="x", nbins=4)
        clear_frame(panel)
    legend_below(figure, panels)
    return figure


@in_our_style
def draw_pairs(scene: Scene) -> "Figure":
    """Joint likelihood-ratio regions of pairs of elements, with the ellipse of the Wald region and posterior draws.

    Drawn by ourselves: `arviz_plots.plot_pair` is a matrix of the elements of a posterior, and regions are there
    without one, of some pairs only.
    """
    pairs = list(scene.contours.items())
    rows = -(-len(pairs) // _COLUMNS)
    figure = new_figure(9, 0.7 + 2.8 * rows)
    panels = figure.subplots(rows, min(_COLUMNS, len(pairs)), squeeze=False).ravel()
    for panel in panels[len(pairs) :]:
        panel.set_visible(False)
    draws = None if scene.idata is None else draws_by_label(scene.results, scene.idata)
    for panel, ((one, other), edge) in zip(panels, pairs, strict=False):
        if draws is not None:
            some = draws[[one, other]].iloc[:: max(1, len(draws) // _SHOWN_DRAWS)]
            panel.scatter(
                some[one], some[other], s=3, color=POSTERIOR_COLOR, alpha=0.3, linewidths=0, label="posterior draws"
            )
        closed = pd.concat([edge, edge.iloc[:1]])
        panel.plot(closed.iloc[:, 0], closed.iloc[:, 1], color=FIT_COLOR, label="likelihood ratio")
        ellipse = wald_ellipse(scene, one, other)
        panel.plot(*ellipse, color=FIT_COLOR, linestyle="--", linewidth=1, label="Wald")
        params = scene.results.estimates.params
        panel.plot([params[one]], [params[other]], marker="+", color=FIT_COLOR, linestyle="none")
        panel.set_xlabel(plain(one))
        panel.set_ylabel(plain(other))
        panel.locator_params(nbins=4)
        clear_frame(panel)
        panel.spines["left"].set_visible(True)
    legend_below(figure, panels, 3)
    return figure


def wald_ellipse(scene: Scene, one: str, other: str, points: int = 100) -> np.ndarray:
    """Edge of the joint Wald region on the declared scale, shape (2, points)."""
    covariance = scene.results.estimates.cov_params().loc[[one, other], [one, other]].to_numpy(float)
    factor = np.linalg.cholesky(covariance)
    angle = np.linspace(0, 2 * np.pi, points)
    circle = np.sqrt(chi2.ppf(scene.ci_prob, 2)) * np.array([np.cos(angle), np.sin(angle)])
    center = scene.results.estimates.params[[one, other]].to_numpy(float)
    return center[:, None] + factor @ circle


def _curve_alt(scene: Scene) -> str:
    curve = scene.curve
    assert curve is not None
    return (
        f"Scatter of {curve.y_name} against {curve.x_name}, {len(curve.x_data)} rows, with the fitted mean and its "
        f"{scene.percent} confidence band. The mean runs from {curve.mean[0]:.4g} at {curve.x_grid[0]:.4g} to "
        f"{curve.mean[-1]:.4g} at {curve.x_grid[-1]:.4g}."
    )


def _forest_alt(scene: Scene) -> str:
    both = "Wald intervals of the fit and equal-tailed intervals of the posterior"
    kinds = "Wald intervals" if scene.idata is None else both
    return f"One row per element: estimate and {scene.percent} {kinds}. The numbers are in the tables."


CURVE = FigureOfFit(
    "curve",
    lambda scene: scene.curve is not None,
    lambda scene: f"{scene.curve.y_name} against {scene.curve.x_name}",  # type: ignore[union-attr]
    _curve_alt,
    lambda scene: draw_curve(scene.curve, scene.ci_prob),  # type: ignore[arg-type]
)
FOREST = FigureOfFit(
    "intervals",
    lambda scene: True,
    lambda scene: "Intervals",
    _forest_alt,
    lambda scene: draw_forest(scene.results, scene.idata, scene.ci_prob),
)
PROFILES = FigureOfFit(
    "profiles",
    lambda scene: bool(scene.profiles),
    lambda scene: "Relative profile likelihood",
    lambda scene: (
        f"One panel per element ({', '.join(scene.profiles)}): the profile likelihood relative to its maximum, the "
        f"normal curve behind the Wald interval{'' if scene.idata is None else ', and the posterior density'}. The "
        f"horizontal line cuts the {scene.percent} likelihood-ratio interval off."
    ),
    draw_profiles,
)
PAIRS = FigureOfFit(
    "pairs",
    lambda scene: bool(scene.contours),
    lambda scene: f"Joint {scene.percent} regions of pairs",
    lambda scene: (
        f"One panel per pair of elements ({'; '.join(' and '.join(pair) for pair in scene.contours)}): the edge of the "
        f"joint {scene.percent} likelihood-ratio region, the ellipse of the Wald region, and the estimate"
        f"{'' if scene.idata is None else ', over draws of the posterior'}."
    ),
    draw_pairs,
)
DENSITIES = FigureOfFit(
    "densities",
    lambda scene: scene.idata is not None,
    lambda scene: "Posterior densities",
    lambda scene: (
        f"One panel per element: posterior density, with the estimate as a vertical line and the {scene.percent} "
        "intervals of fit and posterior below. The numbers are in the tables."
    ),
    lambda scene: draw_densities(scene.results, scene.idata, scene.ci_prob),
)
