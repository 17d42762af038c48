"""Reports from the command line in every format."""

import json
from pathlib import Path

import pytest

from ppl_mle.cli import run

MODELS = Path(__file__).parents[1] / "models"
LINEAR, LOGISTIC = str(MODELS / "linear.py"), str(MODELS / "logistic.py")


@pytest.mark.parametrize("suffix", [".md", ".tex", ".ipynb"])
def test_the_suffix_decides_the_format(suffix, tmp_path, capsys):
    path = tmp_path / f"r{suffix}"
    assert run(["report", LINEAR, "--output", str(path)]) == 0
    assert f"report: {path}" in capsys.readouterr().out
    assert "19.856" in path.read_text(encoding="utf-8")


def test_the_notebook_holds_the_script(tmp_path, capsys):
    path = tmp_path / "r.ipynb"
    assert run(["report", LINEAR, "--output", str(path), "--seed", "3"]) == 0
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code[0].strip() == Path(LINEAR).read_text(encoding="utf-8").strip()
    assert "random_seed=3" in code[2]


def test_other_scripts_stand_beside(tmp_path, capsys):
    path = tmp_path / "r.md"
    assert run(["report", LINEAR, "--output", str(path), "--with", LOGISTIC]) == 0
    assert "| element | linear | logistic |" in path.read_text(encoding="utf-8")


def test_the_interval_method_is_that_of_the_table(tmp_path, capsys):
    path = tmp_path / "r.md"
    assert run(["report", LINEAR, "--output", str(path), "--interval", "profile"]) == 0
    assert "profile likelihood ratio" in path.read_text(encoding="utf-8")


def test_an_unknown_suffix_is_refused_before_the_fit(tmp_path, capsys):
    assert run(["report", LINEAR, "--output", str(tmp_path / "r.pdf")]) == 1
    assert ".docx" in capsys.readouterr().err
