"""Frequency weights: a row with weight w counts as w equal rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt

from ppl_mle.errors import RequestError


def weigh(
    names: Sequence[tuple[str, str]], graphs: Sequence[Any], rows: Sequence[int], weights: Any
) -> tuple[list[Any], list[float]]:
    """Multiply the rows of the observed terms by their weights.

    Parameters
    ----------
    names : sequence of (str, str)
        Name and kind of every term.
    graphs : sequence of graph variables
        Elementwise log-densities.
    rows : sequence of int
    weights : array, dict of str to array, or None

    Returns
    -------
    graphs : list of graph variables
    totals : list of float
        Sum of the weights of each term (its rows where it has none); NaN for Potentials.

    Raises
    ------
    RequestError
        Unknown name, wrong length, or a negative, missing or infinite weight.
    """
    totals = [float("nan") if kind == "potential" else float(n) for (_, kind), n in zip(names, rows, strict=True)]
    if weights is None:
        return list(graphs), totals
    weighted = list(graphs)
    for name, values in _by_name(names, weights).items():
        position = [n for n, _ in names].index(name)
        array = _checked(name, values, graphs[position], rows[position])
        weighted[position] = pt.switch(pt.constant(array > 0), graphs[position] * pt.constant(array), 0.0)
        totals[position] = float(array.sum())
    return weighted, totals


def _by_name(names: Sequence[tuple[str, str]], weights: Any) -> dict[str, Any]:
    observed = [name for name, kind in names if kind == "observed"]
    if isinstance(weights, Mapping):
        unknown = [name for name in weights if name not in observed]
        if unknown:
            raise RequestError(f"weights names {unknown[0]!r}, which is no observed variable; these are {observed}")
        return dict(weights)
    if len(observed) != 1:
        raise RequestError(
            f"weights is one array but the model observes {observed or 'nothing'}; pass a dict from name to weights"
        )
    return {observed[0]: weights}


def _checked(name: str, values: Any, graph: Any, rows: int) -> np.ndarray:
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError):
        raise RequestError(f"weights of '{name}' are not numbers: {values!r:.60}; give one count per row") from None
    if graph.type.ndim == 0:
        raise RequestError(f"'{name}' has one joint log-density and no rows to weigh; drop weights")
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if bad.size:
        raise RequestError(
            f"weights of '{name}' has {np.ravel(array)[bad[0]]} at row {bad[0]}; weights are counts >= 0, without gaps"
        )
    if array.size != rows or (array.ndim != 1 and array.ndim != graph.type.ndim):
        raise RequestError(f"weights of '{name}' has {array.size} values for {rows} rows; give one per row")
    if array.sum() <= 0:
        raise RequestError(f"weights of '{name}' are all zero; at least one row must count")
    if graph.type.ndim == array.ndim:
        return array
    return array.reshape(tuple(graph.type.shape))
