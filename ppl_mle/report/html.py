"""A document as one self-contained HTML file."""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pandas as pd

from ppl_mle.report.document import Document, Picture
from ppl_mle.report.facts import health, is_clean, method_note, notes, show_count, statistics
from ppl_mle.report.rounding import show_number
from ppl_mle.report.tables import show_agreement, show_reference

ROWS_SHOWN = 500


@dataclass(frozen=True)
class HtmlTable:
    """A table of text: `rows` are (label, cells), `note` says what was cut."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    note: str = ""


def render_html(document: Document) -> str:
    """Render a document as HTML: no network, figures and style inside, every name escaped.

    Parameters
    ----------
    document : Document

    Returns
    -------
    str
        The verdict and the health of the fit come first.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("ppl_mle", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = files("ppl_mle.report").joinpath("report.css").read_text(encoding="utf-8")
    return environment.get_template("report.html").render(style=Markup(style), **_content(document))


def _content(document: Document) -> dict[str, Any]:
    results = document.results
    percent = show_number(100 * document.ci_prob)
    return {
        "document": document,
        "results": results,
        "clean": is_clean(results),
        "health": health(results),
        "estimates": _table(f"Estimates with {percent} % intervals", document.table.shown()),
        "method": method_note(results, document.ci_prob),
        "statistics": statistics(results),
        "rows": show_count(results.nobs),
        "reference": _reference_table(document),
        "agreements": _agreement_tables(document, percent),
        "findings": notes(results),
        "pictures": [(picture, _address(picture)) for picture in document.pictures],
    }


def _reference_table(document: Document) -> HtmlTable | None:
    if document.reference is None or document.reference.empty:
        return None
    return _table("Reference answers beside ours", show_reference(document.results.estimates, document.reference))


def _agreement_tables(document: Document, percent: str) -> list[HtmlTable]:
    """The comparison in two tables, each narrow enough for paper: both distributions, then how they differ."""
    if document.agreement is None:
        return []
    shown = show_agreement(document.agreement)
    both = f"The fit (estimate, se, {percent} % Wald interval) and the posterior (mean, median, sd, {percent} % eti)"
    differences = ["shift_sd", "sd_ratio", "shift_mcse", "rhat", "ess_bulk", "ess_tail"]
    return [
        _table(both, shown.drop(columns=differences)),
        _table("Differences, and the quality of the draws", shown[differences]),
    ]


def _table(caption: str, frame: pd.DataFrame) -> HtmlTable:
    shown = frame.iloc[:ROWS_SHOWN]
    rows = zip(shown.index, shown.itertuples(index=False, name=None), strict=True)
    note = f"The first {ROWS_SHOWN} of {len(frame)} rows." if len(frame) > ROWS_SHOWN else ""
    return HtmlTable(caption, _texts(frame.columns), tuple((str(label), _texts(cells)) for label, cells in rows), note)


def _texts(cells: Iterable[Any]) -> tuple[str, ...]:
    return tuple(map(str, cells))


def _address(picture: Picture) -> str:
    """The figure itself as an address: an image cannot run anything, whatever names it shows."""
    kind = "image/png" if picture.content.startswith(b"\x89PNG") else "image/svg+xml"
    return f"data:{kind};base64,{b64encode(picture.content).decode('ascii')}"
