"""NUTS that knows the mode: sampled where the normal approximation is standard, so that little is left to tune."""

import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
import xarray as xr

from ppl_mle.maximize import Maximum
from ppl_mle.posterior.approximation import approximate
from ppl_mle.posterior.draws_tree import make_tree
from ppl_mle.posterior.importance import weigh
from ppl_mle.posterior.nuts import is_shown, one_sentence, require_complete, require_counts, sample_nuts
from ppl_mle.read import Density, density_around
from ppl_mle.read.standardized import COORDINATES, standardize

SHORT_TUNING, LONG_STEPS = 300, 0.7
_MOST_DIMENSIONS = 1000
_POOR_K = 0.7
_PROPOSALS = 500
_OVERDISPERSED = 2.0
_TRIES = 50
_GRADIENTS_PER_DRAW = 6
_COMPILING = 8.0
_OPTIONS = frozenset({"target_accept", "max_treedepth", "nuts_sampler", "compile_kwargs"})

Start = Callable[[int], np.ndarray]


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
    draws: int,
    tune: int | None,
    chains: int,
    cores: int | None,
    random_seed: Any,
    progressbar: bool,
    **options: Any,
) -> xr.DataTree:
    """Sample a posterior by NUTS in the coordinates z of center + root z, the normal approximation at its mode.

    That is a dense mass matrix from the inverse Hessian (Neal 2011). The chains start at normal draws with twice its
    standard deviations (Gelman and Rubin 1992); the sampler still adapts its step size, and a diagonal metric of z.
    Where compiling would take longer than sampling does, nutpie calls the log-density of the fit as it is.

    Parameters
    ----------
    model : pm.Model
    mode : Maximum
        Certified, from `find_mode`; see `why_unguided`.
    groups : dict of str to Dataset
        Such as `observed_data`, for the tree.
    draws, tune, chains, cores, random_seed, progressbar
        As for `sample_nuts`; `tune` is 300 by default where importance weights say that the approximation is close,
        else 1000.
    **options
        `target_accept`, 0.7 by default where the approximation is close (of a nearly standard normal density three
        leapfrog steps then make a draw, for five at 0.8), else 0.8; `max_treedepth`; `nuts_sampler` and
        `compile_kwargs`, with which the density is compiled.

    Returns
    -------
    DataTree
        Groups `posterior` and `sample_stats`, and `groups`.

    Raises
    ------
    ModelError, KeyboardInterrupt
        As `sample_nuts`.
    """
    require_counts(draws=draws, tune=SHORT_TUNING if tune is None else tune, chains=chains)
    approximation, rng = approximate(mode, "normal"), np.random.default_rng(random_seed)
    close = weigh(mode.plan.likelihood, approximation, _PROPOSALS, rng).k_hat < _POOR_K
    tune = tune if tune is not None else SHORT_TUNING if close else 1000
    options = {"target_accept": LONG_STEPS if close else 0.8} | options
    seed = int(rng.integers(2**31))
    common: dict[str, Any] = {
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "random_seed": seed,
        "progressbar": progressbar,
    }
    begun = time.perf_counter()
    density = density_around(mode.plan.likelihood, approximation.center, approximation.root)
    if _is_quicker_interpreted(density, len(mode.theta), (tune + draws) * chains, options):
        found = _interpreted(density, len(mode.theta), **common, **options)
    else:
        standard = standardize(model, mode.plan.likelihood, approximation.center, approximation.root)
        zero = {COORDINATES: np.zeros(len(mode.theta))}
        spread = {COORDINATES: np.full(len(mode.theta), _OVERDISPERSED)}
        found = sample_nuts(standard, zero, spread=spread, cores=cores, **common, **options)
    z = found["posterior"][COORDINATES].transpose("chain", "draw", ...).to_numpy()
    kept = [name for name in found["posterior"].attrs if str(name).startswith(("inference", "sampling"))]
    attributes = {str(name): found["posterior"].attrs[name] for name in kept}
    attributes |= {"kind": "posterior", "tuning_steps": tune, "wall_time": time.perf_counter() - begun}
    tree = make_tree(mode.plan.likelihood, approximation.center + z @ approximation.root.T, groups, attributes)
    tree["sample_stats"] = xr.DataTree(_without_vectors(found["sample_stats"].to_dataset()))
    return tree


def _without_vectors(stats: xr.Dataset) -> xr.Dataset:
    """Statistics of the draws alone, not those in the coordinates of the sampler."""
    kept = [name for name, values in stats.data_vars.items() if set(values.dims) == {"chain", "draw"}]
    return stats[kept].drop_vars([name for name in stats.coords if name not in ("chain", "draw")])


def _is_quicker_interpreted(density: Density, size: int, draws: int, options: Mapping[str, Any]) -> bool:
    """Whether all gradients, evaluated one by one as the fit does, take less time than a compiler."""
    if options.get("nuts_sampler") or "compile_kwargs" in options or find_spec("nutpie") is None:
        return False
    times = []
    for point in np.random.default_rng(0).standard_normal((8, size)):
        begun = time.perf_counter()
        density(point)
        times.append(time.perf_counter() - begun)
    return min(times) * _GRADIENTS_PER_DRAW * draws < _COMPILING


def _interpreted(
    density: Density,
    size: int,
    *,
    draws: int,
    tune: int,
    chains: int,
    random_seed: int,
    progressbar: bool,
    target_accept: float = 0.8,
    max_treedepth: int = 10,
    nuts_sampler: None = None,
) -> xr.DataTree:
    """Draws of z by nutpie from Python's log-density; one chain after the other, for Python runs one thread."""
    import nutpie

    compiled = _in_python(density, size)
    begun = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr), one_sentence("nutpie"):
        tree = nutpie.sample(
            compiled,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=1,
            seed=random_seed,
            save_warmup=False,
            progress_bar=is_shown(progressbar),
            target_accept=target_accept,
            maxdepth=max_treedepth,
        )
    require_complete(tree, draws, chains)
    tree["posterior"].attrs |= {"sampling_time": time.perf_counter() - begun, "inference_library": "nutpie"}
    return tree


def _in_python(around: Density, size: int) -> Any:
    """The log-density of z with its gradient, as nutpie takes it."""
    from nutpie.compiled_pyfunc import from_pyfunc

    def density(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = around(z)
        exists = np.isfinite(value) and np.isfinite(gradient).all()
        return (value, gradient) if exists else (-np.inf, np.zeros(size))

    return from_pyfunc(
        size,
        lambda: density,
        lambda *seeds: lambda z: {COORDINATES: z},
        [np.dtype(float)],
        [(size,)],
        [COORDINATES],
        make_initial_point_fn=_starts(density, size),
    )


def _starts(density: Callable[[np.ndarray], tuple[float, np.ndarray]], size: int) -> Start:
    """Starting points by seed, inside the support, closer to the mode the more tries it takes."""

    def start(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        for attempt in range(_TRIES):
            z = _OVERDISPERSED * (1 - attempt / _TRIES) * rng.standard_normal(size)
            if np.isfinite(density(z)[0]):
                return z
        return np.zeros(size)

    return start
