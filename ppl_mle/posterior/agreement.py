"""The point and the posterior side by side, parameter by parameter, with one sentence on whether they agree."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference import Results
from ppl_mle.posterior.checks import DrawsCheck, check_draws, named, posterior_of
from ppl_mle.read import Variable
from ppl_mle.read.labels import element_labels

if TYPE_CHECKING:
    import xarray as xr

SHIFT_LIMIT = 0.1
RATIO_LIMIT = 0.1


@dataclass(frozen=True, repr=False)
class Agreement:
    """A fit and a posterior compared.

    Parameters
    ----------
    table : DataFrame
        One row per ArviZ label, all on the declared scale. The fit: `estimate`, `se`, `ci_lower`, `ci_upper` (Wald
        interval made on the unconstrained scale). The draws: `mean`, `median`, `sd`, `eti_lower`, `eti_upper`
        (equal-tailed interval of the same content), `rhat` (not of resampled draws), `ess_bulk`, `ess_tail`. Both: `shift_sd` = (mean -
        estimate) / sd, `sd_ratio` = sd / se, `shift_mcse` = (mean - estimate) / Monte Carlo error of the mean.
    check : DrawsCheck
    ci_prob : float
        Content of both intervals.
    conclusion : str
        One sentence; it claims no agreement where the fit or the draws cannot support it.
    """

    table: pd.DataFrame
    check: DrawsCheck
    ci_prob: float
    conclusion: str

    def __repr__(self) -> str:
        return f"{self.conclusion}\n{self.table.to_string(float_format=lambda value: f'{value:.5g}')}"


def compare_with_draws(results: Results, idata: Any, ci_prob: float = 0.95) -> Agreement:
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

    Returns
    -------
    Agreement

    Raises
    ------
    RequestError
        No posterior group, a free variable that is not in it or has other elements, or `ci_prob` outside (0, 1).
    """
    wald = results.estimates.wald(ci_prob)
    names = [var.name for var in results.variables]
    draws = draws_by_label(results, idata)
    check = check_draws(idata, names)
    table = pd.concat(
        [
            results.estimates.params.rename("estimate"),
            results.estimates.bse.rename("se"),
            wald.rename(columns={"lower": "ci_lower", "upper": "ci_upper"}),
            _moments(draws, ci_prob),
            check.table.reindex(draws.columns).drop(columns="mcse_mean"),
        ],
        axis="columns",
    )
    table = _with_differences(table, check.table["mcse_mean"].reindex(draws.columns))
    kind = idata["posterior"].attrs.get("kind")
    return Agreement(table, check, ci_prob, _conclude(results, table, check, kind))


def draws_by_label(results: Results, idata: Any) -> pd.DataFrame:
    """Draws of the fit's variables, matched to its elements by label.

    Returns
    -------
    DataFrame, shape (chains * draws, q)
        On the declared scale, columns in the order of the fit's labels, one chain after the other.

    Raises
    ------
    RequestError
        No posterior group, or a free variable that is not in it or has other elements.
    """
    posterior = posterior_of(idata, [var.name for var in results.variables])
    frames = [_draws_of(var, posterior[var.name]) for var in results.variables]
    return pd.concat(frames, axis="columns")[list(results.estimates.labels)]


def _draws_of(var: Variable, array: "xr.DataArray") -> pd.DataFrame:
    if set(array.dims[2:]) == set(var.dims):
        array = array.transpose("chain", "draw", *var.dims)
    values = array.to_numpy().astype(float)
    labels = element_labels(var.name, [_coordinate(array, dim) for dim in array.dims[2:]])
    if set(labels) != set(var.labels):
        raise RequestError(
            f"{var.name!r} has other elements in the posterior ({named(labels)}) than in the fit "
            f"({named(var.labels)}); give both models the same shape, dims and coords"
        )
    return pd.DataFrame(values.reshape(-1, len(labels)), columns=list(labels))[list(var.labels)]


def _coordinate(array: "xr.DataArray", dim: Any) -> np.ndarray:
    return array[dim].to_numpy() if dim in array.coords else np.arange(array.sizes[dim])


def _moments(draws: pd.DataFrame, ci_prob: float) -> pd.DataFrame:
    values = draws.to_numpy()
    tail = (1 - ci_prob) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail], axis=0)
    sd = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1], np.nan)
    columns = {
        "mean": values.mean(axis=0),
        "median": np.median(values, axis=0),
        "sd": sd,
        "eti_lower": lower,
        "eti_upper": upper,
    }
    if len(values) == 1:
        columns |= {"eti_lower": sd, "eti_upper": sd}
    return pd.DataFrame(columns, index=draws.columns)


def _with_differences(table: pd.DataFrame, mcse: pd.Series) -> pd.DataFrame:
    shift = table["mean"] - table["estimate"]
    return table.assign(
        shift_sd=shift / table["sd"].where(table["sd"] > 0),
        sd_ratio=table["sd"] / table["se"].where(table["se"] > 0),
        shift_mcse=shift / mcse.where(mcse > 0),
    )


def _conclude(results: Results, table: pd.DataFrame, check: DrawsCheck, kind: str | None) -> str:
    if check.draws * check.chains == 1:
        return _conclude_point(table)
    if kind == "estimator":
        return "No conclusion: these draws are the normal approximation of an estimator, not a posterior."
    if kind == "approximation":
        return "No conclusion: these draws are an unweighted approximation of the posterior; use method='auto'."
    reasons = []
    if not results.converged:
        reasons.append(f"the fit ended in {results.status.name}, so there is no estimate to compare")
    if not check.mixed:
        reasons.append("the draws cannot be relied on: " + " ".join(check.problems).rstrip("."))
    if reasons:
        return f"No conclusion: {'; and '.join(reasons)}."
    compared = table[np.isfinite(table[["shift_sd", "sd_ratio"]].to_numpy()).all(axis=1)]
    left_out = [label for label in table.index if label not in compared.index]
    return _verdict(compared) + _reservations(left_out, check)


def _verdict(table: pd.DataFrame) -> str:
    if table.empty:
        return "No conclusion: no element has both a standard error and a posterior standard deviation."
    far = table["shift_sd"].abs() >= SHIFT_LIMIT
    wide = (table["sd_ratio"] - 1).abs() > RATIO_LIMIT
    if (far | wide).any():
        different = [_difference(label, row) for label, row in table[far | wide].iterrows()]
        rest = int((~(far | wide)).sum())
        agree = f"; {rest} of {len(table)} agree{'s' * (rest == 1)}" if rest else ""
        return f"The posterior differs from the fit: {named(different)}{agree}."
    shift, ratio = table["shift_sd"].abs(), table["sd_ratio"]
    furthest = str((ratio - 1).abs().idxmax())
    return (
        f"The posterior agrees with the fit: every shift is below {SHIFT_LIMIT} posterior sd (largest "
        f"{shift.max():.3f}, {shift.idxmax()}), and every posterior sd is within {RATIO_LIMIT:.0%} of its standard "
        f"error (ratio furthest from 1: {ratio[furthest]:.3f}, {furthest})."
    )


def _difference(label: Any, row: pd.Series) -> str:
    parts = []
    if abs(row["shift_sd"]) >= SHIFT_LIMIT:
        side = "above" if row["shift_sd"] > 0 else "below"
        parts.append(f"mean {abs(row['shift_sd']):.2f} sd {side} the estimate")
    if abs(row["sd_ratio"] - 1) > RATIO_LIMIT:
        parts.append(f"sd {row['sd_ratio']:.2f} times the standard error")
    return f"{label} ({', '.join(parts)})"


def _reservations(left_out: list[str], check: DrawsCheck) -> str:
    sentences = [f"Not compared, for want of a standard error or of spread: {named(left_out)}."] if left_out else []
    return "".join(f" {sentence}" for sentence in [*sentences, *check.problems])


def _conclude_point(table: pd.DataFrame) -> str:
    distance = ((table["mean"] - table["estimate"]) / table["se"].where(table["se"] > 0)).abs().dropna()
    if distance.empty:
        return "One draw: a point, not a posterior."
    return (
        f"One draw: a point, not a posterior; the largest distance from the estimates is {distance.max():.2g} standard "
        f"errors ({distance.idxmax()})."
    )
