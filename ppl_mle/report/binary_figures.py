"""Figures of a response of zeros and ones: binned residuals, ROC, calibration, separation plot."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ppl_mle.report.canvas import FIT_COLOR, GRAY, POSTERIOR_COLOR, clear_frame, in_our_style, new_figure
from ppl_mle.report.figures import MANY_POINTS
from ppl_mle.report.observed import Observed
from ppl_mle.report.scene import FigureOfRows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (5.0, 3.6)
_DISTINCT = 5


def is_binary(observed: Observed) -> bool:
    """Whether there are both outcomes, and fitted probabilities of several sizes."""
    both = observed.kind == "binary" and 0 < float(observed.values.mean()) < 1
    return both and len(np.unique(observed.fitted)) >= _DISTINCT


def binned(observed: Observed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean fitted probability, mean residual and twice its standard error, of bins of equal size.

    The number of bins is the root of the number of rows (Gelman and Hill 2007, section 5.6).
    """
    order = np.argsort(observed.fitted, kind="stable")
    fitted, residual = observed.fitted[order], (observed.values - observed.fitted)[order]
    sizes = np.array([len(part) for part in np.array_split(order, max(2, int(np.sqrt(len(order)))))])
    starts = np.cumsum(sizes) - sizes

    def mean(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts) / sizes

    return mean(fitted), mean(residual), 2 * np.sqrt(mean(fitted * (1 - fitted)) / sizes)


def calibration(observed: Observed) -> tuple[np.ndarray, np.ndarray]:
    """Mean fitted probability and frequency of ones, of up to ten bins with as many rows each (scikit-learn)."""
    from sklearn.calibration import calibration_curve

    bins = min(10, max(2, len(observed.values) // 10))
    frequency, probability = calibration_curve(observed.values, observed.fitted, n_bins=bins, strategy="quantile")
    return probability, frequency


def area(observed: Observed) -> float:
    """Area under the ROC curve (scikit-learn)."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(observed.values, observed.fitted))


@in_our_style
def draw_binned(observed: Observed) -> "Figure":
    """Mean residual of each bin, between twice its standard error to both sides."""
    middle, residual, spread = binned(observed)
    figure, axes = _axes("mean fitted probability", "mean residual")
    axes.fill_between(middle, -spread, spread, color=GRAY, alpha=0.2, linewidth=0, label="2 standard errors")
    axes.scatter(middle, residual, s=16, color=FIT_COLOR, label="bins")
    axes.axhline(0, color=GRAY, linewidth=0.6)
    axes.legend(frameon=False, fontsize=7)
    return figure


@in_our_style
def draw_roc(observed: Observed) -> "Figure":
    """Proportion of ones found against that of zeros taken for ones, at every threshold (scikit-learn's display)."""
    from sklearn.metrics import RocCurveDisplay

    figure, axes = _axes("", "")
    shown = RocCurveDisplay.from_predictions(
        observed.values,
        observed.fitted,
        drop_intermediate=len(observed.values) > MANY_POINTS,
        ax=axes,
        curve_kwargs={"color": FIT_COLOR},
        plot_chance_level=True,
        chance_level_kw={"color": GRAY, "linewidth": 0.8, "linestyle": "-", "label": None},
    )
    shown.line_.set_label(f"area {area(observed):.3f}")
    axes.set(xlabel="zeros above the threshold", ylabel="ones above the threshold")
    axes.legend(frameon=False, loc="lower right")
    return figure


@in_our_style
def draw_calibration(observed: Observed) -> "Figure":
    """Frequency of ones against mean fitted probability, of bins with as many rows each (scikit-learn's display)."""
    from sklearn.calibration import CalibrationDisplay

    probability, frequency = calibration(observed)
    figure, axes = _axes("", "")
    axes.plot([0, 1], [0, 1], color=GRAY, linewidth=0.8, label="calibrated")
    shown = CalibrationDisplay(frequency, probability, observed.fitted)
    shown.plot(ax=axes, name="bins", ref_line=False, color=FIT_COLOR, marker="o", markersize=4, linewidth=1)
    axes.set(xlabel="mean fitted probability", ylabel="frequency of ones")
    axes.legend(frameon=False, loc="lower right")
    return figure


@in_our_style
def draw_separation(observed: Observed) -> "Figure":
    """Rows in the order of their fitted probability, the ones as bars (Greenhill, Ward and Sacks 2011)."""
    order = np.argsort(observed.fitted, kind="stable")
    figure, axes = _axes("rows, by fitted probability", "fitted probability")
    ones = np.flatnonzero(observed.values[order] == 1)
    width = max(0.3, min(3.0, 250 / len(order)))
    many = len(order) > MANY_POINTS
    axes.vlines(ones, 0, 1, color=POSTERIOR_COLOR, alpha=0.35, linewidth=width, rasterized=many)
    axes.plot(np.arange(len(order)), observed.fitted[order], color=FIT_COLOR, linewidth=1.4)
    axes.set_ylim(0, 1)
    return figure


def _axes(x_name: str, y_name: str) -> tuple[Any, Any]:
    figure = new_figure(*SIZE)
    axes = figure.subplots()
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    clear_frame(axes)
    axes.spines["left"].set_visible(True)
    return figure, axes


def _outside(observed: Observed) -> str:
    _, residual, spread = binned(observed)
    return f"{int(np.sum(np.abs(residual) > spread))} of {len(residual)}"


BINNED = FigureOfRows(
    "binned_residuals",
    is_binary,
    lambda o: f"Binned residuals of {o.name}",
    lambda o: (
        f"Mean residual of bins of rows of {o.name} against their mean fitted probability; {_outside(o)} bins lie "
        "farther from zero than two standard errors."
    ),
    draw_binned,
)
ROC = FigureOfRows(
    "roc",
    is_binary,
    lambda o: f"ROC curve of {o.name}, area {area(o):.3f}",
    lambda o: (
        f"Proportion of ones of {o.name} above every threshold of the fitted probability against that of zeros, in the "
        f"sample that was fitted; the area under the curve is {area(o):.3f}."
    ),
    draw_roc,
)
CALIBRATION = FigureOfRows(
    "calibration",
    is_binary,
    lambda o: f"Calibration of {o.name}",
    lambda o: (
        f"Frequency of ones of {o.name} against the mean fitted probability of {len(calibration(o)[0])} bins, with the "
        "line on which calibrated ones lie."
    ),
    draw_calibration,
)
SEPARATION = FigureOfRows(
    "separation_plot",
    is_binary,
    lambda o: f"Separation plot of {o.name}",
    lambda o: (
        f"The {len(o.values)} rows of {o.name} in the order of their fitted probability, which the line shows; bars "
        f"mark the {int(o.values.sum())} ones."
    ),
    draw_separation,
)
