"""Points to start from: PyMC's initial point, repaired when it is not finite, and jittered ones in the data's units."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ppl_mle.errors import StartError
from ppl_mle.maximize.first_guess import first_guess, in_units
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import Constant, RowObjective

_TRIES = 10
_WIDER = (1.0, 3.0, 10.0)
_WIDEST_TRANSFORMED = 3.0
_WIDEST_REPAIR = 4.0
_REACH = (0.1, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0, 100.0)


def propose_starts(problem: Problem, initvals: Mapping[str, Any] | None, seed: Any, most: int) -> Iterator[np.ndarray]:
    """Yield up to `most` points with a finite log-density and gradient.

    The first is PyMC's initial point (with `initvals` put in), or a guess from the data where there is one. For the
    others, what nobody chose is moved to where its order of magnitude suits the data, if it does not; they add U(-1, 1)
    to that on the unconstrained scale, as `pm.sample` does, then three and ten times as much (at most three times where
    an element is transformed), two of four in the units of the data, or all where the point was moved; in every other
    one, elements on the real line that all rows share are put upon an observation. A coordinate on the edge of its
    support, infinite on that scale, is put at 0; a point where the density is not finite is replaced by jittered ones
    of growing reach.

    Raises
    ------
    StartError
        No first point was found; names the terms that are not finite. Later starts without one are left out.
    """
    rng = np.random.default_rng(seed)
    first = problem.likelihood.mapping.start(initvals)[problem.free]
    first = np.where(np.isfinite(first), first, 0.0)
    chosen = problem.likelihood.mapping.start.chosen(initvals)
    guess = first_guess(problem) if not chosen else None
    if guess is not None and _is_finite(problem, guess):
        yield guess
    else:
        found = _finite_near(problem, first, rng)
        if found is None:
            found = in_units(problem, first, chosen)
            if not _is_finite(problem, found):
                raise StartError(_complaint(problem, first))
        yield found
    center = in_units(problem, first, chosen)
    for start in range(1, most):
        wide = _WIDER[(start - 1) // 2 % len(_WIDER)]
        units = problem.reach if start % 4 < 2 or center is not first else 1.0
        reach = np.where(problem.is_transformed, min(wide, _WIDEST_TRANSFORMED), wide * units)
        place = center + reach * rng.uniform(-1, 1, first.shape)
        if start % 2 == 0:
            _put_upon_observations(problem, place, rng)
        found = _finite_near(problem, place, rng)
        if found is not None:
            yield found


def _put_upon_observations(problem: Problem, x: np.ndarray, rng: np.random.Generator) -> None:
    """Set elements on the real line that all rows of a term share to numbers that its rows hold, in place."""
    objective = problem.likelihood.objective
    for term in objective.terms if isinstance(objective, RowObjective) else ():
        shared = [b.columns for p in term.predictors for b in p.blocks if isinstance(b, Constant)]
        mine = np.isin(problem.free, np.concatenate(shared)) & ~problem.is_transformed if shared else []
        if np.any(mine) and term.row_constants:
            x[mine] = rng.choice(np.concatenate(term.row_constants), np.count_nonzero(mine))


def _is_finite(problem: Problem, x: np.ndarray) -> bool:
    """Asked of a part of the rows where there are very many; else with the curvature that the search asks for next."""
    probe = problem.probe
    value = problem.visit(x)[0] if probe is problem else probe.value_and_gradient(x)[0]
    return bool(np.isfinite(value))


def _finite_near(problem: Problem, x: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """A point with finite value and gradient: what is finite already is kept, term by term."""
    if np.isfinite(problem.value_and_gradient(x)[0]):
        return x
    bad, level, failures = _bad_terms(problem, x), 0, 0
    while level < len(_REACH):
        reaches = np.where(problem.is_transformed, min(_REACH[level], _WIDEST_REPAIR), _REACH[level])
        candidate = x + reaches * _moved_by(problem, bad) * rng.uniform(-1, 1, x.shape)
        if np.isfinite(problem.value_and_gradient(candidate)[0]):
            return candidate
        left = _bad_terms(problem, candidate)
        if left < bad:
            x, bad, failures = np.where(_moved_by(problem, bad - left), candidate, x), left, 0
        else:
            failures += 1
        if failures == _TRIES:
            level, failures = level + 1, 0
    return None


def _bad_terms(problem: Problem, x: np.ndarray) -> set[str]:
    """Names of the terms whose value does not exist."""
    values = problem.likelihood.objective.term_values(problem.expand(x))
    return {term.name for term, v in zip(problem.likelihood.terms, values, strict=True) if not np.isfinite(v)}


def _moved_by(problem: Problem, names: set[str]) -> np.ndarray:
    """Mask of the free coordinates that some terms depend on; all of them where that is not known."""
    objective = problem.likelihood.objective
    if not names or not isinstance(objective, RowObjective):
        return np.ones(problem.size, bool)
    terms = [term for term in objective.terms if term.name in names]
    columns = [predictor.columns for term in terms for predictor in term.predictors]
    if not columns or not names <= {term.name for term in terms}:
        return np.ones(problem.size, bool)
    mine = np.isin(problem.free, np.concatenate(columns))
    return mine if np.any(mine) else np.ones(problem.size, bool)


def _complaint(problem: Problem, x: np.ndarray) -> str:
    theta = problem.expand(x)
    values = problem.likelihood.objective.term_values(theta)
    bad = [f"'{t.name}' is {v:g}" for t, v in zip(problem.likelihood.terms, values, strict=True) if not np.isfinite(v)]
    if bad:
        return (
            f"no finite starting point was found: at the initial point the log-density of {', '.join(bad)}; "
            "pass initvals= inside the support, and check the observed values against the distribution's support"
        )
    gradient = problem.likelihood.objective.value_and_gradient(theta)[1]
    names = [label for label, g in zip(problem.likelihood.free_labels, gradient, strict=True) if not np.isfinite(g)]
    return (
        f"no finite starting point was found: the gradient with respect to {', '.join(names[:5])} is not finite; "
        "pass initvals= away from that point"
    )
