"""The verb compare: point against posterior, of one model or of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd
import xarray as xr

from ppl_mle.errors import RequestError
from ppl_mle.fit import Fit
from ppl_mle.inference import Estimates
from ppl_mle.posterior import Agreement, compare_with_draws
from ppl_mle.posterior.draws_file import read_draws
from ppl_mle.read.centered import has_centered_predictors

_MOST_ELEMENTS = 20

Draws = xr.DataTree | xr.Dataset | str | Path


@dataclass(frozen=True, repr=False, eq=False)
class Agreements:
    """Several fits, each compared with its posterior.

    Parameters
    ----------
    by_model : dict of str to Agreement
    """

    by_model: Mapping[str, Agreement]

    @property
    def table(self) -> pd.DataFrame:
        """The tables below one another, indexed by model and label."""
        return pd.concat({name: one.table for name, one in self.by_model.items()}, names=["model", "term"])

    @property
    def conclusion(self) -> str:
        """One sentence for each model."""
        return "\n".join(f"{name}: {one.conclusion}" for name, one in self.by_model.items())

    @property
    def predictive(self) -> pd.DataFrame:
        """Leave-one-out predictive density of each posterior, best first; NaN, with the reason, where there is none.

        Columns `elpd`, `se`, `p`, `n`, `reason`. Those of posteriors of other data are not comparable.
        """
        rows = {}
        for name, one in self.by_model.items():
            loo = one.loo.result
            figures = {
                key: float(getattr(loo, key)) if loo is not None else float("nan") for key in ("elpd", "se", "p")
            }
            rows[name] = {
                **figures,
                "n": getattr(loo, "n_data_points", float("nan")),
                "reason": one.loo.reason,
            }
        return pd.DataFrame.from_dict(rows, orient="index").sort_values("elpd", ascending=False, kind="stable")

    def __getitem__(self, name: str) -> Agreement:
        return self.by_model[name]

    def __repr__(self) -> str:
        return f"{self.conclusion}\n{self.table.to_string(float_format=lambda value: f'{value:.5g}')}"


@overload
def compare(
    fit: Fit, idata: Draws, ci_prob: float = ..., *, var_names: Sequence[str] | str | None = ...
) -> Agreement: ...


@overload
def compare(
    fit: Mapping[str, tuple[Fit, Draws]],
    idata: None = ...,
    ci_prob: float = ...,
    *,
    var_names: Sequence[str] | str | None = ...,
) -> Agreements: ...


def compare(
    fit: Any, idata: Any = None, ci_prob: float = 0.95, *, var_names: Sequence[str] | str | None = None
) -> Agreement | Agreements:
    """Compare a fit with posterior draws, parameter by parameter and Deterministic by Deterministic.

    Parameters
    ----------
    fit : Fit, or dict of str to (Fit, draws)
        A dict compares several models at once.
    idata : DataTree, Dataset, str or Path
        From `sample`, `pm.sample`, bambi, `pm.find_MAP`, or any tool that writes a `posterior` group; or the path of a
        netCDF file with one.
    ci_prob : float
        Content of both kinds of interval.
    var_names : str or sequence of str, optional
        Deterministics to compare beside the parameters; by default those of at most 20 elements that were sampled.

    Returns
    -------
    Agreement, or Agreements for a dict
        `table` has one row per element; `conclusion` is a sentence, gated on R-hat, ESS, divergences and k-hat; `loo`
        the leave-one-out predictive density, where the draws carry one.

    Raises
    ------
    RequestError
        No posterior group, it lacks a variable of the fit, an unknown Deterministic, or draws that were made with
        other data.
    DataError
        The file cannot be read.

    Examples
    --------
    >>> import numpy as np, pymc as pm, ppl_mle
    >>> with pm.Model() as model:
    ...     mu = pm.Flat("mu")
    ...     y = pm.Normal("y", mu, 1, observed=np.array([1.0, 2.0, 3.0]))
    >>> fit = ppl_mle.find_MLE(model)
    >>> ppl_mle.compare(fit, ppl_mle.sample(fit, random_seed=1)).conclusion.split(":")[0]
    'The posterior agrees with the fit'
    """
    if isinstance(fit, Mapping) and not isinstance(fit, xr.DataTree):
        if idata is not None or not fit:
            raise RequestError("a dict of fits holds the draws of each: compare({'name': (fit, draws), ...})")
        return Agreements({name: _compare_pair(name, pair, ci_prob, var_names) for name, pair in fit.items()})
    if not isinstance(fit, Fit):
        raise RequestError(f"compare takes the fit first and the draws second; got {type(fit).__name__} for the fit")
    tree = read_draws(idata)
    require_same_model(fit, tree)
    return compare_with_draws(fit.results, tree, ci_prob, _derived(fit, tree, var_names))


def require_same_model(fit: Fit, tree: xr.DataTree) -> None:
    """Refuse draws that say themselves that they are of other data, or of other coordinates.

    Raises
    ------
    RequestError
        The observed data in the tree are not the fit's; bambi's draws, whose Intercept is that of predictors as they
        are, beside a fit of bambi's graph, where it is that of predictors less their means.
    """
    own: Any = fit.groups.get("observed_data", {})
    theirs: Any = tree.children.get("observed_data", {})
    for name in set(own) & set(theirs):
        one, other = np.asarray(own[name]), np.asarray(theirs[name])
        if one.shape != other.shape or not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            raise RequestError(
                f"these draws were made with other data: their {name!r} has the shape {other.shape} and the mean "
                f"{np.mean(other):.6g}, that of the fit {one.shape} and {np.mean(one):.6g}; draw with sample(fit), or "
                "fit the model that was sampled"
            )
    if fit.maximum is None or "posterior" not in tree.children or "Intercept" not in fit.params:
        return
    made_by = tree["posterior"].attrs.get("modeling_interface")
    if made_by == "bambi" and has_centered_predictors(fit.maximum.plan.likelihood):
        raise RequestError(
            "the Intercept of bambi's draws is that of predictors as they are, and the fitted graph has it at their "
            "means; draw with sample(fit), or declare bambi.Model(..., center_predictors=False)"
        )


def _compare_pair(name: str, pair: Any, ci_prob: float, var_names: Sequence[str] | str | None) -> Agreement:
    if not (isinstance(pair, tuple) and len(pair) == 2):
        raise RequestError(f"{name!r} holds {type(pair).__name__}, not a pair (fit, draws)")
    return compare(pair[0], pair[1], ci_prob, var_names=var_names)


def _derived(fit: Fit, tree: xr.DataTree, var_names: Sequence[str] | str | None) -> dict[str, Estimates]:
    """Estimates of the Deterministics that are compared."""
    if var_names is None:
        if fit.maximum is None or not fit.converged:
            return {}
        sizes = _sizes(tree)
        names = [name for name in fit.maximum.plan.likelihood.mapping.deterministic_names if name in sizes]
        names = [name for name in names if sizes[name] <= _MOST_ELEMENTS]
    else:
        names = [var_names] if isinstance(var_names, str) else list(var_names)
    return {name: fit.deterministic(name) for name in names if name not in {v.name for v in fit.results.variables}}


def _sizes(tree: xr.DataTree) -> dict[str, int]:
    """Number of elements of every sampled variable."""
    if "posterior" not in tree.children:
        return {}
    posterior = tree["posterior"]
    drawn = posterior.sizes.get("chain", 1) * posterior.sizes.get("draw", 1)
    return {str(name): values.size // max(drawn, 1) for name, values in posterior.data_vars.items()}
