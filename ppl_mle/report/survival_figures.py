"""Figures of censored times: the fitted survival function beside that of Kaplan and Meier."""

from typing import TYPE_CHECKING

import numpy as np

from ppl_mle.report.canvas import FIT_COLOR, GRAY, POSTERIOR_COLOR, clear_frame, in_our_style, new_figure, plain
from ppl_mle.report.observed import Observed, Survival
from ppl_mle.report.scene import FigureOfRows
from ppl_mle.report.thinning import shown_ranks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TICKS = 500


def kaplan_meier(survival: Survival) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, estimates and standard errors of the product-limit estimator (Kaplan and Meier 1958; statsmodels)."""
    from statsmodels.duration.survfunc import SurvfuncRight

    found = SurvfuncRight(survival.times, survival.happened.astype(int))
    return np.asarray(found.surv_times), np.asarray(found.surv_prob), np.asarray(found.surv_prob_se)


@in_our_style
def draw_survival(observed: Observed) -> "Figure":
    """Kaplan and Meier's steps with their band of two standard errors, and the fitted probabilities."""
    survival = observed.survival
    assert survival is not None
    times, steps, errors = survival.product_limit()
    at, height = np.r_[survival.grid[0], times], np.r_[1.0, steps]
    spread = 2 * np.nan_to_num(np.r_[0.0, errors])
    figure = new_figure(6.5, 4)
    axes = figure.subplots()
    band = np.clip([height - spread, height + spread], 0, 1)
    axes.fill_between(
        at, band[0], band[1], step="post", color=POSTERIOR_COLOR, alpha=0.15, linewidth=0, label="2 standard errors"
    )
    axes.step(at, height, where="post", color=POSTERIOR_COLOR, linewidth=1.2, label="Kaplan-Meier")
    ended = np.sort(survival.times[~survival.happened])
    ended = ended[shown_ranks(len(ended), _TICKS)]
    reached = height[np.searchsorted(at, ended, side="right") - 1]
    axes.plot(ended, reached, linestyle="none", marker="|", markersize=5, color=GRAY, label="censored")
    axes.plot(survival.grid, survival.fitted, color=FIT_COLOR, linewidth=1.8, label="fitted")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(plain(observed.name))
    axes.set_ylabel("probability of lasting longer")
    axes.legend(frameon=False, fontsize=7)
    clear_frame(axes)
    axes.spines["left"].set_visible(True)
    return figure


SURVIVAL = FigureOfRows(
    "survival",
    lambda o: o.survival is not None,
    lambda o: f"Survival function of {o.name}, fitted and by Kaplan and Meier",
    lambda o: (
        f"Probability of lasting longer than each value of {o.name}: the steps of Kaplan and Meier with a band of two "
        f"standard errors, and the fitted curve averaged over {len(o.values)} rows, of which "
        f"{int(np.sum(~o.survival.happened))} are censored."  # type: ignore[union-attr]
    ),
    draw_survival,
)
