"""A document as LaTeX that needs no package but booktabs; figures are PDF files beside it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ppl_mle.report.blocks import Block, Bullets, Code, Formulas, Heading, Pairs, Picture, Table, Text, Verdict
from ppl_mle.report.companions import write_figures
from ppl_mle.report.document import Document
from ppl_mle.report.notation import to_latex
from ppl_mle.report.tex import escape, tabular
from ppl_mle.report.write import write_text

_MOST_CHARACTERS, _GAP = 78, 3
_HEAD = r"""\documentclass[a4paper]{article}
\usepackage{booktabs}
% Figures are shown where graphicx is installed, and named where it is not.
\IfFileExists{graphicx.sty}{\usepackage{graphicx}}{\newcommand{\includegraphics}[2][]{\texttt{#2}}}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5\baselineskip}
\sloppy
\begin{document}
"""


class Latex:
    """LaTeX for the article class."""

    suffixes = (".tex",)

    def write(self, document: Document, path: Path) -> None:
        """Write the file, and its figures into the folder beside it."""
        figures = write_figures(document, path, "pdf")
        write_text(path, render_latex(document, figures))


def render_latex(document: Document, figures: Mapping[str, str]) -> str:
    """Render a document as LaTeX; every character of a name that would mean something is escaped.

    Parameters
    ----------
    document : Document
    figures : dict of str to str
        Address of each figure by its key.
    """
    parts = [f"{_HEAD}\\section*{{{_moving(document.title)}}}"]
    for section in document.sections:
        parts.append(rf"\subsection*{{{_moving(section.title)}}}")
        parts += [_show(block, figures) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n\n\\end{document}\n"


def _show(block: Block, figures: Mapping[str, str]) -> str:
    if isinstance(block, Picture):
        return _picture(block, figures) if block.key in figures else ""
    return _RULES[type(block)](block)


def _picture(block: Picture, figures: Mapping[str, str]) -> str:
    width, height = block.figure.get_size_inches()
    part = min(1.0, width / 9) if height <= width else 0.9 * width / height
    return "\n".join(
        [
            r"\begin{center}",
            rf"\includegraphics[width={part:.2f}\linewidth]{{{figures[block.key]}}}\\",
            rf"{{\small {escape(block.title)}. {escape(block.alt)}}}",
            r"\end{center}",
        ]
    )


def _table(block: Table) -> str:
    """A table, its columns in parts where they are many."""
    parts = [_part(block, span) for span in _spans(block)]
    note = [rf"{{\small {escape(block.note)}}}"] if block.note else []
    return "\n\n".join([rf"\textbf{{{escape(block.caption)}}}", *parts, *note])


def _spans(block: Table) -> list[slice]:
    """Columns of each part, so that it fits on the page."""
    labels = max([len(block.corner), *(len(label) for label, _ in block.rows)])
    widths = [max([len(column), *(len(cells[k]) for _, cells in block.rows)]) for k, column in enumerate(block.columns)]
    spans, start, used = [], 0, labels
    for place, width in enumerate(widths):
        if place > start and used + width + _GAP > _MOST_CHARACTERS:
            spans.append(slice(start, place))
            start, used = place, labels
        used += width + _GAP
    return [*spans, slice(start, len(widths))]


def _part(block: Table, columns: slice) -> str:
    rows: Sequence[tuple[str, Sequence[str]]] = [(label, cells[columns]) for label, cells in block.rows]
    return f"{{\\small\n{tabular(block.columns[columns], rows, block.corner)}\n}}"


def _pairs(block: Pairs) -> str:
    rows = "\n".join(rf"\item[{{{escape(name)}}}] {escape(value)}" for name, value in block.rows)
    return f"\\begin{{description}}\n{rows}\n\\end{{description}}" if block.rows else ""


def _bullets(block: Bullets) -> str:
    rows = "\n".join(rf"\item {{}}{escape(item)}" for item in block.items)
    return f"\\begin{{itemize}}\n{rows}\n\\end{{itemize}}"


def _text(block: Text) -> str:
    paragraphs = "\n\n".join(escape(one) for one in block.text.split("\n\n"))
    size = {"note": r"\small ", "strong": r"\bfseries ", "body": ""}[block.style]
    return f"{{{size}{paragraphs}\\par}}"


def _code(block: Code) -> str:
    lines = r"\\".join(rf"\mbox{{\texttt{{{escape(one)}}}}}" for one in block.text.splitlines())
    return rf"{{\raggedright {lines}\par}}"


def _formulas(block: Formulas) -> str:
    rows = " \\\\\n".join(map(to_latex, block.statements))
    return f"\\[\n\\begin{{array}}{{rcl}}\n{rows}\n\\end{{array}}\n\\]"


def _moving(text: str) -> str:
    return escape(" ".join(text.split()))


_RULES: dict[type, Callable[[Any], str]] = {
    Verdict: lambda block: rf"\textbf{{{escape(block.name)}}} {escape(block.sentence)}",
    Pairs: _pairs,
    Text: _text,
    Bullets: _bullets,
    Code: _code,
    Heading: lambda block: rf"\subsubsection*{{{_moving(block.text)}}}",
    Formulas: _formulas,
    Table: _table,
}
