"""ArviZ's labels of array elements: `b[GPA]`, `t[x, u]`."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd


def dims_of(model: Any, name: str, ndim: int) -> tuple[str, ...]:
    """Dimension names of a variable as an ArviZ DataTree has them (`b_dim_0` where none was declared)."""
    declared = model.named_vars_to_dims.get(name) or ()
    declared = tuple(declared) + (None,) * (ndim - len(declared))
    return tuple(dim if dim is not None else f"{name}_dim_{axis}" for axis, dim in enumerate(declared))


def coordinates_of(model: Any, dims: Sequence[str], shape: Sequence[int]) -> list[np.ndarray]:
    """Coordinate values along each dimension; positions where the model declares none."""
    coordinates = []
    for dim, length in zip(dims, shape, strict=True):
        values = model.coords.get(dim)
        usable = values is not None and len(values) == length
        coordinates.append(as_coordinate(values) if usable else np.arange(length))
    return coordinates


def as_coordinate(values: Any) -> np.ndarray:
    """Coordinate values as an array: of text, numbers or datetimes rather than of objects, as xarray keeps them."""
    array = np.asarray(values)
    return pd.Index(values).to_numpy() if array.dtype == object else array


def element_labels(name: str, coordinates: Sequence[Any]) -> tuple[str, ...]:
    """Label of every element in C order, written as ArviZ writes it.

    Examples
    --------
    >>> element_labels("t", [["x", "y"], [0, 1]])
    ('t[x, 0]', 't[x, 1]', 't[y, 0]', 't[y, 1]')
    >>> element_labels("sigma", [])
    ('sigma',)
    """
    if not len(coordinates):
        return (name,)
    return tuple(f"{name}[{', '.join(str(c) for c in cell)}]" for cell in product(*coordinates))
