"""Draws of the unconstrained vector as an ArviZ DataTree, Deterministics included."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ppl_mle.read import Likelihood


def make_tree(
    posterior: Likelihood, points: np.ndarray, groups: Mapping[str, xr.Dataset], attributes: Mapping[str, Any]
) -> xr.DataTree:
    """Write draws as `pm.sample` writes them.

    Parameters
    ----------
    posterior : Likelihood
    points : array, shape (chains, draws, p)
        Unconstrained vectors.
    groups : dict of str to Dataset
        Such as `observed_data` and `constant_data`.
    attributes : dict
        Of the tree and of its group `posterior`.

    Returns
    -------
    DataTree
    """
    flat = points.reshape(-1, points.shape[-1])
    declared = posterior.mapping.declared(flat)
    arrays = {var.name: (var.dims, declared[:, var.declared].reshape(-1, *var.shape)) for var in posterior.variables}
    for name in posterior.mapping.deterministic_names:
        values = posterior.mapping.derive(name).values(flat)
        arrays[name] = (tuple(posterior.dims[name]), values)
    shape = points.shape[:2]
    dataset = xr.Dataset(
        {
            name: (("chain", "draw", *dims), values.reshape(*shape, *values.shape[1:]))
            for name, (dims, values) in arrays.items()
        },
        coords={"chain": np.arange(shape[0]), "draw": np.arange(shape[1]), **_coords(posterior, arrays)},
        attrs=dict(attributes),
    )
    tree = xr.DataTree.from_dict({"posterior": dataset, **groups})
    tree.attrs.update(attributes)
    return tree


def _coords(posterior: Likelihood, arrays: Mapping[str, tuple[tuple[str, ...], np.ndarray]]) -> dict[str, np.ndarray]:
    sizes = {d: n for dims, values in arrays.values() for d, n in zip(dims, values.shape[1:], strict=True)}
    return {dim: np.asarray(posterior.coords.get(dim, np.arange(size))) for dim, size in sizes.items()}
