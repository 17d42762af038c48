"""What a report says, said once: every format shows this record."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pandas as pd

from ppl_mle.inference import Results
from ppl_mle.posterior import Agreement
from ppl_mle.report.canvas import render
from ppl_mle.report.figures import FittedCurve, draw_curve, draw_densities, draw_forest
from ppl_mle.report.summary import Summary, summarize

PACKAGES = ("ppl_mle", "pymc", "pytensor", "arviz", "numpy", "scipy", "pandas", "xarray", "nutpie")


@dataclass(frozen=True)
class Picture:
    """One figure.

    Parameters
    ----------
    title : str
    alt : str
        What the figure shows, for readers who cannot see it.
    content : bytes
        SVG or PNG.
    """

    title: str
    alt: str
    content: bytes


@dataclass(frozen=True)
class Document:
    """A report before it has a format.

    Parameters
    ----------
    title : str
    results : Results
    table : Summary
        The estimates.
    ci_prob : float
    agreement : Agreement or None
        With the posterior, when one was sampled.
    reference : DataFrame or None
        Reference answers, indexed by label, one column per source.
    pictures : tuple of Picture
    notes : tuple of str
        Sentences that belong beside the fit statistics.
    model_text : str
        The model in words, its paragraphs and line breaks kept.
    data_text : str
        Where the data come from and what was done with them.
    command : str
        What reproduces the report.
    seed : int or None
    versions : dict of str to str
        Software by name.
    """

    title: str
    results: Results
    table: Summary
    ci_prob: float
    agreement: Agreement | None
    reference: pd.DataFrame | None
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]
    model_text: str
    data_text: str
    command: str
    seed: int | None
    versions: Mapping[str, str]


def build_document(
    results: Results,
    *,
    title: str,
    table: Summary | None = None,
    ci_prob: float = 0.95,
    agreement: Agreement | None = None,
    idata: Any = None,
    curve: FittedCurve | None = None,
    reference: pd.DataFrame | pd.Series | None = None,
    notes: Sequence[str] = (),
    model_text: str = "",
    data_text: str = "",
    command: str = "",
    seed: int | None = None,
    versions: Mapping[str, str] | None = None,
) -> Document:
    """Put a report together and draw its figures.

    Parameters
    ----------
    results : Results
    title : str
    table : Summary, optional
        The estimates; those of `summarize` by default.
    ci_prob : float
        Content of all intervals.
    agreement : Agreement, optional
    idata : DataTree, optional
        The draws behind `agreement`, for the figures.
    curve : FittedCurve, optional
        Of a model with one predictor.
    reference : DataFrame or Series, optional
        Indexed by label, one column per source.
    notes : sequence of str
    model_text, data_text, command : str
    seed : int, optional
    versions : dict of str to str, optional
        `software_versions()` by default.

    Returns
    -------
    Document

    Raises
    ------
    RequestError
        The posterior does not match the fit, or `ci_prob` is outside (0, 1).
    """
    return Document(
        title=title,
        results=results,
        table=summarize(results, ci_prob) if table is None else table,
        ci_prob=ci_prob,
        agreement=agreement,
        reference=reference.to_frame() if isinstance(reference, pd.Series) else reference,
        pictures=_draw_pictures(results, idata, curve, ci_prob),
        notes=tuple(notes),
        model_text=model_text.strip(),
        data_text=data_text.strip(),
        command=command,
        seed=seed,
        versions=software_versions() if versions is None else versions,
    )


def software_versions() -> dict[str, str]:
    """Versions of Python and of the packages that a fit depends on, those that are installed."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _draw_pictures(results: Results, idata: Any, curve: FittedCurve | None, ci_prob: float) -> tuple[Picture, ...]:
    percent = f"{100 * ci_prob:g} %"
    pictures = []
    if curve is not None:
        alt = (
            f"Scatter of {curve.y_name} against {curve.x_name}, {len(curve.x_data)} rows, with the fitted mean and its "
            f"{percent} confidence band. The mean runs from {curve.mean[0]:.4g} at {curve.x_grid[0]:.4g} to "
            f"{curve.mean[-1]:.4g} at {curve.x_grid[-1]:.4g}."
        )
        pictures.append(Picture(f"{curve.y_name} against {curve.x_name}", alt, render(draw_curve(curve, ci_prob))))
    kinds = (
        "Wald intervals" if idata is None else "Wald intervals of the fit and equal-tailed intervals of the posterior"
    )
    alt = f"One row per element: estimate and {percent} {kinds}. The numbers are in the tables."
    pictures.append(Picture("Intervals", alt, render(draw_forest(results, idata, ci_prob))))
    if idata is not None:
        alt = (
            f"One panel per element: posterior density, with the estimate as a vertical line and the {percent} "
            "intervals of fit and posterior below. The numbers are in the tables."
        )
        pictures.append(Picture("Posterior densities", alt, render(draw_densities(results, idata, ci_prob))))
    return tuple(pictures)
