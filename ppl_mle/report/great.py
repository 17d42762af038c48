"""Tables of text for the package great_tables, which is optional."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pandas as pd

from ppl_mle.errors import RequestError


def great_table(
    frame: pd.DataFrame, title: str = "", subtitle: str = "", notes: Sequence[str] = (), corner: str = "element"
) -> Any:
    """A frame of text as a `great_tables.GT`; no name in it is taken for markup.

    Parameters
    ----------
    frame : DataFrame
        Cells as text, rounded; the index becomes the stub.
    title, subtitle : str
    notes : sequence of str
        Below the table.
    corner : str
        Heading of the stub.

    Returns
    -------
    GT
        Shows in a notebook; `as_raw_html()`, `as_latex()` and `save()` are its own.

    Raises
    ------
    RequestError
        great_tables is not installed.
    """
    try:
        gt = import_module("great_tables").GT
    except ImportError as exc:
        raise RequestError("a great_tables.GT needs the package great_tables: pip install great_tables") from exc
    names = [_name(str(column)) for column in frame.columns]
    stub = "element"
    while stub in names:
        stub += " "
    body = pd.DataFrame({stub: [str(label) for label in frame.index]}).astype(object)
    for position, name in enumerate(names):
        body[name] = [str(cell) for cell in frame.iloc[:, position]]
    table = gt(body, rowname_col=stub).tab_stubhead(corner).cols_align("right", columns=names)
    if title:
        table = table.tab_header(title, subtitle or None)
    for note in notes:
        table = table.tab_source_note(note)
    return table


def _name(text: str) -> str:
    """A heading that is not read as a unit, which great_tables writes in double braces."""
    return text.replace("{{", "{ {").replace("}}", "} }")
