"""Whether the chains of a sampler agree: rank plots by arviz-plots."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ppl_mle.posterior.agreement import draws_by_label
from ppl_mle.report.arviz_figures import in_default_settings, place_on
from ppl_mle.report.canvas import in_our_style, new_figure, plain
from ppl_mle.report.scene import FigureOfFit, Scene
from ppl_mle.report.thinning import shown_ranks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST, _FEW_CHAINS, _POINTS = 12, 4, 120
_COLUMNS = 3
_RESAMPLED = ("psis", "laplace")


@in_our_style
def draw_ranks(scene: Scene) -> "Figure":
    """Draw the fractional ranks of each chain among all, as differences from a uniform distribution function.

    Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021); `arviz_plots.plot_rank`.
    """
    from arviz_plots import plot_rank

    posterior = scene.idata["posterior"]
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    draws, shown = draws_by_label(scene.results, scene.idata), _shown(scene)
    chains = [draws[label].to_numpy(float).reshape(shape) for label in shown]
    data = xr.Dataset({f"element_{k}": (("chain", "draw"), own) for k, own in enumerate(chains)})
    data = data.assign_coords(chain=range(shape[0]), draw=range(shape[1]))
    rows = -(-len(shown) // _COLUMNS)
    figure = new_figure(9, 0.7 + 2.3 * rows)
    panels = figure.subplots(rows, min(_COLUMNS, len(shown)), squeeze=False).ravel()
    for panel in panels[len(shown) :]:
        panel.set_visible(False)
    with in_default_settings():
        plots = place_on(panels[: len(shown)], data, color=["chain"], overlay=["chain"])
        plot_rank(data, sample_dims=["chain", "draw"], plot_collection=plots, visuals={"title": False})
    for panel, label in zip(panels, shown, strict=False):
        panel.set_title(plain(label))
        for line in panel.lines:
            x, y = line.get_data()
            some = shown_ranks(len(x), _POINTS)
            line.set(data=(x[some], y[some]), linewidth=1.5 if shape[0] <= _FEW_CHAINS else 0.7)
    return figure


def _shown(scene: Scene) -> list[str]:
    draws = draws_by_label(scene.results, scene.idata)
    moving = [str(label) for label in draws if np.ptp(draws[label].to_numpy(float)) > 0]
    return moving[:_MOST]


def _has_chains(scene: Scene) -> bool:
    if scene.idata is None or scene.idata["posterior"].sizes["chain"] < 2:
        return False
    return scene.idata["posterior"].attrs.get("method") not in _RESAMPLED and bool(_shown(scene))


RANKS = FigureOfFit(
    "ranks",
    _has_chains,
    lambda scene: "Ranks of the chains",
    lambda scene: (
        f"One panel per element ({', '.join(_shown(scene))}) and one line per chain: how much more often than expected "
        "its draws are among the lowest of all. Chains that agree stay around zero; points that do not are marked."
    ),
    draw_ranks,
)
