"""Whether the chains of a sampler agree: rank plots by arviz-plots."""

from typing import TYPE_CHECKING

import numpy as np

from ppl_mle.posterior.agreement import draws_by_label
from ppl_mle.report.canvas import in_our_style, plain
from ppl_mle.report.scene import FigureOfFit, Scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 12
_COLUMNS = 3
_RESAMPLED = ("psis", "laplace")


@in_our_style
def draw_ranks(scene: Scene) -> "Figure":
    """Draw the fractional ranks of each chain among all, as differences from a uniform distribution function.

    Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021); `arviz_plots.plot_rank`.
    """
    import arviz_plots
    from arviz_base import from_dict
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    posterior = scene.idata["posterior"]
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    draws = draws_by_label(scene.results, scene.idata)
    chains = {plain(label): draws[label].to_numpy(float).reshape(shape) for label in _shown(scene)}
    rows = -(-len(chains) // _COLUMNS)
    plot = arviz_plots.plot_rank(
        from_dict({"posterior": chains}),
        backend="matplotlib",
        col_wrap=_COLUMNS,
        figure_kwargs={"figsize": (9, 0.7 + 2.3 * rows)},
    )
    figure: Figure = plot.viz["figure"].item()
    pyplot.close(figure)
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
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
