"""One document in every format: the same numbers, every name inert, nothing that a program would act on."""

import io
import json
import re
import shutil
import subprocess
import zipfile

import pytest

import ppl_mle
from ppl_mle.errors import RequestError
from ppl_mle.report.blocks import Pairs, Table
from ppl_mle.report.formats import FORMATS, SUFFIXES, format_of
from ppl_mle.report.latex import render_latex
from ppl_mle.report.markdown import render_markdown
from ppl_mle.report.material import Recipe
from ppl_mle.report.notebook import render_notebook
from tests.closed_form import BAD_SENTENCE, make_bad_results, make_results
from tests.report_case import EVIL, document_of, evil_document, full_document

SHOWN = ("CONVERGED", "3.00", "2.236", "50.473", "The posterior agrees with the fit", "Random seed: 7.")


def figures_of(document):
    return {picture.key: f"f/{picture.key}.svg" for picture in document.pictures}


def text_of_docx(path):
    docx = pytest.importorskip("docx", reason="python-docx is not installed")
    made = docx.Document(str(path))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in made.paragraphs), *cells])


@pytest.fixture(scope="module")
def document():
    return full_document()


@pytest.fixture(scope="module")
def evil():
    return evil_document()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_says_the_same(document, suffix, tmp_path):
    path = tmp_path / f"two{suffix}"
    if suffix == ".docx":
        pytest.importorskip("docx", reason="python-docx is not installed")
    format_of(path).write(document, path)
    if suffix == ".docx":
        text = text_of_docx(path)
    elif suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
    else:
        text = path.read_text(encoding="utf-8")
    for expected in SHOWN:
        assert expected in text, expected
    assert text.index("CONVERGED") < text.index("Reference answers")


def test_every_format_writes_the_same_bytes_twice(document, tmp_path):
    for one in FORMATS:
        if one.suffixes == (".docx",):
            continue  # its archive holds the time
        paths = [tmp_path / f"{k}{one.suffixes[0]}" for k in "ab"]
        for path in paths:
            one.write(document, path)
        first, second = (path.read_bytes() for path in paths)
        assert first.replace(b"a_files", b"b_files") == second


def test_an_unknown_suffix_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(RequestError, match=r"x\.pdf.*\.html, \.md, \.tex, \.ipynb, \.docx"):
        ppl_mle.report(None, path=tmp_path / "x.pdf")


@pytest.mark.parametrize(("suffix", "kind", "start"), [(".md", "svg", b"<?xml"), (".tex", "pdf", b"%PDF")])
def test_figures_lie_beside_the_file(document, suffix, kind, start, tmp_path):
    path = tmp_path / f"my report{suffix}"
    format_of(path).write(document, path)
    found = sorted(file.name for file in (tmp_path / "my-report_files").iterdir())
    assert found == [f"{key}.{kind}" for key in ("curve", "densities", "intervals", "ranks")]
    for name in found:
        assert f"my-report_files/{name}" in path.read_text(encoding="utf-8")
        assert (tmp_path / "my-report_files" / name).read_bytes().startswith(start)


def test_markdown_names_are_inert(evil):
    text = render_markdown(evil, figures_of(evil))
    fences = re.split(r"^```.*$", text, flags=re.MULTILINE)
    outside = "".join(fences[::2])
    own = outside.replace("<sub>", "").replace("</sub>", "")
    for mark in "<$`":
        assert not re.search(rf"(?<!\\)(\\\\)*{re.escape(mark)}", own), mark
    assert "www.example" not in own
    assert "\x1b" not in text
    assert "<" not in fences[1]
    tables = re.findall(r"(?:^\|.*\n)+", outside, flags=re.MULTILINE)
    assert len(tables) > 8
    for table in tables:
        assert len({re.sub(r"\\.", "", row).count("|") for row in table.splitlines()}) == 1, table


def test_a_code_block_cannot_be_left():
    text = render_markdown(document_of(make_results(), recipe=Recipe("a ``` b\n```\n# c")), {})
    assert "````sh\na ``` b\n```\n# c\n````" in text


def test_latex_names_are_inert(evil):
    text = render_latex(evil, figures_of(evil))
    body = text.split(r"\begin{document}")[1]
    assert r"\input" not in body
    assert r"\textbackslash{}input\{x\}" in body
    packages = re.findall(r"\\usepackage(?:\[.*?\])?\{(.*?)\}", text)
    assert packages == ["booktabs", "graphicx"]
    assert r"\IfFileExists{graphicx.sty}" in text
    assert "\x1b" not in text


@pytest.mark.slow
@pytest.mark.parametrize("which", ["document", "evil"])
def test_latex_compiles(which, request, tmp_path):
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("pdflatex is not installed")
    path = tmp_path / "r.tex"
    format_of(path).write(request.getfixturevalue(which), path)
    command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", path.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")


def test_docx_names_are_inert(evil, tmp_path):
    pytest.importorskip("docx", reason="python-docx is not installed")
    path = tmp_path / "e.docx"
    format_of(path).write(evil, path)
    assert EVIL.replace("\x1b", "") in text_of_docx(path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        body = archive.read("word/document.xml").decode()
        links = archive.read("word/_rels/document.xml.rels").decode()
    assert "<script" not in body
    assert "instrText" not in body
    assert "fldSimple" not in body
    assert "External" not in links
    assert body.count("descr=") == 4
    assert "w:tblHeader" in body


def test_a_notebook_without_a_script_shows_the_tables_and_runs_nothing(evil):
    book = render_notebook(evil)
    assert {cell["cell_type"] for cell in book["cells"]} == {"markdown"}
    assert sum("attachments" in cell for cell in book["cells"]) == 4
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbformat.validate(nbformat.from_dict(book))


def run_cells(book):
    scope = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), scope)
    return scope


SCRIPT = '''"""Two groups."""
import numpy as np
import pandas as pd
import pymc as pm


def load_data():
    return pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 2, 4, 6, 8, 10]})


def build_model(data):
    with pm.Model(coords={"g": ["x", "y"]}) as model:
        m = pm.Flat("m", dims="g")
        pm.Normal("v", m[np.repeat([0, 1], 5)], pm.HalfFlat("sigma"), observed=data["y"])
    return model
'''


@pytest.mark.parametrize("by_path", [False, True])
def test_a_notebook_with_a_script_runs_from_top_to_bottom(by_path, tmp_path):
    script = tmp_path / "two.py"
    script.write_text(SCRIPT + "\n__file__\n" * by_path)
    recipe = Recipe("", 3, script.read_text(), str(script))
    scope = run_cells(render_notebook(document_of(make_results(), recipe=recipe)))
    assert scope["fit"].params["m[y]"] == pytest.approx(6)
    assert scope["reported"]["sigma"] == 5**0.5


def test_a_notebook_notices_other_numbers(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(SCRIPT.replace("10]", "11]"))
    recipe = Recipe("", 3, script.read_text(), str(script))
    with pytest.raises(AssertionError):
        run_cells(render_notebook(document_of(make_results(), recipe=recipe)))


@pytest.mark.parametrize("render", [lambda d: render_markdown(d, {}), lambda d: render_latex(d, {})])
def test_a_bad_fit_says_so_first(render):
    text = render(document_of(make_bad_results(), title="Bad"))
    assert text.index("INFINITE") < text.index(BAD_SENTENCE.split(" m[")[0]) < text.index("Estimates")
    assert "The fit did not converge: see the verdict before using these numbers." in text


@pytest.mark.parametrize("which", ["document", "evil"])
def test_markdown_is_read_as_on_github(which, request):
    cmarkgfm = pytest.importorskip("cmarkgfm", reason="cmarkgfm (GitHub's parser) is not installed")
    made = request.getfixturevalue(which)
    text = render_markdown(made, figures_of(made))
    html = cmarkgfm.github_flavored_markdown_to_html(text)
    blocks = [block for section in made.sections for block in section.blocks]
    tables = [block for block in blocks if isinstance(block, Table | Pairs)]
    assert html.count("<table>") == len(tables)
    assert html.count("<tr>") == sum(len(block.rows) + 1 for block in tables)
    assert html.count("<img") == len(made.pictures)
    assert html.count("<h2>") == len(made.sections)
    lines = {"blockquote", "br", "code", "em", "h1", "h2", "h3", "img", "li", "p", "pre", "strong", "sub", "ul"}
    assert set(re.findall(r"<(\w+)", html)) <= lines | {"table", "tbody", "td", "th", "thead", "tr"}


@pytest.mark.slow
def test_a_notebook_runs_in_jupyter(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    recipe = Recipe("", 3, SCRIPT, "two.py")
    book = nbformat.reads(json.dumps(render_notebook(document_of(make_results(), recipe=recipe))), 4)
    done = nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert any("llf = -22.237" in html for html in shown)
