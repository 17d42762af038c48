"""All that goes into a report, before it is put into words, tables and figures."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.inference import Profile, Results
from ppl_mle.posterior import Agreement
from ppl_mle.read.mathematics import Statement
from ppl_mle.report.exponentiated import Ratios
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.observed import Observed
from ppl_mle.report.summary import Summary

PACKAGES = ("ppl_mle", "pymc", "pytensor", "arviz", "numpy", "scipy", "pandas", "xarray", "statsmodels", "nutpie")


@dataclass(frozen=True)
class Recipe:
    """How the fit can be made again.

    Parameters
    ----------
    command : str
        Of the command line; empty where there was none.
    seed : int or None
    source : str
        Text of the model script.
    script, data : str
        Paths of the script and of a data file; empty where the script's own data were used.
    """

    command: str = ""
    seed: int | None = None
    source: str = ""
    script: str = ""
    data: str = ""


@dataclass(frozen=True)
class Models:
    """Several fits side by side.

    Parameters
    ----------
    results : dict of str to Results
        The fit of the report first.
    ranking : DataFrame or None
        As `compare_fits` returns it.
    reason : str
        Why there is no ranking.
    """

    results: Mapping[str, Results]
    ranking: pd.DataFrame | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Material:
    """The content of a report.

    Parameters
    ----------
    results : Results
    title : str
    table : Summary
        The estimates, with their intervals.
    ci_prob : float
    interval_method : str
        Of the intervals in `table`.
    agreement : Agreement or None
        With the posterior, when there is one.
    idata : DataTree or None
        The draws behind `agreement`.
    reference : DataFrame or None
        Reference answers, indexed by label, one column per source.
    notes : tuple of str
        Sentences that belong beside the fit statistics.
    model_text, data_text : str
        In words; paragraphs and line breaks are kept.
    statements : tuple of Statement
        The model in mathematics.
    data : DataFrame or None
        As `describe_data` makes it.
    ratios : tuple of Ratios
        Coefficients whose exponentials are shown.
    models : Models or None
    observed, curve, profiles, contours, replicates, replicated_from
        As in `Scene`.
    recipe : Recipe
    versions : dict of str to str
        Software by name.
    """

    results: Results
    title: str
    table: Summary
    ci_prob: float = 0.95
    interval_method: str = "wald"
    agreement: Agreement | None = None
    idata: Any = None
    reference: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    model_text: str = ""
    data_text: str = ""
    statements: tuple[Statement, ...] = ()
    data: pd.DataFrame | None = None
    ratios: tuple[Ratios, ...] = ()
    models: Models | None = None
    observed: tuple[Observed, ...] = ()
    curve: FittedCurve | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    contours: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    replicates: Mapping[str, np.ndarray] = field(default_factory=dict)
    replicated_from: str = ""
    recipe: Recipe = field(default_factory=Recipe)
    versions: Mapping[str, str] = field(default_factory=lambda: software_versions())


def software_versions() -> dict[str, str]:
    """Versions of Python and of the packages that a fit depends on, those that are installed."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
