"""NUTS that knows the mode: sampled where the normal approximation is standard, so that little is left to tune."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import xarray as xr

from ppl_mle.errors import RequestError
from ppl_mle.maximize import Maximum
from ppl_mle.posterior.approximation import approximate
from ppl_mle.posterior.draws_tree import make_tree
from ppl_mle.posterior.importance import weigh
from ppl_mle.posterior.lockstep import Chains, find_starts, sample_together
from ppl_mle.posterior.nuts import CHAINS, DRAWS, TUNE, require_counts, sample_nuts
from ppl_mle.read import DensityAround
from ppl_mle.read.standardized import COORDINATES, standardize

TOGETHER = "ppl_mle"
_LONG_STEPS = 0.7
_MOST_DIMENSIONS = 1000
_POOR_K = 0.7
_PROPOSALS = 500
_OVERDISPERSED = 2.0
_STEPS_PER_DRAW, _STEPS_PER_FAR_DRAW = 6, 15
_COMPILING, _COMPILING_IN_PYTHON = 8.0, 20.0
_OPTIONS = frozenset({"target_accept", "max_treedepth", "nuts_sampler", "compile_kwargs"})


@dataclass(frozen=True)
class Lengths:
    """How many chains, and how long.

    Parameters
    ----------
    chains, draws, tune : int
    """

    chains: int
    draws: int
    tune: int


_TOGETHER, _FAR_TOGETHER, _APART = Lengths(16, 500, 60), Lengths(8, 1000, 500), Lengths(CHAINS, DRAWS, 300)


def why_unguided(mode: Maximum, options: Mapping[str, Any]) -> str:
    """Why NUTS cannot use the normal approximation at a mode, as the end of a sentence; empty where it can."""
    if mode.status.name != "CONVERGED":
        return "the posterior has no certified mode on the unconstrained scale"
    if len(mode.certificate.maxima) > 1:
        return "the posterior has several modes"
    if len(mode.theta) > _MOST_DIMENSIONS:
        return f"{len(mode.theta)} dimensions, more than {_MOST_DIMENSIONS}"
    if mode.plan.likelihood.missing:
        return "missing values are sampled too"
    foreign = [name for name in options if name not in _OPTIONS]
    return f"{foreign[0]!r} is about PyMC's own coordinates" if foreign else ""


def sample_guided(
    model: Any,
    mode: Maximum,
    groups: Mapping[str, xr.Dataset],
    *,
    draws: int | None,
    tune: int | None,
    chains: int | None,
    cores: int | None,
    random_seed: Any,
    progressbar: bool,
    progress: Any,
    **options: Any,
) -> xr.DataTree:
    """Sample a posterior by NUTS in the coordinates z of center + root z, the normal approximation at its mode.

    That is a dense mass matrix from the inverse Hessian (Neal 2011). The chains start at normal draws with twice its
    standard deviations (Gelman and Rubin 1992); the sampler still adapts its step size, and a diagonal metric of z.
    Where compiling would take longer than sampling does, all chains move together, each evaluation of the fit's
    log-density serving all of them; else the density is compiled for `pm.sample`.

    Parameters
    ----------
    model : pm.Model
    mode : Maximum
        Certified, from `find_mode`; see `why_unguided`.
    groups : dict of str to Dataset
        Such as `observed_data`, for the tree.
    draws, chains : int, optional
        By default, where chains move together, 16 of 500 if importance weights say that the approximation is close,
        else 8 of 1000; where they do not, 4 of 1000. If one of the two is given, the other is 4 or 1000.
    tune : int, optional
        By default 60 steps for chains that move together, 300 for others, where the approximation is close; else 500
        and 1000.
    cores, random_seed, progressbar
        As for `sample_nuts`; chains that move together use one core.
    progress : context manager
        Entered where chains move together; its method `say` is told how far they are.
    **options
        `target_accept`, 0.7 by default where the approximation is close (of a nearly standard normal density three
        leapfrog steps then make a draw, for five at 0.8), else 0.8; `max_treedepth`; `nuts_sampler`: "ppl_mle" moves
        the chains together whatever it takes, with others and with `compile_kwargs` the density is compiled.

    Returns
    -------
    DataTree
        Groups `posterior` and `sample_stats`, and `groups`.

    Raises
    ------
    RequestError
        Numbers of draws, or options, that no sampler can follow.
    ModelError, KeyboardInterrupt
        As `sample_nuts`.
    """
    approximation, rng = approximate(mode, "normal"), np.random.default_rng(random_seed)
    posterior, size = mode.plan.likelihood, len(mode.theta)
    close = weigh(posterior, approximation, _PROPOSALS, rng).k_hat < _POOR_K
    options = {"target_accept": _LONG_STEPS if close else 0.8} | options
    _require_sensible(options)
    begun = time.perf_counter()
    densities = DensityAround(posterior, approximation.center, approximation.root)
    lengths = _lengths(draws, tune, chains, close, together=densities.is_batched)
    steps = _STEPS_PER_DRAW if close else _STEPS_PER_FAR_DRAW
    if _is_quicker_together(densities, lengths, steps, options):
        z, stats, attributes = _together(densities, size, lengths, rng, progress, **options)
    else:
        lengths = _lengths(draws, tune, chains, close, together=False)
        standard = standardize(model, posterior, approximation.center, approximation.root)
        common = {"cores": cores, "random_seed": int(rng.integers(2**31)), "progressbar": progressbar}
        z, stats, attributes = _compiled(standard, size, lengths, **common, **options)
    attributes |= {"kind": "posterior", "tuning_steps": lengths.tune, "wall_time": time.perf_counter() - begun}
    tree = make_tree(posterior, approximation.center + z @ approximation.root.T, groups, attributes)
    tree["sample_stats"] = xr.DataTree(stats)
    return tree


def _lengths(draws: int | None, tune: int | None, chains: int | None, close: bool, together: bool) -> Lengths:
    """Numbers of chains, draws and tuning steps: those given, else the defaults."""
    usual = (_TOGETHER if close else _FAR_TOGETHER) if together else (_APART if close else Lengths(CHAINS, DRAWS, TUNE))
    if draws is not None or chains is not None:
        usual = Lengths(CHAINS, DRAWS, usual.tune)
    given = {"chains": chains, "draws": draws, "tune": tune}
    found = asdict(usual) | {name: number for name, number in given.items() if number is not None}
    require_counts(**found)
    return Lengths(**found)


def _compiled(
    standard: Any, size: int, lengths: Lengths, **options: Any
) -> tuple[np.ndarray, xr.Dataset, dict[str, Any]]:
    """Draws of z by `pm.sample`, as `_together` makes them."""
    zero, spread = {COORDINATES: np.zeros(size)}, {COORDINATES: np.full(size, _OVERDISPERSED)}
    found = sample_nuts(standard, zero, spread=spread, **asdict(lengths), **options)
    z = found["posterior"][COORDINATES].transpose("chain", "draw", ...).to_numpy()
    noted = {str(name): value for name, value in found["posterior"].attrs.items()}
    kept = {name: value for name, value in noted.items() if name.startswith(("inference", "sampling"))}
    return z, _without_vectors(found["sample_stats"].to_dataset()), kept


def _without_vectors(stats: xr.Dataset) -> xr.Dataset:
    """Statistics of the draws alone, not those in the coordinates of the sampler."""
    kept = [name for name, values in stats.data_vars.items() if set(values.dims) == {"chain", "draw"}]
    return stats[kept].drop_vars([name for name in stats.coords if name not in ("chain", "draw")])


def _is_quicker_together(densities: DensityAround, lengths: Lengths, steps: int, options: Mapping[str, Any]) -> bool:
    """Whether all evaluations, made as the fit makes them, take less time than a compiler; counted, not measured."""
    if options.get("nuts_sampler") == TOGETHER:
        return True
    if options.get("nuts_sampler") or "compile_kwargs" in options:
        return False
    limit = _COMPILING if find_spec("nutpie") else _COMPILING_IN_PYTHON
    return densities.seconds_for(lengths.chains) * steps * (lengths.tune + lengths.draws) < limit


def _require_sensible(options: Mapping[str, Any]) -> None:
    """Refuse options that no sampler can follow.

    Raises
    ------
    RequestError
    """
    accept, depth = options["target_accept"], options.get("max_treedepth", 10)
    if not (isinstance(accept, int | float | np.floating) and 0 < accept < 1):
        raise RequestError(f"target_accept={accept!r} must lie between 0 and 1; 0.8 is usual, 0.95 takes shorter steps")
    if isinstance(depth, bool) or not (isinstance(depth, int | np.integer) and depth >= 1):
        raise RequestError(f"max_treedepth={depth!r} must be a positive whole number; 10 is usual")


def _together(
    densities: DensityAround,
    size: int,
    lengths: Lengths,
    rng: np.random.Generator,
    progress: Any,
    *,
    target_accept: float,
    max_treedepth: int = 10,
    nuts_sampler: str | None = None,
) -> tuple[np.ndarray, xr.Dataset, dict[str, Any]]:
    """Draws of z, shape (chains, draws, p), their statistics, and what is noted of the sampler."""
    starts = find_starts(densities, _OVERDISPERSED, (lengths.chains, size), rng)
    begun = time.perf_counter()
    with progress:
        found: Chains = sample_together(
            densities,
            starts,
            draws=lengths.draws,
            tune=lengths.tune,
            target_accept=target_accept,
            max_treedepth=max_treedepth,
            rng=rng,
            say=progress.say,
        )
    stats = xr.Dataset({name: (("chain", "draw"), values) for name, values in found.statistics.items()})
    return found.places, stats, {"inference_library": TOGETHER, "sampling_time": time.perf_counter() - begun}
