"""What several starts say together: which reached the same maximum, and what lies elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ppl_mle.maximize.evidence import value_noise
from ppl_mle.maximize.outcome import Outcome
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.status import Status

_TELLING = 1e-3
_NEGLIGIBLE = 1e-2
_SAME_PLACE = 1e-3
_SAME_VERTEX = 1e-6
_SAME_HEIGHT = 1e-7
_NOISES = 4.0
_SHOWN = 5
_FAR_OUT = 30.0
_FAR_ABOVE = 10.0
_ELEMENTS = 4


@dataclass(frozen=True)
class Peak:
    """A maximum that was certified.

    Parameters
    ----------
    outcome : Outcome
    reached : int
        Starts that ended there.
    """

    outcome: Outcome
    reached: int = 1

    @property
    def value(self) -> float:
        """Minus the log-density."""
        return self.outcome.search.value


def distinct_maxima(best: Outcome, outcomes: Sequence[Outcome]) -> list[Peak]:
    """The maxima that the starts reached: the one that is returned first, then from the highest down."""
    peaks: list[Peak] = []
    certified = [outcome for outcome in outcomes if outcome.status.converged]
    for outcome in sorted(certified, key=lambda o: (o is not best, o.search.value)):
        known = next((i for i, peak in enumerate(peaks) if _is_same(peak.outcome, outcome)), None)
        if known is None:
            peaks.append(Peak(outcome))
        else:
            peaks[known] = replace(peaks[known], reached=peaks[known].reached + 1)
    return peaks


def same_maximum(best: Outcome, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that ended at the maximum that another ended at, itself included."""
    return [best, *(o for o in outcomes if o is not best and o.status is best.status and _is_same(best, o))]


def is_as_high(outcome: Outcome, best: Outcome) -> bool:
    """Whether two log-densities differ by rounding alone."""
    apart = abs(outcome.search.value - best.search.value)
    if apart <= _SAME_HEIGHT * max(1.0, abs(best.search.value)):
        return True
    return apart <= margin(best) and apart <= _NOISES * value_noise(best.problem, best.search.x)


def margin(outcome: Outcome) -> float:
    """What log-densities far out on the way to a limit may differ by through rounding alone."""
    return min(_TELLING * max(1.0, abs(outcome.search.value)), _NEGLIGIBLE)


def is_credible(outcome: Outcome, below: Outcome) -> bool:
    """Whether a point can be believed to be higher than another one.

    Far out, formulas cancel and may give any height, with or without noise. So it is asked at the nearest point that is
    no farther out than formulas are trusted, or than the lower point is, and must be higher by far more than noise.
    """
    whole = Problem(outcome.problem.likelihood, {})
    limits = np.where(whole.is_transformed, np.maximum(_FAR_OUT, np.abs(below.theta)), np.inf)
    x = np.clip(outcome.theta, -limits, limits)
    rise = below.search.value - whole.value(x)
    return bool(rise > margin(below)) and rise > _FAR_ABOVE * value_noise(whole, x)


def tell_of_others(best: Outcome, outcomes: Sequence[Outcome]) -> list[str]:
    """Findings about what other starts ended in: no bound, other maxima, higher points that are no maximum."""
    findings = []
    others = [outcome for outcome in outcomes if outcome is not best]
    unbounded = [o for o in others if o.status is Status.UNBOUNDED and o.short != best.short]
    if unbounded and best.status is not Status.UNBOUNDED:
        findings.append(f"from another start the density rises without bound as {unbounded[0].names}")
    peaks = distinct_maxima(best, outcomes)
    if len(peaks) > 1 and best.status.converged:
        findings.append(_tell_of_peaks(best, peaks, len(outcomes)))
    higher = [
        o
        for o in others
        if o.search.value < best.search.value - margin(best)
        and not (o.status is Status.UNBOUNDED or o.status.converged)
        and is_credible(o, best)
    ]
    if higher:
        findings.append(
            f"from another start the search reached a log-density higher by "
            f"{best.search.value - min(o.search.value for o in higher):.3g}, but could not certify a maximum there"
        )
    return findings


def tell_of_latents(best: Outcome) -> list[str]:
    """What to do instead, where the joint density of latent variables has no bound."""
    latents = best.problem.likelihood.latents
    if best.status is not Status.UNBOUNDED or not latents:
        return []
    verb, them = ("is", "it") if len(latents) == 1 else ("are", "them")
    return [
        f"{', '.join(latents)} {verb} latent, and a joint mode with {best.short} does not exist: integrate {them} out "
        "in the model (a marginal likelihood), hold the scale with fixed=, give it a prior that excludes 0, or sample "
        "the posterior"
    ]


def _tell_of_peaks(best: Outcome, peaks: Sequence[Peak], starts: int) -> str:
    reached = f"{peaks[0].reached} of {starts} starts reached this one"
    others = [_describe_peak(best, peak) for peak in peaks[1:]]
    more = f"; and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return f"the density has several maxima: {reached}; another is at " + "; another at ".join(others[:_SHOWN]) + more


def _describe_peak(best: Outcome, peak: Peak) -> str:
    """The elements that differ most, in units of both places' size, and the height."""
    likelihood = best.problem.likelihood
    here, there = (likelihood.mapping.declared(outcome.theta) for outcome in (best, peak.outcome))
    apart = np.abs(there - here) / np.maximum(np.abs(here) + np.abs(there), np.finfo(float).tiny)
    most = sorted(np.argsort(-apart, kind="stable")[:_ELEMENTS])
    place = ", ".join(f"{likelihood.labels[i]} = {there[i]:.6g}" for i in most if apart[i] > 0)
    depth = peak.value - best.search.value
    height = (
        f"log-density {-peak.value:.6f}, lower by {depth:.3g}"
        if depth > _SAME_HEIGHT * max(1.0, abs(peak.value))
        else "as high"
    )
    return f"{place} ({height})"


def _is_same(peak: Outcome, outcome: Outcome) -> bool:
    """Whether two maxima are one: as high, and at the same place in units of standard errors; off a face, exactly."""
    if not is_as_high(outcome, peak):
        return False
    if not np.array_equal(peak.problem.free, outcome.problem.free):
        return True
    if peak.directions is not None and outcome.directions is not None:
        here, there = _declared(peak), _declared(outcome)
        return peak.limits == outcome.limits and bool(np.all(np.abs(there - here) <= _SAME_VERTEX * (1 + np.abs(here))))
    x, apart = peak.search.x, outcome.search.x - peak.search.x
    if peak.local is not None:
        weights = np.linalg.lstsq(peak.local.solid, apart)[0]
        if np.linalg.norm(weights) >= _SAME_PLACE:
            return False
        apart = apart - peak.local.solid @ weights
    return bool(np.all(np.abs(apart) <= _SAME_VERTEX * (1 + np.abs(x))))


def _declared(outcome: Outcome) -> np.ndarray:
    """Declared elements, 0 for those that were followed to a limit."""
    likelihood = outcome.problem.likelihood
    gone = [label in outcome.limits for label in likelihood.labels]
    return np.where(gone, 0.0, likelihood.mapping.declared(outcome.theta))
