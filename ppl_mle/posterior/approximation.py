"""Normal, Student-t and split-normal approximations of a posterior at its mode."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import gammaln

from ppl_mle.maximize import Maximum
from ppl_mle.read import Likelihood, densities_at

Shape = Literal["normal", "t", "split"]

_DF = 7.0
_DROP = 0.5
_WIDEST = 8.0
_BISECTIONS = 12


@dataclass(frozen=True, eq=False)
class Approximation:
    """A distribution of the unconstrained vector: center + root z, z of independent or jointly t-distributed elements.

    Parameters
    ----------
    center : array, shape (p,)
    root : array, shape (p, p)
        A factor of the covariance.
    shape : {"normal", "t", "split"}
        Standard normal z; Student's t with 7 degrees of freedom; or normal with other scales on both sides of each axis
        (Geweke 1989).
    below, above : array, shape (p,)
        Scales of `split` on the two sides.
    """

    center: np.ndarray
    root: np.ndarray
    shape: Shape
    below: np.ndarray
    above: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw unconstrained vectors, shape (count, p)."""
        z = rng.standard_normal((count, len(self.center)))
        if self.shape == "t":
            z *= np.sqrt(_DF / rng.chisquare(_DF, count))[:, None]
        elif self.shape == "split":
            sides = rng.random(z.shape) < self.above / (self.above + self.below)
            z = np.where(sides, self.above * np.abs(z), -self.below * np.abs(z))
        return self.center + z @ self.root.T

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Log-density at rows of unconstrained vectors, shape (m, p)."""
        size = len(self.center)
        z = np.linalg.solve(self.root, (points - self.center).T).T
        constant = -float(np.linalg.slogdet(self.root)[1])
        if self.shape == "t":
            constant += gammaln((_DF + size) / 2) - gammaln(_DF / 2) - size / 2 * np.log(_DF * np.pi)
            return np.asarray(constant - (_DF + size) / 2 * np.log1p(np.sum(z**2, axis=1) / _DF))
        constant -= size / 2 * np.log(2 * np.pi)
        if self.shape == "normal":
            return np.asarray(constant - np.sum(z**2, axis=1) / 2)
        widths = np.where(z > 0, self.above, self.below)
        constant -= float(np.sum(np.log((self.above + self.below) / 2)))
        return np.asarray(constant - np.sum((z / widths) ** 2, axis=1) / 2)


def approximate(maximum: Maximum, shape: Shape) -> Approximation:
    """Approximate a posterior at its mode.

    Parameters
    ----------
    maximum : Maximum
        A certified mode of `read_posterior`, with its covariance.
    shape : {"normal", "t", "split"}

    Returns
    -------
    Approximation
    """
    covariance = maximum.observed_covariance
    scale = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    root = scale[:, None] * vectors * np.sqrt(values)
    ones = np.ones(len(scale))
    plain = Approximation(maximum.theta, root, shape, ones, ones)
    if shape != "split":
        return plain
    below, above = (_widths(maximum.plan.likelihood, plain, maximum.value, side) for side in (-1, 1))
    return replace(plain, below=below, above=above)


def _widths(posterior: Likelihood, plain: Approximation, top: float, side: int) -> np.ndarray:
    """How far along each axis the log-density falls by one half, by bisection on all axes at once."""
    size = len(plain.center)
    low, high = np.zeros(size), np.full(size, _WIDEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        falls = top - densities_at(posterior, plain.center + side * (plain.root * middle).T)
        low, high = np.where(falls < _DROP, middle, low), np.where(falls < _DROP, high, middle)
    return (low + high) / 2
