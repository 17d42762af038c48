"""Residual figures of a normal response: against the fitted mean, quantiles, scale and location, leverage."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ppl_mle.report.canvas import FIT_COLOR, GRAY, POSTERIOR_COLOR, clear_frame, in_our_style, new_figure
from ppl_mle.report.figures import MANY_POINTS
from ppl_mle.report.observed import Observed
from ppl_mle.report.scene import FigureOfRows
from ppl_mle.report.thinning import shown_ranks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (5.0, 3.6)
COOK_LEVELS = (0.5, 1.0)
MARKED = 3
_SMOOTHED = 5000


def has_standardized(observed: Observed) -> bool:
    """Whether rows are normal with studentized residuals, or else Pearson residuals."""
    return observed.kind == "normal" and observed.pearson is not None


def has_leverage(observed: Observed) -> bool:
    """Whether rows have a leverage and a studentized residual."""
    return observed.influence is not None and observed.kind in ("normal", "counts") and observed.coefficients > 0


def standardized(observed: Observed) -> np.ndarray:
    """Studentized residuals where there are any, else Pearson residuals."""
    assert observed.pearson is not None
    return observed.pearson if observed.influence is None else observed.influence["std_resid"].to_numpy(float)


@in_our_style
def draw_residuals(observed: Observed) -> "Figure":
    """Response minus fitted mean against the fitted mean, with a smooth curve through it."""
    residual = observed.values - observed.fitted
    return _scatter(observed.fitted, residual, "fitted mean", "residual")


@in_our_style
def draw_quantiles(observed: Observed) -> "Figure":
    """Ordered standardized residuals against normal quantiles (statsmodels' `ProbPlot.qqplot`)."""
    from statsmodels.graphics.gofplots import ProbPlot, qqline

    whole = ProbPlot(standardized(observed))
    ranks = shown_ranks(len(observed.values))
    figure = new_figure(*SIZE)
    axes = figure.subplots()
    ProbPlot(whole.sample_quantiles[ranks]).qqplot(
        xlabel="normal quantile",
        ylabel="standardized residual",
        other=whole.theoretical_quantiles[ranks],
        ax=axes,
        markerfacecolor=FIT_COLOR,
        markeredgewidth=0,
        markersize=np.sqrt(12),
        alpha=0.7,
    )
    qqline(axes, "45", color=GRAY, linewidth=1)
    clear_frame(axes)
    axes.spines["left"].set_visible(True)
    return figure


@in_our_style
def draw_scale_location(observed: Observed) -> "Figure":
    """Root of the absolute standardized residual against the fitted mean."""
    return _scatter(observed.fitted, np.sqrt(np.abs(standardized(observed))), "fitted mean", "root of |standardized|")


@in_our_style
def draw_leverage(observed: Observed) -> "Figure":
    """Standardized residual against leverage, with contours of Cook's distance; the farthest rows are marked.

    Drawn by ourselves: statsmodels' `influence_plot` is of its own results only, and has no contours.
    """
    assert observed.influence is not None
    leverage, residual, cook = (
        observed.influence[name].to_numpy(float) for name in ("leverage", "std_resid", "cooks_distance")
    )
    figure = new_figure(*SIZE)
    axes = figure.subplots()
    _points(axes, leverage, residual)
    limits = axes.get_ylim()
    grid = np.linspace(max(leverage.max() * 1e-2, leverage.min() * 0.8), min(0.999, leverage.max() * 1.1), 100)
    for level, style in zip(COOK_LEVELS, (":", "--"), strict=True):
        edge = np.sqrt(level * observed.coefficients * (1 - grid) / grid)
        axes.plot(grid, edge, color=POSTERIOR_COLOR, linestyle=style, linewidth=1, label=f"Cook's distance {level:g}")
        axes.plot(grid, -edge, color=POSTERIOR_COLOR, linestyle=style, linewidth=1)
    axes.set_ylim(*limits)
    for row in np.argsort(np.nan_to_num(cook))[::-1][:MARKED]:
        axes.annotate(str(observed.influence.index[row]), (leverage[row], residual[row]), fontsize=7, color=GRAY)
    axes.axhline(0, color=GRAY, linewidth=0.6)
    axes.set_xlabel("leverage")
    axes.set_ylabel("standardized residual")
    axes.legend(frameon=False, fontsize=7)
    clear_frame(axes)
    axes.spines["left"].set_visible(True)
    return figure


def _scatter(x: np.ndarray, y: np.ndarray, x_name: str, y_name: str) -> "Figure":
    figure = new_figure(*SIZE)
    axes = figure.subplots()
    _points(axes, x, y)
    _smooth(axes, x, y)
    axes.axhline(0, color=GRAY, linewidth=0.6)
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    clear_frame(axes)
    axes.spines["left"].set_visible(True)
    return figure


def _points(axes: Any, x: np.ndarray, y: np.ndarray) -> None:
    axes.scatter(x, y, s=12, color=FIT_COLOR, alpha=0.7, linewidths=0, rasterized=len(x) > MANY_POINTS)


def _smooth(axes: Any, x: np.ndarray, y: np.ndarray) -> None:
    """A locally weighted regression (Cleveland 1979), where there are enough different places for one."""
    if not 10 <= len(x) <= _SMOOTHED or len(np.unique(x)) < 10:
        return
    from statsmodels.nonparametric.smoothers_lowess import lowess

    curve = lowess(y, x, frac=2 / 3, delta=0.01 * float(np.ptp(x)))
    axes.plot(curve[:, 0], curve[:, 1], color=POSTERIOR_COLOR, linewidth=1.2)


def _shown(observed: Observed) -> str:
    ranks = shown_ranks(len(observed.values))
    return "" if len(ranks) == len(observed.values) else f" {len(ranks):,} of {len(observed.values):,} are shown."


def _furthest(observed: Observed) -> str:
    assert observed.influence is not None
    cook = observed.influence["cooks_distance"]
    row = int(cook.fillna(0).to_numpy().argmax())
    return f"The largest Cook's distance is {cook.iloc[row]:.3g}, of row {cook.index[row]}."


RESIDUALS = FigureOfRows(
    "residuals",
    has_standardized,
    lambda o: f"Residuals of {o.name} against the fitted mean",
    lambda o: (
        f"Residuals of {len(o.values)} rows of {o.name} against their fitted means, with a smooth curve. They range "
        f"from {(o.values - o.fitted).min():.4g} to {(o.values - o.fitted).max():.4g}."
    ),
    draw_residuals,
)
QUANTILES = FigureOfRows(
    "quantiles",
    has_standardized,
    lambda o: f"Quantiles of the residuals of {o.name}",
    lambda o: (
        f"Ordered standardized residuals of {o.name} against normal quantiles, with the line on which normal ones lie. "
        f"They range from {standardized(o).min():.3g} to {standardized(o).max():.3g}.{_shown(o)}"
    ),
    draw_quantiles,
)
SCALE_LOCATION = FigureOfRows(
    "scale_location",
    has_standardized,
    lambda o: f"Scale and location of {o.name}",
    lambda o: (
        f"Roots of the absolute standardized residuals of {o.name} against the fitted means, with a smooth curve, "
        "which is level where the variance is constant."
    ),
    draw_scale_location,
)
LEVERAGE = FigureOfRows(
    "leverage",
    has_leverage,
    lambda o: f"Leverage of the rows of {o.name}",
    lambda o: (
        f"Standardized residuals of {o.name} against leverage, with contours of Cook's distance at 0.5 and 1. "
        f"{_furthest(o)}"
    ),
    draw_leverage,
)
