"""The jackknife: the estimates of the data without one row, or without one cluster of rows."""

from typing import Any

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.resampling.refit import Tick, refit_all
from ppl_mle.inference.resampling.reweighted import left_out
from ppl_mle.inference.resampling.units import find_pools
from ppl_mle.maximize import Maximum


def jackknife_covariance(maximum: Maximum, groups: Any = None, tick: Tick = lambda done: None) -> np.ndarray:
    """Covariance from refits that each lack one unit, on the unconstrained scale (Tukey 1958; Miller 1974).

    (G - 1) / G times the sum of the squared deviations of the G estimates from their mean.

    Parameters
    ----------
    maximum : Maximum
    groups : array or dict of str to array, optional
        Group of each row; by default every row is a unit, with the same row of other observed variables, and one of
        frequency weight w is w units.
    tick : callable
        Told how many refits are done.

    Returns
    -------
    array, shape (p, p)

    Raises
    ------
    RequestError
        No rows, observed variables of different lengths without groups, a penalty, or no maximum without some unit.
    """
    pools = find_pools(maximum, groups, "a jackknife")
    if len(pools) > 1:
        raise RequestError("a jackknife needs observed variables with the same rows; give groups, a dict by name")
    (pool,) = pools
    refits = refit_all(maximum, left_out(maximum, pool), tick)
    lost = [i for i, status in enumerate(refits.statuses) if status.name != "CONVERGED"]
    if lost:
        unit = int(np.flatnonzero(pool.copies > 0)[lost[0]])
        raise RequestError(
            f"a jackknife needs a maximum without each {'row' if groups is None else 'group'}, and without number "
            f"{unit} the fit is {refits.statuses[lost[0]].name} ({len(lost)} such); use HC3 or bootstrap intervals"
        )
    copies = pool.copies[pool.copies > 0]
    total = copies.sum()
    apart = refits.theta - copies @ refits.theta / total
    return np.asarray((total - 1) / total * (apart.T * copies) @ apart)
