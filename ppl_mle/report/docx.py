"""A document as an Office Open XML file for word processors, by python-docx."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ppl_mle.errors import RequestError
from ppl_mle.report.blocks import Block, Bullets, Code, Formulas, Heading, Pairs, Picture, Table, Text, Verdict
from ppl_mle.report.document import Document
from ppl_mle.report.notation import to_text
from ppl_mle.report.write import write_with

_WIDTH = 6.3
_STYLE = "Light List Accent 1"


class Docx:
    """A .docx file; its figures are PNG with alternative texts."""

    suffixes = (".docx",)

    def write(self, document: Document, path: Path) -> None:
        """Write the file.

        Raises
        ------
        RequestError
            python-docx is not installed.
        """
        made = render_docx(document)
        write_with(path, lambda part: made.save(str(part)))


def render_docx(document: Document) -> Any:
    """Render a document as a `docx.document.Document`."""
    try:
        from docx import Document as new_document
    except ImportError:
        raise RequestError(
            "a .docx report needs the package python-docx; install it with pip install 'ppl_mle[report]'"
        ) from None
    made = new_document()
    made.core_properties.title = clean(document.title)[:255]
    made.core_properties.author = ""
    made.add_heading(clean(document.title), 0)
    for section in document.sections:
        made.add_heading(clean(section.title), 1)
        for block in section.blocks:
            _RULES[type(block)](made, block)
    return made


def clean(text: object) -> str:
    r"""Leave out what XML cannot hold: control characters.

    Examples
    --------
    >>> clean("a\x1b[31m")
    'a[31m'
    """
    return "".join(c for c in str(text) if c.isprintable() or c in "\n\t")


def _verdict(made: Any, block: Verdict) -> None:
    paragraph = made.add_paragraph()
    paragraph.add_run(f"{clean(block.name)} ").bold = True
    paragraph.add_run(clean(block.sentence))


def _pairs(made: Any, block: Pairs) -> None:
    if not block.rows:
        return
    table = made.add_table(rows=0, cols=2)
    for name, value in block.rows:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = clean(name), clean(value)


def _text(made: Any, block: Text) -> None:
    from docx.shared import Pt

    run = made.add_paragraph().add_run(clean(block.text))
    run.bold = block.style == "strong"
    if block.style == "note":
        run.font.size = Pt(9)


def _code(made: Any, block: Code) -> None:
    run = made.add_paragraph().add_run(clean(block.text))
    run.font.name = "Courier New"


def _bullets(made: Any, block: Bullets) -> None:
    for item in block.items:
        made.add_paragraph(clean(item), style="List Bullet")


def _formulas(made: Any, block: Formulas) -> None:
    made.add_paragraph("\n".join(clean(to_text(statement)) for statement in block.statements))


def _table(made: Any, block: Table) -> None:
    from docx.oxml import OxmlElement
    from docx.shared import Pt

    made.add_paragraph(clean(block.caption)).runs[0].italic = True
    table = made.add_table(rows=1, cols=1 + len(block.columns))
    table.style = _STYLE
    rows = [(block.corner, block.columns), *block.rows]
    for position, (label, cells) in enumerate(rows):
        row = table.rows[0] if position == 0 else table.add_row()
        for cell, text in zip(row.cells, (label, *cells), strict=True):
            cell.text = clean(text)
            for run in cell.paragraphs[0].runs:
                run.font.size = Pt(8)
    head = table.rows[0]._tr.get_or_add_trPr()
    head.append(OxmlElement("w:tblHeader"))
    if block.note:
        made.add_paragraph(clean(block.note))


def _picture(made: Any, block: Picture) -> None:
    from docx.shared import Inches

    width = min(_WIDTH, float(block.figure.get_size_inches()[0]))
    shape = made.add_picture(io.BytesIO(block.render("png")), width=Inches(width))
    shape._inline.docPr.set("descr", clean(block.alt))
    made.add_paragraph(clean(block.title), style="Caption")


_RULES: dict[type[Block], Callable[[Any, Any], None]] = {
    Verdict: _verdict,
    Pairs: _pairs,
    Text: _text,
    Bullets: _bullets,
    Code: _code,
    Heading: lambda made, block: made.add_heading(clean(block.text), 2),
    Formulas: _formulas,
    Table: _table,
    Picture: _picture,
}
