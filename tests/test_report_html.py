"""The HTML report: the verdict first, numbers that are those of the table, every name inert, nothing from a network."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from ppl_mle.posterior import compare_with_draws
from ppl_mle.report.document import build_document
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.html import render_html
from tests.closed_form import BAD_SENTENCE, make_bad_results, make_posterior, make_results

EVIL = '<script>alert("1")<img src=x onerror=alert(2)>$x$'
REFERENCE = pd.DataFrame(
    {"by hand": [3.0, 6.0, np.sqrt(5)], "wrong": [4.0, np.nan, 2.0]}, index=["m[x]", "m[y]", "sigma"]
)


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
        if data.strip() and (not self.open or self.open[-1] != "style"):
            self.texts.append(data.strip())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def html():
    x = np.linspace(0, 1, 20)
    curve = FittedCurve("x", "y", x, 2 * x, x, 2 * x, 2 * x - 0.1, 2 * x + 0.1)
    posterior = make_posterior()
    document = build_document(
        make_results(),
        title="Two groups",
        agreement=compare_with_draws(make_results(), posterior),
        idata=posterior,
        curve=curve,
        reference=REFERENCE,
        notes=("sqrt(n / (n - p)) = 1.118",),
        model_text="Two means & one sigma.",
        data_text="Ten rows by hand.",
        command="ppl-mle report two.py",
        seed=7,
        versions={"python": "3.13.0"},
    )
    return render_html(document)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_sections_in_order(page):
    headings = [attrs["id"] for attrs in page.all("h2")]
    first = ["verdict", "model", "data", "estimates", "reference", "statistics"]
    assert headings == [*first, "posterior", "figures", "findings", "software"]


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
    ):
        assert expected in text, expected


def test_figures_are_inside_and_described(page):
    images = page.all("img")
    assert len(images) == 3
    for image in images:
        assert image["src"].startswith("data:image/svg+xml;base64,")
        assert len(image["alt"]) > 40


def test_nothing_comes_from_a_network(html, page):
    for _, attrs in page.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            assert not re.match(r"(https?:)?//", attrs.get(name) or "")
    assert not page.all("script")
    assert not page.all("link")
    assert "@import" not in html
    assert "url(" not in html


def test_tables_can_be_read_aloud(page):
    assert len(page.all("caption")) == len(page.all("table")) == 4
    assert {attrs.get("scope") for attrs in page.all("th")} == {"col", "row"}


def test_it_is_the_same_each_time(html):
    documents = [build_document(make_results(), title="a", versions={}) for _ in range(2)]
    assert render_html(documents[0]) == render_html(documents[1])


def test_a_bad_fit_says_so_first():
    page = Page(render_html(build_document(make_bad_results(), title="Bad", versions={})))
    texts = page.texts
    assert texts[2:5] == ["Verdict", "INFINITE", BAD_SENTENCE]
    assert texts.index("INFINITE") < texts.index("Estimates")
    assert "The fit did not converge: see the verdict before using these numbers." in texts
    verdict = next(attrs for attrs in page.all("p") if "verdict" in attrs.get("class", ""))
    assert verdict == {"class": "verdict bad", "role": "alert"}


def test_every_name_is_inert():
    results = make_results(EVIL, (EVIL, "y"), findings=(EVIL,), sentence=EVIL, missing={EVIL: 1}, engine=EVIL)
    posterior = make_posterior(name=EVIL, groups=(EVIL, "y"))
    x = np.linspace(0, 1, 20)
    document = build_document(
        results,
        title=EVIL,
        agreement=compare_with_draws(results, posterior),
        idata=posterior,
        curve=FittedCurve(EVIL, EVIL, x, x, x, x, x, x),
        reference=pd.Series([1.0], index=[EVIL], name=EVIL),
        notes=(EVIL,),
        model_text=EVIL,
        data_text=EVIL,
        command=EVIL,
        versions={EVIL: EVIL},
    )
    html = render_html(document)
    page = Page(html)
    assert "<script" not in html
    assert not page.all("script")
    assert all("onerror" not in attrs for _, attrs in page.elements)
    assert any(EVIL in text for text in page.texts)
    assert set(dict(page.all("img")[0])) == {"src", "alt"}


def test_criteria_that_are_not_defined_say_why():
    results = make_results(estimator="MAP", likelihood_only=False, nobs=np.nan)
    text = " | ".join(Page(render_html(build_document(results, title="a", versions={}))).texts)
    assert "AIC | not defined: aic is defined for a maximum-likelihood fit" in text
    assert "Observations: not defined." in text
