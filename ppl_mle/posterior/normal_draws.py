"""Quasi-random draws of a normal distribution whose sample mean, median and covariance are exact."""

import numpy as np

from ppl_mle.errors import RequestError

SOBOL_LIMIT = 21201
BITS = 30


def normal_draws(
    mean: np.ndarray, covariance: np.ndarray, chains: int = 4, draws: int = 1000, seed: int = 0
) -> np.ndarray:
    """Draw from N(mean, covariance) so that tables of the draws show mean and covariance themselves.

    Scrambled Sobol points (Owen 1998) are mapped to normal ones, mirrored in pairs (z, -z), which makes mean and median
    exact, and whitened by the Cholesky factor of their own covariance, which makes the covariance exact. Pairs are
    dealt to the chains at random, so R-hat and effective sample sizes are those of independent draws.

    Parameters
    ----------
    mean : array, shape (p,)
    covariance : array, shape (p, p)
        Positive semidefinite. Coordinates with a zero variance stay at their mean: give a zero row and column to those
        that are fixed or have no standard error.
    chains, draws : int
    seed : int

    Returns
    -------
    array, shape (chains, draws, p)
        Over all chains and draws the sample mean and median are `mean` and the covariance with ddof=1 is `covariance`,
        to rounding. With fewer than 2 p draws in all the variances are exact and the covariances approximate.

    Raises
    ------
    RequestError
        The covariance is not finite or not positive semidefinite, or fewer than 2 draws are asked for.

    Examples
    --------
    >>> x = normal_draws(np.array([1.0]), np.array([[4.0]]))
    >>> x.shape, round(float(x.mean()), 12), round(float(x.std(ddof=1)), 12)
    ((4, 1000, 1), 1.0, 2.0)
    """
    mean, covariance = np.asarray(mean, float), np.asarray(covariance, float)
    total = chains * draws
    if total < 2:
        raise RequestError(f"chains={chains} and draws={draws} make fewer than 2 draws; a distribution needs more")
    if not np.all(np.isfinite(covariance)):
        raise RequestError("the covariance is not finite; give zero rows to coordinates without a standard error")
    free = np.flatnonzero(np.diag(covariance))
    rng = np.random.default_rng(seed)
    out = np.broadcast_to(mean, (total, mean.size)).copy()
    if free.size:
        standard = _whitened(_half(total // 2, free.size, rng), total)
        paired = np.concatenate([standard, -standard])
        out[: len(paired), free] += paired @ _factor(covariance[np.ix_(free, free)]).T
    return out[_order(total, draws, rng)].reshape(chains, draws, mean.size)


def _half(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """One of each mirrored pair of standard normal points, shape (count, size)."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    if size > SOBOL_LIMIT:
        return rng.standard_normal((count, size))
    points = qmc.Sobol(size, rng=rng, bits=BITS).random_base2(int(np.ceil(np.log2(max(count, 1)))))[:count]
    return ndtri(np.clip(points, 0.5**BITS / 2, 1 - 0.5**BITS / 2))


def _whitened(half: np.ndarray, total: int) -> np.ndarray:
    """Points whose mirrored pairs have the unit matrix as covariance (ddof=1)."""
    count, size = half.shape
    if count < size:
        return half / np.sqrt(2 * (half**2).sum(axis=0) / (total - 1))
    lower = np.linalg.cholesky(2 * half.T @ half / (total - 1))
    return np.linalg.solve(lower, half.T).T


def _factor(covariance: np.ndarray) -> np.ndarray:
    """A matrix F with F F' = covariance, from the correlations, so that scales do not matter."""
    sd = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(sd, sd))
    if not values[0] >= -1e-8 * values[-1]:
        raise RequestError(
            f"the covariance is not positive semidefinite: its correlations have the eigenvalue {values[0]:.3g}"
        )
    return sd[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))


def _order(total: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Row numbers in random order; where `draws` is even both points of a pair lie in the same chain."""
    if draws % 2:
        return rng.permutation(total)
    pairs = rng.permutation(total // 2)
    chains = pairs.reshape(-1, draws // 2)
    return np.concatenate([rng.permutation(np.concatenate([chain, chain + total // 2])) for chain in chains])
