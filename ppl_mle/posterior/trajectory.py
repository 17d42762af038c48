"""The No-U-Turn sampler's trees, of many chains at a time: one evaluation moves all of them by a leapfrog step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Densities = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From places, shape (m, p), to log-densities, shape (m,), and gradients, shape (m, p); -inf and 0 outside."""

_DIVERGED = 1000.0


class Points:
    """Places of chains in phase space, in one table, so that those of some chains are taken in one step.

    Parameters
    ----------
    table : array, shape (m, 3 p + 1)
        A row per chain: place, momentum, gradient of the log-density, log-density.
    """

    __slots__ = ("gradient", "momentum", "place", "table", "value")

    def __init__(self, table: np.ndarray) -> None:
        size = table.shape[1] // 3
        self.table = table
        self.place, self.momentum = table[:, :size], table[:, size : 2 * size]
        self.gradient, self.value = table[:, 2 * size : -1], table[:, -1]

    @property
    def energy(self) -> np.ndarray:
        """The Hamiltonian with unit masses."""
        return np.asarray(_inner(self.momentum, self.momentum) / 2 - self.value)


def points_at(place: np.ndarray, momentum: np.ndarray, gradient: np.ndarray, value: np.ndarray) -> Points:
    """Points of their parts, of shapes (m, p) and, the log-density, (m,)."""
    return Points(np.concatenate([place, momentum, gradient, value[:, None]], axis=1))


@dataclass(slots=True)
class Tree:
    """A stretch of a trajectory, of each of some chains.

    Parameters
    ----------
    end, chosen : Points
        Where it ends, and the point drawn from it by the density.
    log_weight : array, shape (m,)
        Logarithm of the sum of exp(start energy - energy).
    momenta : array, shape (m, p)
        Sum over its points.
    accepted, steps : array, shape (m,)
        Sum of the Metropolis acceptance probabilities, and number of leapfrog steps.
    whole, diverged : array of bool, shape (m,)
        Whether it neither turned back within nor diverged; whether it diverged.
    """

    end: Points
    chosen: Points
    log_weight: np.ndarray
    momenta: np.ndarray
    accepted: np.ndarray
    steps: np.ndarray
    whole: np.ndarray
    diverged: np.ndarray


@dataclass(frozen=True, slots=True)
class Moved:
    """Where chains are after one transition, and how they got there.

    Parameters
    ----------
    points : Points
    acceptance, steps, depth, diverged : array, shape (m,)
        Mean acceptance probability, leapfrog steps, doublings, and whether the trajectory diverged.
    """

    points: Points
    acceptance: np.ndarray
    steps: np.ndarray
    depth: np.ndarray
    diverged: np.ndarray


def move(densities: Densities, points: Points, step: float, deepest: int, rng: np.random.Generator) -> Moved:
    """Make one transition of each chain.

    Source: Hoffman and Gelman (2014), algorithm 3, with multinomial weights and the criterion of Betancourt (2017,
    A Conceptual Introduction to Hamiltonian Monte Carlo, appendix A), built without recursion (Phan, Pradhan and
    Jankowiak 2019).

    Parameters
    ----------
    densities : callable
    points : Points
        Their momenta are not used.
    step : float
        Of the leapfrog integrator.
    deepest : int
        Most doublings.
    rng : Generator

    Returns
    -------
    Moved
    """
    momentum = rng.standard_normal(points.place.shape)
    here = points_at(points.place, momentum, points.gradient, points.value)
    moved = Moved(Points(np.empty_like(here.table)), *_nothing(len(here.value)))
    with np.errstate(all="ignore"):
        going = _Going.at(here)
        for level in range(deepest):
            going.double(densities, step, level, rng)
            ended = ~going.whole | turns_back(going.left.momentum, going.right.momentum, going.momenta)
            if level + 1 == deepest:
                ended[:] = True
            if ended.any():
                going.leave(ended, level + 1, moved)
                if ended.all():
                    break
                going = going.of(~ended)
    return moved


@dataclass(slots=True)
class _Going:
    """Trajectories that still get longer, of the chains with the positions `chain`."""

    chain: np.ndarray
    start: np.ndarray
    left: Points
    right: Points
    chosen: Points
    log_weight: np.ndarray
    momenta: np.ndarray
    accepted: np.ndarray
    steps: np.ndarray
    whole: np.ndarray
    diverged: np.ndarray

    @classmethod
    def at(cls, here: Points) -> "_Going":
        count = len(here.value)
        accepted, steps, _, diverged = _nothing(count)
        whole, every = np.ones(count, bool), np.arange(count)
        weight = np.zeros(count)
        return cls(every, here.energy, here, here, here, weight, here.momentum, accepted, steps, whole, diverged)

    def double(self, densities: Densities, step: float, level: int, rng: np.random.Generator) -> None:
        """Make each trajectory twice as long, in a direction drawn at random."""
        forward, uniform = rng.random((2, len(self.chain)))
        ahead = forward < 0.5
        begin = Points(np.where(ahead[:, None], self.right.table, self.left.table))
        tree = grow(densities, begin, np.where(ahead, step, -step), self.start, 2**level, rng)
        taken = tree.whole & (np.log(uniform) < tree.log_weight - self.log_weight)
        self.chosen = _choose(taken, tree.chosen, self.chosen)
        self.left, self.right = _choose(~ahead, tree.end, self.left), _choose(ahead, tree.end, self.right)
        self.log_weight = np.logaddexp(self.log_weight, tree.log_weight)
        self.momenta = self.momenta + tree.momenta
        self.accepted, self.steps = self.accepted + tree.accepted, self.steps + tree.steps
        self.whole, self.diverged = tree.whole, tree.diverged

    def leave(self, ended: np.ndarray, depth: int, moved: Moved) -> None:
        """Note where some of them ended."""
        chain = self.chain[ended]
        moved.points.table[chain] = self.chosen.table[ended]
        moved.acceptance[chain] = self.accepted[ended] / self.steps[ended]
        moved.steps[chain], moved.depth[chain] = self.steps[ended], depth
        moved.diverged[chain] = self.diverged[ended]

    def of(self, kept: np.ndarray) -> "_Going":
        parts: list[Any] = [getattr(self, name) for name in self.__slots__]
        taken: list[Any] = [Points(x.table[kept]) if isinstance(x, Points) else x[kept] for x in parts]
        return _Going(*taken)


def grow(
    densities: Densities, begin: Points, step: np.ndarray, start: np.ndarray, leaves: int, rng: np.random.Generator
) -> Tree:
    """Integrate from points, a power of two of steps unless every chain turns back or diverges sooner.

    Parameters
    ----------
    densities : callable
    begin : Points
    step : array, shape (m,)
        Negative for chains that go back in time.
    start : array, shape (m,)
        Energy where the transition began.
    leaves : int
    rng : Generator
    """
    count, eps = len(step), step[:, None]
    log_uniform = np.log(rng.random((leaves, count)))
    accepted, steps, _, diverged = _nothing(count)
    none = np.full(count, -np.inf)
    tree = Tree(begin, begin, none, np.zeros(1), accepted, steps, np.ones(count, bool), diverged)
    kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for leaf in range(leaves):
        before = tree.momenta
        _add_leaf(tree, _leapfrog(densities, tree.end, eps), start, log_uniform[leaf])
        momentum = tree.end.momentum
        level, closed = (leaf >> 1).bit_count(), (leaf ^ (leaf + 1)).bit_length() - 1
        if closed == 0:
            kept[level] = momentum, before
        for i in range(level, level - closed, -1):
            first, sum_before = kept[i]
            tree.whole = tree.whole & ~turns_back(first, momentum, tree.momenta - sum_before)
        if not tree.whole.any():
            break
    return tree


def _add_leaf(tree: Tree, here: Points, start: np.ndarray, log_uniform: np.ndarray) -> None:
    tree.end = here
    log_weight = start - here.energy
    tree.steps += tree.whole
    if not log_weight.min() > -_DIVERGED:
        lost = ~(log_weight > -_DIVERGED)
        log_weight[lost] = -np.inf
        tree.diverged |= tree.whole & lost
        tree.whole = tree.whole & ~lost
    tree.accepted += tree.whole * np.exp(np.minimum(log_weight, 0.0))
    tree.log_weight = np.logaddexp(tree.log_weight, log_weight)
    tree.chosen = _choose(log_uniform < log_weight - tree.log_weight, here, tree.chosen)
    tree.momenta = tree.momenta + here.momentum


def turns_back(first: np.ndarray, last: np.ndarray, momenta: np.ndarray) -> np.ndarray:
    """Whether a trajectory gets no longer at one of its ends; its end points count half."""
    between = momenta - (first + last) / 2
    return np.asarray(np.minimum(_inner(first, between), _inner(last, between)) <= 0)


def _nothing(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(count), np.zeros(count, int), np.zeros(count, int), np.zeros(count, bool)


def _leapfrog(densities: Densities, points: Points, eps: np.ndarray) -> Points:
    push = 0.5 * eps
    half = points.momentum + push * points.gradient
    place = points.place + eps * half
    value, gradient = densities(place)
    return points_at(place, half + push * gradient, gradient, value)


def _choose(taken: np.ndarray, new: Points, old: Points) -> Points:
    return new if taken.all() else Points(np.where(taken[:, None], new.table, old.table))


def _inner(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", one, other)
