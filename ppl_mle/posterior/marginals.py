"""One column per element: moments, quantiles and mode of draws, and how far they are from a normal approximation."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ppl_mle.inference import Estimates

NOT_NORMAL = 0.5


def describe_draws(draws: pd.DataFrame, ci_prob: float) -> pd.DataFrame:
    """Mean, median, mode, sd and equal-tailed interval of each column.

    The mode is that of a kernel density estimate with ArviZ's bandwidth, NaN of a constant.

    Returns
    -------
    DataFrame
        Indexed by the columns of `draws`; of a single draw the spread is NaN.
    """
    values = draws.to_numpy()
    tail = (1 - ci_prob) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail], axis=0)
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1], np.nan)
    columns = {
        "mean": values.mean(axis=0),
        "median": np.median(values, axis=0),
        "mode": [_mode(column) for column in values.T],
        "sd": spread,
        "eti_lower": lower if len(values) > 1 else spread,
        "eti_upper": upper if len(values) > 1 else spread,
    }
    return pd.DataFrame(columns, index=draws.columns)


def _mode(x: np.ndarray) -> float:
    from arviz_stats.base import array_stats

    if not np.all(np.isfinite(x)) or np.ptp(x) == 0:
        return float(x[0]) if len(x) == 1 else np.nan
    grid, density, _ = array_stats.kde(x)
    return float(grid[np.argmax(density)])


def measure_normality(estimates: Estimates, draws: pd.DataFrame) -> pd.DataFrame:
    """How far draws are from the normal approximation of the estimator, where each element is free.

    Returns
    -------
    DataFrame
        `wasserstein`: first Wasserstein distance between the draws and N(estimate, SE^2), in standard errors.
        `skewness`: third standardized moment of the draws. Both on the unconstrained scale of the element; NaN where
        there is no standard error, or no spread.
    """
    found = np.full((len(estimates.labels), 2), np.nan)
    errors = estimates.bse.to_numpy()
    for i, (label, scale) in enumerate(zip(estimates.labels, estimates.scales, strict=True)):
        with np.errstate(all="ignore"):
            free = np.asarray(scale.to_free(draws[label].to_numpy()), float)
            center = float(scale.to_free(estimates.values[i]))
            unit = errors[i] / abs(float(scale.slope(estimates.values[i])))
        if len(free) > 1 and np.all(np.isfinite(free)) and np.ptp(free) > 0:
            found[i, 1] = np.mean((free - free.mean()) ** 3) / free.std() ** 3
            found[i, 0] = _distance((free - center) / unit) if unit > 0 and np.isfinite(center) else np.nan
    return pd.DataFrame(found, index=list(estimates.labels), columns=["wasserstein", "skewness"])


def _distance(z: np.ndarray) -> float:
    """First Wasserstein distance of a sample from the standard normal distribution, by quantiles."""
    return float(np.mean(np.abs(np.sort(z) - ndtri((np.arange(len(z)) + 0.5) / len(z)))))


def overlap(table: pd.DataFrame) -> pd.Series:
    """Length that both intervals share over the length that they cover together, per row."""
    lower, upper = table[["ci_lower", "ci_upper"]].to_numpy().T
    left, right = table[["eti_lower", "eti_upper"]].to_numpy().T
    shared = np.maximum(np.minimum(upper, right) - np.maximum(lower, left), 0.0)
    whole = np.maximum(upper, right) - np.minimum(lower, left)
    return pd.Series(np.divide(shared, whole, out=np.full(len(whole), np.nan), where=whole > 0), index=table.index)
