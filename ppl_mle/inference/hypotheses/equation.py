"""Linear equations as text, read without evaluating anything: labels with brackets, commas and spaces are words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from ppl_mle.errors import RequestError

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NAME = re.compile(r"[^\W\d][\w.:]*(\[[^\]]*\])?")
_SPACE = re.compile(r"\s*")
_SIGNS = "+-*/=()"


@dataclass(frozen=True)
class Affine:
    """A constant and a linear combination of labels.

    Parameters
    ----------
    constant : float
    slopes : dict of str to float
    """

    constant: float = 0.0
    slopes: dict[str, float] = field(default_factory=dict)

    def plus(self, other: "Affine", sign: float) -> "Affine":
        """The sum with `sign` times another."""
        slopes = dict(self.slopes)
        for label, slope in other.slopes.items():
            slopes[label] = slopes.get(label, 0.0) + sign * slope
        return Affine(self.constant + sign * other.constant, slopes)

    def times(self, factor: float) -> "Affine":
        """A multiple."""
        return Affine(factor * self.constant, {label: factor * slope for label, slope in self.slopes.items()})


def suggestion(word: str, labels: Sequence[str]) -> str:
    """The nearest label as the end of a sentence, or a list of the labels where none is near."""
    near = get_close_matches(word, labels, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"the labels are {listed(labels)}"


def listed(labels: Sequence[str]) -> str:
    """Labels with commas, the first eight of many."""
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


class EquationReader:
    """Reads one equation by recursive descent; the known labels are tokens, the longest first.

    Parameters
    ----------
    text : str
    labels : sequence of str
    """

    def __init__(self, text: str, labels: Sequence[str]) -> None:
        self._text, self._labels = text, labels
        self._by_length = sorted(labels, key=len, reverse=True)
        self._tokens = self._split()
        self._at = 0
        self.is_equation = False

    def equation(self) -> Affine:
        """What must be zero: the left side minus the right one.

        Raises
        ------
        RequestError
            It cannot be read, is not linear, or names an unknown label.
        """
        left = self._sum()
        if self._accept("="):
            self.is_equation = True
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

    def _sum(self) -> Affine:
        total = self._product()
        while sign := self._accept("+", "-"):
            total = total.plus(self._product(), 1.0 if sign == "+" else -1.0)
        return total

    def _product(self) -> Affine:
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

    def _factor(self) -> Affine:
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
        return Affine(slopes={token: 1.0}) if token in self._labels else Affine(float(token))

    def _unreadable(self, reason: str) -> RequestError:
        return RequestError(
            f"the hypothesis {self._text!r} cannot be read: {reason}; write for example '2*a - b = 1' with the labels "
            f"{listed(self._labels)}"
        )
