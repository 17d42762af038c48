"""Writing a file whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from ppl_mle.errors import OutputError


def write_text(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8; see `write_with`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder, "a.txt"), "done")
    ...     Path(folder, "a.txt").read_text()
    'done'
    """
    write_with(path, lambda part: part.write_bytes(text.encode("utf-8")))


def write_with(path: str | Path, write: Callable[[Path], object]) -> None:
    """Write a file by way of a temporary one in the same folder, which then takes the place of the old one.

    Parameters
    ----------
    path : str or Path
    write : callable
        Writes the content to the path that it is given, where there is an empty file.

    Raises
    ------
    OutputError
        The folder is missing or not writable, or `path` is no regular file. Nothing is left behind then, nor after an
        interrupt, and a file that was there before stays as it was.
    """
    target = check_target(path)
    try:
        _replace(target, write)
    except OSError as exc:
        raise OutputError(_refusal(path, exc)) from exc


def check_target(path: str | Path) -> Path:
    """Return where a file would be written, links resolved; raise early, before the work that makes its content.

    Raises
    ------
    OutputError
        As in `write_with`.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder: name a file in it")
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} is not a regular file: name a file that can be replaced")
        if not path.parent.is_dir():
            raise OutputError(f"the folder {path.parent} does not exist: create it, or write elsewhere")
        target = path.resolve()
        handle, probe = tempfile.mkstemp(dir=target.parent)
        os.close(handle)
        os.unlink(probe)
    except OSError as exc:
        raise OutputError(_refusal(path, exc)) from exc
    return target


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:50]}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    try:
        write(Path(name))
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _refusal(path: str | Path, exc: OSError) -> str:
    return f"{path} cannot be written ({exc.strerror or exc}): choose a folder you can write to"


def _umask() -> int:
    """The permissions that new files lack; reading them means setting them twice."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
