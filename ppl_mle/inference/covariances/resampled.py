"""Covariances from refits: without one unit at a time, and to units drawn anew."""

from dataclasses import dataclass
from typing import ClassVar

from ppl_mle.inference.covariances.kind import Covariance, CovarianceOptions
from ppl_mle.inference.resampling.bootstrap import bootstrap_covariance
from ppl_mle.inference.resampling.jackknife import jackknife_covariance
from ppl_mle.inference.resampling.units import find_pools, say_together
from ppl_mle.maximize import Maximum

_REPLICATES = 999


@dataclass(frozen=True)
class Jackknife:
    """From the estimates without one row, or without one group of rows (Tukey 1958)."""

    name: ClassVar[str] = "jackknife"
    takes: ClassVar[tuple[str, ...]] = ("groups",)

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum."""
        matrix = jackknife_covariance(maximum, options.groups)
        together = say_together(find_pools(maximum, options.groups, "a jackknife"), options.groups)
        kind = "jackknife" if options.groups is None else "jackknife of groups"
        return Covariance(matrix, f"{kind} ({together})" if together else kind)


@dataclass(frozen=True)
class Resampled:
    """From the estimates of rows, or of groups of rows, drawn with replacement (Efron 1979)."""

    name: ClassVar[str] = "bootstrap"
    takes: ClassVar[tuple[str, ...]] = ("groups", "replicates", "random_seed")

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum."""
        replicates = _REPLICATES if options.replicates is None else options.replicates
        matrix = bootstrap_covariance(maximum, replicates, options.random_seed, options.groups)
        drawn = (say_together(find_pools(maximum)) or "rows") if options.groups is None else "groups"
        return Covariance(matrix, f"bootstrap of {drawn}, {replicates} replicates, seed {options.random_seed}")
