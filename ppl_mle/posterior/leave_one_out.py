"""Leave-one-out predictive density of a posterior, where its draws carry one, else why not."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.posterior.checks import DrawsCheck


@dataclass(frozen=True, eq=False)
class Loo:
    """PSIS-LOO of a posterior (Vehtari, Gelman and Gabry 2017).

    Parameters
    ----------
    result : ELPDData or None
        As ArviZ returns it.
    reason : str
        Why there is none; or what speaks against it.
    """

    result: Any
    reason: str = ""


def leave_one_out(idata: Any, check: DrawsCheck) -> Loo:
    """Estimate the expected log pointwise predictive density, by `az.loo` or for unweighted approximations by
    `az.loo_approximate_posterior` (Magnusson, Andersen, Jonasson and Vehtari 2019).

    Parameters
    ----------
    idata : DataTree
        With a group `log_likelihood`, of one observed variable.
    check : DrawsCheck
    """
    kind = idata["posterior"].attrs.get("kind")
    if "log_likelihood" not in idata.children:
        return Loo(None, "no group log_likelihood; add it by pm.compute_log_likelihood(idata, model=model)")
    if len(names := list(idata["log_likelihood"].data_vars)) != 1:
        return Loo(None, f"several observed variables ({', '.join(map(str, names))}), which leave out different rows")
    if kind == "estimator" or check.draws * check.chains == 1:
        return Loo(None, "these are no posterior draws")
    if kind == "approximation":
        return _of_approximation(idata)
    if not check.mixed:
        return Loo(None, "the draws cannot be relied on")
    from arviz_stats import loo

    weighted = {"reff": float(check.table["ess_bulk"].min()) / (check.draws * check.chains)} if check.k_hat else {}
    return _judged(loo, idata, **weighted)


def _of_approximation(idata: Any) -> Loo:
    """Of Laplace's approximation, whose draws are weighed by the densities that are kept with them."""
    stats = idata["sample_stats"].data_vars if "sample_stats" in idata.children else {}
    if not {"log_p", "log_q"} <= set(stats):
        return Loo(None, "draws of an approximation without their log-densities log_p and log_q; use method='auto'")
    from arviz_stats import loo_approximate_posterior

    return _judged(loo_approximate_posterior, idata, log_p=stats["log_p"], log_q=stats["log_q"])


def _judged(function: Any, idata: Any, **options: Any) -> Loo:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", UserWarning)
        result = function(idata, pointwise=True, **options)
    bad = int(np.sum(np.asarray(result.pareto_k) > result.good_k))
    rows = f"k-hat of {bad} of {result.n_data_points} rows is above {result.good_k:.2f}: refit without them (az.reloo)"
    return Loo(result, rows if bad else "")
