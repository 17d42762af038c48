r"""Text and tables in LaTeX, with `booktabs` as the only package; whatever a name holds is inert."""

import re
import unicodedata
from collections.abc import Sequence

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "'": "{'}",
    "`": "{`}",
    "-": r"{-}",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{BULLET}": r"\textbullet{}",
}
_SPECIAL_IN_MATHEMATICS = {
    "\\": r"\backslash ",
    "^": r"\hat{\ }",
    "~": r"{\sim}",
    " ": r"\ ",
    "-": r"\mbox{-}",
    "'": r"\mbox{'}",
    "`": r"\mbox{`}",
    **{character: rf"\{character}" for character in "{}$&#%_"},
}
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu",
    "nu xi pi rho sigma tau upsilon phi chi psi omega",
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
)
GREEK = frozenset(name for names in _GREEK for name in names.split())
ROWS_PER_TABLE = 40


def escape(text: object) -> str:
    r"""Escape every character that LaTeX would act on; characters that its fonts lack become their code points.

    Examples
    --------
    >>> print(escape(r"\input{x} 50 % a_b"))
    \textbackslash{}input\{x\} 50 \% a\_b
    """
    return "".join(_escape_one(character) for character in str(text))


def escape_in_mathematics(text: str) -> str:
    r"""Escape a name for LaTeX's mathematics, and for what MathJax knows of it.

    Examples
    --------
    >>> print(escape_in_mathematics(r"\input{a_1}"))
    \backslash input\{a\_1\}
    """
    return "".join(_escape_one_in_mathematics(character) for character in text)


def _escape_one_in_mathematics(character: str) -> str:
    if character in _SPECIAL_IN_MATHEMATICS:
        return _SPECIAL_IN_MATHEMATICS[character]
    if character.isascii():
        return character if character.isprintable() else r"\ "
    return rf"\mbox{{{_escape_one(character)}}}"


def _escape_one(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isascii():
        return character if character.isprintable() or character in "\n" else " "
    name = unicodedata.name(character, "")
    words = name.removeprefix("GREEK SMALL LETTER ").removeprefix("GREEK CAPITAL LETTER ")
    letter = words.lower() if "SMALL" in name else words.capitalize()
    if name.startswith("GREEK") and letter in GREEK:
        return rf"\ensuremath{{\{letter}}}"
    if name.startswith("LATIN") and ord(character) < 0x180:
        return character
    return f"[U+{ord(character):04X}]"


def tabular(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], corner: str = "") -> str:
    r"""A table with booktabs rules, cut into several below each other where it is long.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of (str, sequence of str)
        Label and cells.
    corner : str
        Heading of the labels.

    Examples
    --------
    >>> print(tabular(["se"], [("a_1", ["0.5"])]))
    \begin{tabular}{lr}
    \toprule
     & se \\
    \midrule
    a\_1 & 0.5 \\
    \bottomrule
    \end{tabular}
    """
    parts = [rows[start : start + ROWS_PER_TABLE] for start in range(0, max(1, len(rows)), ROWS_PER_TABLE)]
    return "\n\n".join(_tabular(columns, part, corner) for part in parts)


def _tabular(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], corner: str) -> str:
    lines = [rf"\begin{{tabular}}{{l{'r' * len(columns)}}}", r"\toprule", _row(corner, columns), r"\midrule"]
    lines += [_row(label, cells) for label, cells in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _row(label: str, cells: Sequence[str]) -> str:
    return " & ".join([_cell(label), *map(_cell, cells)]) + r" \\"


def _cell(text: str) -> str:
    """A cell; a number with a minus or an exponent as LaTeX writes it."""
    if not re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", text):
        return escape(text)
    base, _, exponent = text.partition("e")
    if exponent:
        return rf"${base}\cdot 10^{{{int(exponent)}}}$"
    return f"${text}$" if text.startswith("-") else text
