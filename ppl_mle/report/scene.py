"""What figures are drawn from, and the record by which a kind of figure is entered in the registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ppl_mle.inference import Profile, Results
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.observed import Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Scene:
    """The numbers behind the figures of one fit.

    Parameters
    ----------
    results : Results
    ci_prob : float
    idata : DataTree or None
        Draws of the posterior.
    curve : FittedCurve or None
    observed : tuple of Observed
    profiles : dict of str to Profile
    contours : dict of (str, str) to DataFrame
        Edges of joint likelihood-ratio regions.
    replicates : dict of str to array, shape (draws, n)
        Data sets drawn from the fitted model, by observed variable.
    replicated_from : str
        Where the parameters of these data sets come from.
    """

    results: Results
    ci_prob: float = 0.95
    idata: Any = None
    curve: FittedCurve | None = None
    observed: tuple[Observed, ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    contours: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    replicates: Mapping[str, np.ndarray] = field(default_factory=dict)
    replicated_from: str = ""

    @property
    def percent(self) -> str:
        """Content of the intervals, for titles."""
        return f"{100 * self.ci_prob:g} %"


@dataclass(frozen=True)
class FigureOfFit:
    """A kind of figure that a fit has once.

    Parameters
    ----------
    key : str
    suits : callable
        Whether there is what it shows.
    title, describe : callable
        Of the scene: what stands below the figure, and what it shows in words.
    draw : callable
    """

    key: str
    suits: Callable[[Scene], bool]
    title: Callable[[Scene], str]
    describe: Callable[[Scene], str]
    draw: "Callable[[Scene], Figure]"


@dataclass(frozen=True)
class FigureOfRows:
    """A kind of figure that each observed variable has; the fields are those of `FigureOfFit`, of an `Observed`."""

    key: str
    suits: Callable[[Observed], bool]
    title: Callable[[Observed], str]
    describe: Callable[[Observed], str]
    draw: "Callable[[Observed], Figure]"
