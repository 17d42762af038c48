"""Draws from the posterior by the No-U-Turn sampler, started at the fit."""

import contextlib
import inspect
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
from pymc.initial_point import make_initial_point_fn

from ppl_mle.errors import ModelError, RequestError

if TYPE_CHECKING:
    from xarray import DataTree

CHAINS, DRAWS, TUNE = 4, 1000, 1000
_STEP_OPTIONS = ("target_accept", "max_treedepth", "nuts", "compile_kwargs")
_KNOWN_OPTIONS = frozenset({*inspect.signature(pm.sample).parameters, *_STEP_OPTIONS})


def sample_nuts(
    model: Any,
    start: Mapping[str, Any] | None,
    *,
    spread: Mapping[str, Any] | None = None,
    draws: int = DRAWS,
    tune: int | None = None,
    chains: int = CHAINS,
    cores: int | None = None,
    random_seed: Any = None,
    progressbar: bool = True,
    **kwargs: Any,
) -> "DataTree":
    """Sample the posterior of a PyMC model with `pm.sample`, by nutpie where it is installed.

    Each chain starts at its own normal draw around `start` (Gelman and Rubin 1992 start from an overdispersed normal
    approximation at the mode), or exactly at `start` where no `spread` is given. PyMC's own jitter, uniform on
    (-1, 1), is kept for variables without a usable start only: it is far outside the posterior of a parameter whose
    standard error is 1e-6.

    Parameters
    ----------
    model : pm.Model
        Never changed.
    start : dict or None
        From names of free variables to values on the declared scale. A variable with a value on the edge of its
        support, or not finite, starts where PyMC would start it.
    spread : dict, optional
        From names of free variables to the standard deviations of the starting points, on the unconstrained scale and
        in its shape; two standard errors are a good choice.
    draws, tune, chains : int
        Per chain, the draws kept and the draws before them that are used for tuning and dropped, 1000 by default.
    cores : int, optional
        Chains that run at a time; PyMC's choice by default.
    random_seed : int, optional
    progressbar : bool
        Shown on standard error, and only where that is a terminal.
    **kwargs
        Passed on to `pm.sample`; `nuts_sampler` chooses the sampler.

    Returns
    -------
    DataTree
        As `pm.sample` returns it, with the attribute ``kind="posterior"`` on the tree and its group `posterior`.

    Raises
    ------
    RequestError
        A name in `start` is no free variable of the model.
    ModelError
        The sampler gave up.
    KeyboardInterrupt
        Sampling was interrupted: a part of a posterior is not returned as if it were the whole.

    Examples
    --------
    >>> with pm.Model() as model:
    ...     p = pm.Uniform("p", 0, 1)
    ...     y = pm.Binomial("y", 20, p, observed=12)
    >>> sample_nuts(model, {"q": 0.6})
    Traceback (most recent call last):
    ...
    ppl_mle.errors.RequestError: start names 'q', which is no free variable of the model; they are p
    """
    tune = TUNE if tune is None else tune
    require_counts(draws=draws, tune=tune, chains=chains)
    require_known(kwargs)
    sampler = kwargs.pop("nuts_sampler", None) or ("nutpie" if find_spec("nutpie") else "pymc")
    cores = cores or min(chains, os.cpu_count() or 1)
    initvals = _initial_values(model, start or {}, spread or {})
    shown = is_shown(progressbar)
    with contextlib.redirect_stdout(sys.stderr), one_sentence(sampler):
        tree = pm.sample(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            random_seed=random_seed,
            progressbar=shown,
            quiet=not shown,
            initvals=initvals or None,
            nuts_sampler=sampler,
            model=model,
            compute_convergence_checks=False,
            **(_watching(draws + tune) if sampler == "pymc" and cores == 1 else {}),
            **_jitter_options(sampler, model, initvals, kwargs),
        )
    require_complete(tree, draws, chains)
    return _marked(tree)


def is_shown(progressbar: bool) -> bool:
    """Whether a progress bar is wanted and can be seen."""
    return progressbar and sys.stderr.isatty()


def require_counts(**counts: int) -> None:
    """Refuse numbers of draws that are not positive whole numbers.

    Raises
    ------
    RequestError
    """
    for name, count in counts.items():
        if not (isinstance(count, int | np.integer) and count > 0):
            raise RequestError(f"{name}={count!r} must be a positive whole number")


def require_known(options: Mapping[str, Any]) -> None:
    """Refuse arguments that `pm.sample` would take for those of a step method and ignore."""
    unknown = [name for name in options if name not in _KNOWN_OPTIONS]
    if unknown:
        raise RequestError(f"{unknown[0]!r} is no argument of pm.sample; see its documentation for those that it has")


def _initial_values(model: Any, start: Mapping[str, Any], spread: Mapping[str, Any]) -> dict[str, Any]:
    """Initial values by the name of the unconstrained value: constants, or normal distributions to draw from."""
    names = [rv.name for rv in model.free_RVs]
    for name in start:
        if name not in names:
            raise RequestError(
                f"start names {name!r}, which is no free variable of the model; they are {', '.join(names)}"
            )
    if not start:
        return {}
    with np.errstate(all="ignore"):
        point = make_initial_point_fn(model=model, overrides=dict(start))(0)
    centers = {name: np.asarray(point[model.rvs_to_values[model[name]].name], float) for name in start}
    usable = [name for name, center in centers.items() if np.all(np.isfinite(center))]
    exact = {name: np.asarray(start[name]) for name in usable}
    drawn = {
        model.rvs_to_values[model[name]].name: pm.Normal.dist(centers[name], _deviations(spread[name], centers[name]))
        for name in usable
        if name in spread
    } | {name: value for name, value in exact.items() if name not in spread}
    return drawn if _accepts(model, drawn) else exact


def _accepts(model: Any, initvals: dict[str, Any]) -> bool:
    """Tell whether PyMC takes these: a drawn start is refused where a transform's bounds are free variables."""
    try:
        make_initial_point_fn(model=model, overrides=initvals)
    except ValueError:
        return False
    return True


def _deviations(spread: Any, center: np.ndarray) -> np.ndarray:
    """Standard deviations in the shape of the unconstrained value; 0 where there is none."""
    deviations = np.nan_to_num(np.asarray(spread, float), nan=0.0, posinf=0.0)
    return np.broadcast_to(deviations, center.shape) if deviations.ndim == 0 else deviations.reshape(center.shape)


def _jitter_options(sampler: str, model: Any, initvals: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `pm.sample` that restrict the jitter to variables without an initial value."""
    options = dict(kwargs)
    if not initvals:
        return options
    if sampler == "pymc":
        return {"init": "adapt_diag"} | options
    if sampler == "nutpie":
        values = {rv: {rv.name, model.rvs_to_values[rv].name} for rv in model.free_RVs}
        jittered = {rv for rv in model.free_RVs if not values[rv] & set(initvals)}
        options["compile_kwargs"] = {"jitter_rvs": jittered} | dict(options.get("compile_kwargs") or {})
    return options


@contextlib.contextmanager
def one_sentence(sampler: str) -> Any:
    """Turn a failure of the sampler into one sentence with a next step.

    Raises
    ------
    ModelError, KeyboardInterrupt
    """
    try:
        yield
    except _Interrupted as exc:
        raise KeyboardInterrupt(str(exc)) from exc
    except ImportError as exc:
        raise ModelError(
            f"nuts_sampler={sampler!r} cannot be used: {_reason(exc)}; install it, or pass nuts_sampler='pymc'"
        ) from exc
    except (TypeError, AttributeError) as exc:
        raise ModelError(
            f"PyMC {pm.__version__} could not run {sampler}: {_reason(exc)}; the two releases may not fit together, so "
            "install another one, or leave nuts_sampler out"
        ) from exc
    except (RuntimeError, ValueError, ArithmeticError) as exc:
        if "Not enough samples to build a trace" in str(exc):
            raise KeyboardInterrupt("sampling was interrupted before the first draw") from exc
        raise ModelError(
            f"the posterior could not be sampled by {sampler}: {_reason(exc)}; look at the log-density at the start "
            "with model.debug(), start elsewhere (initvals), or give proper priors"
        ) from exc


def _reason(exc: BaseException) -> str:
    """The message of an exception in one line, without the stack trace that nutpie adds."""
    text = " ".join(str(exc).split("Stack backtrace")[0].split()) or type(exc).__name__
    return text.rstrip(".") if len(text) <= 300 else text[:300].rstrip() + "..."


class _Interrupted(BaseException):
    """An interrupt that PyMC swallowed; not a KeyboardInterrupt, because it would swallow that too."""


def _watching(length: int) -> dict[str, Any]:
    """Stop chains that run in turn: interrupted, PyMC ends only the chain at hand and begins the next one."""
    seen: dict[int, int] = {}

    def watch(trace: Any, draw: Any) -> None:
        seen[draw.chain] = seen.get(draw.chain, 0) + 1
        unfinished = [chain for chain, count in seen.items() if chain < draw.chain and count < length]
        if unfinished:
            raise _Interrupted(f"sampling was interrupted after {seen[unfinished[0]]} steps of chain {unfinished[0]}")

    return {"callback": watch}


def require_complete(tree: "DataTree", draws: int, chains: int) -> None:
    """Refuse a part of a posterior.

    Raises
    ------
    KeyboardInterrupt
        There are fewer chains or draws than were asked for.
    """
    posterior = tree["posterior"].to_dataset()
    reached = int(posterior.sizes.get("draw", 0))
    if reached == draws and posterior.sizes.get("chain", 0) == chains:
        ends = [posterior[name].isel(draw=-1).isnull().all().item() for name in posterior.data_vars]
        if not ends or not all(ends):
            return
    raise KeyboardInterrupt(f"sampling was interrupted after {reached} of {draws} draws per chain; nothing is returned")


def _marked(tree: "DataTree") -> "DataTree":
    tree.attrs["kind"] = "posterior"
    tree["posterior"].attrs["kind"] = "posterior"
    return tree
