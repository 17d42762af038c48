"""Hashes that tell whether two fits speak of the same model and of the same data."""

from collections.abc import Mapping
from hashlib import blake2b, sha256
from typing import Any

import numpy as np
from pytensor.printing import debugprint

_BYTES = 16


def hash_data(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """Hash arrays by name, shape, type and content.

    Parameters
    ----------
    groups : dict of dict of str to array
        The observed and the constant data.
    """
    digest = sha256()
    for group in sorted(groups):
        for name in sorted(groups[group]):
            array = _bytes_of(groups[group][name])
            digest.update(f"{group}/{name}{array.shape}{array.dtype}".encode())
            digest.update(memoryview(array).cast("B") if array.size else b"")
    return digest.hexdigest()[: 2 * _BYTES]


def _bytes_of(data: Any) -> np.ndarray:
    """The array itself, without a copy where that can be; gaps as NaN."""
    filled = np.ma.filled(data.astype(float), np.nan) if isinstance(data, np.ma.MaskedArray) else np.asarray(data)
    return np.ascontiguousarray(filled.astype(float) if filled.dtype.kind == "O" else filled)


def hash_model(model: Any) -> str:
    """Hash what is declared: names, roles, transforms, dims, and the graph of every variable, data left out."""
    lines = [f"{rv.name} {model.rvs_to_transforms[rv]}" for rv in model.basic_RVs]
    lines = [line.split(" object at ")[0] for line in lines]
    lines += [f"{name}: {dims}" for name, dims in sorted(model.named_vars_to_dims.items())]
    variables = [*model.basic_RVs, *model.deterministics, *model.potentials]
    graph = debugprint(variables, file="str", id_type="", print_shape=False)
    return blake2b("\n".join([*lines, str(graph)]).encode(), digest_size=_BYTES).hexdigest()
