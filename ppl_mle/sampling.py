"""Draws from the posterior: at once where importance weights prove them, else by NUTS."""

from typing import Any, Literal

import numpy as np
import xarray as xr

from ppl_mle.errors import ModelError, RequestError
from ppl_mle.fit import Fit
from ppl_mle.maximize import Maximum
from ppl_mle.posterior import (
    Instant,
    approximate,
    find_mode,
    make_tree,
    sample_instantly,
    sample_nuts,
    why_improper,
    why_periodic,
    why_separated,
)
from ppl_mle.posterior.guided import sample_guided, why_unguided
from ppl_mle.posterior.instant import USELESS_K
from ppl_mle.posterior.nuts import CHAINS, DRAWS, require_counts, require_known
from ppl_mle.progress import Progress
from ppl_mle.read import Likelihood, current_model, densities_at, hash_data, hold_variables, model_data, read

METHODS = ("auto", "nuts", "psis", "laplace")

Method = Literal["auto", "nuts", "psis", "laplace"]


def sample(
    model: Any = None,
    *,
    method: Method = "auto",
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    cores: int | None = None,
    random_seed: Any = None,
    progressbar: bool = True,
    force: bool = False,
    **options: Any,
) -> xr.DataTree:
    """Sample the posterior: the declared priors, flat ones included, times the likelihood.

    Parameters
    ----------
    model : pm.Model or Fit, optional
        Of a fit the model is sampled, whatever its estimator; variables that the fit holds fixed are constants.
    method : {"auto", "nuts", "psis", "laplace"}
        `laplace`: draws of the normal approximation at the mode of the unconstrained scale. `psis`: proposals from
        a normal, Student-t or split-normal approximation there, weighted by the posterior density, the weights
        Pareto-smoothed (Vehtari, Simpson, Gelman, Yao and Gabry 2024), resampled. `nuts`: the No-U-Turn sampler,
        started at that mode. `auto`: `psis` where k-hat < 0.5 and the effective sample is at least three quarters of
        the draws, else `nuts`.
    draws, chains : int, optional
        Chains, and draws of each. By default 4 of 1000; where NUTS moves all chains by one evaluation of the
        log-density, 16 of 500 or, if the normal approximation at the mode is not close, 8 of 1000. If one of the two is
        given, the other is 4 or 1000.
    tune, cores, random_seed, progressbar
        As in `pm.sample`; `tune` and `cores` are for NUTS. `sample_guided` tells the tuning steps by default.
    force : bool
        Sample although the posterior was found to be improper, or k-hat is above 0.7.
    **options
        Passed on to `pm.sample`, e.g. `target_accept`.

    Returns
    -------
    DataTree
        Group `posterior` with the attributes `improper` (where draws of what is no posterior were forced: why), `kind`
        (`posterior`, or `approximation` of the Laplace method) and
        `method`; resampled draws carry `k_hat` and `ess`, the effective sample of the weights, and no statistics.

    Raises
    ------
    RequestError
        An unknown method; the fit was loaded without its model, is weighted, or holds single elements fixed.
    ModelError
        The posterior is improper, no approximation could be made or proved where one was asked for, or the sampler
        failed.

    Examples
    --------
    >>> import numpy as np, pymc as pm, ppl_mle
    >>> with pm.Model() as model:
    ...     p = pm.Uniform("p", 0, 1)
    ...     y = pm.Binomial("y", n=50, p=p, observed=20)
    >>> tree = ppl_mle.sample(model, random_seed=1)
    >>> tree.attrs["method"], bool(abs(float(tree.posterior["p"].mean()) - 21 / 52) < 0.005)
    ('psis', True)
    """
    if method not in METHODS:
        raise RequestError(f"method={method!r} is unknown; use one of {', '.join(map(repr, METHODS))}")
    require_counts(draws=DRAWS if draws is None else draws, chains=CHAINS if chains is None else chains)
    require_known(options)
    rng = _generator(random_seed)
    fit = model if isinstance(model, Fit) else None
    sampled = _conditioned(fit) if fit is not None else current_model(model)
    improper = why_separated(sampled) or why_periodic(sampled)
    if not force:
        _refuse_improper(improper)
    mode = find_mode(sampled, _start_of(fit) if fit is not None else None)
    improper = improper or why_improper(sampled, mode)
    if not force:
        _refuse_improper(improper)
    reason = ""
    if method != "nuts":
        shape = (chains or CHAINS, draws or DRAWS)
        instant = sample_instantly(mode, shape[0] * shape[1], rng)
        if method == "laplace" or (method == "psis" and _is_passed(instant, force)) or not instant.reason:
            return _marked(_tree(sampled, instant, method, shape, rng), improper)
        reason = instant.reason
    common = {"draws": draws, "tune": tune, "chains": chains, "cores": cores}
    tree = _by_nuts(sampled, mode, common | {"random_seed": random_seed, "progressbar": progressbar}, options)
    tree.attrs |= {"why_nuts": reason}
    return _marked(tree, improper)


def _marked(tree: xr.DataTree, improper: str) -> xr.DataTree:
    """Note on draws that were forced why there is no posterior that they could be of."""
    if improper:
        tree.attrs["improper"] = tree["posterior"].attrs["improper"] = improper
    return tree


def _refuse_improper(why: str) -> None:
    if why:
        raise ModelError(
            f"the posterior is improper: {why}; give proper priors, or pass force=True to sample all the same"
        )


def _generator(seed: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as exc:
        raise RequestError(f"random_seed={seed!r:.40} is no seed ({exc}); use a whole number from 0 on") from exc


def _by_nuts(model: Any, mode: Maximum, common: dict[str, Any], options: dict[str, Any]) -> xr.DataTree:
    """Sample by NUTS, guided by the mode where that is possible."""
    modes = max(len(mode.certificate.maxima), 1)
    if why_unguided(mode, options):
        settled = mode.status.converged and modes == 1
        start = _declared(mode.plan.likelihood, mode.theta) if settled else None
        lengths = {"draws": common["draws"] or DRAWS, "chains": common["chains"] or CHAINS}
        spread = _spread_of(mode) if settled else {}
        tree = sample_nuts(model, start, spread=spread, **common | lengths, **options)
    else:
        progress = Progress("sampling", visible=common["progressbar"])
        tree = sample_guided(model, mode, read(model, "MAP").groups, progress=progress, **common, **options)
    tree.attrs |= {"method": "nuts"}
    tree["posterior"].attrs |= {"method": "nuts", "modes": modes}
    return tree


def _conditioned(fit: Fit) -> Any:
    """The model to sample: the fit's, with its fixed variables as constants."""
    if fit.model is None or fit.maximum is None:
        raise RequestError("this fit was loaded without its model; pass the model to sample() instead")
    require_same_data(fit)
    if fit.maximum.plan.likelihood.weighted:
        raise RequestError(
            "this fit is weighted, and the declared model holds no weights; repeat its rows, then sample"
        )
    fixed = set(fit.results.fixed)
    whole = {var.name: var for var in fit.results.variables if fixed.issuperset(var.labels)}
    partly = fixed - {label for var in whole.values() for label in var.labels}
    if partly:
        raise RequestError(
            f"fixed={sorted(partly)[0]!r} is one element of a variable, which cannot be held while sampling; "
            "declare it as a constant in the model"
        )
    values = fit.results.estimates.values
    return hold_variables(fit.model, {n: values[var.declared].reshape(var.shape) for n, var in whole.items()})


def require_same_data(fit: Fit) -> None:
    """Refuse a fit whose model got other data since.

    Raises
    ------
    RequestError
    """
    if hash_data(model_data(fit.model)) != fit.data_hash:
        raise RequestError("the model's data were replaced after this fit (set_data); fit the model again")


def _start_of(fit: Fit) -> dict[str, np.ndarray] | None:
    """Declared values of a fit's point, inside the support also where the maximum is on an edge."""
    if fit.maximum is None or not fit.converged:
        return None
    fixed = set(fit.results.fixed)
    values = _declared(fit.maximum.plan.likelihood, fit.maximum.theta)
    return {var.name: values[var.name] for var in fit.results.variables if not fixed.issuperset(var.labels)}


def _declared(likelihood: Likelihood, theta: np.ndarray) -> dict[str, np.ndarray]:
    values = likelihood.mapping.declared(theta)
    return {var.name: values[var.declared].reshape(var.shape) for var in likelihood.variables}


def _spread_of(mode: Maximum) -> dict[str, np.ndarray]:
    """Two standard deviations of each unconstrained value, around which the chains start."""
    likelihood = mode.plan.likelihood
    deviations = 2 * np.sqrt(np.nan_to_num(np.diag(mode.observed_covariance)))
    shapes = likelihood.mapping.start.shapes
    return {
        var.name: deviations[var.free].reshape(shape) for var, shape in zip(likelihood.variables, shapes, strict=True)
    }


def _is_passed(instant: Instant, force: bool) -> bool:
    """Whether weighted draws that were asked for may be returned."""
    if instant.weighted is None:
        raise ModelError(f"method='psis' needs a mode to approximate at, and {instant.reason}; use method='nuts'")
    if instant.weighted.k_hat > USELESS_K and not force:
        raise ModelError(
            f"k-hat of the importance weights is {instant.weighted.k_hat:.2f}, above {USELESS_K}: they say nothing of "
            "the posterior; use method='nuts'"
        )
    return True


def _tree(
    model: Any, instant: Instant, method: Method, shape: tuple[int, int], rng: np.random.Generator
) -> xr.DataTree:
    """Draws of an approximation, or resampled ones, as a DataTree."""
    count, posterior = shape[0] * shape[1], instant.mode.plan.likelihood
    if method == "laplace":
        if instant.weighted is None:
            raise ModelError(
                f"method='laplace' needs a mode to approximate at, and {instant.reason}; use method='nuts'"
            )
        points = approximate(instant.mode, "normal").draw(count, rng)
        attributes: dict[str, Any] = {"kind": "approximation", "method": "laplace"}
    else:
        assert instant.weighted is not None
        points = instant.draws(count, rng)
        attributes = {
            "kind": "posterior",
            "method": "psis",
            "k_hat": instant.weighted.k_hat,
            "ess": instant.weighted.ess,
            "proposals": len(instant.weighted.points),
            "proposal": instant.weighted.shape,
        }
    groups = dict(read(model, "MAP").groups)
    if method == "laplace":
        log_q = approximate(instant.mode, "normal").log_density(points)
        both = {"log_p": densities_at(posterior, points), "log_q": log_q}
        groups["sample_stats"] = xr.Dataset({k: (("chain", "draw"), v.reshape(shape)) for k, v in both.items()})
    return make_tree(posterior, points.reshape(*shape, -1), groups, attributes)
