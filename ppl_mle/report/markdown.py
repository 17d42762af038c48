"""A document as Markdown, as GitHub shows it; figures are SVG files beside it."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ppl_mle.report.blocks import Block, Bullets, Code, Formulas, Heading, Pairs, Picture, Table, Text, Verdict
from ppl_mle.report.companions import write_figures
from ppl_mle.report.document import Document
from ppl_mle.report.notation import to_latex
from ppl_mle.report.write import write_text

_ACTIVE = re.compile(r"([\\`*_\[\]<>|~$&])")
_AT_THE_START = re.compile(r"^(\s*)([#+-]|\d+[.)]|=)", re.MULTILINE)
_MARKS = {"good": "NOTE", "edge": "WARNING", "bad": "CAUTION"}


class Markdown:
    """Markdown with tables, mathematics and callouts as GitHub has them."""

    suffixes = (".md", ".markdown")

    def write(self, document: Document, path: Path) -> None:
        """Write the file, and its figures into the folder beside it."""
        figures = write_figures(document, path, "svg")
        write_text(path, render_markdown(document, figures))


def render_markdown(document: Document, figures: Mapping[str, str]) -> str:
    """Render a document as Markdown.

    Parameters
    ----------
    document : Document
    figures : dict of str to str
        Address of each figure by its key.
    """
    parts = [f"# {line(document.title)}"]
    for section in document.sections:
        parts.append(f"## {line(section.title)}")
        parts += [show_block(block, figures) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def show_block(block: Block, figures: Mapping[str, str]) -> str:
    """One block as Markdown."""
    if isinstance(block, Picture):
        return f"![{line(block.alt)}]({figures[block.key]})\n\n*{line(block.title)}*" if block.key in figures else ""
    return _RULES[type(block)](block)


def line(text: object) -> str:
    r"""Escape text for one line, so that no character of a name means anything.

    Examples
    --------
    >>> print(line("<script>a_b|c$\\input"))
    \<script\>a\_b\|c\$\\input
    """
    one = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split(" "))
    return _ACTIVE.sub(r"\\\1", one).replace("://", r":\//").replace("www.", r"www\.")


def first(text: object) -> str:
    """Escape text that begins a line: no mark of a list, a heading or a rule."""
    return _AT_THE_START.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", line(text))


def paragraph(text: str) -> str:
    """Escape text whose line breaks are kept."""
    return "\n".join(first(one) + "  " * bool(one.strip()) for one in text.splitlines()).strip()


def _verdict(block: Verdict) -> str:
    return f"> [!{_MARKS[block.level]}]\n> **{line(block.name)}** {line(block.sentence)}"


def _pairs(block: Pairs) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {line(name)} | {line(value)} |" for name, value in block.rows)])


def _table(block: Table) -> str:
    head = "".join(f" {line(column)} |" for column in block.columns)
    rule = "---:|" * len(block.columns)
    rows = [f"| {line(label)} |" + "".join(f" {cell_of(cell)} |" for cell in cells) for label, cells in block.rows]
    lines = [f"**{line(block.caption)}**", "", f"| {line(block.corner)} |{head}", f"|---|{rule}", *rows]
    return "\n".join([*lines, *(["", f"*{line(block.note)}*"] if block.note else [])])


def cell_of(text: str) -> str:
    """A cell: a number as it is, other text escaped."""
    return text if re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", text) else line(text)


def _text(block: Text) -> str:
    shown = paragraph(block.text)
    if block.style == "strong":
        return f"**{line(block.text)}**"
    return f"<sub>{line(block.text)}</sub>" if block.style == "note" else shown


def _code(block: Code) -> str:
    text = "".join(c for c in block.text if c.isprintable() or c == "\n")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}"


def mathematics(block: Formulas) -> str:
    """The formulas for MathJax, without a character that HTML would act on."""
    rows = " \\\\\n".join(map(to_latex, block.statements)).replace("<", r"\lt ").replace(">", r"\gt ")
    return f"\\begin{{array}}{{rcl}}\n{rows}\n\\end{{array}}"


def _formulas(block: Formulas) -> str:
    return f"```math\n{mathematics(block)}\n```"


_RULES: dict[type, Callable[[Any], str]] = {
    Verdict: _verdict,
    Pairs: _pairs,
    Text: _text,
    Bullets: lambda block: "\n".join(f"- {first(item)}" for item in block.items),
    Code: _code,
    Heading: lambda block: f"### {line(block.text)}",
    Formulas: _formulas,
    Table: _table,
}
