"""Maximize: start, search, judge, and start again where nothing could be certified."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ppl_mle.errors import ModelError
from ppl_mle.maximize.concavity import is_seen_convex
from ppl_mle.maximize.corners import propose_corners
from ppl_mle.maximize.curved_ridge import settle_on_ridge
from ppl_mle.maximize.engines import ENGINES, Engine
from ppl_mle.maximize.kinked import settle_at_kink
from ppl_mle.maximize.maxima import (
    distinct_maxima,
    is_as_high,
    is_credible,
    margin,
    same_maximum,
    tell_of_latents,
    tell_of_others,
)
from ppl_mle.maximize.maximum import Certificate, Maximum
from ppl_mle.maximize.patience import OutOfPatienceError, Patience, Tick, tell_of_cuts
from ppl_mle.maximize.probes import propose_probes
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.starts import propose_starts
from ppl_mle.maximize.status import Status
from ppl_mle.maximize.support_edge import settle_at_support
from ppl_mle.maximize.verdict import Outcome, judge
from ppl_mle.plan import Plan
from ppl_mle.read import RowObjective, one_thread_each

_STARTS = 5
_STARTS_WITH_DIAGNOSIS = 3
_STARTS_WHERE_BENT = 4
_STARTS_WHERE_SMALL = 10
_SMALL = 20_000
_TINY = 2_000
_CLEARLY = 10.0
_STARTS_WHERE_SEVERAL = 20
_UNSETTLED = (Status.NOT_CONVERGED, Status.UNBOUNDED)
_SHARE = 0.3
_TIMES_FOR_STARTS = 2.0
_TIMES_FOR_LOOKS = 1.0


def maximize(
    plan: Plan,
    *,
    initvals: Mapping[str, Any] | None = None,
    random_seed: Any = 0,
    starts: int | None = None,
    tick: Tick = lambda iteration, value: None,
    engines: Sequence[Engine] = ENGINES,
) -> Maximum:
    """Maximize the log-density of a plan's likelihood and certify or diagnose the result.

    Parameters
    ----------
    plan : Plan
    initvals : dict of str to array, optional
        Declared starting values by variable name.
    random_seed : int or Generator
        For the jitter of later starts.
    starts : int, optional
        At least so many starts; by default one, and several where the log-density is seen not to be concave, which
        then may take a few times as long as the first.
    tick : callable
        Told the iteration and the log-density as the search goes on.
    engines : sequence of Engine
        Where `plan.engine` is looked up.

    Returns
    -------
    Maximum

    Raises
    ------
    StartError
        No finite starting point.
    """
    engine = next(engine for engine in engines if engine.name == plan.engine)
    problem = Problem(plan.likelihood, plan.held)
    if not problem.size:
        raise ModelError("every parameter is fixed, so there is nothing to maximize; leave one free")
    with np.errstate(all="ignore"), one_thread_each():
        proposed = propose_starts(problem, initvals, random_seed, max(_STARTS_WHERE_SEVERAL, starts or 1))
        starts_made, first, missed = _start(problem, engine, proposed, starts, tick)
        outcomes = list(starts_made)
        patience = Patience.of(first, _TIMES_FOR_LOOKS)
        higher, whole = _look_farther(problem, engine, outcomes, patience.watch(tick))
        if _best(outcomes).status is Status.NOT_CONVERGED:
            ridge = settle_on_ridge(problem, outcomes)
            outcomes += [ridge] if ridge is not None else []
        best = _best(outcomes)
        found = tell_of_others(best, outcomes)
    if best.status is not Status.UNBOUNDED:
        found += tell_of_cuts(first, len(starts_made), missed, whole)
    if not found and best.search.value > higher + margin(best):
        found.append(f"with one scale held far away the log-density is higher by {best.search.value - higher:.3g}")
    iterations = sum(outcome.search.iterations for outcome in outcomes)
    return _assemble(plan, best, outcomes, (iterations, problem.evaluations), found)


def _start(
    problem: Problem, engine: Engine, proposed: Iterable[np.ndarray], asked: int | None, tick: Tick
) -> tuple[list[Outcome], float, int]:
    """Search from one start after the other until it is enough, or until those not asked for took too long.

    Returns
    -------
    outcomes : list of Outcome
    first : float
        Seconds that the first took.
    missed : int
        Starts that would have been made, had there been time.
    """
    outcomes: list[Outcome] = []
    wanted, first, begun = 0, 0.0, time.perf_counter()
    patience = Patience(np.inf, begun)
    for x in proposed:
        try:
            outcomes.append(_settle(problem, engine.search(problem, x, patience.watch(tick)), engine, outcomes))
        except OutOfPatienceError:
            break
        wanted = asked or _starts_wanted(problem, outcomes, wanted)
        if _is_enough(outcomes, wanted, patient=asked is None and _has_mixture(problem)):
            return outcomes, first, 0
        if len(outcomes) == 1:
            first = time.perf_counter() - begun
            patience = Patience.of(first, np.inf if asked else _TIMES_FOR_STARTS)
        if patience.is_over:
            break
    return outcomes, first, max(0, wanted - len(outcomes))


def _look_farther(problem: Problem, engine: Engine, outcomes: list[Outcome], tick: Tick) -> tuple[float, bool]:
    """Add what searches from corners and from scales held far away end in.

    Returns
    -------
    lowest : float
        The lowest value probed.
    whole : bool
        There was time for all of them.
    """
    lowest = np.inf
    probes = partial(propose_probes, doubtful=len(outcomes) > 1)
    for propose in (propose_corners, probes):
        best = _best(outcomes)
        try:
            for x in propose(problem, best, tick):
                search = replace(engine.search(problem, x, tick), origin=best.theta[problem.free])
                outcomes.append(_settle(problem, search, engine, ()))
                if propose is probes:
                    lowest = min(lowest, problem.value(x))
        except OutOfPatienceError:
            return float(lowest), False
    return float(lowest), True


def _settle(problem: Problem, search: Search, engine: Engine, before: Sequence[Outcome]) -> Outcome:
    """Judge the end of a search; what runs to a limit lower than a certified maximum is not followed there."""
    bars = [o.search.value + _CLEARLY * margin(o) for o in before if o.status is Status.CONVERGED]
    is_lower = search.value > min(bars, default=np.inf)
    outcome = judge(problem, search, engine, depth=0) if is_lower else judge(problem, search, engine)
    if outcome.status not in _UNSETTLED:
        return outcome
    return settle_at_kink(problem, search) or settle_at_support(problem, search) or outcome


def _starts_wanted(problem: Problem, outcomes: Sequence[Outcome], before: int) -> int:
    """How many starts: one where nothing speaks against a single maximum, many where several were found.

    Mixtures, negative curvature on the way, and rows or chords along which the log-density is convex speak against it.
    """
    objective = problem.likelihood.objective
    work = objective.rows * problem.size if isinstance(objective, RowObjective) else np.inf
    if work <= _TINY and len(outcomes) > 1 and len(distinct_maxima(_best(outcomes), outcomes)) > 1:
        return _STARTS_WHERE_SEVERAL
    if before > 1:
        return before
    if _has_mixture(problem):
        return _STARTS
    if not any(outcome.search.bent for outcome in outcomes) and not is_seen_convex(problem, outcomes[0]):
        return 1
    return _STARTS_WHERE_SMALL if work <= _SMALL else _STARTS_WHERE_BENT


def _has_mixture(problem: Problem) -> bool:
    objective = problem.likelihood.objective
    return isinstance(objective, RowObjective) and any(term.is_mixture for term in objective.terms)


def _is_enough(outcomes: Sequence[Outcome], wanted: int, patient: bool) -> bool:
    """Stop at what is certified or proved after the starts wanted, or when a diagnosis has stood up to others.

    Where many starts degenerate, as of mixtures, patience asks for as many that did not.
    """
    if len(outcomes) < wanted:
        return False
    settled = [outcome for outcome in outcomes if outcome.status not in _UNSETTLED]
    certified = any(outcome.status is Status.CONVERGED or outcome.details for outcome in settled)
    if not settled and len(outcomes) >= max(wanted, _STARTS):
        return True
    if patient and len(settled) < wanted and len(outcomes) < _STARTS_WHERE_SEVERAL:
        return False
    return certified or (len(outcomes) >= _STARTS_WITH_DIAGNOSIS and bool(settled))


def _best(outcomes: Sequence[Outcome]) -> Outcome:
    """The highest maximum; else a point that shows the density unbounded; else the highest diagnosis; else the highest.

    A certified maximum gives way only to a diagnosis that is higher by more than rounding, and a diagnosis to any
    point that is. Of points as high that could not be certified, the one of the earliest start is taken.
    """
    settled = [outcome for outcome in outcomes if outcome.status not in _UNSETTLED]
    unbounded = [outcome for outcome in outcomes if outcome.status is Status.UNBOUNDED]
    settled = [o for o in settled if o.status is Status.CONVERGED or not _is_passed(o, outcomes)]
    if unbounded and not any(o.status.converged for o in settled):
        settled = []
    best = min(settled or unbounded or outcomes, key=lambda outcome: outcome.search.value)
    if best.status is Status.CONVERGED:
        first = next(o for o in settled if o.status is Status.CONVERGED and is_as_high(o, best))
        return min(same_maximum(first, settled), key=lambda o: o.evidence.edm if o.evidence else np.inf)
    if best.status is Status.NOT_CONVERGED:
        return next((o for o in outcomes if o.status is best.status and is_as_high(o, best)), best)
    rivals = [o for o in settled if o.status is Status.CONVERGED and o.search.value - best.search.value < margin(best)]
    return rivals[0] if rivals else best


def _is_passed(outcome: Outcome, outcomes: Sequence[Outcome]) -> bool:
    """Whether a point that could not be certified is clearly higher."""
    bar = outcome.search.value - _CLEARLY * margin(outcome)
    higher = [o for o in outcomes if o.status is Status.NOT_CONVERGED and o.search.value < bar]
    return any(is_credible(o, outcome) for o in higher)


def _assemble(
    plan: Plan, best: Outcome, outcomes: Sequence[Outcome], effort: tuple[int, int], found: Sequence[str]
) -> Maximum:
    gradient = np.zeros(plan.likelihood.size)
    gradient[best.problem.free] = -best.search.gradient
    return Maximum(
        plan=plan,
        theta=best.theta,
        value=-best.search.value,
        gradient=gradient,
        covariance=best.covariance,
        lost=best.lost,
        status=best.status,
        sentence=best.status.sentence(best.names, best.short),
        held=dict(plan.held),
        declared=best.limits,
        parameters=best.labels,
        findings=(*plan.likelihood.findings, *best.findings, *tell_of_latents(best), *found),
        certificate=_certify(plan, best, outcomes, *effort),
    )


def _certify(plan: Plan, best: Outcome, outcomes: Sequence[Outcome], iterations: int, evaluations: int) -> Certificate:
    evidence, local, nan = best.evidence, best.local, float("nan")
    scaled = local.scaled_eigenvalues if local is not None else np.array([nan])
    maxima = distinct_maxima(best, outcomes)
    return Certificate(
        edm=evidence.edm if evidence else nan,
        edm_rounding=evidence.edm_rounding if evidence else nan,
        original_value_difference=evidence.value_difference if evidence else nan,
        original_edm=evidence.original_edm if evidence else nan,
        smallest_eigenvalue=float(scaled[0]),
        condition=float(scaled[-1] / scaled[0]) if scaled[0] > 0 else np.inf,
        hessian="exact" if plan.likelihood.objective.exact else "differences",
        hessian_error=evidence.hessian_error if evidence else nan,
        boundary=best.edges,
        weakest=_weakest_labels(best),
        starts=len(outcomes),
        agreeing=maxima[0].reached if maxima else 1,
        maxima=tuple(-maximum.value for maximum in maxima),
        original_gradient="differences" if evidence and evidence.by_differences else "exact",
        iterations=iterations,
        evaluations=evaluations,
    )


def _weakest_labels(best: Outcome) -> tuple[str, ...]:
    """What moves along the direction of the smallest scaled eigenvalue, where that is small."""
    if best.local is None or best.evidence is None or not best.local.is_ill_conditioned:
        return ()
    size = np.abs(best.evidence.weakest / best.local.units)
    labels = best.problem.likelihood.scale_labels
    return tuple(labels[i] for i in best.problem.free[size >= _SHARE * size.max()])
