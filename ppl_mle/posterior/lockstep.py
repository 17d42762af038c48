"""NUTS for chains that move together, without a compiler: each evaluation of the log-density serves all of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ppl_mle.posterior.trajectory import Densities, Moved, Points, move, points_at
from ppl_mle.posterior.warmup import Acceptance, StepSize, pooled_scales, windows

_TRIES, _DEVIATIONS, _SLACK = 50, 3.0, 5.0


@dataclass(frozen=True, eq=False)
class Chains:
    """Draws of chains, with the statistics of each.

    Parameters
    ----------
    places : array, shape (m, draws, p)
    statistics : dict of str to array, shape (m, draws)
        By PyMC's names.
    """

    places: np.ndarray
    statistics: dict[str, np.ndarray]


@dataclass(slots=True)
class _State:
    points: Points
    scales: np.ndarray


def sample_together(
    densities: Densities,
    starts: np.ndarray,
    *,
    draws: int,
    tune: int,
    target_accept: float,
    max_treedepth: int,
    rng: np.random.Generator,
    say: Callable[[str], None] = lambda reached: None,
) -> Chains:
    """Sample a density by NUTS with a diagonal metric, tuned on all chains together.

    Parameters
    ----------
    densities : callable
    starts : array, shape (m, p)
        Where the density exists.
    draws, tune : int
        Of each chain.
    target_accept : float
    max_treedepth : int
    rng : Generator
    say : callable
        Told how far the work has come.

    Returns
    -------
    Chains
    """
    value, gradient = densities(starts)
    state = _State(points_at(starts, np.zeros_like(starts), gradient, value), np.ones(starts.shape[1]))
    acceptance = Acceptance(len(starts), target_accept)
    step = StepSize(starts.shape[1] ** -0.25, target_accept)
    ends = {end: begin for begin, end in windows(tune)}
    seen = np.empty((tune, *starts.shape))
    for i in range(tune):
        moved = _moved(densities, state, step.now, max_treedepth, rng)
        step.learn(acceptance.pooled(moved.acceptance))
        seen[i] = state.points.place * state.scales
        if i + 1 in ends:
            _rescale(state, pooled_scales(seen[ends[i + 1] : i + 1]))
            step.restart(step.mean)
        if i % 20 == 0:
            say(f"tuning step {i} of {tune}")
    places, found = np.empty((draws, *starts.shape)), []
    for i in range(draws):
        found.append(_moved(densities, state, step.mean, max_treedepth, rng))
        places[i] = state.points.place * state.scales
        if i % 20 == 0:
            say(f"draw {i} of {draws}")
    return Chains(places.swapaxes(0, 1), _statistics(found, step.mean, max_treedepth))


def find_starts(densities: Densities, spread: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Normal draws around zero with a standard deviation of `spread`, closer to it where the density is too low.

    Too low is more than three standard deviations below what such draws find where the density is standard normal: the
    steps that suit the other chains would not bring a chain home from there.
    """
    size = shape[1]
    fall = spread**2 * (size + _DEVIATIONS * np.sqrt(2 * size)) / 2 + _SLACK
    lowest = float(densities(np.zeros((1, size)))[0][0]) - fall
    starts = spread * rng.standard_normal(shape)
    for attempt in range(_TRIES):
        values = densities(starts)[0]
        outside = ~(np.isfinite(values) & (values >= lowest))
        if not outside.any():
            break
        closer = spread * (1 - (attempt + 1) / _TRIES)
        starts[outside] = closer * rng.standard_normal((int(outside.sum()), size))
    return starts


def _moved(densities: Densities, state: _State, step: float, deepest: int, rng: np.random.Generator) -> Moved:
    """Make a transition in coordinates with unit scales, and leave the chains there."""
    scales = state.scales

    def scaled(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, gradients = densities(places * scales)
        return values, gradients * scales

    moved = move(scaled, state.points, step, deepest, rng)
    state.points = moved.points
    return moved


def _rescale(state: _State, scales: np.ndarray) -> None:
    change = scales / state.scales
    state.points.place /= change
    state.points.gradient *= change
    state.scales = scales


def _statistics(found: list[Moved], step: float, deepest: int) -> dict[str, np.ndarray]:
    def table(pick: Callable[[Moved], np.ndarray]) -> np.ndarray:
        return np.array([pick(moved) for moved in found]).T

    depth = table(lambda moved: moved.depth)
    return {
        "lp": table(lambda moved: moved.points.value),
        "energy": table(lambda moved: moved.points.energy),
        "acceptance_rate": table(lambda moved: moved.acceptance),
        "n_steps": table(lambda moved: moved.steps),
        "tree_depth": depth,
        "diverging": table(lambda moved: moved.diverged),
        "reached_max_treedepth": depth >= deepest,
        "step_size": np.full(depth.shape, step),
    }
