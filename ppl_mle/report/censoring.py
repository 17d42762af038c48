"""Censored values: the times of events with their limits, and limits that were declared for censored rows only."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from ppl_mle.read.cumulative import log_cdf
from ppl_mle.read.law import Law
from ppl_mle.report.some_rows import rows_averaged, rows_in_order

_POINTS = 200
_STEPS_SHOWN = 1000


@dataclass(frozen=True, eq=False)
class Survival:
    """Times to an event, some of them censored on the right.

    Parameters
    ----------
    times : array, shape (n,)
    limits : array, shape (n,)
        Times at which rows are, or would have been, censored; infinite where that is not known.
    grid, fitted : array, shape (m,)
        Times, and the fitted probability of lasting longer, averaged over the rows. The first is 0, or the smallest
        where times can be negative.
    """

    times: np.ndarray
    limits: np.ndarray
    grid: np.ndarray
    fitted: np.ndarray

    @property
    def happened(self) -> np.ndarray:
        """Which rows have their event; False where the time is a limit that the event had not reached."""
        return self.times < self.limits

    def product_limit(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times of events, Kaplan and Meier's estimate after each, and its standard error by Greenwood's formula.

        All rows enter; of more than 1,000 times some are returned, evenly spaced in rank and in time.
        """
        places, member = np.unique(self.times, return_inverse=True)
        events = np.bincount(member, self.happened, len(places))
        risk = np.bincount(member, minlength=len(places))[::-1].cumsum()[::-1].astype(float)
        kept = np.flatnonzero(events > 0)
        steps = np.cumprod(1 - events[kept] / risk[kept])
        with np.errstate(all="ignore"):
            errors = steps * np.sqrt(np.cumsum(events[kept] / (risk[kept] * (risk[kept] - events[kept]))))
        shown = _steps_shown(places[kept])
        return places[kept][shown], steps[shown], errors[shown]


def _steps_shown(times: np.ndarray) -> np.ndarray:
    """Positions of some ordered times: the first, the last, and some evenly spaced in rank, and in time."""
    last = len(times) - 1
    if last < _STEPS_SHOWN:
        return np.arange(last + 1)
    by_rank = np.linspace(0, last, _STEPS_SHOWN // 2).astype(int)
    by_time = np.searchsorted(times, np.linspace(times[0], times[last], _STEPS_SHOWN // 2))
    return np.unique(np.minimum(np.concatenate([by_rank, by_time]), last))


def complete_limits(times: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Limits of all rows, where those of rows with an event are often not declared.

    They are drawn, the same each time, from Kaplan and Meier's estimate of the distribution of limits, beyond the time
    of the event. Where that estimate does not reach zero, the rest stays infinite.

    Examples
    --------
    >>> complete_limits(np.array([1.0, 4.0, 2.0]), np.array([np.inf, 4.0, np.inf])).tolist()
    [4.0, 4.0, 4.0]
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    found = SurvfuncRight(times, (times >= limits).astype(int))
    places, beyond = np.asarray(found.surv_times), np.r_[1.0, np.asarray(found.surv_prob)]
    targets = np.random.default_rng(0).random(len(times)) * beyond[np.searchsorted(places, times, side="right")]
    drawn = np.r_[places, np.inf][np.searchsorted(-beyond[1:], -targets, side="left")]
    return np.where(np.isinf(limits), np.where(drawn > times, drawn, np.inf), limits)


def complete_lower_limits(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Limits on the left of all rows, by the same rule seen in a mirror; minus infinity where that is not known.

    Examples
    --------
    >>> complete_lower_limits(np.array([5.0, 1.0]), np.array([-np.inf, 1.0])).tolist()
    [1.0, 1.0]
    """
    return -complete_limits(-values, -limits)


def find_survival(law: Law, values: np.ndarray, means: np.ndarray) -> Survival | None:
    """Times with their limits, and the fitted survival function; None where some are censored on the left, or none.

    The average over rows is one over `rows_in_order` of their means before censoring where there are many.
    """
    shape = values.shape
    low, high = (np.ravel(np.broadcast_to(limit, shape)) for limit in law.parameters)
    if np.isfinite(low).any() or not np.isfinite(high).any():
        return None
    base = law.parts[0].mapped(lambda p: np.broadcast_to(np.ravel(p), shape))
    some = rows_in_order(means, rows_averaged(len(values), _POINTS + 1))
    base = base.mapped(lambda p: p[some])
    grid = np.linspace(min(0.0, float(values.min())), float(values.max()), _POINTS + 1)
    count = len(base.parameters[0])
    with np.errstate(all="ignore"):
        fitted = [-np.expm1(logsumexp(log_cdf(base, np.full(count, t))) - np.log(count)) for t in grid]
    return Survival(values, complete_limits(values, high), grid, np.asarray(fitted))
