"""An observed variable of a fit: at the fitted data, at new data, or in a model that was built anew."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import ancestors

from ppl_mle.errors import DataError, RequestError
from ppl_mle.read.form.declined import Declined
from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.model import read_model
from ppl_mle.read.new_data import beyond_levels, check_containers
from ppl_mle.read.reading import Reading
from ppl_mle.read.responding import Maker, Response, plain_name

_UNFIT = (ValueError, IndexError, TypeError, AssertionError)


_READ: WeakKeyDictionary[Reading, dict[str, Response]] = WeakKeyDictionary()


def read_response(reading: Reading, var_name: str | None = None) -> Response:
    """The observed variable of a fit, read once.

    Parameters
    ----------
    reading : Reading
    var_name : str, optional
        Needed where several are observed.

    Raises
    ------
    RequestError
        No such observed variable, or its distribution has no mean.
    """
    rv = _chosen(reading.model, var_name)
    known = _READ.setdefault(reading, {})
    if rv.name not in known:
        fitted = _containers(reading.model, reading)
        known[rv.name] = Maker(reading.model, reading.likelihood, fitted).make(rv, rows=None)
    return known[rv.name]


def response_at(reading: Reading, new: Any, var_name: str | None = None) -> Response:
    """The observed variable of a fit at new values of the model's data containers; the model is not changed.

    Parameters
    ----------
    reading : Reading
    new : dict of str to array, or DataFrame
    var_name : str, optional

    Raises
    ------
    RequestError, DataError
        As `check_containers`; or the new data do not fit the model.
    """
    old = read_response(reading, var_name)
    model, rv = reading.model, _chosen(reading.model, var_name)
    fitted = _containers(model, reading)
    by_name = {data.name: array for data, array in fitted.items()}
    needed = _needed(model, rv)
    length = len(old.values) if old.values is not None and np.ndim(old.values) else old.count
    arrays = check_containers(new, by_name, needed, _columns(model, needed), length)
    replaced = {data: arrays.get(data.name, array) for data, array in fitted.items()}
    rows = next((len(a) for n, a in arrays.items() if a.ndim and len(by_name[n]) == length), None)
    try:
        maker = Maker(model, reading.likelihood, replaced)
        made = maker.make(rv, rows=length if rows is None else rows)
        made.mean.value(maker.joined.start)
    except (*_UNFIT, Declined) as exc:
        beyond = beyond_levels(arrays, by_name)
        why = f": {beyond}" if beyond else f" ({_first_line(exc)})"
        raise DataError(
            f"the new data do not fit the model{why}; give data of the shape and levels of the fit"
        ) from exc
    index = new.index if isinstance(new, pd.DataFrame) and made.count == len(new) else made.index
    return Response(made.name, made.law, made.mean, index, made.support, None)


def response_of(model: Any, fitted: Likelihood, theta: np.ndarray, var_name: str | None = None) -> Response:
    """The observed variable of a model that was built anew for other data, to be evaluated at a fit's vector.

    Parameters
    ----------
    model : pm.Model
    fitted : Likelihood
        Of the fit.
    theta : array, shape (p,)
    var_name : str, optional

    Raises
    ------
    DataError
        The model has other parameters, labels or bounds than the fit.
    """
    likelihood = read_model(model, fitted.estimator)
    _check_same(likelihood, fitted, theta)
    containers = {d: np.asarray(d.get_value()) for d in model.data_vars if isinstance(d, SharedVariable)}
    return Maker(model, likelihood, containers).make(_chosen(model, var_name), rows=None)


def _check_same(new: Likelihood, fitted: Likelihood, theta: np.ndarray) -> None:
    mine, own = list(fitted.labels), list(new.labels)
    if mine != own:
        unseen, lacking = [x for x in own if x not in mine], [x for x in mine if x not in own]
        parts = [f"has {', '.join(unseen[:3])}, which the fit has not" if unseen else ""]
        parts += [f"lacks {', '.join(lacking[:3])}, which the fit has" if lacking else ""]
        told = " and ".join(part for part in parts if part) or "has them in another order"
        raise DataError(
            f"the model of the new data {told}; levels must be those of the fit (make such columns pd.Categorical with "
            "all levels)"
        )
    if new.free_labels != fitted.free_labels or not np.allclose(
        new.mapping.declared(theta), fitted.mapping.declared(theta), rtol=1e-9, atol=0, equal_nan=True
    ):
        raise DataError(
            "the model of the new data has other bounds or transforms than the fit, because build_model() computes "
            "them from the data; declare them as numbers"
        )


def _chosen(model: Any, var_name: str | None) -> Any:
    """The observed variable that is meant."""
    observed = {rv.name: rv for rv in model.observed_RVs}
    plain = {plain_name(model, rv): rv for rv in model.observed_RVs}
    if not observed:
        raise RequestError(
            "the model has no observed variable (only Potentials), so nothing to predict; use Deterministics"
        )
    if var_name is None and len(observed) > 1:
        raise RequestError(f"several variables are observed; name one with var_name=: {', '.join(map(repr, plain))}")
    if var_name is None:
        return next(iter(observed.values()))
    found = plain.get(var_name, observed.get(var_name))
    if found is None:
        raise RequestError(f"var_name={var_name!r} is no observed variable; these are {', '.join(map(repr, plain))}")
    return found


def _containers(model: Any, reading: Reading) -> dict[Any, np.ndarray]:
    """Data containers with the values that were fitted, whatever has been set since."""
    arrays: dict[str, np.ndarray] = {}
    for group in ("observed_data", "constant_data"):
        if group in reading.groups:
            arrays |= {str(name): array.to_numpy() for name, array in reading.groups[group].items()}
    shared = [data for data in model.data_vars if isinstance(data, SharedVariable)]
    return {data: np.asarray(arrays.get(data.name, data.get_value(borrow=True)), data.type.dtype) for data in shared}


def _needed(model: Any, rv: Any) -> list[str]:
    above = set(ancestors(list(rv.owner.inputs)))
    return [data.name for data in model.data_vars if data in above]


def _columns(model: Any, names: Sequence[str]) -> dict[str, list[str]]:
    found = {}
    for name in names:
        dims = model.named_vars_to_dims.get(name)
        if dims and len(dims) == 2 and model.coords.get(dims[1]) is not None:
            found[name] = [str(value) for value in model.coords[dims[1]]]
    return found


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
