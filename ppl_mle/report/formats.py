"""The formats of a report; the suffix of its file decides."""

from pathlib import Path
from typing import Protocol

from ppl_mle.errors import RequestError
from ppl_mle.report.document import Document
from ppl_mle.report.docx import Docx
from ppl_mle.report.html import Html
from ppl_mle.report.latex import Latex
from ppl_mle.report.markdown import Markdown
from ppl_mle.report.notebook import Notebook


class Format(Protocol):
    """A way to write a document."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """How names of its files end."""

    def write(self, document: Document, path: Path) -> None:
        """Write a document to a file."""


FORMATS: tuple[Format, ...] = (Html(), Markdown(), Latex(), Notebook(), Docx())
SUFFIXES = tuple(suffix for one in FORMATS for suffix in one.suffixes)


def format_of(path: str | Path) -> Format:
    """The format that a file's suffix names.

    Raises
    ------
    RequestError
        No format has that suffix.

    Examples
    --------
    >>> type(format_of("a.md")).__name__
    'Markdown'
    """
    suffix = Path(path).suffix.lower()
    for one in FORMATS:
        if suffix in one.suffixes:
            return one
    known = ", ".join(one.suffixes[0] for one in FORMATS)
    raise RequestError(f"path={str(path)!r} has no format of reports; let it end in one of {known}")
