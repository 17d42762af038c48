"""The point and the posterior side by side, parameter by parameter, with one sentence on whether they agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference import Estimates, Results
from ppl_mle.posterior.checks import DrawsCheck, check_draws, named, posterior_of
from ppl_mle.posterior.conclusion import conclude
from ppl_mle.posterior.leave_one_out import Loo, leave_one_out
from ppl_mle.posterior.marginals import describe_draws, measure_normality, overlap
from ppl_mle.read.labels import element_labels

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, repr=False)
class Agreement:
    """A fit and a posterior compared.

    Parameters
    ----------
    table : DataFrame
        One row per ArviZ label, Deterministics last, all on the declared scale. The fit: `estimate`, `se`, `ci_lower`,
        `ci_upper` (Wald interval made on the unconstrained scale). The draws: `mean`, `median`, `mode` (of a kernel
        density estimate of the marginal), `sd`, `eti_lower`, `eti_upper` (equal-tailed interval of the same content),
        `rhat` (not of resampled draws), `ess_bulk`, `ess_tail`. Both: `shift_sd` = (mean - estimate) / sd, `sd_ratio` =
        sd / se, `shift_mcse` = (mean - estimate) / Monte Carlo error of the mean, `overlap` = length that both
        intervals share over the length that they cover. On the unconstrained scale: `wasserstein`, the distance of the
        draws from the normal approximation of the estimator in standard errors, and `skewness` of the draws.
    check : DrawsCheck
    ci_prob : float
        Content of both intervals.
    conclusion : str
        One sentence; it claims no agreement where the fit or the draws cannot support it.
    loo : Loo
        Leave-one-out predictive density of the posterior, or why there is none.
    """

    table: pd.DataFrame
    check: DrawsCheck
    ci_prob: float
    conclusion: str
    loo: Loo

    def __repr__(self) -> str:
        return f"{self.conclusion}\n{self.table.to_string(float_format=lambda value: f'{value:.5g}')}"


def compare_with_draws(
    results: Results, idata: Any, ci_prob: float = 0.95, derived: Mapping[str, Estimates] | None = None
) -> Agreement:
    """Compare a fit with draws of the same model's posterior, made by anyone.

    Elements are matched by their labels, so the order of dims and coordinates does not matter. Means and standard
    deviations of skewed posteriors differ from the mode and its curvature even when both are right: the intervals,
    which are made on the unconstrained scale, are then the better comparison.

    Parameters
    ----------
    results : Results
    idata : DataTree
        With a group `posterior` of dims chain and draw. A point written by `pm.find_MAP` (one chain, one draw) is
        recognized and compared as a point.
    ci_prob : float
        Content of the Wald and of the equal-tailed intervals.
    derived : dict of str to Estimates, optional
        Of Deterministics that are compared too.

    Returns
    -------
    Agreement

    Raises
    ------
    RequestError
        No posterior group, a free variable that is not in it or has other elements, or `ci_prob` outside (0, 1).
    """
    derived = derived or {}
    wald = pd.concat([part.wald(ci_prob) for part in (results.estimates, *derived.values())])
    draws = draws_by_label(results, idata, derived)
    check = check_draws(idata, [*(var.name for var in results.variables), *derived])
    parts = [(part, measure_normality(part, draws)) for part in (results.estimates, *derived.values())]
    table = pd.concat(
        [
            pd.concat([part.params for part, _ in parts]).rename("estimate"),
            pd.concat([part.bse for part, _ in parts]).rename("se"),
            wald.rename(columns={"lower": "ci_lower", "upper": "ci_upper"}),
            describe_draws(draws, ci_prob),
            check.table.reindex(draws.columns).drop(columns="mcse_mean"),
        ],
        axis="columns",
    )
    table = _with_differences(table, check.table["mcse_mean"].reindex(draws.columns))
    table = table.assign(overlap=overlap(table)).join(pd.concat([normality for _, normality in parts]))
    kind = idata["posterior"].attrs.get("kind")
    return Agreement(table, check, ci_prob, conclude(results, table, check, kind), leave_one_out(idata, check))


def _with_differences(table: pd.DataFrame, mcse: pd.Series) -> pd.DataFrame:
    shift = table["mean"] - table["estimate"]
    return table.assign(
        shift_sd=shift / table["sd"].where(table["sd"] > 0),
        sd_ratio=table["sd"] / table["se"].where(table["se"] > 0),
        shift_mcse=shift / mcse.where(mcse > 0),
    )


def draws_by_label(results: Results, idata: Any, derived: Mapping[str, Estimates] | None = None) -> pd.DataFrame:
    """Draws of the fit's variables and of Deterministics, matched to their elements by label.

    Returns
    -------
    DataFrame, shape (chains * draws, q)
        On the declared scale, columns in the order of the fit's labels, one chain after the other.

    Raises
    ------
    RequestError
        No posterior group, or a free variable that is not in it or has other elements.
    """
    derived = derived or {}
    posterior = posterior_of(idata, [*(var.name for var in results.variables), *derived])
    frames = [_draws_of(var.name, var.dims, var.labels, posterior[var.name]) for var in results.variables]
    own = pd.concat(frames, axis="columns")[list(results.estimates.labels)]
    others = [_draws_of(name, (), part.labels, posterior[name]) for name, part in derived.items()]
    return pd.concat([own, *others], axis="columns")


def _draws_of(name: str, dims: tuple[str, ...], wanted: tuple[str, ...], array: "xr.DataArray") -> pd.DataFrame:
    if set(array.dims[2:]) == set(dims):
        array = array.transpose("chain", "draw", *dims)
    values = array.to_numpy().astype(float)
    labels = element_labels(name, [_coordinate(array, dim) for dim in array.dims[2:]])
    if set(labels) != set(wanted):
        raise RequestError(
            f"{name!r} has other elements in the posterior ({named(labels)}) than in the fit "
            f"({named(wanted)}); give both models the same shape, dims and coords"
        )
    return pd.DataFrame(values.reshape(-1, len(labels)), columns=list(labels))[list(wanted)]


def _coordinate(array: "xr.DataArray", dim: Any) -> np.ndarray:
    return array[dim].to_numpy() if dim in array.coords else np.arange(array.sizes[dim])
