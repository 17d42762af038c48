"""New values for a model's data containers: checked, and put in the place of the fitted ones."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import DataError, RequestError

_ROWS_SHOWN = 5


def check_containers(
    new: Mapping[str, Any] | pd.DataFrame,
    fitted: Mapping[str, np.ndarray],
    needed: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    rows: int,
) -> dict[str, np.ndarray]:
    """Check new values of data containers against the ones that were fitted.

    Parameters
    ----------
    new : dict of str to array, or DataFrame
        By container; of a frame the columns that are named like the containers, or like the coordinates of their last
        dimension.
    fitted : dict of str to array
        Every container of the model.
    needed : sequence of str
        The containers that the response's distribution depends on.
    columns : dict of str to sequence of str
        Coordinates of the last dimension of the matrices among them.
    rows : int
        Rows of the fitted response.

    Returns
    -------
    dict of str to array

    Raises
    ------
    RequestError
        A name that is no container, or the model has none.
    DataError
        A container or column is missing, lengths differ, values are missing, a level was not fitted.
    """
    if not needed:
        raise RequestError(
            "the response depends on no pm.Data container, so new_data has nothing to replace; declare the predictors "
            "as pm.Data, or pass a frame with build_model="
        )
    by_row = [name for name in needed if np.ndim(fitted[name]) and len(fitted[name]) == rows]
    given = _from_frame(new, by_row, columns, fitted) if isinstance(new, pd.DataFrame) else dict(new)
    _check_names(given, fitted, by_row)
    arrays = {name: _checked(name, value, fitted[name]) for name, value in given.items() if name in needed}
    lengths = {name: len(arrays[name]) for name in by_row}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise DataError(f"the new data have different numbers of rows ({told}); give one value per row in each")
    return arrays


def _check_names(given: Mapping[str, Any], fitted: Mapping[str, Any], by_row: Sequence[str]) -> None:
    unknown = [name for name in given if name not in fitted]
    if unknown:
        near = get_close_matches(str(unknown[0]).casefold(), known := {name.casefold(): name for name in fitted}, 1)
        hint = f"did you mean {known[near[0]]!r}?" if near else f"these are {', '.join(map(repr, fitted))}"
        raise RequestError(f"new_data names {unknown[0]!r}, which is no data container of the model; {hint}")
    absent = [name for name in by_row if name not in given]
    if absent:
        raise DataError(
            f"new_data lacks {', '.join(map(repr, absent))}; give every container that has one value per row"
        )


def _from_frame(
    frame: pd.DataFrame, by_row: Sequence[str], columns: Mapping[str, Sequence[str]], fitted: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    given = {}
    for name in by_row:
        own = [name] if np.ndim(fitted[name]) == 1 else list(columns.get(name, ()))
        if not own:
            raise RequestError(
                f"the container {name!r} is a matrix without names for its columns, so a frame cannot fill it; pass "
                f"new_data={{{name!r}: array}}, or the frame with build_model="
            )
        absent = [column for column in own if column not in frame.columns]
        if absent:
            raise DataError(f"the new data lack the column {', '.join(map(repr, absent))}; add it to the frame")
        given[name] = frame[name].to_numpy() if np.ndim(fitted[name]) == 1 else frame[own].to_numpy()
    return given


def _checked(name: str, value: Any, fitted: np.ndarray) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise DataError(f"the new values of {name!r} are not numbers (type {array.dtype}); encode them as the fit did")
    if array.ndim != fitted.ndim or array.shape[1:] != fitted.shape[1:]:
        raise DataError(f"the new values of {name!r} have shape {array.shape}, the fitted ones {fitted.shape}")
    if array.ndim and not len(array):
        raise DataError(f"the new values of {name!r} have no rows; give at least one")
    bad = ~np.isfinite(array.astype(float))
    if bad.any():
        rows = np.flatnonzero(bad.reshape(len(array), -1).any(axis=1)) if array.ndim else np.array([0])
        shown = ", ".join(str(row) for row in rows[:_ROWS_SHOWN])
        raise DataError(f"the new values of {name!r} are missing or infinite in row {shown}; fill them in or drop them")
    if fitted.dtype.kind in "iu" and np.any(array != np.floor(array)):
        raise DataError(f"the new values of {name!r} are not whole numbers, as the fitted ones are; encode them so")
    if fitted.dtype.kind in "iu" and array.size and array.min() < 0 <= fitted.min():
        raise DataError(f"the new values of {name!r} hold {array.min():g}, and the fit knows no level below 0")
    return array.astype(fitted.dtype)


def beyond_levels(arrays: Mapping[str, np.ndarray], fitted: Mapping[str, np.ndarray]) -> str | None:
    """Name the first whole-numbered container with a value above all fitted ones, with its rows."""
    for name, array in arrays.items():
        if fitted[name].dtype.kind in "iu" and array.size and array.max() > fitted[name].max():
            rows = np.flatnonzero(np.ravel(array) > fitted[name].max())[:_ROWS_SHOWN]
            shown = ", ".join(str(row) for row in rows)
            top = fitted[name].max()
            return f"{name!r} holds the level {array.max()} in row {shown}, and the fit has levels 0 to {top}"
    return None
