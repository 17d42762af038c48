"""Which rows a figure shows where there are too many to draw."""

from dataclasses import replace

import numpy as np

from ppl_mle.report.observed import Observed

SHOWN = 2000
_FURTHEST = 20
_BINS = 300
_AT_RANDOM = ("binary", "survival")


def shown_rows(observed: Observed, most: int = SHOWN) -> np.ndarray | None:
    """Rows that stand for all, ascending: drawn at random, the same each time, and the most extreme; None for all.

    The most extreme have the largest residuals, leverages or Cook's distances. Of a binary response or of times all are
    drawn at random.
    """
    n = len(observed.values)
    if n <= most:
        return None
    extreme = [] if observed.kind in _AT_RANDOM else [_largest(values) for values in _distances(observed)]
    first = np.unique(np.concatenate(extreme)) if extreme else np.array([], int)
    drawn = np.random.default_rng(0).choice(n, most, replace=False)
    others = drawn[~np.isin(drawn, first)][: most - len(first)]
    return np.sort(np.concatenate([first, others]))


def of_rows(observed: Observed, rows: np.ndarray) -> Observed:
    """The same variable with some of its rows; what was computed over all of them stays."""
    known = observed.survival
    return replace(
        observed,
        values=observed.values[rows],
        fitted=observed.fitted[rows],
        pearson=None if observed.pearson is None else observed.pearson[rows],
        quantile=None if observed.quantile is None else observed.quantile[rows],
        influence=None if observed.influence is None else observed.influence.iloc[rows],
        survival=None if known is None else replace(known, times=known.times[rows], limits=known.limits[rows]),
    )


def thinned(observed: Observed, most: int = SHOWN) -> Observed:
    """The variable with the rows that are shown."""
    rows = shown_rows(observed, most)
    return observed if rows is None else of_rows(observed, rows)


def words_of_shown(observed: Observed, most: int = SHOWN) -> str:
    """What part of the rows is shown; nothing where all are.

    Examples
    --------
    >>> words_of_shown(Observed("y", "binary", np.zeros(3000), np.zeros(3000)))
    '2,000 of 3,000 rows shown, drawn at random'
    """
    n = len(observed.values)
    if n <= most:
        return ""
    which = "drawn at random" if observed.kind in _AT_RANDOM else "the most extreme among them"
    return f"{most:,} of {n:,} rows shown, {which}"


def shown_ranks(n: int, most: int = SHOWN) -> np.ndarray:
    """Ranks of ordered values that are shown: those of both ends, and spread evenly in between.

    Examples
    --------
    >>> shown_ranks(5).tolist()
    [0, 1, 2, 3, 4]
    """
    if n <= most:
        return np.arange(n)
    end = most // 10
    inner = np.linspace(end, n - 1 - end, most - 2 * end).astype(int)
    return np.unique(np.concatenate([np.arange(end), inner, np.arange(n - end, n)]))


def pooled(observed: Observed, bins: int = _BINS) -> Observed:
    """A binary response whose fitted probabilities are those of bins of equal size, where there are many."""
    if observed.kind != "binary" or len(np.unique(observed.fitted)) <= bins:
        return observed
    means = np.empty(len(observed.fitted))
    for part in np.array_split(np.argsort(observed.fitted, kind="stable"), bins):
        means[part] = observed.fitted[part].mean()
    return replace(observed, fitted=means)


def _distances(observed: Observed) -> list[np.ndarray]:
    found = [observed.values - observed.fitted] if observed.pearson is None else [observed.pearson]
    if observed.influence is not None:
        found += [observed.influence[name].to_numpy(float) for name in ("leverage", "std_resid", "cooks_distance")]
    return [np.nan_to_num(np.abs(values)) for values in found]


def _largest(values: np.ndarray) -> np.ndarray:
    return np.argpartition(values, -_FURTHEST)[-_FURTHEST:]
