"""An observed variable at new rows of a frame, by building the model anew."""

from collections.abc import Callable
from re import findall
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import DataError, PplMleError, ScriptError
from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.reading import Reading
from ppl_mle.read.responding import Response
from ppl_mle.read.response import read_response, response_of

_AGREE = 1e-9


def respond_to_frame(
    build_model: Callable[[pd.DataFrame], Any],
    frame: pd.DataFrame,
    fitted: Likelihood,
    theta: np.ndarray,
    reading: Reading,
    var_name: str | None = None,
    check: bool = True,
) -> Response:
    """The observed variable of `build_model(frame)`, to be evaluated at a fit's vector.

    Parameters
    ----------
    build_model : callable
    frame : DataFrame
        Where it lacks the column of the response, an observed value is put in, on which no mean depends.
    fitted : Likelihood
    theta : array, shape (p,)
    reading : Reading
        Of the fit.
    var_name : str, optional
    check : bool
        Whether to build a second model of half the rows, which shows if a row's mean depends on the others.

    Raises
    ------
    DataError
        `build_model` raises, or makes other parameters; or a row's mean depends on which other rows the frame has
        (centering by the data's own mean), so that it would not be the fit's.
    """
    old = read_response(reading, var_name)
    whole = _with_response(frame, old)
    made = response_of(_build(build_model, whole), fitted, theta, var_name)
    if made.count != len(frame) and made.count % max(1, len(frame)):
        raise DataError(f"build_model() made {made.count} means of {len(frame)} rows; let it keep one row each")
    if check:
        _check_rowwise(build_model, whole, fitted, theta, var_name, made)
    index = frame.index if made.count == len(frame) else made.index
    return Response(made.name, made.law, made.mean, index, made.support, None)


def _with_response(frame: pd.DataFrame, old: Response) -> pd.DataFrame:
    if old.name in frame.columns or old.values is None or not np.size(old.values):
        return frame
    return frame.assign(**{old.name: np.ravel(old.values)[0]})


def _build(build_model: Callable[[pd.DataFrame], Any], frame: pd.DataFrame) -> Any:
    try:
        return build_model(frame.copy(deep=False))
    except ScriptError as exc:
        raise _refusal(exc.__cause__ or exc) from exc
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as exc:
        raise _refusal(exc) from exc


def _refusal(exc: BaseException) -> DataError:
    if isinstance(exc, KeyError):
        names = findall(r"'([^']+)'", str(exc)) or [str(exc)]
        return DataError(
            f"the new data lack the column {', '.join(map(repr, names))}, which build_model() reads; add it"
        )
    return DataError(f"build_model() does not take the new data: {type(exc).__name__}: {_first_line(exc)}")


def _check_rowwise(
    build_model: Callable[[pd.DataFrame], Any],
    frame: pd.DataFrame,
    fitted: Likelihood,
    theta: np.ndarray,
    var_name: str | None,
    made: Response,
) -> None:
    """Refuse a script that centers or scales by the frame: the first half of its rows must say the same alone."""
    half = frame.iloc[: (len(frame) + 1) // 2]
    if len(frame) < 2:
        return
    try:
        alone = response_of(build_model(half.copy(deep=False)), fitted, theta, var_name)
    except (PplMleError, ValueError, TypeError, IndexError, KeyError):
        return
    ours, own = np.ravel(made.mean.value(theta)), np.ravel(alone.mean.value(theta))
    if len(own) * len(frame) != len(ours) * len(half):
        return
    if not np.allclose(ours[: len(own)], own, rtol=_AGREE, atol=_AGREE * float(np.max(np.abs(ours))), equal_nan=True):
        raise DataError(
            "build_model() computes predictors from all rows of its frame (a mean, a scale), so those of new rows are "
            "not the ones of the fit; compute such columns before, with the constants of the fitted data"
        )


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
