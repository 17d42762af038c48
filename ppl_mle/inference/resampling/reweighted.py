"""Data sets made of the same rows with other weights: drawn with replacement, or one unit left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ppl_mle.inference.resampling.sample import with_objective
from ppl_mle.inference.resampling.units import Pool
from ppl_mle.maximize import Maximum
from ppl_mle.read import Likelihood
from ppl_mle.read.rows.refits import Densities, reweighted, same_rows

Counts = Callable[[np.ndarray], Sequence[np.ndarray]]
"""From members (m,) to how often each unit counts, shape (m, units) for every pool."""


@dataclass(frozen=True, eq=False)
class Reweighted:
    """A sample of reweighted data sets.

    Parameters
    ----------
    maximum : Maximum
    pools : tuple of Pool
    count : int
    counts : callable
    """

    maximum: Maximum
    pools: tuple[Pool, ...]
    count: int
    counts: Counts

    def weights(self, members: np.ndarray) -> dict[int, np.ndarray]:
        """Weights of the rows, by the position of the row term."""
        found = {i: term.weights[None, :] for i, term in enumerate(self._terms) if term.weights is not None}
        for pool, counts in zip(self.pools, self.counts(members), strict=True):
            found |= {i: pool.of_rows(i, counts) for i in pool.codes}
        return {i: np.broadcast_to(w, (len(members), w.shape[1])) for i, w in found.items()}

    def densities(self, members: np.ndarray) -> Mapping[int, Densities]:
        """Densities of the rows of every term: the same for all data sets."""
        return self._same

    def likelihood(self, member: int) -> Likelihood:
        """One of the data sets."""
        weights = self.weights(np.array([member]))
        terms = [reweighted(t, weights[i][0]) if i in weights else t for i, t in enumerate(self._terms)]
        likelihood = self.maximum.plan.likelihood
        return with_objective(likelihood, likelihood.objective.with_terms(terms))

    @cached_property
    def _terms(self) -> tuple:
        return tuple(self.maximum.plan.likelihood.objective.terms)

    @cached_property
    def _same(self) -> dict[int, Densities]:
        return {i: same_rows(term) for i, term in enumerate(self._terms) if term.groups}


def drawn(maximum: Maximum, pools: tuple[Pool, ...], replicates: int, seed: int) -> Reweighted:
    """Data sets of as many units as there are, drawn with replacement; each has a stream of random numbers of its own.

    Parameters
    ----------
    maximum : Maximum
    pools : tuple of Pool
    replicates : int
    seed : int
    """

    def counts(members: np.ndarray) -> list[np.ndarray]:
        found = [np.empty((len(members), pool.size)) for pool in pools]
        for i, member in enumerate(members):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(member),)))
            for pool, own in zip(pools, found, strict=True):
                own[i] = pool.draw(rng)
        return found

    return Reweighted(maximum, pools, replicates, counts)


def left_out(maximum: Maximum, pool: Pool) -> Reweighted:
    """Data sets that lack one unit each, in the order of the units of which there is a copy.

    Parameters
    ----------
    maximum : Maximum
    pool : Pool
    """
    units = np.flatnonzero(pool.copies > 0)

    def counts(members: np.ndarray) -> list[np.ndarray]:
        found = np.repeat(pool.copies[None, :], len(members), axis=0)
        found[np.arange(len(members)), units[members]] -= 1
        return [found]

    return Reweighted(maximum, (pool,), len(units), counts)
