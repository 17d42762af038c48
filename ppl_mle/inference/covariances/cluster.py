"""Cluster-robust covariances: rows of one group may depend on one another in any way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.covariances.kind import Covariance, CovarianceOptions
from ppl_mle.inference.covariances.sandwich import count_mean, count_rows, say_counts
from ppl_mle.inference.rows import Rows, rows_of
from ppl_mle.maximize import Maximum
from ppl_mle.read import OBSERVED_PART


@dataclass(frozen=True)
class Cluster:
    """One-way (Liang and Zeger 1986) and two-way clusters (Cameron, Gelbach and Miller 2011).

    Scores are summed within groups. By default multiplied by G / (G - 1) (n - 1) / (n - k), with G groups, n rows and k
    mean coefficients. Two ways: the sum of both one-way covariances less that of their intersections, each with its
    own factor.
    """

    name: ClassVar[str] = "cluster"
    takes: ClassVar[tuple[str, ...]] = ("groups", "use_correction", "bread")

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum."""
        rows = rows_of(maximum, "cluster")
        ways = ways_of(options.groups, rows, maximum.plan.likelihood.missing)
        corrected = options.use_correction is not False
        found = [_one_way(maximum, rows, codes, count, corrected) for codes, count in ways]
        note = f"small-sample factors with {say_counts(maximum, rows)}" if corrected else "no small-sample factor"
        counts = " x ".join(str(count) for _, count in ways)
        kind = f"cluster, {counts} groups, {note}"
        if len(ways) == 1:
            return Covariance(found[0], kind)
        both, count = _intersection(ways)
        matrix = found[0] + found[1] - _one_way(maximum, rows, both, count, corrected)
        return Covariance(matrix, kind, _indefinite(maximum, matrix))


def ways_of(groups: Any, rows: tuple[Rows, ...], missing: Mapping[str, int]) -> list[tuple[dict[str, np.ndarray], int]]:
    """Codes of the groups of every row, one or two ways.

    Parameters
    ----------
    groups : array of shape (n,) or (n, 2), two arrays, or dict of str to any of these
        A dict goes by the name of the observed variable; without one, variables of equal length share the groups.
    rows : tuple of Rows
    missing : dict of str to int
        Rows that were left out because their response is missing, by observed variable.

    Returns
    -------
    list of (dict of str to array of int, int)
        For each way the codes by observed variable and the number of groups.

    Raises
    ------
    RequestError
        Missing, of the wrong length, with missing values, fewer than two groups, or more than two ways.
    """
    if groups is None:
        raise RequestError("covariance kind 'cluster' needs groups=, one label per row")
    named = dict(groups) if isinstance(groups, Mapping) else {one.name: groups for one in rows}
    columns = {one.name: _columns(named, one, missing.get(one.name.removesuffix(OBSERVED_PART), 0)) for one in rows}
    numbers = {len(found) for found in columns.values()}
    if len(numbers) > 1 or not numbers <= {1, 2}:
        raise RequestError(
            f"groups has {max(numbers)} ways of clustering; give one or two, the same for every variable"
        )
    return [_codes({name: found[way] for name, found in columns.items()}) for way in range(numbers.pop())]


def _columns(named: Mapping[str, Any], rows: Rows, left_out: int) -> list[np.ndarray]:
    if rows.name not in named:
        raise RequestError(f"groups names {sorted(named)}, not '{rows.name}'; give one label per row of it")
    given = named[rows.name]
    table = given.to_numpy() if isinstance(given, pd.DataFrame | pd.Series) else given
    several = isinstance(table, Sequence) and len(table) == 2 and all(np.ndim(part) == 1 for part in table)
    columns = [np.asarray(part) for part in table] if several else list(np.atleast_2d(np.asarray(table).T))
    for column in columns:
        if left_out and len(column) == rows.count + left_out:
            raise RequestError(
                f"groups has {len(column)} labels for {rows.count} rows of '{rows.name}': the {left_out} rows without "
                "a response are left out of the fit; leave their groups out too"
            )
        if len(column) != rows.count:
            raise RequestError(
                f"groups has {len(column)} labels for {rows.count} rows of '{rows.name}'; give one per row"
            )
        missing = np.flatnonzero(pd.isna(column))
        if missing.size:
            raise RequestError(
                f"groups is missing in row {missing[0]} of '{rows.name}' ({missing.size} in all); label every row"
            )
    return columns


def _codes(columns: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], int]:
    codes, levels = pd.factorize(np.concatenate(list(columns.values())))
    if len(levels) < 2:
        raise RequestError(
            f"groups has the single label {levels[0]!r}; a clustered covariance needs at least two groups"
        )
    ends = np.cumsum([len(column) for column in columns.values()])
    return dict(zip(columns, np.split(codes, ends[:-1]), strict=True)), len(levels)


def _intersection(ways: list[tuple[dict[str, np.ndarray], int]]) -> tuple[dict[str, np.ndarray], int]:
    (first, _), (second, count) = ways
    return _codes({name: codes * count + second[name] for name, codes in first.items()})


def _one_way(
    maximum: Maximum, rows: tuple[Rows, ...], codes: Mapping[str, np.ndarray], groups: int, corrected: bool
) -> np.ndarray:
    sums = sum(one.group_sums(maximum.theta, codes[one.name], groups) for one in rows)
    meat = np.asarray(sums).T @ sums
    n, k = count_rows(rows), count_mean(maximum, rows)
    factor = groups / (groups - 1) * (n - 1) / (n - k) if corrected else 1.0
    return factor * (maximum.covariance @ meat @ maximum.covariance)


def _indefinite(maximum: Maximum, matrix: np.ndarray) -> tuple[str, ...]:
    labels = np.array(maximum.plan.likelihood.scale_labels)
    negative = labels[np.diag(matrix) < 0]
    if negative.size:
        return (f"the two-way clustered variance of {', '.join(negative)} is negative, so there is no standard error",)
    free = np.flatnonzero(np.diag(matrix) > 0)
    sd = np.sqrt(np.diag(matrix)[free])
    smallest = float(np.linalg.eigvalsh(matrix[np.ix_(free, free)] / np.outer(sd, sd)).min(initial=1.0))
    if smallest < -1e-10:
        return (f"the two-way clustered covariance is indefinite: its correlations have the eigenvalue {smallest:.3g}",)
    return ()
