"""The figures of a report: densities, a forest of intervals, a fitted curve."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ppl_mle.inference import Results
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
from ppl_mle.report.rounding import show_estimate, show_number, show_se

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ELEMENTS_SHOWN = 40
COLUMNS = 4
COMPARABLE = 20.0
MANY_POINTS = 2000


@dataclass(frozen=True)
class FittedCurve:
    """The mean response of a model with one predictor.

    Parameters
    ----------
    x_name, y_name : str
    x_data, y_data : array, shape (n,)
    x_grid, mean, lower, upper : array, shape (m,)
        The curve and the bounds of its confidence band.
    """

    x_name: str
    y_name: str
    x_data: np.ndarray
    y_data: np.ndarray
    x_grid: np.ndarray
    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@in_our_style
def draw_densities(results: Results, idata: Any, ci_prob: float = 0.95) -> "Figure":
    """Draw the posterior density of each element by arviz-plots, with the estimate and both intervals.

    Parameters
    ----------
    results : Results
    idata : DataTree
        With a group `posterior` that holds the fit's variables.
    ci_prob : float
        Content of the Wald interval and of the posterior's equal-tailed interval.

    Returns
    -------
    Figure
        At most 40 panels; the title says so when there are more elements.

    Raises
    ------
    RequestError
        The posterior does not match the fit.
    """
    draws = draws_by_label(results, idata)
    labels = list(results.estimates.labels)[:ELEMENTS_SHOWN]
    wald = results.estimates.wald(ci_prob)
    rows = -(-len(labels) // COLUMNS)
    figure = new_figure(10, 0.9 + 1.9 * rows)
    panels = figure.subplots(rows, min(COLUMNS, len(labels)), squeeze=False).ravel()
    for panel in panels[len(labels) :]:
        panel.set_visible(False)
    draw_marginals(panels[: len(labels)], [draws[label].to_numpy(float) for label in labels], ci_prob)
    for panel, label in zip(panels, labels, strict=False):
        _add_fit(panel, label, results.estimates.params[label], wald.loc[label].to_numpy(float), ci_prob)
    legend_below(figure, panels)
    figure.suptitle("Posterior densities and estimates" + _cut(len(results.estimates.labels)))
    return figure


@in_our_style
def draw_forest(results: Results, idata: Any = None, ci_prob: float = 0.95) -> "Figure":
    """Draw the intervals of all elements, those of the posterior beside them when there is one.

    The axis is that of the declared values when all intervals are of comparable length. Otherwise, and with a
    posterior, it is standardized, (value - estimate) / SE, so that every row can be read; the label says so, and the
    numbers stand beside each row. Drawn by ourselves: `arviz_plots.plot_forest` is of draws, which a Wald interval has
    not, on one scale.

    Parameters
    ----------
    results : Results
    idata : DataTree, optional
    ci_prob : float
        Content of the Wald and of the equal-tailed intervals.

    Returns
    -------
    Figure
        At most 40 rows; the title says so when there are more elements.

    Raises
    ------
    RequestError
        The posterior does not match the fit.
    """
    table = _forest_table(results, idata, ci_prob).iloc[:ELEMENTS_SHOWN]
    standardized = idata is not None or not _comparable(table)
    figure = new_figure(9, 1.4 + 0.32 * len(table))
    axes = figure.subplots()
    for position, (label, row) in enumerate(table.iterrows()):
        _draw_row(axes, position, row, standardized, fixed=label in results.fixed)
    axes.set_yticks(range(len(table)), labels=[plain(label) for label in table.index])
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    if standardized or table["lower"].min() <= 0 <= table["upper"].max():
        axes.axvline(0, color=GRAY, linewidth=0.6, zorder=0)
    clear_frame(axes)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(table)), labels=[_numbers(row) for _, row in table.iterrows()])
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    axes.set_xlabel("(value - estimate) / standard error" if standardized else "value")
    content = show_number(100 * ci_prob)
    kinds = f"{content} % Wald" + (f" and posterior {content} % equal-tailed" if idata is not None else "")
    axes.set_title(f"{kinds} intervals; estimate (SE) on the right" + _cut(len(results.estimates.labels)))
    if idata is not None:
        legend_below(figure, [axes], 2)
    return figure


@in_our_style
def draw_curve(curve: FittedCurve, ci_prob: float = 0.95) -> "Figure":
    """Draw the data with the fitted mean response and its confidence band.

    Parameters
    ----------
    curve : FittedCurve
    ci_prob : float
        Content of the band, for the legend.

    Returns
    -------
    Figure
    """
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    many = len(curve.x_data) > MANY_POINTS
    size, alpha = (4.0, 0.25) if many else (16.0, 0.6)
    axes.scatter(
        curve.x_data, curve.y_data, s=size, color=GRAY, alpha=alpha, linewidths=0, label="data", rasterized=many
    )
    band = f"{show_number(100 * ci_prob)} % confidence band of the mean"
    axes.fill_between(curve.x_grid, curve.lower, curve.upper, color=FIT_COLOR, alpha=0.25, linewidth=0, label=band)
    axes.plot(curve.x_grid, curve.mean, color=FIT_COLOR, linewidth=1.8, label="fitted mean")
    axes.set_xlabel(plain(curve.x_name))
    axes.set_ylabel(plain(curve.y_name))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _cut(total: int) -> str:
    return f" (the first {ELEMENTS_SHOWN} of {total} elements)" if total > ELEMENTS_SHOWN else ""


def _add_fit(axes: Any, label: str, estimate: float, bounds: np.ndarray, prob: float) -> None:
    name = f"{show_number(100 * prob)} % Wald interval"
    axes.plot(bounds, [-0.22, -0.22], color=FIT_COLOR, linewidth=2.5, label=name)
    if np.isfinite(estimate):
        axes.axvline(estimate, color=FIT_COLOR, linewidth=1.2, label="estimate")
    else:
        axes.text(0.5, 0.9, f"estimate {show_number(estimate)}", transform=axes.transAxes, ha="center", color=FIT_COLOR)
    axes.set_title(plain(label))
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=4)
    clear_frame(axes)


def _forest_table(results: Results, idata: Any, ci_prob: float) -> pd.DataFrame:
    table = results.estimates.wald(ci_prob).assign(estimate=results.estimates.params, se=results.estimates.bse)
    if idata is None:
        return table
    draws = draws_by_label(results, idata)
    tail = (1 - ci_prob) / 2
    values = np.quantile(draws.to_numpy(), [tail, 0.5, 1 - tail], axis=0)
    return table.assign(**dict(zip(("eti_lower", "median", "eti_upper"), values, strict=True)))


def _comparable(table: pd.DataFrame) -> bool:
    """Whether intervals on one axis can all be read: lengths and distances within a factor of each other."""
    lengths = (table["upper"] - table["lower"]).to_numpy(float)
    lengths = lengths[np.isfinite(lengths) & (lengths > 0)]
    if not lengths.size:
        return True
    span = table["upper"].max() - table["lower"].min()
    return bool(span <= COMPARABLE * 2 * lengths.min())


def _draw_row(axes: Any, position: int, row: pd.Series, standardized: bool, fixed: bool) -> None:
    estimate, se = float(row["estimate"]), float(row["se"])
    if not (np.isfinite(estimate) and se > 0):
        reason = "fixed" if fixed else "no standard error"
        middle = axes.get_yaxis_transform()
        axes.text(0.5, position, reason, color=GRAY, ha="center", va="center", style="italic", transform=middle)
        return
    center, scale = (estimate, se) if standardized else (0.0, 1.0)
    above = position - 0.14 if "median" in row else position
    _draw_interval(axes, above, row[["lower", "estimate", "upper"]], center, scale, FIT_COLOR, "fit")
    if "median" in row:
        parts = row[["eti_lower", "median", "eti_upper"]]
        _draw_interval(axes, position + 0.14, parts, center, scale, POSTERIOR_COLOR, "posterior (median)")


def _draw_interval(axes: Any, y: float, parts: pd.Series, center: float, scale: float, color: str, name: str) -> None:
    lower, middle, upper = (parts.to_numpy(float) - center) / scale
    axes.plot([lower, upper], [y, y], color=color, linewidth=1.8, solid_capstyle="butt")
    axes.plot([middle], [y], marker="o", markersize=4, color=color, linestyle="none", label=name)


def _numbers(row: pd.Series) -> str:
    return f"{show_estimate(row['estimate'], row['se'])} ({show_se(row['se'])})"
