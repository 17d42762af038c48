"""Quasi-Newton steps in a given metric: from the maximum over a part of the rows to that over all of them."""

import numpy as np

from ppl_mle.maximize.problem import Problem

_STEPS = 6
_CLOSE = 1e-7
_CONTRACTS = 0.25


def approach(problem: Problem, x: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Take BFGS steps (Nocedal and Wright 2006, eq. 6.17) while each brings the maximum much closer.

    Parameters
    ----------
    problem : Problem
    x : array, shape (size,)
        A point with a finite log-density.
    basis : array, shape (size, size)
        Columns that nearly whiten the curvature there, so that the first step is nearly Newton's.

    Returns
    -------
    array, shape (size,)
        The best point; a decrement below 1e-7 is not pursued further.
    """
    value, gradient = problem.value_and_gradient(x)
    slope, inverse = basis.T @ gradient, np.eye(len(x))
    for _ in range(_STEPS):
        move = -inverse @ slope
        decrement = -0.5 * float(slope @ move)
        if not decrement > _CLOSE:
            break
        ahead = x + basis @ move
        value_ahead, gradient = problem.value_and_gradient(ahead)
        if not value_ahead <= value:
            break
        change = basis.T @ gradient - slope
        x, value, slope = ahead, value_ahead, slope + change
        if not 0.5 * float(slope @ inverse @ slope) < _CONTRACTS * decrement:
            break
        inverse = _updated(inverse, move, change)
    return x


def _updated(inverse: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The inverse curvature that agrees with the last change of the gradient; as it was where that is no curvature."""
    along = float(move @ change)
    if not along > 0:
        return inverse
    left = np.eye(len(move)) - np.outer(move, change) / along
    return left @ inverse @ left.T + np.outer(move, move) / along
