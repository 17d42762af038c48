"""A document as one self-contained HTML file."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from ppl_mle.report.blocks import Block, Formulas, Picture
from ppl_mle.report.document import Document
from ppl_mle.report.notation import to_mathml, to_text
from ppl_mle.report.write import write_text

_BROAD = 7.0


class Html:
    """HTML: no network, figures, style and the one script inside, every name escaped."""

    suffixes = (".html", ".htm")

    def write(self, document: Document, path: Path) -> None:
        """Write the file."""
        write_text(path, render_html(document))


def render_html(document: Document) -> str:
    """Render a document as HTML.

    The content security policy names the style and the script by their hashes, so nothing else can run.

    Parameters
    ----------
    document : Document

    Returns
    -------
    str
        The verdict and the health of the fit come first.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ppl_mle", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(document=document, **_tools(), **_assets())


def _tools() -> Mapping[str, Any]:
    from markupsafe import Markup

    return {
        "kind_of": lambda block: type(block).__name__,
        "mathml": lambda statement: Markup(to_mathml(statement)),
        "formulas_text": _formulas_text,
        "address": _address,
        "is_broad": lambda picture: float(picture.figure.get_size_inches()[0]) > _BROAD,
    }


@cache
def _assets() -> Mapping[str, Any]:
    from markupsafe import Markup

    style, script = (
        files("ppl_mle.report").joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js")
    )
    return {
        "style": Markup(style),
        "script": Markup(script),
        "style_hash": _hash(style),
        "script_hash": _hash(script),
    }


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _formulas_text(block: Block) -> str:
    assert isinstance(block, Formulas)
    return "; ".join(map(to_text, block.statements))


def _address(picture: Picture) -> str:
    """The figure itself as an address: an image cannot run anything, whatever names it shows."""
    return f"data:image/svg+xml;base64,{b64encode(picture.render('svg')).decode('ascii')}"
