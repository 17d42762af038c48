"""A frame of text as a table of rich: names are literal and cannot steer the terminal."""

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def rich_table(frame: pd.DataFrame) -> "Table":
    """A table whose rows are never broken into several lines."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for name in frame.columns:
        table.add_column(rich_text(name), justify="right", no_wrap=True)
    for label, row in zip(frame.index, frame.to_numpy(), strict=True):
        table.add_row(rich_text(label), *(rich_text(cell) for cell in row))
    return table


def rich_text(text: Any, style: str = "") -> "Text":
    """Text in which nothing is markup."""
    from rich.text import Text

    return Text(printable(text), style=style)


def printable(text: Any) -> str:
    r"""Replace control characters: a name must not be able to steer the terminal.

    Examples
    --------
    >>> printable("b[\x1b[31m]").isprintable()
    True
    """
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(text))
