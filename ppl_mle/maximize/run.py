"""Maximize: start, search, judge, and start again where nothing could be certified."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ppl_mle.errors import ModelError
from ppl_mle.maximize.engines import ENGINES, Engine
from ppl_mle.maximize.maximum import Certificate, Maximum
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.starts import propose_starts
from ppl_mle.maximize.status import Status
from ppl_mle.maximize.verdict import Outcome, judge
from ppl_mle.plan import Plan
from ppl_mle.read import RowObjective, one_thread_each

_STARTS = 5
_STARTS_WITH_DIAGNOSIS = 3
_STARTS_WHERE_BENT = 4
_UNSETTLED = (Status.NOT_CONVERGED, Status.UNBOUNDED)
_TELLING = 1e-3
_NEGLIGIBLE = 1e-2


def maximize(
    plan: Plan,
    *,
    initvals: Mapping[str, Any] | None = None,
    random_seed: Any = 0,
    tick: Callable[[int, float], None] = lambda iteration, value: None,
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
    outcomes: list[Outcome] = []
    iterations = 0
    with np.errstate(all="ignore"), one_thread_each():
        for x in propose_starts(problem, initvals, random_seed, _STARTS):
            search = engine.search(problem, x, tick)
            iterations += search.iterations
            outcomes.append(judge(problem, search, engine))
            if _is_enough(outcomes, _starts_wanted(problem, outcomes)):
                break
    return _assemble(plan, _best(outcomes), outcomes, iterations, problem.evaluations)


def _starts_wanted(problem: Problem, outcomes: Sequence[Outcome]) -> int:
    """How many starts: all for mixtures, several where negative curvature was met, else one."""
    objective = problem.likelihood.objective
    if not isinstance(objective, RowObjective):
        return 1
    if any(term.is_mixture for term in objective.terms):
        return _STARTS
    return _STARTS_WHERE_BENT if any(outcome.search.bent for outcome in outcomes) else 1


def _is_enough(outcomes: Sequence[Outcome], wanted: int) -> bool:
    """Stop at a certified maximum, after as many starts as are wanted, or when a diagnosis has stood up to others."""
    if len(outcomes) < wanted:
        return False
    settled = [outcome for outcome in outcomes if outcome.status not in _UNSETTLED]
    certified = any(outcome.status is Status.CONVERGED for outcome in settled)
    return certified or (len(outcomes) >= _STARTS_WITH_DIAGNOSIS and bool(settled))


def _best(outcomes: Sequence[Outcome]) -> Outcome:
    """The highest point that was certified or diagnosed; else one that shows the density unbounded; else the highest.

    A certified maximum gives way only to a diagnosis that is higher by more than rounding.
    """
    settled = [outcome for outcome in outcomes if outcome.status not in _UNSETTLED]
    unbounded = [outcome for outcome in outcomes if outcome.status is Status.UNBOUNDED]
    best = min(settled or unbounded or outcomes, key=lambda outcome: outcome.search.value)
    rivals = [o for o in settled if o.status is Status.CONVERGED and o.search.value - best.search.value < _margin(best)]
    return rivals[0] if rivals else best


def _margin(outcome: Outcome) -> float:
    """What log-densities far out on the way to a limit may differ by through rounding alone."""
    return min(_TELLING * max(1.0, abs(outcome.search.value)), _NEGLIGIBLE)


def _assemble(plan: Plan, best: Outcome, outcomes: Sequence[Outcome], iterations: int, evaluations: int) -> Maximum:
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
        findings=plan.likelihood.findings + tuple(_findings(best, outcomes)),
        certificate=_certify(plan, best, len(outcomes), iterations, evaluations),
    )


def _certify(plan: Plan, best: Outcome, starts: int, iterations: int, evaluations: int) -> Certificate:
    evidence, local, nan = best.evidence, best.local, float("nan")
    scaled = local.scaled_eigenvalues if local is not None else np.array([nan])
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
        starts=starts,
        iterations=iterations,
        evaluations=evaluations,
    )


def _findings(best: Outcome, outcomes: Sequence[Outcome]) -> list[str]:
    findings = []
    others = [outcome for outcome in outcomes if outcome is not best]
    unbounded = [o for o in others if o.status is Status.UNBOUNDED and o.short != best.short]
    if unbounded and best.status is not Status.UNBOUNDED:
        findings.append(f"from another start the density rises without bound as {unbounded[0].names}")
    lower = [o for o in others if o.status is Status.CONVERGED and o.search.value > best.search.value + _margin(best)]
    if lower and best.status is Status.CONVERGED:
        findings.append(
            f"the density has several maxima: from another start one was found whose log-density is lower by "
            f"{min(o.search.value for o in lower) - best.search.value:.3g}"
        )
    higher = [
        o for o in others if o.search.value < best.search.value - _margin(best) and o.status is not Status.UNBOUNDED
    ]
    if higher:
        findings.append(
            f"from another start the search reached a log-density higher by "
            f"{best.search.value - min(o.search.value for o in higher):.3g}, but could not certify a maximum there"
        )
    return findings
