"""Several models side by side: what maketables and great_tables are given, and what they make of it."""

import re
import sys
import warnings
from html import unescape

import numpy as np
import pytest

from ppl_mle import find_MLE
from ppl_mle.errors import RequestError
from ppl_mle.report.great import great_table
from ppl_mle.report.summary import summarize
from ppl_mle.reporting import side_by_side
from tests.closed_form import make_bad_results, make_results
from tests.test_report_numbers import X, Y, level, line, logit, separated

EVIL = "<script>alert(1)</script> {{x}} $m$ \\input{x}"
SLOPE, INTERCEPT = np.polyfit(X, Y, 1)
SIGMA = np.sqrt(np.mean((Y - INTERCEPT - SLOPE * X) ** 2))
SE_OF_SLOPE = SIGMA / np.sqrt(np.sum((X - X.mean()) ** 2))
LLF = -6 * (np.log(2 * np.pi * SIGMA**2) + 1)
# Wald on the logarithm, whose standard error is 1 / sqrt(2 n)
OF_SIGMA = SIGMA * np.exp(np.array([-1, 1]) * 1.959964 / np.sqrt(24))


@pytest.fixture(scope="module")
def infinite():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return find_MLE(separated(), progressbar=False)


def cells_of(html):
    """Text of the cells of a table, row by row."""
    body = html.split("<tbody", 1)[1].split("</tbody>")[0]
    found = []
    for row in re.findall(r"<tr.*?>(.*?)</tr>", body, re.DOTALL):
        cells = re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.DOTALL)
        found.append([unescape(re.sub("<.*?>", " ", cell)).strip() for cell in cells])
    return found


def test_attributes_for_maketables(fitted, infinite):
    shown = fitted(line).tabulated
    table = shown.__maketables_coef_table__
    assert table.index.name == "Coefficient"
    np.testing.assert_allclose(table.loc["b", ["b", "se", "t"]], [SLOPE, SE_OF_SLOPE, SLOPE / SE_OF_SLOPE], rtol=1e-7)
    np.testing.assert_allclose(table.loc["sigma", ["ci95l", "ci95u"]].astype(float), OF_SIGMA, rtol=1e-6)
    half = 1.644854 * SE_OF_SLOPE
    np.testing.assert_allclose(table.loc["b", ["ci90l", "ci90u"]], [SLOPE - half, SLOPE + half], rtol=1e-6)
    assert shown.__maketables_stat__("ll") == pytest.approx(LLF, rel=1e-12)
    assert shown.__maketables_stat__("aic") == pytest.approx(6 - 2 * LLF, rel=1e-12)
    assert (shown.__maketables_stat__("N"), shown.__maketables_stat__("r2")) == (12, None)
    assert shown.__maketables_depvar__ == "y"
    assert infinite.tabulated.__maketables_stat__("status") == "INFINITE"
    assert "status" in infinite.tabulated.__maketables_default_stat_keys__


def test_what_is_shown_is_no_result_of_statsmodels(fitted):
    # Incident: maketables took a Fit for one, by these three, and made the interval of sigma symmetric.
    assert not any(hasattr(fitted(line).tabulated, name) for name in ("params", "bse", "pvalues"))


def test_maketables_shows_our_numbers(fitted, infinite):
    maketables = pytest.importorskip("maketables", reason="maketables is not installed")
    fits = [fitted(line), fitted(logit), infinite]
    table = maketables.ETable([fit.tabulated for fit in fits], coef_fmt="b:.4f [ci95l:.4f, ci95u:.4f]")
    text = table.make(type="tex")
    assert f"{OF_SIGMA[0]:.4f}, {OF_SIGMA[1]:.4f}" in text
    assert f"{SLOPE:.4f}" in text
    assert f"{LLF:.3f}" in text
    assert "passed" in text
    assert text.count("CONVERGED") == 2
    assert "INFINITE" in text


def test_side_by_side_is_rounded_by_the_one_rule(fitted, infinite):
    shown = side_by_side({"slope": fitted(line), "level": fitted(level), "separated": infinite})
    assert shown.frame.loc["b"].tolist() == [f"{SLOPE:.4f} ({SE_OF_SLOPE:.4f})", "", "inf (NaN)"]
    assert shown.frame.loc["a", "level"] == f"{Y.mean():.2f} ({Y.std() / np.sqrt(12):.2f})"
    assert shown.frame.loc["log-likelihood", "slope"] == f"{LLF:.3f}"
    assert shown.frame.loc["AIC", "slope"] == f"{6 - 2 * LLF:.3f}"
    assert shown.frame.loc["status"].tolist() == ["CONVERGED", "CONVERGED", "INFINITE"]
    assert shown.notes[1].startswith("separated did not converge (INFINITE): No finite maximum")
    assert shown.notes[1] in repr(shown)
    with pytest.raises(RequestError, match="fits: 'x' is of type int, not a Fit"):
        side_by_side({"x": 3})


def test_side_by_side_is_inert_in_a_notebook(fitted):
    html = side_by_side({EVIL: fitted(line)})._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_without_great_tables_a_sentence_says_what_to_install(monkeypatch, fitted):
    monkeypatch.setitem(sys.modules, "great_tables", None)
    for make in (fitted(line).summary().to_gt, side_by_side({"line": fitted(line)}).to_gt):
        with pytest.raises(RequestError, match="needs the package great_tables: pip install great_tables"):
            make()


def test_great_tables_shows_a_summary(fitted):
    pytest.importorskip("great_tables", reason="great_tables is not installed")
    html = fitted(line).summary().to_gt().as_raw_html()
    rows = {cells[0]: cells[1:] for cells in cells_of(html)}
    assert rows["b"][:2] == [f"{SLOPE:.4f}", f"{SE_OF_SLOPE:.4f}"]
    assert rows["sigma"][4:] == [f"{bound:.4f}" for bound in OF_SIGMA]
    assert f"llf = {LLF:.3f}" in html
    assert "95 % Wald on the unconstrained scale" in html
    assert rows == {label: row.tolist() for label, row in fitted(line).summary().shown().iterrows()}


def test_great_tables_shows_models(fitted):
    pytest.importorskip("great_tables", reason="great_tables is not installed")
    shown = side_by_side({"slope": fitted(line), "level": fitted(level)})
    html = shown.to_gt().as_raw_html()
    rows = {cells[0]: cells[1:] for cells in cells_of(html)}
    assert rows["b"] == [f"{SLOPE:.4f} ({SE_OF_SLOPE:.4f})", ""]
    assert rows["log-likelihood"][0] == f"{LLF:.3f}"
    assert "Estimates with standard errors in parentheses." in html


def test_great_tables_shows_a_bad_fit_as_such():
    pytest.importorskip("great_tables", reason="great_tables is not installed")
    html = summarize(make_bad_results()).to_gt().as_raw_html()
    assert html.index("INFINITE: There is no finite maximum") < html.index("<tbody")


def test_names_are_inert_in_great_tables(fitted):
    pytest.importorskip("great_tables", reason="great_tables is not installed")
    for table in (
        summarize(make_results(EVIL, (EVIL, "y"), findings=(EVIL,))).to_gt(),
        side_by_side({EVIL: fitted(line), "element": fitted(level)}).to_gt(),
        great_table(summarize(make_results()).shown(), EVIL, EVIL, (EVIL,), EVIL),
    ):
        html = table.as_raw_html()
        assert "<script" not in html
        assert "alert(1)" in html
        assert "\\input" not in table.as_latex()
