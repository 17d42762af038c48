"""Figures by arviz-plots on axes of our own: outside pyplot, in our style, with ArviZ's default settings."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr

from ppl_mle.report.canvas import FIT_COLOR, POSTERIOR_COLOR
from ppl_mle.report.rounding import show_number

_LINES = 20
_KEPT = {"title": False, "remove_axis": False}
_POINT = ("point_estimate", "point_estimate_text")
_UNLABELED = {"title": False, "xlabel": False, "ylabel": False}


@contextmanager
def in_default_settings() -> Iterator[None]:
    """Use ArviZ's default settings, whatever the user's are, and leave its advice on other figures out."""
    from arviz_base import rc_context
    from arviz_base.rcparams import rc_params

    with warnings.catch_warnings(), rc_context(rc_params(ignore_files=True)):  # type: ignore[func-returns-value]
        warnings.simplefilter("ignore")
        yield


def place_on(panels: Any, data: xr.Dataset, **aesthetics: list[str]) -> Any:
    """Make the `arviz_plots.PlotCollection` in which each variable has its own axes, in order."""
    from arviz_plots import PlotCollection

    figure = xr.Dataset({"figure": ((), np.array(panels[0].figure, dtype=object))})
    plots = {name: ((), np.array(panel, dtype=object)) for name, panel in zip(data.data_vars, panels, strict=True)}
    tree = xr.DataTree(figure, children={"plot": xr.DataTree(xr.Dataset(plots))})
    return PlotCollection(data, tree, aes=aesthetics, backend="matplotlib")


def draw_marginals(panels: Any, draws: Sequence[np.ndarray], ci_prob: float | None = None) -> None:
    """Draw posterior densities of height 1, one on each of some axes (`arviz_plots.plot_dist`).

    Parameters
    ----------
    panels : sequence of Axes
    draws : sequence of array, shape (n,)
        Those that do not move have no density.
    ci_prob : float, optional
        Content of equal-tailed intervals, which are drawn below the densities.
    """
    from arviz_plots import plot_dist

    data = xr.Dataset({f"element_{position}": ("sample", own) for position, own in enumerate(draws)})
    finite = {str(name): own.to_numpy()[np.isfinite(own)] for name, own in data.items()}
    moving = {name: own for name, own in finite.items() if own.size > 1 and np.ptp(own) > 0}
    visuals: dict[str, Any] = _KEPT | dict.fromkeys(("face", "dist", "credible_interval", *_POINT), False)
    if moving:
        face = {"color": POSTERIOR_COLOR, "alpha": 0.25, "linewidth": 0, "label": "posterior density"}
        visuals |= {"face": face, "dist": {"color": POSTERIOR_COLOR, "width": 1}}
    if ci_prob is not None:
        label = f"posterior {show_number(100 * ci_prob)} % interval"
        visuals["credible_interval"] = {"color": POSTERIOR_COLOR, "width": 2.5, "y": -0.1, "label": label}
    with in_default_settings():
        plot_dist(
            data,
            sample_dims=["sample"],
            kind="kde",
            plot_collection=place_on(panels, data),
            visuals=visuals,
            stats={"dist": _densities(moving), "credible_interval": _intervals(finite, ci_prob)},
        )


def draw_distributions(panel: Any, places: np.ndarray, own: np.ndarray, drawn: np.ndarray) -> None:
    """Draw distribution functions of data, and of up to 20 drawn data sets (`arviz_plots.plot_ppc_dist`).

    Parameters
    ----------
    panel : Axes
    places : array, shape (m,)
        Values at which the functions are known.
    own : array, shape (m,)
    drawn : array, shape (draws, m)
    """
    from arviz_plots import plot_ppc_dist

    some = drawn[np.unique(np.linspace(0, len(drawn) - 1, _LINES).astype(int))]
    tree = _predictive(own, some)
    samples = tree["posterior_predictive"].to_dataset().stack(sample=["chain", "draw"])
    functions = {"observed_dist": tree["observed_data"].to_dataset(), "predictive_dist": samples}
    with in_default_settings():
        plot_ppc_dist(
            tree,
            sample_dims=["chain", "draw"],
            kind="ecdf",
            num_samples=len(some),
            plot_collection=place_on([panel], samples, overlay_ppc=["sample"]),
            visuals=_KEPT
            | {
                "predictive_dist": {"color": FIT_COLOR, "alpha": 0.5, "width": 0.4, "label": "some of them"},
                "observed_dist": {"color": POSTERIOR_COLOR, "width": 1.5, "label": "the data"},
            },
            stats={kind: _steps(places, heights) for kind, heights in functions.items()},
        )
    for line in panel.lines:
        line.set_drawstyle("steps-post")


def draw_frequencies(panel: Any, own: np.ndarray, drawn: np.ndarray, ci_prob: float, scale: str) -> None:
    """Draw how often each value is in the data, and in drawn data sets (`arviz_plots.plot_ppc_rootogram`).

    Parameters
    ----------
    panel : Axes
    own : array, shape (n,)
        Whole numbers, as those drawn.
    drawn : array, shape (draws, n)
    ci_prob : float
        Proportion of the data sets that each bar holds.
    scale : {"sqrt", "linear"}
        Of the frequencies.
    """
    from arviz_plots import plot_ppc_rootogram

    tree = _predictive(own.astype(int), drawn.astype(int))
    held = f"{show_number(100 * ci_prob)} % of data sets"
    data = {"color": POSTERIOR_COLOR, "marker": "o", "size": 20, "width": 0}
    with in_default_settings():
        plot_ppc_rootogram(
            tree,
            sample_dims=["chain", "draw"],
            ci_prob=ci_prob,
            point_estimate="median",
            yscale=scale,
            plot_collection=place_on([panel], tree["posterior_predictive"].to_dataset()),
            visuals=_UNLABELED
            | {
                "credible_interval": {"color": FIT_COLOR, "alpha": 0.35, "width": 6, "label": held},
                "predictive_markers": {"color": FIT_COLOR, "marker": "_", "size": 40, "label": "median of data sets"},
                "observed_markers": data | {"label": "the data"},
                "grid": False,
            },
        )
    absent = np.setdiff1d(drawn, own)
    panel.scatter(absent, np.zeros(len(absent)), color=POSTERIOR_COLOR, s=20, linewidths=0, clip_on=False, zorder=3)


def density_of(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel density estimate on a grid, made in standardized units: the estimator knows no tiny scales."""
    from arviz_stats.base import array_stats

    center, scale = draws.mean(), draws.std()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grid, density, _ = array_stats.kde((draws - center) / scale)
    return center + scale * np.asarray(grid), np.asarray(density) / scale


def _densities(moving: dict[str, np.ndarray]) -> xr.Dataset:
    found = {}
    for name, own in moving.items():
        grid, density = density_of(own)
        found[name] = (("plot_axis", f"of_{name}"), np.array([grid, density / density.max()]), {"kind": "kde"})
    return xr.Dataset(found, coords={"plot_axis": ["x", "y"]})


def _intervals(finite: dict[str, np.ndarray], ci_prob: float | None) -> xr.Dataset:
    tail = (1 - (ci_prob or 0.0)) / 2
    bounds = {name: np.quantile(own, [tail, 1 - tail]) if own.size else [np.nan] * 2 for name, own in finite.items()}
    return xr.Dataset({name: ("ci_bound", pair) for name, pair in bounds.items()})


def _steps(places: np.ndarray, heights: xr.Dataset) -> xr.Dataset:
    """What `arviz_stats.ecdf` returns, at places of our own."""
    found = heights["response"]
    both = xr.concat([xr.zeros_like(found) + xr.DataArray(places, dims="row"), found], "plot_axis")
    return xr.Dataset({"response": both.assign_attrs(kind="ecdf")}, coords={"plot_axis": ["x", "y"]})


def _predictive(own: np.ndarray, drawn: np.ndarray) -> xr.DataTree:
    groups = {
        "posterior_predictive": xr.Dataset({"response": (("chain", "draw", "row"), drawn[None])}),
        "observed_data": xr.Dataset({"response": ("row", own)}),
    }
    return xr.DataTree.from_dict(groups)
