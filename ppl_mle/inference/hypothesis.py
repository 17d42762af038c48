"""Linear hypotheses: from `"b[x] = b[z]"`, or a matrix, to rows of coefficients and tested values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from ppl_mle.errors import RequestError

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NAME = re.compile(r"[^\W\d][\w.:]*(\[[^\]]*\])?")
_SPACE = re.compile(r"\s*")
_SIGNS = "+-*/=()"
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


@dataclass(frozen=True)
class _Affine:
    """A constant and a linear combination of labels."""

    constant: float = 0.0
    slopes: dict[str, float] = field(default_factory=dict)

    def plus(self, other: "_Affine", sign: float) -> "_Affine":
        slopes = dict(self.slopes)
        for label, slope in other.slopes.items():
            slopes[label] = slopes.get(label, 0.0) + sign * slope
        return _Affine(self.constant + sign * other.constant, slopes)

    def times(self, factor: float) -> "_Affine":
        return _Affine(factor * self.constant, {label: factor * slope for label, slope in self.slopes.items()})


def read_hypotheses(hypotheses: Any, labels: Sequence[str], values: Any = None) -> LinearHypotheses:
    """Read hypotheses from text or from a matrix.

    Parameters
    ----------
    hypotheses : str, sequence of str, or array of shape (k, q) or (q,)
        Equations of sums of labels with coefficients; an expression without ``=`` is tested against 0, and the name
        of a variable alone stands for all its elements. Or the matrix R.
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
            raise RequestError(f"the hypothesis {text!r} involves no parameter; name one of {_listed(labels)}")
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


def suggestion(word: str, labels: Sequence[str]) -> str:
    """The nearest label as the end of a sentence, or a list of the labels where none is near."""
    near = get_close_matches(word, labels, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"the labels are {_listed(labels)}"


def _of_texts(texts: Sequence[str], labels: list[str]) -> LinearHypotheses:
    whole = [text for given in texts for text in _elements(given, labels)]
    rows, values = np.zeros((len(whole), len(labels))), np.zeros(len(whole))
    for i, text in enumerate(whole):
        equation = _Reader(text, labels).equation()
        for label, slope in equation.slopes.items():
            rows[i, labels.index(label)] = slope
        values[i] = -equation.constant
    shown = [" ".join(text.split()) for text in whole]
    return LinearHypotheses(tuple(text if "=" in text else f"{text} = 0" for text in shown), rows, values)


def _elements(text: str, labels: Sequence[str]) -> list[str]:
    """A hypothesis as it is; for the name of a variable alone, one for each element."""
    name, equals, value = text.partition("=")
    own = [label for label in labels if label.startswith(f"{name.strip()}[")]
    if not name.strip() or name.strip() in labels or not own:
        return [text]
    return [f"{label} = {value.strip()}" if equals else label for label in own]


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


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


class _Reader:
    """Reads one equation by recursive descent; the known labels are tokens, the longest first."""

    def __init__(self, text: str, labels: Sequence[str]) -> None:
        self._text, self._labels = text, labels
        self._by_length = sorted(labels, key=len, reverse=True)
        self._tokens = self._split()
        self._at = 0

    def equation(self) -> _Affine:
        """What must be zero: the left side minus the right one."""
        left = self._sum()
        if self._accept("="):
            left = left.plus(self._sum(), -1.0)
        if self._at < len(self._tokens):
            raise self._unreadable(f"{self._tokens[self._at]!r} is not expected there")
        return left

    def _split(self) -> list[str]:
        tokens: list[str] = []
        at = 0
        while True:
            found = _SPACE.match(self._text, at)
            at = found.end() if found else at
            if at >= len(self._text):
                return tokens
            tokens.append(self._token(at))
            at += len(tokens[-1])

    def _token(self, at: int) -> str:
        for label in self._by_length:
            if self._text.startswith(label, at) and not self._goes_on(label, at + len(label)):
                return label
        number = _NUMBER.match(self._text, at)
        if number:
            return number.group()
        if self._text[at] in _SIGNS:
            return self._text[at]
        word = _NAME.match(self._text, at)
        if word is None:
            raise self._unreadable(f"{self._text[at]!r} is not expected there")
        known = suggestion(word.group(), self._labels)
        raise RequestError(
            f"the hypothesis {self._text!r} names {word.group()!r}, which this fit does not have; {known}"
        )

    def _goes_on(self, label: str, end: int) -> bool:
        """Whether what looks like a label is the beginning of a longer word."""
        following = self._text[end : end + 1]
        return not label.endswith("]") and (following.isalnum() or following in ("_", "[")) and following != ""

    def _accept(self, *signs: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at] in signs and not self._is_label():
            self._at += 1
            return self._tokens[self._at - 1]
        return None

    def _is_label(self) -> bool:
        return self._tokens[self._at] in self._labels

    def _sum(self) -> _Affine:
        total = self._product()
        while sign := self._accept("+", "-"):
            total = total.plus(self._product(), 1.0 if sign == "+" else -1.0)
        return total

    def _product(self) -> _Affine:
        left = self._factor()
        while sign := self._accept("*", "/"):
            right = self._factor()
            if right.slopes and (sign == "/" or left.slopes):
                raise self._unreadable("it is not linear in the parameters")
            if sign == "/" and right.constant == 0:
                raise self._unreadable("it divides by zero")
            if sign == "/":
                left = left.times(1 / right.constant)
            else:
                left = right.times(left.constant) if right.slopes else left.times(right.constant)
        return left

    def _factor(self) -> _Affine:
        if self._accept("-"):
            return self._factor().times(-1.0)
        if self._accept("+"):
            return self._factor()
        if self._accept("("):
            inner = self._sum()
            if not self._accept(")"):
                raise self._unreadable("a parenthesis is not closed")
            return inner
        if self._at >= len(self._tokens):
            raise self._unreadable("something is missing at its end")
        token = self._tokens[self._at]
        if token in _SIGNS and not self._is_label():
            raise self._unreadable(f"{token!r} is not expected there")
        self._at += 1
        return _Affine(slopes={token: 1.0}) if token in self._labels else _Affine(float(token))

    def _unreadable(self, reason: str) -> RequestError:
        return RequestError(
            f"the hypothesis {self._text!r} cannot be read: {reason}; write for example '2*a - b = 1' with the labels "
            f"{_listed(self._labels)}"
        )
