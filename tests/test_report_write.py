"""Files are written whole or not at all."""

import os
from pathlib import Path

import pytest

from ppl_mle.errors import OutputError
from ppl_mle.report.write import check_target, write_text, write_with


def test_written_and_replaced(tmp_path):
    path = tmp_path / "report.html"
    write_text(path, "one ä")
    assert path.read_bytes() == "one ä".encode()
    path.chmod(0o600)
    write_text(str(path), "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_new_files_have_usual_permissions(tmp_path):
    mask = os.umask(0o022)
    try:
        write_text(tmp_path / "a.txt", "")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_links_are_followed(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "real.txt").read_text() == "new"
    assert (tmp_path / "link.txt").is_symlink()


@pytest.mark.parametrize(
    ("name", "what"), [("", "is a folder"), ("none/a.txt", "does not exist"), ("a" * 300, "cannot be written")]
)
def test_refusals(tmp_path, name, what):
    for attempt in (lambda: write_text(tmp_path / name, "x"), lambda: check_target(tmp_path / name)):
        with pytest.raises(OutputError, match=what):
            attempt()
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_no_file():
    with pytest.raises(OutputError, match="not a regular file"):
        write_text("/dev/null", "x")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError("disk full"), ValueError])
def test_nothing_partial_is_left(tmp_path, failure):
    path = tmp_path / "a.nc"
    path.write_text("old")

    def write(part: Path):
        part.write_text("half")
        raise failure

    with pytest.raises((KeyboardInterrupt, OutputError, ValueError)):
        write_with(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
