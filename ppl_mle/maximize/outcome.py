"""A point with its status, and what a diagnosis says of it."""

from dataclasses import dataclass, field

import numpy as np

from ppl_mle.maximize.evidence import Evidence
from ppl_mle.maximize.local import Local
from ppl_mle.maximize.maximum import EdgeValue
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.status import Status


@dataclass(frozen=True)
class Outcome:
    """A point with its status.

    Parameters
    ----------
    problem : Problem
        Its held coordinates include those that ran away.
    search : Search
    status : Status
    local : Local or None
    evidence : Evidence or None
    names, short : str
        Fill the sentence of the status.
    labels : tuple of str
        Declared labels the diagnosis is about.
    limits : dict of str to float
        Declared values that differ from those at the point.
    edges : tuple of EdgeValue
    unknown : array of int
        Unconstrained coordinates that ran away.
    ridges : array, shape (size, k)
        Directions of a ridge in the free coordinates, as columns.
    findings : tuple of str
    directions : array, shape (p, k)
        Directions that were followed to their limit, as columns.
    details : tuple of str
        Why there is no finite maximum, where that was proved.
    """

    problem: Problem
    search: Search
    status: Status
    local: Local | None = None
    evidence: Evidence | None = None
    names: str = ""
    short: str = ""
    labels: tuple[str, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)
    edges: tuple[EdgeValue, ...] = ()
    unknown: np.ndarray = field(default_factory=lambda: np.array([], int))
    ridges: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    findings: tuple[str, ...] = ()
    directions: np.ndarray | None = None
    details: tuple[str, ...] = ()

    @property
    def theta(self) -> np.ndarray:
        """Unconstrained values, shape (p,)."""
        return self.problem.expand(self.search.x)

    @property
    def covariance(self) -> np.ndarray:
        """On the unconstrained scale: zero for held coordinates, NaN where there is no maximum, shape (p, p)."""
        size = self.problem.likelihood.size
        covariance = np.zeros((size, size))
        free = np.ix_(self.problem.free, self.problem.free)
        if self.problem.size:
            diagnosed = self.status not in (Status.NOT_CONVERGED, Status.UNBOUNDED)
            covariance[free] = self.local.covariance if self.local is not None and diagnosed else np.nan
        return covariance

    @property
    def lost(self) -> np.ndarray:
        """Directions along which nothing is known, as columns, shape (p, k)."""
        ridges = np.zeros((self.problem.likelihood.size, self.ridges.shape[1]))
        ridges[self.problem.free[: len(self.ridges)]] = self.ridges
        followed = [] if self.directions is None else [self.directions]
        return np.hstack([ridges, np.eye(self.problem.likelihood.size)[:, self.unknown], *followed])
