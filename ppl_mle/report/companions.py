"""Figures as files beside a document whose format cannot hold them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ppl_mle.errors import OutputError
from ppl_mle.report.document import Document
from ppl_mle.report.write import write_with


def write_figures(document: Document, path: Path, kind: Literal["svg", "png", "pdf"]) -> Mapping[str, str]:
    """Write every figure into the folder `NAME_files` beside `path`.

    Returns
    -------
    dict of str to str
        Address of each figure relative to the document, by its key.

    Raises
    ------
    OutputError
        The folder cannot be made or written to.
    """
    if not document.pictures:
        return {}
    folder = path.with_name(f"{plain_name(path)}_files")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as exc:
        raise OutputError(f"the folder {folder} cannot be made ({exc.strerror}): remove what is there") from exc
    found = {}
    for picture in document.pictures:
        content = picture.render(kind)
        write_with(folder / f"{picture.key}.{kind}", lambda part, content=content: part.write_bytes(content))  # type: ignore[misc]
        found[picture.key] = f"{folder.name}/{picture.key}.{kind}"
    return found


def plain_name(path: Path) -> str:
    """The file's name without its suffix, in characters that need no escaping in any format.

    Examples
    --------
    >>> plain_name(Path("a b_c.md"))
    'a-b-c'
    """
    kept = "".join(character if character.isascii() and character.isalnum() else "-" for character in path.stem)
    return kept or "report"
