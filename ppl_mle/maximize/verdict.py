"""From the end of a search to a status with its evidence: certified, or a diagnosis that was confirmed."""

from dataclasses import replace
from functools import partial

import numpy as np

from ppl_mle.maximize.curve import follow_curve
from ppl_mle.maximize.drift import Drift, continue_newton, find_drift, find_escape, goes_on
from ppl_mle.maximize.edges import Destination, find_destination
from ppl_mle.maximize.engines import Engine
from ppl_mle.maximize.evidence import Evidence, gather_evidence
from ppl_mle.maximize.local import Local, look_closely
from ppl_mle.maximize.naming import abbreviated
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.recession import prove_recession
from ppl_mle.maximize.ridge import confirm_ridges, free_combinations, settle_across, touched
from ppl_mle.maximize.rounding import tell_of_rounding
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.separation import describe_limit, reach_limit, search_limit
from ppl_mle.maximize.status import Status
from ppl_mle.maximize.witness import seen_nearer

_TOLD = 6
_DEPTH = 3
_NONE = np.zeros(0, int)
_ROUNDING = 1e-9
_STOPS = {
    "edm": "the search met its goal",
    "rounding": "the search reached the rounding floor",
    "flat": "the density is flat around the point",
    "stuck": "no step increased the log-density",
    "limit": "the iteration limit was reached",
}

__all__ = ["Outcome", "judge"]


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
    evidence = gather_evidence(problem, local, search)
    if not evidence.objections:
        return Outcome(problem, search, Status.CONVERGED, local, evidence)
    return _unsettled(problem, search, local, evidence, evidence.objections, engine, depth)


def _judge_flat(problem: Problem, search: Search, local: Local, engine: Engine, depth: int) -> Outcome:
    proved = _follow_recession(problem, search, engine, depth)
    if proved is not None:
        return proved
    drift = find_drift(search.path, search.units)
    if drift is not None and search.stop != "flat":
        return _set_aside(problem, search, drift, engine, depth)
    climb = partial(engine.search, problem, tick=_silent)
    ridges = confirm_ridges(problem, local, search.value, search.origin, climb)
    if not ridges.size:
        return _unsettled(problem, search, local, None, ["the curvature vanishes without a ridge"], engine, depth)
    return _describe_ridge(problem, *settle_across(problem, search, local, ridges), ridges)


def _describe_ridge(problem: Problem, search: Search, local: Local, ridges: np.ndarray) -> Outcome:
    likelihood = problem.likelihood
    free_labels = [likelihood.scale_labels[i] for i in problem.free]
    moved = problem.free[touched(ridges, local.units)]
    labels = problem.declared_labels(moved)
    evidence = gather_evidence(problem, local, search) if local.solid.size else None
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
        short=abbreviated(labels, problem.likelihood.labels),
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
    proved = _follow_recession(problem, search, engine, depth)
    if proved is not None:
        return proved
    drift = None
    if evidence is not None and evidence.runs_on:
        drift = find_drift(continue_newton(problem, search), search.units)
    drift = drift or find_drift(search.path, search.units) or find_escape(problem, search)
    if drift is not None:
        return _set_aside(problem, search, drift, engine, depth)
    curve = follow_curve(problem, search) if depth else None
    if curve is not None:
        return _hold(problem, curve.search, curve.drift, engine, depth, curve.pinned)
    names = f"{_STOPS[search.stop]}, but " + "; ".join([*reasons, *tell_of_rounding(problem, search.x)])
    return Outcome(problem, search, Status.NOT_CONVERGED, local, evidence, names=names)


def _follow_recession(problem: Problem, search: Search, engine: Engine, depth: int) -> Outcome | None:
    """Where a direction of recession is proved, go to its limit and judge what remains there."""
    recession = prove_recession(problem)
    limit = None if recession is None else reach_limit(problem, search, recession)
    if recession is None or limit is None:
        return None
    destination = describe_limit(problem, search, recession)
    if destination is None:
        return None
    found = search_limit(limit, search, partial(engine.search, tick=_silent))
    found = _with_path(limit.problem, found, problem.expand(search.origin)[limit.problem.free], engine)
    inner = judge(limit.problem, found, engine, depth)
    problem.evaluations = limit.problem.evaluations
    place = inner.theta[limit.problem.free]
    if not limit.is_level(place, inner.search.value):
        return None
    followed = limit.directions(place)
    if inner.directions is not None:
        followed = np.hstack([followed, inner.directions])
    return _combine(replace(inner, directions=followed), destination, np.array([], int))


def _set_aside(problem: Problem, search: Search, drift: Drift, engine: Engine, depth: int) -> Outcome:
    """Hold the coordinates that run away where they are, and judge the rest."""
    away = problem.free[drift.moving]
    destination = find_destination(problem, search.x, search.gradient, drift)
    if not drift.bounded:
        return _describe_unbounded(problem, search, away, destination)
    if not depth or not (destination.limits or destination.edges) or not goes_on(problem, search, drift):
        curve = follow_curve(problem, search) if depth else None
        if curve is not None:
            return _hold(problem, curve.search, curve.drift, engine, depth, curve.pinned)
        names = f"{', '.join(problem.declared_labels(away))} keep moving"
        return Outcome(problem, search, Status.NOT_CONVERGED, names=names, unknown=away)
    return _hold(problem, search, drift, engine, depth)


def _hold(
    problem: Problem, search: Search, drift: Drift, engine: Engine, depth: int, pinned: np.ndarray = _NONE
) -> Outcome:
    """Judge the rest with the coordinates that run away, or are known without error there, held where they are."""
    still = np.union1d(drift.moving, pinned)
    away = problem.free[still]
    destination = find_destination(problem, search.x, search.gradient, drift)
    place = problem.expand(search.x)
    near = place.copy()
    near[away] = problem.expand(search.origin)[away]
    held = problem.held | {int(i): float(place[i]) for i in away}
    rest = Problem(seen_nearer(problem.likelihood, place, near), held)
    rest.evaluations = problem.evaluations
    inner = judge(rest, _search_rest(problem, rest, search, still, engine), engine, depth - 1)
    problem.evaluations = rest.evaluations
    if len(pinned):
        labels = ", ".join(problem.declared_labels(problem.free[pinned]))
        told = f"{labels} is known ever better on the way to the limit, where its standard error does not exist"
        inner = replace(inner, findings=(*inner.findings, told))
    return _combine(inner, destination, away)


def _search_rest(problem: Problem, rest: Problem, search: Search, still: np.ndarray, engine: Engine) -> Search:
    kept = np.setdiff1d(np.arange(problem.size), still)
    if not len(kept):
        return replace(search, x=search.x[kept], gradient=search.gradient[kept], units=search.units[kept], path=())
    found = _with_path(rest, engine.search(rest, search.x[kept], _silent), search.origin[kept], engine)
    return replace(found, iterations=found.iterations + search.iterations)


def _with_path(problem: Problem, search: Search, origin: np.ndarray, engine: Engine) -> Search:
    """Where a search had no slope left to begin with, the way there from an origin, to tell what ran away on it."""
    blind = search.stop == "flat" and len(search.path) == 1 and problem.size > 0
    if not blind or not np.isfinite(problem.value_and_gradient(origin)[0]):
        return search
    again = engine.search(problem, origin, _silent)
    lost = again.value - search.value > _ROUNDING * max(1.0, abs(search.value))
    return search if lost else replace(again, iterations=again.iterations + search.iterations)


def _combine(inner: Outcome, destination: Destination, away: np.ndarray) -> Outcome:
    details = inner.details
    if inner.status is Status.UNIDENTIFIED and destination.details:
        details = (*details, f"besides, {inner.names} can change without changing the likelihood")
    everything = destination.joined(Destination(inner.limits, inner.edges, details))
    status = Status.BOUNDARY if everything.finite else Status.INFINITE
    unknown = np.union1d(inner.unknown, away).astype(int)
    settled = inner.status in (Status.CONVERGED, Status.BOUNDARY, Status.INFINITE)
    if settled or (inner.status is Status.UNIDENTIFIED and destination.details):
        return replace(
            inner,
            status=status,
            names=everything.told(-inner.search.value),
            short=everything.short,
            labels=tuple(everything.limits),
            limits=dict(everything.limits),
            edges=everything.edges,
            unknown=unknown,
            details=everything.details,
        )
    return replace(inner, names=f"{inner.names} (with {everything.names})", edges=everything.edges, unknown=unknown)


def _describe_unbounded(problem: Problem, search: Search, away: np.ndarray, destination: Destination) -> Outcome:
    labels = tuple(destination.limits) or problem.declared_labels(away)
    told = [f"{label} -> {limit:.6g}" for label, limit in destination.limits.items()] or list(labels)
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    names = ", ".join(told[:_TOLD]) + more
    return Outcome(
        problem,
        search,
        Status.UNBOUNDED,
        names=names,
        short=abbreviated(labels, problem.likelihood.labels),
        labels=labels,
        limits=dict.fromkeys(labels, np.nan),
        unknown=problem.free,
    )


def _silent(iteration: int, value: float) -> None:
    """Tell no one."""
