"""Figures of counts: hanging rootogram, dispersion."""

from typing import TYPE_CHECKING

import numpy as np

from ppl_mle.report.canvas import FIT_COLOR, GRAY, POSTERIOR_COLOR, clear_frame, in_our_style, new_figure, plain
from ppl_mle.report.observed import Observed
from ppl_mle.report.scene import FigureOfRows
from ppl_mle.report.thinning import thinned, words_of_shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (5.0, 3.6)


def has_expected(observed: Observed) -> bool:
    """Whether expected frequencies are known."""
    return observed.expected_counts is not None


def has_dispersion(observed: Observed) -> bool:
    """Whether counts have Pearson residuals, which show their dispersion."""
    return observed.kind == "counts" and observed.pearson is not None and observed.coefficients > 0


def frequencies(observed: Observed) -> np.ndarray:
    """How many rows have the value 0, 1, ..., as many as there are expected frequencies."""
    assert observed.expected_counts is not None
    return np.bincount(observed.values.astype(int), minlength=len(observed.expected_counts)).astype(float)


def dispersion(observed: Observed) -> float:
    """Sum of squared Pearson residuals over its degrees of freedom; 1 where the variance is as the model has it."""
    assert observed.pearson is not None
    spare = len(observed.pearson) - observed.coefficients
    return float(np.sum(observed.pearson**2) / spare) if spare > 0 else float("nan")


@in_our_style
def draw_rootogram(observed: Observed) -> "Figure":
    """Roots of observed frequencies, hung from those of the expected ones (Tukey 1972; Kleiber and Zeileis 2016).

    Drawn by ourselves: `arviz_plots.plot_ppc_rootogram`, which the predictive check has, is of drawn counts only.
    """
    assert observed.expected_counts is not None
    counts, expected, found = np.arange(len(observed.expected_counts)), observed.expected_counts, frequencies(observed)
    figure = new_figure(*SIZE)
    axes = figure.subplots()
    axes.bar(counts, np.sqrt(found), bottom=np.sqrt(expected) - np.sqrt(found), color=GRAY, alpha=0.5, width=0.85)
    axes.plot(counts, np.sqrt(expected), color=FIT_COLOR, marker="o", markersize=3, linewidth=1.2)
    axes.axhline(0, color=POSTERIOR_COLOR, linewidth=0.8)
    axes.set_xlabel(plain(observed.name))
    axes.set_ylabel("root of the frequency")
    clear_frame(axes)
    axes.spines["left"].set_visible(True)
    return figure


@in_our_style
def draw_dispersion(observed: Observed) -> "Figure":
    """Squared Pearson residuals against the fitted mean, whose mean is 1 where the variance is as the model has it."""
    assert observed.pearson is not None
    figure = new_figure(*SIZE)
    axes = figure.subplots()
    rows = thinned(observed)
    assert rows.pearson is not None
    axes.scatter(rows.fitted, rows.pearson**2, s=12, color=FIT_COLOR, alpha=0.6, linewidths=0)
    axes.axhline(1, color=GRAY, linewidth=1, label="as the model has it")
    axes.axhline(dispersion(observed), color=POSTERIOR_COLOR, linestyle="--", linewidth=1.2, label="dispersion found")
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set_xlabel("fitted mean")
    axes.set_ylabel("squared Pearson residual")
    axes.legend(frameon=False, fontsize=7)
    clear_frame(axes)
    axes.spines["left"].set_visible(True)
    return figure


ROOTOGRAM = FigureOfRows(
    "rootogram",
    has_expected,
    lambda o: f"Hanging rootogram of {o.name}",
    lambda o: (
        f"Roots of the frequencies of the values of {o.name}, hung from the curve of the expected ones: bars that end "
        f"below zero are more frequent than the model has it. Zeros: {int(frequencies(o)[0])} observed, "
        f"{o.expected_counts[0]:.4g} expected."  # type: ignore[index]
    ),
    draw_rootogram,
)
DISPERSION = FigureOfRows(
    "dispersion",
    has_dispersion,
    lambda o: f"Dispersion of {o.name}: {dispersion(o):.3g}",
    lambda o: (
        f"Squared Pearson residuals of {o.name} against the fitted mean. Their sum over its degrees of freedom is "
        f"{dispersion(o):.3g}; it is about 1 where the variance is as the model has it."
        + (f" {words_of_shown(o)}." if words_of_shown(o) else "")
    ),
    draw_dispersion,
)
