"""The minimizer of a quadratic inside a ball."""

import numpy as np

_BISECTIONS = 200


def solve_in_ball(eigenvalues: np.ndarray, gradient: np.ndarray, radius: float) -> np.ndarray:
    """Minimize g's + s'Ls/2 over |s| <= radius, in the eigenvectors' coordinates.

    The solution is s = -(L + m)^-1 g with the smallest m >= 0 that makes L + m positive semidefinite and s fit
    (More and Sorensen 1983). Where negative curvature has no gradient along it, the step goes to the edge along it.

    Parameters
    ----------
    eigenvalues : array, shape (p,)
        L, in ascending order.
    gradient : array, shape (p,)
    radius : float

    Returns
    -------
    array, shape (p,)
    """
    tiny = np.finfo(float).eps * max(1.0, float(np.abs(eigenvalues).max()))
    lowest = float(eigenvalues[0])
    if lowest > tiny:
        newton = -gradient / eigenvalues
        if np.linalg.norm(newton) <= radius:
            return newton
    low = max(0.0, -lowest) + tiny
    shortest = -gradient / (eigenvalues + low)
    norm = float(np.linalg.norm(shortest))
    if norm <= radius:
        if lowest >= -tiny:
            return shortest
        along = np.sqrt(max(radius**2 - norm**2, 0.0))
        shortest[0] += along if shortest[0] >= 0 else -along
        return shortest
    return -gradient / (eigenvalues + _shift(eigenvalues, gradient, radius, low))


def _shift(eigenvalues: np.ndarray, gradient: np.ndarray, radius: float, low: float) -> float:
    """Root of |s(m)| = radius above `low`, by bisection on a logarithmic scale."""
    high = max(2 * low, float(np.linalg.norm(gradient)) / radius + max(0.0, -float(eigenvalues[0])))
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low * high))
        if not low < middle < high or high / low < 1 + 1e-6:
            break
        if np.linalg.norm(gradient / (eigenvalues + middle)) > radius:
            low = middle
        else:
            high = middle
    return high
