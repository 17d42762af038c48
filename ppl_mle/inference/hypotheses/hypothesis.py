"""Linear hypotheses: from `"b[x] = b[z]"`, or a matrix, to rows of coefficients and tested values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.hypotheses.equation import EquationReader, listed, suggestion

__all__ = ["LinearHypotheses", "read_hypotheses", "refuse_dependent", "suggestion"]

_DEPENDENT = 1e-9


@dataclass(frozen=True, eq=False)
class LinearHypotheses:
    """Hypotheses R x = r about declared elements x.

    Parameters
    ----------
    texts : tuple of str
        One per row.
    coefficients : array, shape (k, q)
        R.
    values : array, shape (k,)
        r.
    """

    texts: tuple[str, ...]
    coefficients: np.ndarray
    values: np.ndarray

    def concerned(self, labels: Sequence[str]) -> list[str]:
        """The labels that some row involves."""
        return [labels[int(i)] for i in np.flatnonzero(np.any(self.coefficients != 0, axis=0))]


def read_hypotheses(hypotheses: Any, labels: Sequence[str], values: Any = None) -> LinearHypotheses:
    """Read hypotheses from text or from a matrix.

    Parameters
    ----------
    hypotheses : str, sequence of str, or array of shape (k, q) or (q,)
        Equations of sums of labels with coefficients; an expression without ``=`` is tested against 0, and the name
        of a variable alone stands for all its elements. Or the matrix R; the columns of a DataFrame, or the index of
        a Series, are labels in any order.
    labels : sequence of str, length q
    values : array, shape (k,), optional
        r, for a matrix; 0 when left out.

    Returns
    -------
    LinearHypotheses

    Raises
    ------
    RequestError
        A hypothesis that cannot be read, an unknown label, a matrix or values of the wrong shape, nothing tested.

    Examples
    --------
    >>> read = read_hypotheses(["2*b[x, u] - a = 1", "a"], ["a", "b[x, u]"])
    >>> read.coefficients.tolist(), read.values.tolist()
    ([[-1.0, 2.0], [1.0, 0.0]], [1.0, 0.0])
    """
    if isinstance(hypotheses, str):
        hypotheses = [hypotheses]
    if isinstance(hypotheses, pd.DataFrame | pd.Series):
        hypotheses = _aligned(hypotheses, list(labels))
    if isinstance(hypotheses, list | tuple) and all(isinstance(text, str) for text in hypotheses):
        if values is not None:
            raise RequestError("values belong to a matrix of hypotheses; in text write the value after '='")
        read = _of_texts(hypotheses, list(labels))
    else:
        read = _of_matrix(hypotheses, list(labels), values)
    if not read.texts:
        raise RequestError(f"no hypothesis was given; write for example {labels[0]!r} or {labels[0] + ' = 1'!r}")
    for text, row in zip(read.texts, read.coefficients, strict=True):
        if not np.any(row):
            raise RequestError(f"the hypothesis {text!r} involves no parameter; name one of {listed(labels)}")
    return read


def refuse_dependent(hypotheses: LinearHypotheses, units: np.ndarray) -> None:
    """Refuse hypotheses of which one follows from others, or contradicts them.

    Parameters
    ----------
    hypotheses : LinearHypotheses
    units : array, shape (q,)
        Standard errors, or other units that make the elements comparable; those not positive count as 1.

    Raises
    ------
    RequestError
        Names the hypothesis and those that it depends on.
    """
    usable = np.isfinite(units) & (units > 0)
    scaled = hypotheses.coefficients * np.where(usable, units, 1.0)
    lengths = np.linalg.norm(scaled, axis=1)
    scaled, values = scaled / lengths[:, None], hypotheses.values / lengths
    for i in range(1, len(scaled)):
        weights = np.linalg.lstsq(scaled[:i].T, scaled[i], rcond=None)[0]
        if np.linalg.norm(scaled[i] - weights @ scaled[:i]) > _DEPENDENT:
            continue
        away = values[i] - weights @ values[:i]
        same = abs(away) <= _DEPENDENT * max(np.abs(values[: i + 1]).max(), np.finfo(float).tiny)
        involved = [repr(hypotheses.texts[j]) for j in np.flatnonzero(np.abs(weights) > _DEPENDENT)]
        verb, advice = ("follows from", "drop it") if same else ("contradicts", "drop one of them")
        raise RequestError(f"the hypothesis {hypotheses.texts[i]!r} {verb} {' and '.join(involved)}; {advice}")


def _of_texts(texts: Sequence[str], labels: list[str]) -> LinearHypotheses:
    whole = [text for given in texts for text in _elements(given, labels)]
    rows, values = np.zeros((len(whole), len(labels))), np.zeros(len(whole))
    shown: list[str] = []
    for i, text in enumerate(whole):
        reader = EquationReader(text, labels)
        equation = reader.equation()
        for label, slope in equation.slopes.items():
            rows[i, labels.index(label)] = slope
        values[i] = 0.0 - equation.constant
        shown.append(" ".join(text.split()) + ("" if reader.is_equation else " = 0"))
    return LinearHypotheses(tuple(shown), rows, values)


def _elements(text: str, labels: Sequence[str]) -> list[str]:
    """A hypothesis as it is; for the name of a variable alone, one for each element."""
    name, equals, value = text.partition("=")
    own = [label for label in labels if label.startswith(f"{name.strip()}[")]
    if not name.strip() or name.strip() in labels or not own:
        return [text]
    return [f"{label} = {value.strip()}" if equals else label for label in own]


def _aligned(matrix: pd.DataFrame | pd.Series, labels: list[str]) -> np.ndarray:
    """The matrix with its columns, or the vector with its elements, in the order of the labels."""
    names, what = (matrix.columns, "columns") if isinstance(matrix, pd.DataFrame) else (matrix.index, "index")
    unknown = [str(name) for name in names if name not in labels]
    missing = [label for label in labels if label not in names]
    twice = [str(name) for name in names[names.duplicated()]]
    for wrong, said in ((unknown, "has"), (missing, "lacks"), (twice, "has twice")):
        if wrong:
            raise RequestError(
                f"the {what} of the hypotheses {said} {listed(wrong)}; name every label once ({listed(labels)}), or "
                "pass to_numpy() in their order"
            )
    return matrix[labels].to_numpy()


def _of_matrix(matrix: Any, labels: Sequence[str], values: Any) -> LinearHypotheses:
    try:
        rows = np.atleast_2d(np.asarray(matrix, float))
        right = np.zeros(len(rows)) if values is None else np.atleast_1d(np.asarray(values, float))
    except (TypeError, ValueError):
        raise RequestError(f"hypotheses are text such as 'a = b', or a matrix of numbers; got {matrix!r:.60}") from None
    if rows.ndim != 2 or rows.shape[1] != len(labels) or right.shape != rows.shape[:1]:
        raise RequestError(
            f"a matrix of k hypotheses has shape (k, {len(labels)}) and k values; got shapes {np.shape(matrix)} and "
            f"{right.shape}"
        )
    if not (np.isfinite(rows).all() and np.isfinite(right).all()):
        raise RequestError("the matrix of hypotheses and its values must be finite; replace what is NaN or infinite")
    texts = [f"{_combination(row, labels)} = {value:g}" for row, value in zip(rows, right, strict=True)]
    return LinearHypotheses(tuple(texts), rows, right)


def _combination(row: np.ndarray, labels: Sequence[str]) -> str:
    parts = [
        f"{'-' if slope < 0 else '+'} {'' if abs(slope) == 1 else f'{abs(slope):g}*'}{label}"
        for slope, label in zip(row, labels, strict=True)
        if slope
    ]
    return " ".join(parts).removeprefix("+ ") or "0"
