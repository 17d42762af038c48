"""Bias and coverage of a whole procedure: data drawn from the fitted model, fitted again, intervals made."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.inference.estimates import normal_quantile
from ppl_mle.inference.intervals import find_intervals
from ppl_mle.inference.resampling.bootstrap import check_count, check_seed
from ppl_mle.inference.resampling.drawn_data import draw_data
from ppl_mle.inference.resampling.influence_of_units import by_observed_information
from ppl_mle.inference.resampling.refit import Refits, Tick, highest, is_plain, refit_all, refit_one
from ppl_mle.inference.resampling.sample import Sample
from ppl_mle.maximize import Maximum, Status
from ppl_mle.maximize.local import look_closely
from ppl_mle.maximize.problem import Problem
from ppl_mle.read import Scale

Find = Callable[[Maximum], pd.DataFrame]
"""From a maximum to a frame with columns `lower` and `upper`."""


@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """Estimates and intervals of simulated data sets.

    Parameters
    ----------
    labels : tuple of str
    true : array, shape (q,)
        What the data were drawn at, declared scale: the estimates of the fit.
    refits : Refits
    covered : array, shape (B, q)
        Whether the interval holds the true value, an infinite bound included; NaN where there is no interval.
    method : str
        Of the intervals.
    ci_prob : float
    random_seed : int
    """

    labels: tuple[str, ...]
    true: np.ndarray
    refits: Refits
    covered: np.ndarray
    method: str
    ci_prob: float
    random_seed: int

    @property
    def replicates(self) -> int:
        """Number of data sets."""
        return len(self.refits.statuses)

    @cached_property
    def statuses(self) -> dict[str, int]:
        """How many data sets ended in each status; those that did not converge enter no column of the table."""
        return dict(Counter(status.name for status in self.refits.statuses).most_common())

    @cached_property
    def params(self) -> pd.DataFrame:
        """Estimates, one row per data set; NaN without a maximum."""
        return pd.DataFrame(self.refits.values, columns=list(self.labels))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per element.

        `true` value; `mean` of the estimates; `bias` with its Monte-Carlo standard error `bias_mcse`; their standard
        deviation `sd`; `mean_se` of the standard errors; `coverage` with `coverage_mcse`, the share of `intervals` that
        hold the true value.
        """
        values = self.params
        count = values.notna().sum()
        sd = values.std(ddof=1)
        errors = np.where(self.refits.errors > 0, self.refits.errors, np.nan)
        made = np.isfinite(self.covered).sum(axis=0)
        share = np.divide(np.nansum(self.covered, axis=0), made, out=np.full(len(made), np.nan), where=made > 0)
        columns = {
            "true": self.true,
            "mean": values.mean().to_numpy(),
            "bias": values.mean().to_numpy() - self.true,
            "bias_mcse": (sd / np.sqrt(count)).to_numpy(),
            "sd": sd.to_numpy(),
            "mean_se": pd.DataFrame(errors).mean().to_numpy(),
            "coverage": share,
            "coverage_mcse": np.sqrt(share * (1 - share) / np.maximum(made, 1)),
            "intervals": made,
        }
        return pd.DataFrame(columns, index=list(self.labels))

    def __repr__(self) -> str:
        ended = ", ".join(f"{count} {status}" for status, count in self.statuses.items())
        head = f"{self.replicates} data sets drawn at the estimate (random_seed={self.random_seed}): {ended}"
        return f"{head}\n{100 * self.ci_prob:g} % intervals: {self.method}\n{self.table.to_string()}"


def simulate_refit(
    maximum: Maximum,
    model: Any,
    *,
    replicates: int = 200,
    random_seed: int = 0,
    ci_prob: float = 0.95,
    method: str = "wald",
    tick: Tick = lambda done: None,
) -> Simulation:
    """Draw data sets from the fitted model, fit each, and compare estimates and intervals with what they were drawn at.

    Parameters
    ----------
    maximum : Maximum
    model : pm.Model
        Never changed.
    replicates, random_seed : int
    ci_prob : float
    method : str
        Of intervals, as for `conf_int`.
    tick : callable
        Told how many data sets are done.

    Raises
    ------
    RequestError
        No maximum, nothing observed, bad numbers, or an unknown method.
    """
    check_count("replicates", replicates)
    check_seed(random_seed)
    normal_quantile(ci_prob)
    sample = draw_data(maximum, model, replicates, random_seed)
    refits = refit_all(maximum, sample, tick)
    likelihood = maximum.plan.likelihood
    true = likelihood.mapping.declared(maximum.theta).copy()
    for label, limit in maximum.declared.items():
        true[likelihood.labels.index(label)] = limit
    if method == "profile" and maximum.status is Status.CONVERGED and is_plain(likelihood):
        covered = covered_by_ratio(maximum, sample, refits, ci_prob)
    elif method == "wald":
        covered = covered_by_bounds(wald_bounds(maximum, refits, ci_prob), true)
    else:
        found = bounds_by(maximum, sample, refits, lambda one: find_intervals(one, method, None, ci_prob).bounds)
        covered = covered_by_bounds(found, true)
    return Simulation(tuple(likelihood.labels), true, refits, covered, method, ci_prob, random_seed)


def covered_by_ratio(maximum: Maximum, sample: Sample, refits: Refits, ci_prob: float) -> np.ndarray:
    """Whether profile intervals hold the true values, shape (B, q); NaN without a maximum, or where one is fixed.

    They do where a likelihood-ratio test does not reject the true value, which takes one more refit with that held.
    """
    likelihood, covered = maximum.plan.likelihood, np.full(refits.values.shape, np.nan)
    usable = np.array([status.converged for status in refits.statuses])
    top = _heights(sample, refits)
    for var in likelihood.variables:
        for i, k in zip(
            range(var.declared.start, var.declared.stop), range(var.free.start, var.free.stop), strict=True
        ):
            if k in maximum.held:
                continue
            held = replace(maximum, held={**maximum.held, k: float(maximum.theta[k])})
            fall = top - highest(held, sample)
            covered[usable, i] = 2 * fall[usable] <= normal_quantile(ci_prob) ** 2
    return covered


def wald_bounds(maximum: Maximum, refits: Refits, ci_prob: float) -> np.ndarray:
    """Wald intervals on the scale where each element is free, mapped back, shape (B, q, 2)."""
    bounds, z = np.full((*refits.values.shape, 2), np.nan), normal_quantile(ci_prob)
    with np.errstate(all="ignore"):
        for i, scale in enumerate(maximum.plan.likelihood.scales):
            bounds[:, i] = _wald(refits.values[:, i], refits.errors[:, i], scale, z)
    return bounds


def bounds_by(maximum: Maximum, sample: Sample, refits: Refits, find: Find) -> np.ndarray:
    """Intervals that need a maximum of every data set, shape (B, q, 2); NaN where there is none."""
    bounds = np.full((*refits.values.shape, 2), np.nan)
    for member, status in enumerate(refits.statuses):
        if status is Status.CONVERGED:
            found: Maximum | None = maximum_of(maximum, sample, refits, member)
        else:
            found = refit_one(maximum, sample.likelihood(member)) if status.converged else None
        if found is not None and found.status.converged:
            bounds[member] = find(found)[["lower", "upper"]].to_numpy()
    return bounds


def maximum_of(maximum: Maximum, sample: Sample, refits: Refits, member: int) -> Maximum:
    """The maximum of one data set that converged, made from its refit."""
    likelihood, theta = sample.likelihood(member), refits.theta[member]
    problem = Problem(likelihood, maximum.held)
    x = theta[problem.free]
    covariance, gradient = np.zeros((likelihood.size, likelihood.size)), np.zeros(likelihood.size)
    with np.errstate(all="ignore"):
        value, slope = problem.visit(x)
        local = look_closely(problem, x, slope, np.maximum(1.0, np.abs(x)) * 1e-2)
    gradient[problem.free] = -slope
    covariance[np.ix_(problem.free, problem.free)] = local.covariance
    first = by_observed_information(maximum)
    return replace(
        first,
        plan=replace(maximum.plan, likelihood=likelihood),
        theta=theta,
        value=-value,
        gradient=gradient,
        covariance=covariance,
        information=None,
    )


def _heights(sample: Sample, refits: Refits) -> np.ndarray:
    """The log-density reached in every data set, shape (B,)."""
    heights = refits.heights.copy()
    for member in np.flatnonzero(np.isnan(heights) & np.isfinite(refits.theta).all(axis=1)).tolist():
        heights[member] = sample.likelihood(member).objective.value_and_gradient(refits.theta[member])[0]
    return heights


def covered_by_bounds(bounds: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Whether intervals, shape (B, q, 2), hold the true values; NaN where there is no bound, missed with one alone."""
    low, high = bounds[:, :, 0], bounds[:, :, 1]
    return np.where(np.isnan(bounds).all(axis=2), np.nan, (low <= true) & (high >= true))


def _wald(values: np.ndarray, errors: np.ndarray, scale: Scale, z: float) -> np.ndarray:
    half = z * errors / np.abs(scale.slope(values))
    center = scale.to_free(values)
    ends = np.array([scale.to_declared(center - half), scale.to_declared(center + half)])
    return np.sort(ends, axis=0).T
