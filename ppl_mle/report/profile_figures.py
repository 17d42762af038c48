"""Figures of profiles: the signed root beside the Wald line, and contours."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ppl_mle.inference import Profile, normal_quantile
from ppl_mle.report.canvas import FIT_COLOR, GRAY, POSTERIOR_COLOR, clear_frame, in_our_style, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_our_style
def draw_profile(profile: Profile) -> "Figure":
    """Draw the signed root of the likelihood ratio against the value, beside the straight line of the Wald statistic.

    Where the two part, the log-likelihood is no parabola and the Wald interval is off (Bates and Watts 1988, 6.1).

    Parameters
    ----------
    profile : Profile

    Returns
    -------
    Figure
    """
    figure = new_figure(5.5, 4)
    axes = figure.subplots()
    frame, level = profile.frame, normal_quantile(profile.ci_prob)
    axes.plot(frame["value"], frame["signed_root"], color=FIT_COLOR, label="profile")
    axes.plot(frame["value"], frame["wald_root"], color=POSTERIOR_COLOR, linestyle="--", label="Wald")
    axes.set_ylim(1.05 * min(-level, frame["signed_root"].min()), 1.05 * max(level, frame["signed_root"].max()))
    for height in (-level, 0.0, level):
        axes.axhline(height, color=GRAY, linewidth=0.6)
    for bound in (profile.lower, profile.upper):
        if np.isfinite(bound):
            axes.axvline(bound, color=GRAY, linewidth=0.6, linestyle=":")
    axes.set_xlabel(plain(profile.label))
    axes.set_ylabel("signed root of the likelihood ratio")
    axes.set_title(f"{100 * profile.ci_prob:g} % interval {profile.lower:.4g} to {profile.upper:.4g}")
    axes.legend(frameon=False)
    clear_frame(axes)
    return figure


@in_our_style
def draw_contour(edge: pd.DataFrame, estimate: tuple[float, float]) -> "Figure":
    """Draw the edge of a joint region and the estimate.

    Parameters
    ----------
    edge : DataFrame, two columns
        As `Fit.contour` returns it.
    estimate : tuple of float

    Returns
    -------
    Figure
    """
    figure = new_figure(4.5, 4.2)
    axes = figure.subplots()
    closed = pd.concat([edge, edge.iloc[:1]])
    axes.plot(closed.iloc[:, 0], closed.iloc[:, 1], color=FIT_COLOR)
    axes.plot(*estimate, marker="+", color=FIT_COLOR)
    axes.set_xlabel(plain(edge.columns[0]))
    axes.set_ylabel(plain(edge.columns[1]))
    clear_frame(axes)
    return figure
