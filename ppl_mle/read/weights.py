"""Frequency weights: a row with weight w counts as w equal rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt

from ppl_mle.errors import RequestError
from ppl_mle.read.missing import OBSERVED_PART


def check_weights(weights: Any, sources: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray | None]:
    """Weights of every term, flat, None for a term that has none.

    Parameters
    ----------
    weights : array, dict of str to array, or None
    sources : sequence of Source
    shapes : sequence of tuple of int
        Of the elementwise log-densities.

    Raises
    ------
    RequestError
        Unknown name, wrong length, or a negative, missing or infinite weight.
    """
    found: list[np.ndarray | None] = [None] * len(sources)
    if weights is None:
        return found
    names = [source.rv.name for source in sources]
    for name, values in _by_name([(s.rv.name, s.kind) for s in sources], weights).items():
        position = names.index(name)
        partial = name.endswith(OBSERVED_PART)
        found[position] = _checked(name, values, shapes[position], partial).ravel()
    return found


def total_weight(source: Any, form: Any) -> float:
    """Observations behind a term: its rows or the sum of their weights; NaN for a Potential."""
    if source.kind == "potential":
        return float("nan")
    return float(np.prod(form.shape) if form.weights is None else form.weights.sum())


def weigh(graph: Any, form: Any) -> Any:
    """Multiply the rows of an elementwise log-density by their weights."""
    if form.weights is None:
        return graph
    shaped = form.weights.reshape(form.shape)
    return pt.switch(pt.constant(shaped > 0), graph * pt.constant(shaped), 0.0)


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


def _checked(name: str, values: Any, shape: tuple[int, ...], partial: bool) -> np.ndarray:
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError):
        raise RequestError(f"weights of '{name}' are not numbers: {values!r:.60}; give one count per row") from None
    if not shape:
        raise RequestError(f"'{name}' has one joint log-density and no rows to weigh; drop weights")
    rows = int(np.prod(shape))
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if bad.size:
        raise RequestError(
            f"weights of '{name}' has {np.ravel(array)[bad[0]]} at row {bad[0]}; weights are counts >= 0, without gaps"
        )
    if array.size != rows or (array.ndim != 1 and array.ndim != len(shape)):
        advice = "rows without a response are left out, leave their weights out too" if partial else "give one per row"
        raise RequestError(f"weights of '{name}' has {array.size} values for {rows} rows; {advice}")
    if array.sum() <= 0:
        raise RequestError(f"weights of '{name}' are all zero; at least one row must count")
    return array
