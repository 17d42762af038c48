"""Results as JSON text and back, every float exact: what `Fit.save` writes."""

import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ppl_mle.errors import DataError
from ppl_mle.inference import Estimates, Results
from ppl_mle.maximize import Certificate, EdgeValue, Status
from ppl_mle.read import Scale, Variable

_FORMAT = "ppl_mle results 1"
_RECORDS = {record.__name__: record for record in (Results, Estimates, Variable, Scale, Certificate, EdgeValue)}


def dump_results(results: Results) -> str:
    """Write results as JSON text.

    Examples
    --------
    >>> json.loads(json.dumps(_encode((1.5, slice(0, 2)))))
    {'tuple': [1.5, {'slice': [0, 2]}]}
    """
    return json.dumps({"format": _FORMAT, "results": _encode(results)})


def parse_results(text: str, source: str) -> Results:
    """Read results from JSON text.

    Parameters
    ----------
    text : str
    source : str
        Name of the file, for messages.

    Raises
    ------
    DataError
        The text is not what `dump_results` writes.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise DataError(f"{source} is not a saved fit of this version ({_FORMAT!r}); save the fit again")
        return _decode(content["results"])
    except (json.JSONDecodeError, KeyError, TypeError) as exc:
        raise DataError(f"{source} is damaged or not a saved fit ({exc}); save the fit again") from exc


def _encode(value: Any) -> Any:
    if isinstance(value, Status):
        return {"status": value.name}
    if is_dataclass(value):
        return {
            "record": type(value).__name__,
            "fields": {f.name: _encode(getattr(value, f.name)) for f in fields(value)},
        }
    if isinstance(value, np.ndarray):
        kind = value.dtype.str if value.dtype.kind in "biufMmU" else "U"
        plain = value.astype("int64") if value.dtype.kind in "Mm" else value.astype(kind)
        return {"array": plain.ravel().tolist(), "dtype": kind, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_encode(item) for item in value]}
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop]}
    if isinstance(value, dict):
        return {"dict": [[key, _encode(item)] for key, item in value.items()]}
    return value


def _decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "status" in value:
        return Status[value["status"]]
    if "record" in value:
        return _RECORDS[value["record"]](**{name: _decode(item) for name, item in value["fields"].items()})
    if "array" in value:
        return np.array(value["array"]).astype(value["dtype"]).reshape(value["shape"])
    if "tuple" in value:
        return tuple(_decode(item) for item in value["tuple"])
    if "slice" in value:
        return slice(*value["slice"])
    return {key: _decode(item) for key, item in value["dict"]}
