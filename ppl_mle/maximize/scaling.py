"""Units for the coordinates in which the curvature has a unit diagonal."""

import numpy as np

_ROUNDS = 6
_WIDEST = 10.0


def equilibrate(matrix: np.ndarray, gradient: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Find units u such that the largest entry of every row of u_i H_ij u_j is one in size.

    For a positive definite matrix these are 1 / sqrt(H_ii). A coordinate without curvature takes the unit in which
    its gradient is one, at most ten times its own size (Ruiz 2001).

    Parameters
    ----------
    matrix : array, shape (p, p)
    gradient, x : array, shape (p,)

    Returns
    -------
    array, shape (p,), positive
    """
    size = np.abs(matrix)
    own = _WIDEST * np.maximum(1.0, np.abs(x))
    fallback = 1 / np.maximum(np.abs(gradient), 1 / own)
    diagonal = np.sqrt(np.diag(size))
    units = np.where(diagonal > 0, 1 / np.where(diagonal > 0, diagonal, 1), fallback)
    for _ in range(_ROUNDS):
        largest = (size * np.outer(units, units)).max(axis=1)
        if np.all((largest == 0) | (np.abs(largest - 1) < 0.1)):
            break
        units = units / np.sqrt(np.where(largest > 0, largest, 1))
    return units
