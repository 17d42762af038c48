"""A document as a Jupyter notebook: what was found, and cells that find it again where there is a model script."""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from ppl_mle.report.blocks import Block, Formulas, Picture
from ppl_mle.report.document import Document
from ppl_mle.report.markdown import line, mathematics, show_block
from ppl_mle.report.write import write_text

_FORMAT = {"nbformat": 4, "nbformat_minor": 5}
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class Notebook:
    """A notebook of format 4.5; figures are attachments of its cells."""

    suffixes = (".ipynb",)

    def write(self, document: Document, path: Path) -> None:
        """Write the file."""
        write_text(path, json.dumps(render_notebook(document), indent=1, ensure_ascii=False) + "\n")


def render_notebook(document: Document) -> dict[str, Any]:
    """Render a document as a notebook.

    The stored results are Markdown cells. With a model script they are preceded by cells that declare the model, fit it
    and hold the estimates to those of the report.

    Parameters
    ----------
    document : Document

    Returns
    -------
    dict
        As JSON has it.
    """
    first, *rest = document.sections
    cells = [_markdown(f"# {line(document.title)}"), _section(first.title, first.blocks)]
    cells += [_code(source) for source in _program(document)]
    for section in rest:
        cells.append(_section(section.title, [block for block in section.blocks if not isinstance(block, Picture)]))
        cells += [_picture(block) for block in section.blocks if isinstance(block, Picture)]
    return {"cells": [_with_name(cell, place) for place, cell in enumerate(cells)], "metadata": _METADATA, **_FORMAT}


def _program(document: Document) -> list[str]:
    """Cells that make the fit again; none without a script."""
    recipe = document.recipe
    if not recipe.source:
        return []
    if "__file__" in recipe.source:
        declared = (
            "from ppl_mle.script import load_script\n\n"
            f"script = load_script({recipe.script!r})\nload_data, build_model = script.load_data, script.build_model"
        )
    else:
        declared = recipe.source.rstrip()
    read = f"from ppl_mle.table import read_table\n\ndata = read_table({recipe.data!r})"
    find = {"MLE": "find_MLE", "MAP": "find_MAP"}[document.estimator]
    fitted = f"import ppl_mle\n\nmodel = build_model(data)\nfit = ppl_mle.{find}(model, random_seed={recipe.seed or 0})"
    cells = [declared, read if recipe.data else "data = load_data()\ndata.describe()", f"{fitted}\nfit.summary()"]
    return [*cells, _check(document)] if document.converged else cells


def _check(document: Document) -> str:
    """A cell that holds the new estimates to the report's."""
    finite = {label: value for label, value in document.checks.items() if isfinite(value)}
    return (
        "import numpy as np\n\n"
        f"reported = {json.dumps(finite, indent=4)}\n"
        "np.testing.assert_allclose([fit.params[label] for label in reported], list(reported.values()), rtol=1e-6)"
    )


def _section(title: str, blocks: Any) -> dict[str, Any]:
    return _markdown("\n\n".join([f"## {line(title)}", *(_show(block) for block in blocks)]))


def _show(block: Block) -> str:
    if isinstance(block, Formulas):
        return f"$$\n{mathematics(block)}\n$$"
    return show_block(block, {})


def _picture(picture: Picture) -> dict[str, Any]:
    name = f"{picture.key}.png"
    content = b64encode(picture.render("png")).decode("ascii")
    cell = _markdown(f"![{line(picture.alt)}](attachment:{name})\n\n*{line(picture.title)}*")
    return cell | {"attachments": {name: {"image/png": content}}}


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    return cell | {"source": text.splitlines(keepends=True)}


def _with_name(cell: Mapping[str, Any], place: int) -> dict[str, Any]:
    """The cell with the name that format 4.5 wants, the same each time."""
    digest = sha256(f"{place}{''.join(cell['source'])}".encode()).hexdigest()
    return {"id": digest[:12], **cell}
