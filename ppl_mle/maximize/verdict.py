"""From the end of a search to a status with its evidence: certified, or a diagnosis that was confirmed."""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from ppl_mle.maximize.drift import Drift, continue_newton, find_drift, find_escape, goes_on
from ppl_mle.maximize.edges import Destination, find_destination
from ppl_mle.maximize.engines import Engine
from ppl_mle.maximize.evidence import Evidence, gather_evidence
from ppl_mle.maximize.local import Local, look_closely
from ppl_mle.maximize.maximum import EdgeValue
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.ridge import confirm_ridges, free_combinations, touched
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.status import Status

_DEPTH = 3
_STOPS = {
    "edm": "the search met its goal",
    "rounding": "the search reached the rounding floor",
    "flat": "the density is flat around the point",
    "stuck": "no step increased the log-density",
    "limit": "the iteration limit was reached",
}


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
        return np.hstack([ridges, np.eye(self.problem.likelihood.size)[:, self.unknown]])


def judge(problem: Problem, search: Search, engine: Engine, depth: int = _DEPTH) -> Outcome:
    """Certify the end of a search, or diagnose it.

    Parameters
    ----------
    problem : Problem
    search : Search
    engine : Engine
        Continues the search where a diagnosis asks for it.
    depth : int
        How many times coordinates that run away may be set aside.

    Returns
    -------
    Outcome
    """
    if not problem.size:
        return Outcome(problem, search, Status.CONVERGED)
    local = look_closely(problem, search.x, search.gradient, search.units)
    if not local.exists:
        return _unsettled(problem, search, local, None, ["second derivatives are not finite there"], engine, depth)
    if local.has_descent:
        return _unsettled(problem, search, local, None, ["it is a saddle point"], engine, depth)
    if np.any(local.null):
        return _judge_flat(problem, search, local, engine, depth)
    evidence = gather_evidence(problem, local, search.value)
    if not evidence.objections:
        return Outcome(problem, search, Status.CONVERGED, local, evidence)
    return _unsettled(problem, search, local, evidence, evidence.objections, engine, depth)


def _judge_flat(problem: Problem, search: Search, local: Local, engine: Engine, depth: int) -> Outcome:
    drift = find_drift(search.path, search.units)
    if drift is not None and search.stop != "flat":
        return _set_aside(problem, search, drift, engine, depth)
    climb = partial(engine.search, problem, tick=_silent)
    ridges = confirm_ridges(problem, local, search.value, search.origin, climb)
    if not ridges.size:
        return _unsettled(problem, search, local, None, ["the curvature vanishes without a ridge"], engine, depth)
    return _describe_ridge(problem, search, local, ridges)


def _describe_ridge(problem: Problem, search: Search, local: Local, ridges: np.ndarray) -> Outcome:
    likelihood = problem.likelihood
    free_labels = [likelihood.scale_labels[i] for i in problem.free]
    moved = problem.free[touched(ridges, local.units)]
    labels = _declared_labels(problem, moved)
    evidence = gather_evidence(problem, local, search.value) if local.solid.size else None
    if evidence is not None and evidence.objections:
        names = f"there is a ridge along {', '.join(labels)}, and off it " + "; ".join(evidence.objections)
        return Outcome(problem, search, Status.NOT_CONVERGED, local, evidence, names=names)
    return Outcome(
        problem,
        search,
        Status.UNIDENTIFIED,
        local,
        evidence,
        names=", ".join(free_combinations(ridges, free_labels)),
        short=", ".join(labels),
        labels=labels,
        ridges=ridges / np.linalg.norm(ridges, axis=0),
    )


def _unsettled(
    problem: Problem,
    search: Search,
    local: Local,
    evidence: Evidence | None,
    reasons: list[str],
    engine: Engine,
    depth: int,
) -> Outcome:
    """Look for a runaway where a point could not be certified."""
    drift = None
    if evidence is not None and evidence.runs_on:
        drift = find_drift(continue_newton(problem, search), search.units)
    drift = drift or find_drift(search.path, search.units) or find_escape(problem, search)
    if drift is not None:
        return _set_aside(problem, search, drift, engine, depth)
    names = f"{_STOPS[search.stop]}, but " + "; ".join(reasons)
    return Outcome(problem, search, Status.NOT_CONVERGED, local, evidence, names=names)


def _set_aside(problem: Problem, search: Search, drift: Drift, engine: Engine, depth: int) -> Outcome:
    """Hold the coordinates that run away where they are, and judge the rest."""
    away = problem.free[drift.moving]
    destination = find_destination(problem, search.x, search.gradient, drift)
    if not drift.bounded:
        return _describe_unbounded(problem, search, away, destination)
    if not depth or not destination.limits or not goes_on(problem, search, drift):
        names = f"{', '.join(_declared_labels(problem, away))} keep moving"
        return Outcome(problem, search, Status.NOT_CONVERGED, names=names, unknown=away)
    place = problem.expand(search.x)
    rest = Problem(problem.likelihood, problem.held | {int(i): float(place[i]) for i in away})
    rest.evaluations = problem.evaluations
    inner = judge(rest, _search_rest(problem, rest, search, drift, engine), engine, depth - 1)
    problem.evaluations = rest.evaluations
    return _combine(inner, destination, away)


def _search_rest(problem: Problem, rest: Problem, search: Search, drift: Drift, engine: Engine) -> Search:
    kept = np.setdiff1d(np.arange(problem.size), drift.moving)
    if not len(kept):
        return replace(search, x=search.x[kept], gradient=search.gradient[kept], units=search.units[kept], path=())
    found = engine.search(rest, search.x[kept], _silent)
    return replace(found, iterations=found.iterations + search.iterations)


def _combine(inner: Outcome, destination: Destination, away: np.ndarray) -> Outcome:
    limits = dict(destination.limits) | inner.limits
    edges = destination.edges + inner.edges
    everything = Destination(limits, edges)
    status = Status.BOUNDARY if everything.finite else Status.INFINITE
    unknown = np.union1d(inner.unknown, away).astype(int)
    if inner.status in (Status.CONVERGED, Status.BOUNDARY, Status.INFINITE):
        return replace(
            inner,
            status=status,
            names=everything.names,
            short=everything.short,
            labels=tuple(limits),
            limits=limits,
            edges=edges,
            unknown=unknown,
        )
    return replace(inner, names=f"{inner.names} (with {everything.names})", edges=edges, unknown=unknown)


def _describe_unbounded(problem: Problem, search: Search, away: np.ndarray, destination: Destination) -> Outcome:
    labels = tuple(destination.limits) or _declared_labels(problem, away)
    names = ", ".join(f"{label} -> {limit:.6g}" for label, limit in destination.limits.items()) or ", ".join(labels)
    return Outcome(
        problem,
        search,
        Status.UNBOUNDED,
        names=names,
        short=", ".join(labels),
        labels=labels,
        limits=dict.fromkeys(labels, np.nan),
        unknown=problem.free,
    )


def _declared_labels(problem: Problem, coordinates: np.ndarray) -> tuple[str, ...]:
    """Declared labels that unconstrained coordinates belong to: the element, or all elements of a joint transform."""
    labels: list[str] = []
    for var in problem.likelihood.variables:
        inside = [i - var.free.start for i in coordinates if var.free.start <= i < var.free.stop]
        if inside:
            labels += [var.labels[i] for i in inside] if var.elementwise else var.labels
    return tuple(labels)


def _silent(iteration: int, value: float) -> None:
    """Tell no one."""
