"""The model's data as ArviZ groups, as PyMC writes them."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from pymc.backends.arviz import find_observations
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import ancestors


def model_data(model: Any) -> dict[str, dict[str, np.ndarray]]:
    """Arrays of the model's `observed_data` and `constant_data`, by group and name; empty groups left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        groups = {"observed_data": find_observations(model), "constant_data": _constants(model)}
    return {group: {k: np.asarray(v) for k, v in arrays.items()} for group, arrays in groups.items() if arrays}


def _constants(model: Any) -> dict[str, Any]:
    """Values of `pm.Data` that the model uses beside its observations, without copying them, as PyMC chooses them."""
    observed = set(model.rvs_to_values.values())
    graph = set(ancestors([*model.basic_RVs, *model.deterministics, *model.potentials]))
    used = [var for var in model.data_vars if var not in observed or var in graph]
    return {var.name: var.get_value(borrow=True) if isinstance(var, SharedVariable) else var.data for var in used}


def as_groups(
    data: Mapping[str, Mapping[str, np.ndarray]],
    dims: Mapping[str, tuple[str, ...]],
    coords: Mapping[str, np.ndarray],
) -> dict[str, xr.Dataset]:
    """Arrays by group and name as Datasets with dims; coordinates where they fit, else positions."""

    def labelled(name: str, array: np.ndarray) -> xr.DataArray:
        own = {
            dim: coords[dim] if len(coords.get(dim, ())) == length else np.arange(length)
            for dim, length in zip(dims[name], array.shape, strict=True)
        }
        return xr.DataArray(array, dims=dims[name], coords=own)

    return {group: xr.Dataset({n: labelled(n, a) for n, a in arrays.items()}) for group, arrays in data.items()}
