"""Whether draws can be trusted: R-hat, effective sample sizes, Monte Carlo errors, divergences, energies, weights."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError

if TYPE_CHECKING:
    import xarray as xr

RHAT_LIMIT = 1.01
ESS_PER_CHAIN = 100
K_HAT_LIMIT = 0.7
BFMI_LIMIT = 0.3
FEW_DIVERGENCES = 0.01
NAMES_SHOWN = 5


@dataclass(frozen=True)
class DrawsCheck:
    """Diagnostics of a set of draws.

    Parameters
    ----------
    table : DataFrame
        One row per ArviZ label: `rhat` (rank-normalized, split), `ess_bulk`, `ess_tail` and `mcse_mean` (declared
        scale). NaN where a figure does not exist: R-hat of one chain or of a constant, anything of fewer than 4 draws.
    divergences : int or None
        Number of draws after tuning that diverged; None where the sampler left no record.
    draws, chains : int
    problems : tuple of str
        One sentence for each reason not to trust the draws; empty when there is none.
    mixed : bool
        The chains agree and hold enough draws, and less than 1 % of these diverged.
    k_hat : float or None
        Of resampled draws: the shape of the tail of their importance weights. Such draws have no R-hat, and one
        effective sample size for all elements.
    bfmi : tuple of float or None
        Estimated Bayesian fraction of missing information of each chain (Betancourt 2016), where energies are recorded.
    """

    table: pd.DataFrame
    divergences: int | None
    draws: int
    chains: int
    problems: tuple[str, ...]
    mixed: bool
    k_hat: float | None = None
    bfmi: tuple[float, ...] | None = None

    @property
    def reliable(self) -> bool:
        """Whether nothing speaks against the draws."""
        return not self.problems


def check_draws(idata: Any, var_names: Sequence[str] | None = None) -> DrawsCheck:
    """Check the draws of a posterior.

    The limits are those of Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021, Bayesian Analysis 16, 667-718):
    R-hat at most 1.01, and effective sample sizes of bulk and tails of at least 100 for each chain; E-BFMI at least
    0.3 (Betancourt 2016).

    Parameters
    ----------
    idata : DataTree
        With a group `posterior` of dims chain and draw; made by anyone.
    var_names : sequence of str, optional
        Variables to check; all by default.

    Returns
    -------
    DrawsCheck

    Raises
    ------
    RequestError
        No posterior group, no dims chain and draw, or an unknown variable.
    """
    posterior = posterior_of(idata, var_names)
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    values = _by_label(posterior)
    if idata["posterior"].attrs.get("method") == "psis":
        return _check_weights(values, idata, draws, chains)
    constant = {label for label, x in values.items() if np.ptp(x) == 0}
    broken = [label for label, x in values.items() if not np.all(np.isfinite(x))]
    table = _diagnostics(posterior, list(values), draws)
    divergences = _divergences(idata)
    mixing = _mixing_problems(table.drop(index=[*constant, *broken]), broken, chains, draws)
    bfmi = _bfmi(idata)
    improper = _improper_problems(idata)
    problems = (
        improper
        + mixing
        + _divergence_problems(divergences, chains * draws)
        + _energy_problems(bfmi)
        + _mode_problems(idata["posterior"].attrs.get("modes", 1))
    )
    mixed = not (improper or mixing) and (divergences or 0) <= FEW_DIVERGENCES * chains * draws
    return DrawsCheck(table, divergences, draws, chains, problems, mixed=mixed, bfmi=bfmi)


def _check_weights(values: "dict[str, np.ndarray]", idata: Any, draws: int, chains: int) -> DrawsCheck:
    """Check resampled draws by what their importance weights say: the chains of such draws mean nothing."""
    attributes = idata["posterior"].attrs
    k_hat, ess = float(attributes["k_hat"]), _resampled(attributes, draws * chains)
    columns = {
        "ess_bulk": ess,
        "ess_tail": ess,
        "mcse_mean": [np.std(x, ddof=1) / np.sqrt(ess) for x in values.values()],
    }
    problems = list(_improper_problems(idata))
    if k_hat > K_HAT_LIMIT:
        problems.append(
            f"k-hat of the importance weights is {k_hat:.2f}, above {K_HAT_LIMIT}; sample with method='nuts'."
        )
    if ess < ESS_PER_CHAIN * chains:
        problems.append(f"The effective sample size of the importance weights is {ess:.0f}; sample with method='nuts'.")
    table = pd.DataFrame(columns, index=list(values))
    return DrawsCheck(table, None, draws, chains, tuple(problems), mixed=not problems, k_hat=k_hat)


def _resampled(attributes: Any, count: int) -> float:
    """Effective sample of `count` draws that were picked from weighted proposals.

    The variance of a mean is that of the weighted mean, var / ess, and what picking a part of the proposals adds to it,
    var (1 / count - 1 / proposals) where their weights are equal.
    """
    proposals = float(attributes.get("proposals", np.inf))
    return 1 / (1 / max(float(attributes["ess"]), 1.0) + max(1 / count - 1 / proposals, 0.0))


def posterior_of(idata: Any, var_names: Sequence[str] | None = None) -> "xr.Dataset":
    """Return the posterior as a dataset, with dims chain and draw first, restricted to `var_names`.

    Raises
    ------
    RequestError
        No posterior group, no dims chain and draw, or an unknown variable.
    """
    groups = list(getattr(idata, "children", {}))
    if "posterior" not in groups:
        raise RequestError(
            "there is no group 'posterior' in these draws; their groups are "
            f"{', '.join(groups) or 'none'}; pass the DataTree that pm.sample or ppl_mle.sample returned"
        )
    posterior = idata["posterior"].to_dataset()
    present = list(map(str, posterior.data_vars))
    missing = [name for name in var_names or () if name not in present]
    if missing:
        raise RequestError(
            f"the posterior has no variable {missing[0]!r}; its variables are {', '.join(present)}; "
            "sample the model that was fitted, without leaving out variables"
        )
    names = present if var_names is None else list(var_names)
    for name in names:
        if not {"chain", "draw"} <= set(posterior[name].dims):
            raise RequestError(f"{name!r} of the posterior has dims {posterior[name].dims}; it needs chain and draw")
    return posterior[names].transpose("chain", "draw", ...)


def _by_label(posterior: "xr.Dataset") -> "dict[str, np.ndarray]":
    """Draws of every element, by ArviZ's label."""
    from arviz_base import dataset_to_dataframe

    frame = dataset_to_dataframe(posterior, sample_dims=["chain", "draw"])
    return {str(label): frame[label].to_numpy(float) for label in frame.columns}


def _diagnostics(posterior: "xr.Dataset", labels: list[str], draws: int) -> pd.DataFrame:
    columns = ["rhat", "ess_bulk", "ess_tail", "mcse_mean"]
    if draws < 4:
        return pd.DataFrame(np.nan, index=labels, columns=columns)
    from arviz_stats import summary

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        table = summary(posterior, kind="diagnostics", round_to="none")
    table = table.rename(columns={"r_hat": "rhat"})[columns]
    return pd.DataFrame(table.to_numpy(float), index=labels, columns=columns)


def _divergences(idata: Any) -> int | None:
    if "sample_stats" not in idata.children or "diverging" not in idata["sample_stats"].data_vars:
        return None
    return int(idata["sample_stats"]["diverging"].sum())


def _bfmi(idata: Any) -> tuple[float, ...] | None:
    """Mean squared step of the energy over its variance, per chain."""
    if "sample_stats" not in idata.children or "energy" not in idata["sample_stats"].data_vars:
        return None
    energy = idata["sample_stats"]["energy"].transpose("chain", "draw").to_numpy().astype(float)
    if energy.shape[1] < 4:
        return None
    with np.errstate(all="ignore"):
        return tuple(float(x) for x in np.mean(np.diff(energy, axis=1) ** 2, axis=1) / energy.var(axis=1))


def _energy_problems(bfmi: tuple[float, ...] | None) -> tuple[str, ...]:
    low = [value for value in bfmi or () if value < BFMI_LIMIT]
    if not low:
        return ()
    return (
        f"E-BFMI is {min(low):.2f}, below {BFMI_LIMIT}: the sampler explores the tails slowly; reparameterize, or "
        "sample longer.",
    )


def _improper_problems(idata: Any) -> tuple[str, ...]:
    why = idata["posterior"].attrs.get("improper")
    return (f"The posterior is improper: {why}; draws of it say nothing, give proper priors.",) if why else ()


def _mode_problems(modes: int) -> tuple[str, ...]:
    if modes < 2:
        return ()
    return (f"The posterior has at least {modes} modes: R-hat does not tell whether the chains saw all of them.",)


def _mixing_problems(table: pd.DataFrame, broken: list[str], chains: int, draws: int) -> tuple[str, ...]:
    if chains * draws == 1:
        return ("One draw: a point, not a posterior.",)
    problems = []
    if broken:
        problems.append(f"Draws of {named(broken)} are not finite: the sampler failed.")
    if chains == 1:
        problems.append("One chain: R-hat is not available; sample at least two chains.")
    elif draws < 4:
        problems.append(f"{draws} draws per chain: R-hat and effective sample sizes need at least 4; sample longer.")
    high = table.index[table["rhat"] > RHAT_LIMIT]
    if len(high):
        shown = [f"{label} ({table.loc[label, 'rhat']:.3f})" for label in high]
        problems.append(
            f"R-hat is above {RHAT_LIMIT} for {named(shown)}: the chains disagree; sample longer, or reparameterize."
        )
    least = table[["ess_bulk", "ess_tail"]].min(axis=1)
    low = table.index[least < ESS_PER_CHAIN * chains]
    if len(low):
        shown = [f"{label} ({least[label]:.0f})" for label in low]
        problems.append(
            f"The effective sample size is below {ESS_PER_CHAIN * chains} for {named(shown)}; sample longer."
        )
    return tuple(problems)


def _divergence_problems(divergences: int | None, total: int) -> tuple[str, ...]:
    if not divergences:
        return ()
    return (
        f"{divergences} of {total} draws diverged: parts of the posterior may be missed; raise target_accept, or "
        "reparameterize.",
    )


def named(labels: Sequence[str]) -> str:
    """List labels in a sentence, the first few by name.

    Examples
    --------
    >>> named(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    shown = ", ".join(labels[:NAMES_SHOWN])
    return shown if len(labels) <= NAMES_SHOWN else f"{shown} and {len(labels) - NAMES_SHOWN} more"
