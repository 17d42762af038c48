"""What a report is made of, before it has a format: sections of blocks, which every renderer shows its own way."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ppl_mle.read.mathematics import Statement
from ppl_mle.report.canvas import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS_SHOWN = 500


@dataclass(frozen=True)
class Verdict:
    """How the fit ended: name of the status, its sentence, and how it is to be taken."""

    name: str
    sentence: str
    level: Literal["good", "edge", "bad"]


@dataclass(frozen=True)
class Pairs:
    """Figures by name."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Text:
    """A paragraph whose line breaks are kept: body, a note in small print, or what must not be overlooked."""

    text: str
    style: Literal["body", "note", "strong"] = "body"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Text for a machine."""

    text: str


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str


@dataclass(frozen=True)
class Formulas:
    """The model in mathematics."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Table:
    """A table of text.

    Parameters
    ----------
    caption : str
    columns : tuple of str
        Without that of the labels.
    rows : tuple of (str, tuple of str)
        Label and cells.
    corner : str
        Heading of the labels.
    note : str
        What was cut.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    corner: str = "element"
    note: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """One figure, drawn; each format renders it to what it can show.

    Parameters
    ----------
    key : str
        Names its file.
    title : str
    alt : str
        What the figure shows, for readers who cannot see it.
    figure : Figure
    """

    key: str
    title: str
    alt: str
    figure: "Figure"

    def render(self, kind: Literal["svg", "png", "pdf"] = "svg") -> bytes:
        """The figure as a file's content, the same bytes each time."""
        return render(self.figure, kind)


Block = Verdict | Pairs | Text | Bullets | Code | Heading | Formulas | Table | Picture


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Parameters
    ----------
    key : str
        Names its address.
    title : str
    blocks : tuple of Block
    folded : bool
        Whether a format that can fold shows it folded at first.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    folded: bool = False


def table_of(caption: str, frame: pd.DataFrame, corner: str = "element") -> Table:
    """A frame of text as a table, cut after many rows.

    Examples
    --------
    >>> table_of("Two", pd.DataFrame({"x": ["1", "2"]}, index=["a", "b"])).rows
    (('a', ('1',)), ('b', ('2',)))
    """
    shown = frame.iloc[:ROWS_SHOWN]
    rows = zip(shown.index, shown.itertuples(index=False, name=None), strict=True)
    note = f"The first {ROWS_SHOWN} of {len(frame)} rows." if len(frame) > ROWS_SHOWN else ""
    cells = tuple((str(label), _texts(row)) for label, row in rows)
    return Table(caption, _texts(frame.columns), cells, corner, note)


def _texts(cells: Iterable[Any]) -> tuple[str, ...]:
    return tuple(map(str, cells))
