"""The HTML report in headless Chromium: it runs under its own policy, asks for nothing, fits a phone and paper."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from ppl_mle.inference import Estimates
from ppl_mle.report.html import _assets, _hash, render_html
from ppl_mle.report.material import Models
from tests.closed_form import make_results
from tests.report_case import document_of, evil_document, full_document

pytestmark = pytest.mark.slow
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--no-pings",
)
PROBE = """
const said = {};
const table = document.querySelector("#estimates").closest("section").querySelector("table");
const firsts = () => Array.from(table.tBodies[0].rows).map((row) => row.cells[0].textContent);
said.before = firsts();
const header = table.querySelectorAll("thead th")[1];
header.querySelector("button").click();
said.rising = firsts();
header.querySelector("button").click();
said.falling = firsts();
said.sorted = header.getAttribute("aria-sort");
said.csv = window.reportAsCsv(table);
said.buttons = document.querySelectorAll("button.copy").length;
said.tables = document.querySelectorAll("table").length;
said.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
said.ground = getComputedStyle(document.body).backgroundColor;
said.images = Array.from(document.images).map((image) => image.complete && image.naturalWidth > 0);
const part = document.querySelector("details");
part.querySelector("summary").click();
said.folded = !part.open;
said.math = document.querySelectorAll("math mtr").length;
document.title = JSON.stringify(said);
"""
OF_MODELS = """
const table = Array.from(document.querySelectorAll("table")).find((one) => one.caption.textContent.startsWith("Coeff"));
const column = () => Array.from(table.tBodies[0].rows).slice(0, 5).map((row) => row.cells[1].textContent);
const said = {};
table.querySelectorAll("thead th")[1].querySelector("button").click();
said.rising = column();
said.csv = window.reportAsCsv(table);
const button = table.parentElement.nextElementSibling;
document.execCommand = () => { said.copied = document.querySelector("textarea").value; return true; };
button.click();
said.button = button.textContent;
said.left = document.querySelectorAll("textarea").length;
document.title = JSON.stringify(said);
"""


@pytest.fixture(scope="module")
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed")
    return found


def with_probe(html, probe=PROBE):
    """The page with a probe behind its script, admitted by the policy."""
    script = str(_assets()["script"])
    assert html.count(script) == 1
    return html.replace(script, script + probe).replace(_hash(script), _hash(script + probe))


def visit(chromium, tmp_path, html, *flags):
    """Standard output of a visit, and every address that the page asked for.

    No name resolves. What the browser asks for on its own account has no initiator in its log.
    """
    page, log = tmp_path / "page.html", tmp_path / "net.json"
    page.write_text(html, encoding="utf-8")
    where = [f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command = [chromium, *FLAGS, *where, *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    text = log.read_text(encoding="utf-8").rstrip().rstrip(",")
    events = json.loads(text if text.endswith("}") else f"{text}]}}")["events"]
    starts = [
        event["params"] for event in events if "url" in event.get("params", {}) and "initiator" in event["params"]
    ]
    asked = {start["url"] for start in starts if start["initiator"] != "not an origin"}
    return done.stdout.decode("utf-8"), {address for address in asked if not address.startswith("data:")}


def title_of(dom):
    (title,) = re.findall("<title>(.*?)</title>", dom, re.DOTALL)
    return json.loads(title.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


@pytest.fixture(scope="module")
def html():
    return render_html(full_document())


def test_nothing_is_asked_for(chromium, tmp_path, html):
    dom, asked = visit(chromium, tmp_path, html, "--dump-dom")
    assert 'class="copy"' in dom  # the script ran under the policy
    assert asked == set()


def test_a_request_would_be_seen(chromium, tmp_path):
    _, asked = visit(chromium, tmp_path, '<img src="http://report.invalid/a.png">', "--dump-dom")
    assert asked == {"http://report.invalid/a.png"}


def test_tables_sort_copy_and_sections_fold(chromium, tmp_path, html):
    said = title_of(visit(chromium, tmp_path, with_probe(html), "--dump-dom", "--window-size=1200,900")[0])
    assert said["before"] == ["m[x]", "m[y]", "sigma"]
    assert said["rising"] == ["sigma", "m[x]", "m[y]"]  # 2.236, 3.00, 6.00
    assert said["falling"] == ["m[y]", "m[x]", "sigma"]
    assert said["sorted"] == "descending"
    first, *rows = said["csv"].splitlines()
    assert first == "element,estimate,se,z,p,ci95_lb,ci95_ub"
    assert rows[1] == "m[x],3.00,1.00,3.00,0.003,1.04,4.96"
    assert said["buttons"] == said["tables"] == 4
    assert said["images"] == [True] * 4
    assert said["folded"]


def test_estimates_with_errors_sort_and_copy_as_numbers(chromium, tmp_path):
    # Incident: "9.00 (1.00)" came after "-10.00 (1.00)" as text only by luck, and CSV put an apostrophe before it.
    estimates = make_results().estimates
    moved = Estimates(estimates.labels, np.array([-10.0, 9.0, 2.0]), estimates.covariance, estimates.scales)
    infinite = Estimates(estimates.labels, np.array([-np.inf, 100.0, 2.0]), estimates.covariance, estimates.scales)
    models = Models({"one": make_results(estimates=moved), "two": make_results(estimates=infinite)}, None, "a reason")
    html = render_html(document_of(make_results(), models=models))
    said = title_of(visit(chromium, tmp_path, with_probe(html, OF_MODELS), "--dump-dom")[0])
    assert said["rising"] == ["-22.237", "-10.00 (1.00)", "2.000 (0.500)", "3", "9.00 (1.00)"]
    rows = said["csv"].splitlines()
    assert rows[0] == "element,one,two"
    assert "m[x],-10.00 (1.00),-inf (1.00)" in rows
    assert said["copied"] == said["csv"]
    assert (said["button"], said["left"]) == ("Copied", 0)


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_overflows(chromium, tmp_path, html, width):
    said = title_of(visit(chromium, tmp_path, with_probe(html), "--dump-dom", f"--window-size={width},900")[0])
    assert said["overflow"] <= 0


def test_dark_where_the_reader_has_it_dark(chromium, tmp_path, html):
    grounds = {}
    for name, flags in {"light": (), "dark": ("--force-dark-mode",)}.items():
        folder = tmp_path / name
        folder.mkdir()
        grounds[name] = title_of(visit(chromium, folder, with_probe(html), "--dump-dom", *flags)[0])["ground"]
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 31)"}


def test_hostile_names_do_nothing(chromium, tmp_path):
    dom, asked = visit(chromium, tmp_path, with_probe(render_html(evil_document())), "--dump-dom")
    said = title_of(dom)  # an alert would have stopped the page before this
    assert all(not row.startswith(("=", "+", "@")) for row in said["csv"].splitlines())
    assert said["math"] == 1
    assert asked == set()


def test_it_prints(chromium, tmp_path, html):
    paper = tmp_path / "paper.pdf"
    visit(chromium, tmp_path, html, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert paper.read_bytes().startswith(b"%PDF")
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed")
    text = subprocess.run([reader, "-layout", paper, "-"], capture_output=True, check=True).stdout.decode()
    assert "Copy as CSV" not in text
    for expected in ("Two groups", "2.236", "Software and how to reproduce"):
        assert expected in text
