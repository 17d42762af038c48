"""The HTML report: the verdict first, numbers that are those of the table, every name inert, nothing from a network."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest

from ppl_mle.report.html import render_html
from tests.closed_form import BAD_SENTENCE, make_bad_results, make_results
from tests.report_case import EVIL, document_of, evil_document, full_document


class Page(HTMLParser):
    """What a browser would see: elements with attributes in order, and text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if data.strip() and (not self.open or self.open[-1] not in ("style", "script")):
            self.texts.append(data.strip())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def html():
    return render_html(full_document())


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_sections_in_order(page):
    headings = [attrs["id"] for attrs in page.all("h2")]
    first = ["verdict", "model", "data", "method", "estimates", "reference", "statistics"]
    assert headings == [*first, "posterior", "figures", "prose", "software"]
    assert [attrs["href"] for attrs in page.all("a")] == [f"#{key}" for key in headings[1:]]


def test_what_it_says(page):
    text = " | ".join(page.texts)
    assert page.texts[:3] == ["Two groups", "Two groups", "Verdict"]
    for expected in (
        "CONVERGED",
        "1e-24 (rounding explains 1e-30)",
        "Two means & one sigma.",
        "Observations: 10. Rows of y left out because the response is missing: 2.",
        "m[x] | 3.00 | 1.00 | 3.00 | 0.003 | 1.04 | 4.96",
        "sigma | 2.236 | 2.236 | 0 | 2.000 | 0.12",
        "-22.237",
        "50.473",
        "51.381",
        "sqrt(n / (n - p)) = 1.118",
        "The posterior agrees with the fit",
        "A finding about <m>.",
        "Random seed: 7.",
        "ppl-mle report two.py",
        "3.13.0",
        "m[x] = 3.00 (SE 1.00, CI 1.04 to 4.96, z 3.00, p 0.003)",
    ):
        assert expected in text, expected


def test_figures_are_inside_and_described(page):
    images = page.all("img")
    assert len(images) == 4
    for image in images:
        assert image["src"].startswith("data:image/svg+xml;base64,")
        assert len(image["alt"]) > 40


def test_nothing_comes_from_a_network(html, page):
    for _, attrs in page.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            assert not re.match(r"(https?:)?//", attrs.get(name) or "")
    assert not page.all("link")
    assert "@import" not in html
    assert "url(" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_only_the_one_script_and_style_may_run(html, page):
    (policy,) = [attrs["content"] for attrs in page.all("meta") if "http-equiv" in attrs]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, kind in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert "style=" not in html.split("</style>")[1]


def test_tables_can_be_read_aloud(page):
    assert len(page.all("caption")) == len(page.all("table")) == 4
    assert {attrs.get("scope") for attrs in page.all("th")} == {"col", "row"}
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def luminance(color):
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_contrast_is_that_of_wcag_aa(scheme):
    style = files("ppl_mle.report").joinpath("report.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    light, dark, paper = (dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in blocks)
    colors = {"light": light, "dark": light | dark, "print": light | paper}[scheme]
    for ground in ("paper", "band"):
        for name in ("ink", "soft", "good", "edge", "bad", "link"):
            lighter, darker = sorted((luminance(colors[name]), luminance(colors[ground])), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (name, ground)


def test_it_is_the_same_each_time():
    assert render_html(document_of(make_results())) == render_html(document_of(make_results()))


def test_a_bad_fit_says_so_first():
    page = Page(render_html(document_of(make_bad_results(), title="Bad")))
    texts = page.texts
    assert texts[2:5] == ["Verdict", "INFINITE", BAD_SENTENCE]
    assert texts.index("INFINITE") < texts.index("Estimates")
    assert "The fit did not converge: see the verdict before using these numbers." in texts
    assert any("no estimates are reported" in text and BAD_SENTENCE in text for text in texts)
    verdict = next(attrs for attrs in page.all("p") if "verdict" in attrs.get("class", ""))
    assert verdict == {"class": "verdict bad", "role": "alert"}


def test_every_name_is_inert():
    html = render_html(evil_document())
    page = Page(html)
    assert html.count("<script") == 1
    assert all("onerror" not in attrs for _, attrs in page.elements)
    assert any(EVIL.split("\x1b")[0] in text for text in page.texts)
    assert all(set(attrs) == {"src", "alt"} for attrs in page.all("img"))


def test_criteria_that_are_not_defined_say_why():
    results = make_results(estimator="MAP", likelihood_only=False, nobs=np.nan)
    text = " | ".join(Page(render_html(document_of(results))).texts)
    assert "AIC | not defined: aic is defined for a maximum-likelihood fit" in text
    assert "Observations: not defined." in text
