"""Labels in a sentence: all elements of a variable as `u[*]`, and no more of them than can be read."""

import re
from collections.abc import Sequence

_SHOWN = 6


def family_of(label: str) -> str:
    """A label with a star in the place of its coordinates.

    Examples
    --------
    >>> family_of("log(tau[a, 2])"), family_of("b")
    ('log(tau[*])', 'b')
    """
    return re.sub(r"\[.*\]", "[*]", label)


def abbreviated(labels: Sequence[str], known: Sequence[str]) -> str:
    """Labels with commas; a variable of which all elements are among them is named once.

    Parameters
    ----------
    labels : sequence of str
    known : sequence of str
        Those of the model.

    Examples
    --------
    >>> abbreviated(["a", "u[0]", "u[1]"], ["a", "b", "u[0]", "u[1]"])
    'a, u[*]'
    """
    asked = set(labels)
    whole = {family for family in map(family_of, labels) if _members(family, known) <= asked}
    named = list(dict.fromkeys(family_of(label) if family_of(label) in whole else label for label in labels))
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more


def combined(coefficients: dict[str, float], known: Sequence[str]) -> list[tuple[float, str]]:
    """Terms of a linear combination; all elements of a variable that have one coefficient are one term.

    Examples
    --------
    >>> combined({"a": 1.0, "u[0]": -1.0, "u[1]": -1.0}, ["a", "u[0]", "u[1]"])
    [(1.0, 'a'), (-1.0, 'u[*]')]
    """
    terms: dict[str, float] = {}
    for label, coefficient in coefficients.items():
        family = family_of(label)
        members = _members(family, known)
        same = members <= coefficients.keys() and all(
            abs(coefficients[member] - coefficient) <= 1e-6 * abs(coefficient) for member in members
        )
        terms.setdefault(family if same else label, coefficient)
    return [(coefficient, label) for label, coefficient in terms.items()]


def _members(family: str, known: Sequence[str]) -> set[str]:
    return {label for label in known if family_of(label) == family}
