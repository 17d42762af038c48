"""Rows that stand for all where there are too many to compute with, or to draw."""

import numpy as np

_MOST_NUMBERS = 30_000_000


def rows_averaged(rows: int, points: int, numbers: int = _MOST_NUMBERS) -> int:
    """How many rows an average over rows is made of, where each is evaluated at so many points."""
    return min(rows, max(numbers // points, 1))


def random_rows(rows: int, wanted: int) -> np.ndarray:
    """Some rows, ascending: all, or drawn at random, the same each time."""
    return np.arange(rows) if wanted >= rows else np.sort(np.random.default_rng(0).choice(rows, wanted, replace=False))


def rows_in_order(fitted: np.ndarray, wanted: int) -> np.ndarray:
    """Some rows, evenly spaced in the order of their fitted means: all, or those whose average is nearly that of all.

    Examples
    --------
    >>> rows_in_order(np.array([5.0, 1.0, 2.0, 6.0]), 2).tolist()
    [2, 3]
    """
    if wanted >= len(fitted):
        return np.arange(len(fitted))
    places = ((np.arange(wanted) + 0.5) * len(fitted) / wanted).astype(int)
    return np.argsort(fitted, kind="stable")[places]


def spread_rows(residual: np.ndarray, most: int = 2000, ends: int = 10) -> np.ndarray:
    """Rows that stand for all, ascending: those with the largest residuals to either side, and others at random."""
    if len(residual) <= most:
        return np.arange(len(residual))
    order = np.argsort(residual)
    extreme = np.r_[order[:ends], order[-ends:]]
    drawn = np.random.default_rng(0).choice(len(residual), most, replace=False)
    return np.sort(np.r_[extreme, drawn[~np.isin(drawn, extreme)][: most - len(extreme)]])
