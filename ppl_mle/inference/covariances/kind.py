"""The contract of a kind of covariance."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ppl_mle.maximize import Maximum


@dataclass(frozen=True, eq=False)
class Covariance:
    """A covariance of the estimate on the unconstrained scale.

    Parameters
    ----------
    matrix : array, shape (p, p)
        Zero for held coordinates.
    kind : str
        What is printed beside every standard error, e.g. `HC1, factor 30/28 (n = 30, 2 mean coefficients)`.
    findings : tuple of str
    """

    matrix: np.ndarray
    kind: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class CovarianceOptions:
    """What a user may ask of a covariance; documented at `Fit.with_covariance`."""

    groups: Any = None
    maxlags: int | None = None
    use_correction: bool | None = None
    replicates: int | None = None
    random_seed: int = 0
    bread: str = "observed"


class CovarianceKind(Protocol):
    """A kind of covariance."""

    @property
    def name(self) -> str:
        """What the user asks for."""
        ...

    @property
    def takes(self) -> tuple[str, ...]:
        """Names of the options that mean something to it."""
        ...

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum; `maximum.covariance` is the inverse observed information."""
        ...
