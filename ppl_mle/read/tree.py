"""The model's data as ArviZ groups, as PyMC writes them."""

import warnings
from typing import Any

import numpy as np
import xarray as xr
from pymc.backends.arviz import find_constants, find_observations

from ppl_mle.read.labels import coordinates_of, dims_of


def model_data(model: Any) -> dict[str, dict[str, np.ndarray]]:
    """Arrays of the model's `observed_data` and `constant_data`, by group and name; empty groups left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        groups = {"observed_data": find_observations(model), "constant_data": find_constants(model)}
    return {group: {k: np.asarray(v) for k, v in arrays.items()} for group, arrays in groups.items() if arrays}


def model_groups(model: Any) -> dict[str, xr.Dataset]:
    """The groups `observed_data` and `constant_data` with the model's dims and coords."""
    return {
        group: xr.Dataset({name: _labelled(model, name, array) for name, array in arrays.items()})
        for group, arrays in model_data(model).items()
    }


def _labelled(model: Any, name: str, array: np.ndarray) -> xr.DataArray:
    dims = dims_of(model, name, array.ndim)
    coords = dict(zip(dims, coordinates_of(model, dims, array.shape), strict=True))
    return xr.DataArray(array, dims=dims, coords=coords)
