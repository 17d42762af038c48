"""The last two models that were read, so that a repeat fit builds nothing anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import xarray as xr
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import ancestors
from pytensor.tensor.type import TensorType
from pytensor.xtensor.type import XTensorType

from ppl_mle.read.fingerprint import hash_data, hash_model
from ppl_mle.read.labels import dims_of
from ppl_mle.read.likelihood import Estimator, Likelihood
from ppl_mle.read.model import read_model
from ppl_mle.read.tree import as_groups, model_data


class Reading:
    """A likelihood with what else is derived from the same model and the same data.

    Parameters
    ----------
    model : pm.Model
    likelihood : Likelihood
    """

    def __init__(self, model: Any, likelihood: Likelihood) -> None:
        self.model, self.likelihood = model, likelihood
        self._data = model_data(model)
        arrays = {name: array for group in self._data.values() for name, array in group.items()}
        self._dims = {name: dims_of(model, name, array.ndim) for name, array in arrays.items()}

    @cached_property
    def groups(self) -> dict[str, xr.Dataset]:
        """`observed_data` and `constant_data` as they were read, with dims and coordinates."""
        return as_groups(self._data, self._dims, self.likelihood.coords)

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Hashes of what is declared and of the data."""
        return {"model_hash": hash_model(self.model), "data_hash": hash_data(self._data)}


@dataclass(frozen=True)
class _Kept:
    """One reading, with what it was asked for and what the model consisted of."""

    reading: Reading
    asked: tuple[Any, ...]
    parts: tuple[Any, ...]
    shared: tuple[Any, ...]


_LAST: list[_Kept] = []
_MOST = 2


def read(
    model: Any,
    estimator: Estimator = "MLE",
    *,
    latent: Sequence[str] | None = None,
    weights: Any = None,
    nobs: float | None = None,
) -> Reading:
    """Read a model, or return a reading of the last two where the same is asked of the same model with the same data.

    Parameters
    ----------
    model, estimator, latent, weights, nobs
        As for `read_model`. With weights nothing is kept.

    Raises
    ------
    ModelError, RequestError
        As `read_model`.
    """
    asked = (estimator, None if latent is None else tuple(latent), nobs)
    parts = _parts(model)
    for kept in _LAST:
        fresh = [*parts, *(v.get_value(borrow=True) for v in kept.shared)]
        same = len(fresh) == len(kept.parts) and all(a is b for a, b in zip(fresh, kept.parts, strict=True))
        if weights is None and kept.reading.model is model and kept.asked == asked and same:
            return kept.reading
    reading = Reading(model, read_model(model, estimator, latent=latent, weights=weights, nobs=nobs))
    if weights is None:
        shared = _shared(model)
        values = [v.get_value(borrow=True) for v in shared]
        _LAST[:] = [_Kept(reading, asked, (*parts, *values), shared), *_LAST[: _MOST - 1]]
    return reading


def _parts(model: Any) -> list[Any]:
    """What is replaced when a model gets a new variable, new coordinates or another initial value."""
    variables = [*model.basic_RVs, *model.deterministics, *model.potentials, *model.rvs_to_transforms.values()]
    return [*variables, *model.coords.values(), *model.rvs_to_initial_values.values()]


def _shared(model: Any) -> tuple[Any, ...]:
    """Data that may be set anew: everything shared that the model's graphs use, `pm.Data` or not."""
    graphs = [*model.basic_RVs, *model.potentials, *model.deterministics, *model.rvs_to_values.values()]
    found = [v for v in ancestors(graphs) if isinstance(v, SharedVariable)]
    return tuple(v for v in found if isinstance(v.type, TensorType | XTensorType))
