"""An instant posterior: a certified mode, an approximation there, and a proof that its weighted draws stand for it."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.maximize import ENGINES, Maximum, maximize
from ppl_mle.plan import make_plan
from ppl_mle.posterior.approximation import Shape, approximate
from ppl_mle.posterior.importance import Weighted, resample, weigh
from ppl_mle.read import Likelihood, has_one_mode, read_posterior

GOOD_K, USELESS_K = 0.5, 0.7
_PROPOSALS, _LEAST_PROPOSALS = 2, 200
_LARGE = 0.75
_STARTS, _FEWEST = 20, 5
_SECONDS, _STEPS = 2.0, 30
_BESIDE = 1e-6
_MOST_DIMENSIONS = 200


@dataclass(frozen=True, eq=False)
class Instant:
    """What an approximation of a posterior came to.

    Parameters
    ----------
    mode : Maximum
        Of the density on the unconstrained scale, the log-Jacobian and the priors included.
    weighted : Weighted or None
        None where there is no certified mode.
    reason : str
        Why its draws are no posterior; empty where they are.
    """

    mode: Maximum
    weighted: Weighted | None
    reason: str

    def draws(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Resampled unconstrained vectors, shape (count, p)."""
        assert self.weighted is not None
        return resample(self.weighted, count, rng)


def find_mode(model: Any, initvals: dict[str, np.ndarray] | None = None, random_seed: int = 0) -> Maximum:
    """The mode of a posterior on the unconstrained scale, certified or diagnosed."""
    posterior = read_posterior(model)
    starts = None if has_one_mode(posterior) else _affordable(posterior)
    return maximize(make_plan(posterior, ENGINES, {}), initvals=initvals, random_seed=random_seed, starts=starts)


def _affordable(posterior: Likelihood) -> int | None:
    """So many starts as take about two seconds, at most 20; None where that is not even five."""
    point = posterior.mapping.start(None)
    posterior.objective.value_and_gradient(point)
    begun = time.perf_counter()
    posterior.objective.value_and_gradient(point + _BESIDE)
    each = (time.perf_counter() - begun) * _STEPS * (1 + posterior.size / 4)
    found = min(_STARTS, int(_SECONDS / each))
    return found if found >= _FEWEST else None


def sample_instantly(mode: Maximum, count: int, rng: np.random.Generator) -> Instant:
    """Approximate a posterior, weigh the draws, and tell whether they may stand for it.

    Normal proposals first; where their weights are heavy-tailed, Student-t and split-normal ones, of which the lightest
    tail is kept. They may where k-hat < 0.5 and the effective sample is at least three quarters of `count`.

    Parameters
    ----------
    mode : Maximum
        From `find_mode`.
    count : int
        Draws wanted; twice as many are proposed.
    rng : Generator

    Returns
    -------
    Instant
    """
    if mode.status.name != "CONVERGED":
        return Instant(mode, None, f"the posterior has no certified mode on the unconstrained scale: {mode.sentence}")
    if len(mode.theta) > _MOST_DIMENSIONS:
        return Instant(mode, None, f"{len(mode.theta)} dimensions, more than {_MOST_DIMENSIONS}")
    shapes: tuple[Shape, ...] = ("normal", "t", "split")
    best: Weighted | None = None
    kept = ""
    for shape in shapes:
        found = weigh(mode.plan.likelihood, approximate(mode, shape), max(_PROPOSALS * count, _LEAST_PROPOSALS), rng)
        if not (reason := judge_weights(found, count)):
            best = found
            break
        if best is None or found.k_hat < best.k_hat:
            best, kept = found, reason
    reason = reason and kept
    if len(mode.certificate.maxima) > 1:
        heights = ", ".join(f"{value:.4g}" for value in mode.certificate.maxima)
        reason = f"the posterior has several modes (log-densities {heights})"
    return Instant(mode, best, reason)


def judge_weights(weighted: Weighted, count: int) -> str:
    """Why weighted draws are no posterior; empty where they are."""
    if not weighted.k_hat < GOOD_K:
        return f"k-hat of the importance weights is {weighted.k_hat:.2f}, not below {GOOD_K}"
    if weighted.ess < _LARGE * count:
        return f"the effective sample of the importance weights is {weighted.ess:.0f}, below {_LARGE * count:.0f}"
    return ""
