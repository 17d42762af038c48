"""The bootstrap: the estimates of data sets drawn from the rows, from clusters of them, or from the fitted model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any, Literal

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.delta import estimate_declared
from ppl_mle.inference.estimates import Estimates, normal_quantile
from ppl_mle.inference.quantities import Quantity, estimate_quantities
from ppl_mle.inference.resampling.bootstrap_intervals import bca_interval, percentile_interval, studentized_interval
from ppl_mle.inference.resampling.drawn_data import draw_data
from ppl_mle.inference.resampling.influence_of_units import by_observed_information, find_acceleration
from ppl_mle.inference.resampling.refit import Refits, Tick, refit_all
from ppl_mle.inference.resampling.reweighted import drawn
from ppl_mle.inference.resampling.units import Pool, find_pools
from ppl_mle.maximize import Maximum

Method = Literal["percentile", "bca", "t"]
METHODS = ("percentile", "bca", "t")
Kind = Literal["rows", "parametric"]


@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap:
    """Estimates of bootstrap data sets.

    Parameters
    ----------
    estimates : Estimates
        Of the data themselves, standard errors by the observed information.
    refits : Refits
    kind : str
        What was drawn: `1000 rows`, `60 rows (y and z drawn together)`, `42 groups`, `data from the fitted model`.
    random_seed : int
    acceleration : array of shape (q,), or str
        For the bias-corrected and accelerated intervals; or why there is none.
    groups : array, dict of str to array, or None
        What was drawn whole.
    """

    estimates: Estimates
    refits: Refits
    kind: str
    random_seed: int
    acceleration: np.ndarray | str
    groups: Any = None

    @property
    def replicates(self) -> int:
        """Number of data sets."""
        return len(self.refits.statuses)

    @cached_property
    def params(self) -> pd.DataFrame:
        """Estimates on the declared scale, one row per data set; NaN where there is no finite maximum."""
        return pd.DataFrame(self.refits.values, columns=list(self.estimates.labels))

    @cached_property
    def statuses(self) -> dict[str, int]:
        """How many data sets ended in each status; those that did not converge have no finite maximum."""
        return dict(Counter(status.name for status in self.refits.statuses).most_common())

    @property
    def used(self) -> int:
        """Number of data sets with a maximum."""
        return sum(status.converged for status in self.refits.statuses)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the replicates, one sentence each."""
        known = np.isfinite(self.refits.values)
        notes = []
        for i, label in enumerate(self.estimates.labels):
            found = np.unique(self.refits.values[known[:, i], i])
            if len(found) == 1 and known[:, i].sum() > 1 and self.estimates.bse.iloc[i] != 0:
                notes.append(
                    f"every replicate has {label} = {found[0]:.6g}, so the bootstrap says nothing of its error; use "
                    "profile intervals"
                )
        return tuple(notes)

    @property
    def bse(self) -> pd.Series:
        """Standard deviation of the replicates that have a maximum; `attrs["notes"]` says where it is no measure."""
        found = self.params.std(ddof=1).rename("se")
        found.attrs["notes"] = list(self.notes)
        return found

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the replicates that have a maximum, on the declared scale."""
        return self.params.dropna().cov()

    def conf_int(self, ci_prob: float = 0.95, method: Method = "percentile") -> pd.DataFrame:
        """Intervals; see `bootstrap_interval`."""
        return bootstrap_interval(self, ci_prob, method)

    def __repr__(self) -> str:
        ended = ", ".join(f"{count} {status}" for status, count in self.statuses.items())
        return f"Bootstrap({self.replicates} replicates of {self.kind}: {ended}; random_seed={self.random_seed})"


def bootstrap(
    maximum: Maximum,
    model: Any = None,
    *,
    replicates: int = 999,
    kind: Kind = "rows",
    groups: Any = None,
    random_seed: int = 0,
    tick: Tick = lambda done: None,
) -> Bootstrap:
    """Draw data sets and fit them, each from the estimate (Efron 1979; Davison and Hinkley 1997).

    Parameters
    ----------
    maximum : Maximum
    model : pm.Model
        For the parametric bootstrap.
    replicates : int
    kind : {"rows", "parametric"}
    groups : array or dict of str to array, optional
        Group of each row.
    random_seed : int
    tick : callable
        Told how many data sets are done.

    Raises
    ------
    RequestError
        No maximum, no rows, an unknown kind, bad groups or numbers.
    """
    check_count("replicates", replicates)
    check_seed(random_seed)
    if kind not in ("rows", "parametric"):
        raise RequestError(f"kind={kind!r} is unknown; use 'rows' or 'parametric'")
    if kind == "parametric":
        if groups is not None:
            raise RequestError("groups are for kind='rows'; a parametric bootstrap draws them as the model says")
        refits = refit_all(maximum, draw_data(maximum, model, replicates, random_seed), tick)
        return _record(maximum, refits, "data from the fitted model", random_seed, None)
    pools = find_pools(maximum, groups)
    refits = refit_all(maximum, drawn(maximum, pools, replicates, random_seed), tick)
    return _record(maximum, refits, " and ".join(_what(pool, groups) for pool in pools), random_seed, groups)


def bootstrap_interval(bootstrap: Bootstrap, ci_prob: float = 0.95, method: Method = "percentile") -> pd.DataFrame:
    """Intervals from bootstrap replicates.

    Parameters
    ----------
    bootstrap : Bootstrap
    ci_prob : float
    method : {"percentile", "bca", "t"}
        Central quantiles; bias-corrected and accelerated, with the acceleration of the empirical influence (Efron
        1987); or studentized by every replicate's standard error on the unconstrained scale, mapped back (Efron 1981).

    Returns
    -------
    DataFrame
        Columns `lower` and `upper`, declared scale; `attrs` hold the method, how many replicates were used, and
        `notes` on elements that are the same in every replicate. Replicates without a maximum are left out.

    Raises
    ------
    RequestError
        An unknown method, `ci_prob` outside (0, 1), or too few replicates for it.
    """
    normal_quantile(ci_prob)
    if method not in METHODS:
        raise RequestError(f"method={method!r} is unknown; use one of {', '.join(METHODS)}")
    if method == "bca" and isinstance(bootstrap.acceleration, str):
        raise RequestError(f"method='bca' needs the influence of rows: {bootstrap.acceleration}")
    if method == "t" and np.isnan(bootstrap.refits.errors).all() and bootstrap.used:
        raise RequestError("method='t' needs every replicate's standard error, which only elements have; use 'bca'")
    needed = ceil(2 / (1 - ci_prob))
    if bootstrap.used < needed:
        raise RequestError(
            f"ci_prob={ci_prob} needs at least {needed} replicates with a maximum, and there are {bootstrap.used}; "
            "draw more, for example 999"
        )
    bounds = [_bounds(bootstrap, i, ci_prob, method) for i in range(len(bootstrap.estimates.labels))]
    frame = pd.DataFrame(bounds, index=list(bootstrap.estimates.labels), columns=["lower", "upper"])
    name = {"percentile": "percentile", "bca": "BCa", "t": "t"}[method]
    frame.attrs["method"] = f"bootstrap {name}, {bootstrap.used} of {bootstrap.replicates} replicates"
    frame.attrs["ci_prob"] = ci_prob
    frame.attrs["notes"] = list(bootstrap.notes)
    return frame


def bootstrap_covariance(
    maximum: Maximum, replicates: int = 999, random_seed: int = 0, groups: Any = None, tick: Tick = lambda done: None
) -> np.ndarray:
    """Covariance of bootstrap replicates on the unconstrained scale, shape (p, p).

    Raises
    ------
    RequestError
        A replicate has no maximum inside the parameter space, so that the covariance does not exist.
    """
    found = bootstrap(maximum, replicates=replicates, random_seed=random_seed, groups=groups, tick=tick)
    others = {name: count for name, count in found.statuses.items() if name != "CONVERGED"}
    if others:
        said = ", ".join(f"{count} {name}" for name, count in others.items())
        raise RequestError(
            f"a bootstrap covariance needs a maximum in every replicate, and of {found.replicates} there are {said}; "
            "use bootstrap intervals, or HC3"
        )
    return np.atleast_2d(np.cov(found.refits.theta, rowvar=False, ddof=1))


def check_count(name: str, number: Any) -> None:
    """Raise a RequestError for what is no whole number of at least 2."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 2:
        raise RequestError(f"{name}={number!r} is no whole number of at least 2; use for example 999")


def check_seed(seed: Any) -> None:
    """Raise a RequestError for what is no whole number from 0 on."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise RequestError(f"random_seed={seed!r} is no whole number from 0 on")


def bootstrap_of(found: Bootstrap, maximum: Maximum, quantities: Sequence[Quantity]) -> Bootstrap:
    """The bootstrap of other quantities, from the replicates at hand; without standard errors of the replicates.

    Parameters
    ----------
    found : Bootstrap
    maximum : Maximum
        Of the same fit.
    quantities : sequence of Quantity
    """
    own = by_observed_information(maximum)
    known = np.isfinite(found.refits.values).any(axis=1)
    values = np.full((found.replicates, len(quantities)), np.nan)
    for i in np.flatnonzero(known):
        values[i] = [quantity.value(found.refits.theta[i]) for quantity in quantities]
    refits = replace(found.refits, values=values, errors=np.full(values.shape, np.nan))
    jacobian = np.array([quantity.gradient(maximum.theta) for quantity in quantities])
    acceleration = _accelerate(own, found.groups, jacobian)
    return replace(found, estimates=estimate_quantities(own, quantities), refits=refits, acceleration=acceleration)


def demand_same_fit(found: Bootstrap, maximum: Maximum) -> None:
    """Raise a RequestError for a bootstrap of another fit."""
    own = estimate_declared(by_observed_information(maximum))
    if own.labels != found.estimates.labels or not np.array_equal(own.values, found.estimates.values, equal_nan=True):
        raise RequestError("bootstrap= is of another fit: its estimates differ; pass fit.bootstrap() of this one")


def _what(pool: Pool, groups: Any) -> str:
    """What was drawn from one pool, in words."""
    if groups is not None:
        return f"{pool.copies.sum():g} groups"
    together = f" ({' and '.join(pool.names)} drawn together)" if len(pool.names) > 1 else ""
    return f"{pool.copies.sum():g} rows{together}"


def _record(maximum: Maximum, refits: Refits, kind: str, seed: int, groups: Any) -> Bootstrap:
    own = by_observed_information(maximum)
    acceleration = _accelerate(own, groups, maximum.plan.likelihood.mapping.jacobian(maximum.theta))
    return Bootstrap(estimate_declared(own), refits, kind, seed, acceleration, groups)


def _accelerate(maximum: Maximum, groups: Any, jacobian: np.ndarray) -> np.ndarray | str:
    try:
        return find_acceleration(maximum, find_pools(maximum, groups), jacobian)
    except RequestError as reason:
        return str(reason)


def _bounds(found: Bootstrap, i: int, ci_prob: float, method: Method) -> tuple[float, float]:
    own, estimate = found.estimates, float(found.estimates.values[i])
    kept = np.isfinite(found.refits.values[:, i])
    values, errors = found.refits.values[kept, i], found.refits.errors[kept, i]
    if not np.isfinite(estimate):
        return np.nan, np.nan
    if np.all(values == estimate):
        return estimate, estimate
    if method == "bca":
        assert isinstance(found.acceleration, np.ndarray)
        return bca_interval(values, estimate, float(found.acceleration[i]), ci_prob)
    if method == "t":
        return studentized_interval(values, errors, estimate, float(own.bse.iloc[i]), own.scales[i], ci_prob)
    return percentile_interval(values, ci_prob)
