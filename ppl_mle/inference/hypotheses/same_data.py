"""Whether two fits are of the same observations: what their likelihoods may be compared for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ppl_mle.inference.results import Results
from ppl_mle.maximize import Maximum

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit as comparisons need it.

    Parameters
    ----------
    results : Results
    maximum : Maximum or None
        None for a fit that was loaded.
    groups : dict of str to Dataset
        `observed_data` as it was fitted; empty for a fit that was loaded.
    """

    results: Results
    maximum: Maximum | None
    groups: Mapping[str, xr.Dataset]


def difference_in_data(first: Fitted, second: Fitted) -> str | None:
    """Say how the observations of two fits differ; None where they are the same.

    Names of observed variables, and constant data such as columns of a design, may differ. Data inside Potentials are
    not seen.

    Parameters
    ----------
    first, second : Fitted

    Returns
    -------
    str or None
        A clause, e.g. `'y' differs in 2 of its 54 rows (3, 17)`.
    """
    if first.maximum is None or second.maximum is None:
        if first.results.data_hash == second.results.data_hash:
            return _difference_in_counts(first, second)
        return "the hashes of their data differ, and a fit that was loaded holds no data to compare"
    mine, theirs = _observed(first), _observed(second)
    if len(mine) != len(theirs):
        return f"one observes {', '.join(mine) or 'nothing'} and the other {', '.join(theirs) or 'nothing'}"
    names = list(mine) if set(mine) == set(theirs) else []
    pairs = [(mine[n], theirs[n]) for n in names] or list(zip(mine.values(), theirs.values(), strict=True))
    for name, (own, other) in zip(mine, pairs, strict=True):
        found = _difference_in_values(name, own, other)
        if found:
            return found
    return _difference_in_weights(first, second) or _difference_in_counts(first, second)


def _observed(fit: Fitted) -> dict[str, np.ndarray]:
    group = fit.groups.get("observed_data")
    return {} if group is None else {str(name): group[name].to_numpy() for name in group}


def _difference_in_values(name: str, own: np.ndarray, other: np.ndarray) -> str | None:
    if own.size != other.size:
        return f"'{name}' has {own.size} observations in one and {other.size} in the other"
    if own.shape != other.shape:
        own, other = own.ravel(), other.ravel()
    same = own == other
    if own.dtype.kind == "f" and other.dtype.kind == "f":
        same |= np.isnan(own) & np.isnan(other)
    if np.all(same):
        return None
    rows = np.unique(np.nonzero(~np.atleast_1d(same))[0])
    return f"'{name}' differs in {len(rows)} of its {np.atleast_1d(own).shape[0]} rows ({_some(rows)})"


def _difference_in_weights(first: Fitted, second: Fitted) -> str | None:
    mine, theirs = _weights(first), _weights(second)
    for own, other in zip(mine, theirs, strict=False):
        size = max(np.size(own), np.size(other))
        wide = [np.broadcast_to(np.ravel(weights), size) for weights in (own, other)]
        rows = np.flatnonzero(wide[0] != wide[1])
        if rows.size:
            return f"their weights differ in {rows.size} rows ({_some(rows)})"
    return None


def _weights(fit: Fitted) -> list[np.ndarray]:
    """Weights of the observed variables, 1 where there are none, in the order of their names."""
    if fit.maximum is None:
        return []
    likelihood = fit.maximum.plan.likelihood
    pairs = zip(likelihood.terms, likelihood.forms, strict=True)
    found = {t.name: f.weights for t, f in pairs if t.kind == "observed"}
    return [np.ones(1) if found[name] is None else np.asarray(found[name]) for name in sorted(found)]


def _difference_in_counts(first: Fitted, second: Fitted) -> str | None:
    own, other = first.results.nobs, second.results.nobs
    if own == other or (np.isnan(own) and np.isnan(other)):
        return None
    return f"one counts {own:g} observations and the other {other:g}"


def _some(rows: np.ndarray) -> str:
    return ", ".join(str(row) for row in rows[:_SHOWN]) + (", ..." if len(rows) > _SHOWN else "")
