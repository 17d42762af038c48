"""The table of a fit: numbers by hand, the verdict first where there is one, and still a frame."""

import io
import pickle
import re

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from rich.console import Console
from scipy.stats import norm

from ppl_mle import find_MLE
from ppl_mle.errors import RequestError
from ppl_mle.inference import Estimates
from ppl_mle.maximize import Status
from ppl_mle.read import Scale
from ppl_mle.report.summary import Summary, summarize
from ppl_mle.report.terminal import print_agreement, print_summary
from tests.closed_form import BAD_SENTENCE, ESTIMATES, STANDARD_ERRORS, make_bad_results, make_posterior, make_results


def test_numbers_are_those_by_hand_in_full_precision():
    table = summarize(make_results())
    assert list(table.index) == ["m[x]", "m[y]", "sigma"]
    assert list(table.columns) == ["estimate", "se", "z", "p", "ci95_lb", "ci95_ub"]
    np.testing.assert_array_equal(table["estimate"], ESTIMATES)
    np.testing.assert_allclose(table["se"], STANDARD_ERRORS, rtol=1e-15)
    np.testing.assert_allclose(table["z"], ESTIMATES / STANDARD_ERRORS, rtol=1e-14)
    np.testing.assert_allclose(table["p"].to_numpy()[:2], 2 * norm.sf([3.0, 6.0]), rtol=1e-12)
    assert np.isnan(table.loc["sigma", "p"])
    half = norm.ppf(0.975)
    np.testing.assert_allclose(table["ci95_lb"], [3 - half, 6 - half, np.sqrt(5) * np.exp(-half / np.sqrt(20))])
    np.testing.assert_allclose(table["ci95_ub"], [3 + half, 6 + half, np.sqrt(5) * np.exp(half / np.sqrt(20))])


def test_a_good_fit_shows_header_table_footer():
    lines = repr(summarize(make_results())).splitlines()
    assert lines[0] == "MLE, CONVERGED, n = 10, df = 3, llf = -22.237, AIC = 50.473"
    assert lines[2].split() == ["m[x]", "3.00", "1.00", "3.00", "0.003", "1.04", "4.96"]
    assert lines[4].split() == ["sigma", "2.236", "0.500", "4.47", "NaN", "1.443", "3.466"]
    footer = "\n".join(lines[5:])
    assert "observed information" in footer
    assert "95 % Wald on the unconstrained scale" in footer
    assert "2 rows of y left out" in footer
    assert "A finding about <m>." in footer
    assert "EDM 1e-24" in footer
    assert "smallest scaled eigenvalue 0.75" in footer


def test_a_bad_fit_shows_its_verdict_first():
    summary = summarize(make_bad_results())
    assert repr(summary).startswith(f"INFINITE: {BAD_SENTENCE}\n")
    assert summary._repr_html_().startswith(f"<div><p><strong>INFINITE: {BAD_SENTENCE}</strong></p>")
    assert repr(summarize(make_results(status=Status.BOUNDARY, sentence="On the edge."))).startswith("BOUNDARY: On")


def test_a_map_has_no_aic():
    lines = repr(summarize(make_results(estimator="MAP", likelihood_only=False))).splitlines()
    assert lines[0] == "MAP, CONVERGED, n = 10, df = 3, llf = -22.237"


def test_names_are_selected_as_in_arviz():
    results = make_results()
    assert list(summarize(results, var_names="sigma").index) == ["sigma"]
    assert list(summarize(results, var_names=["sigma", "m"]).index) == ["sigma", "m[x]", "m[y]"]
    assert list(summarize(results, var_names=["~m"]).index) == ["sigma"]
    with pytest.raises(RequestError, match=r"var_names='sigm'.*m, sigma; did you mean 'sigma'"):
        summarize(results, var_names=["sigm"])
    with pytest.raises(RequestError, match="selects nothing"):
        summarize(results, var_names=["~m", "~sigma"])
    with pytest.raises(RequestError, match="ci_prob"):
        summarize(results, ci_prob=1.0)


def test_derived_quantities_come_last():
    twice = Estimates(("twice",), np.array([6.0]), np.array([[4.0]]), (Scale(),))
    table = summarize(make_results(), derived={"twice": twice})
    assert list(table.index) == ["m[x]", "m[y]", "sigma", "twice"]
    np.testing.assert_allclose(table.loc["twice", ["estimate", "se", "z"]].tolist(), [6.0, 2.0, 3.0])


def test_fixed_elements_are_shown_as_such():
    estimates = make_results().estimates
    covariance = np.diag([0.0, 1.0, 0.25])
    fixed = Estimates(estimates.labels, ESTIMATES, covariance, estimates.scales)
    lines = repr(summarize(make_results(estimates=fixed, fixed=("m[x]",)))).splitlines()
    assert lines[2].split() == ["m[x]", "3", "fixed"]


def test_it_stays_a_frame():
    table = summarize(make_results())
    part = table.loc[["sigma"], ["estimate", "se"]]
    assert isinstance(part, Summary)
    assert "MLE, CONVERGED" in repr(part)
    assert "2.236  0.500" in repr(part)
    assert "2.23607" in repr(table.T)
    assert isinstance(table["se"], pd.Series)
    assert float(table["se"].sum()) == 2.5
    again = pickle.loads(pickle.dumps(table))
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(table))
    assert repr(Summary({"a": [1.5]})).split() == ["a", "0", "1.5"]
    assert "caption" not in table.columns


def test_html_is_inert():
    html = summarize(make_results("<script>alert(1)</script>"))._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_printed_labels_are_literal_and_lines_whole():
    groups = ("GPA", "a name that is " + "long " * 40)
    file = io.StringIO()
    print_summary(summarize(make_results("b", groups)), file)
    text = file.getvalue()
    assert "b[GPA]" in text
    assert "long " * 39 in text
    assert "\x1b" not in text
    assert any(line.startswith("b[GPA]") and line.endswith("4.96") for line in text.splitlines())


def test_printed_verdict_comes_first():
    file = io.StringIO()
    print_summary(summarize(make_bad_results()), file)
    assert file.getvalue().startswith(f"INFINITE: {BAD_SENTENCE}\n")


def test_names_cannot_steer_a_terminal():
    file = io.StringIO()
    print_summary(summarize(make_results("\x1b[2Jb")), file)
    assert "\x1b" not in file.getvalue()


def test_printed_agreement_begins_with_the_conclusion():
    from ppl_mle.posterior import compare_with_draws

    file = io.StringIO()
    agreement = compare_with_draws(make_results(), make_posterior())
    print_agreement(agreement, file)
    lines = file.getvalue().splitlines()
    assert lines[0] == agreement.conclusion
    assert lines[2].split()[:7] == ["m[x]", "3.00", "1.00", "1.04", "4.96", "3.00", "3.01"]
    assert "95 % Wald interval" in file.getvalue()


def test_intervals_of_another_method_are_named():
    # Wilson's interval of 3 of 10, as in the textbooks: 0.1078 to 0.6032.
    with pm.Model() as model:
        pm.Binomial("y", n=10, p=pm.Uniform("p", 0, 1), observed=3)
    summary = find_MLE(model, progressbar=False).summary(method="score")
    assert summary.loc["p", ["ci95_lb", "ci95_ub"]].round(4).tolist() == [0.1078, 0.6032]
    assert "95 % score test" in repr(summary)


def test_latex_is_the_same_table_with_every_name_escaped(tmp_path):
    summary = summarize(make_results("m_1", ("50 %", "\\input{x}")))
    text = summary.to_latex()
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert rows[0] == r" & estimate & se & z & p & ci95\_lb & ci95\_ub \\"
    assert rows[1] == r"m\_1[50 \%] & 3.00 & 1.00 & 3.00 & 0.003 & 1.04 & 4.96 \\"
    assert r"\input" not in text
    assert r"\textbackslash{}input\{x\}" in text
    assert text == summary._repr_latex_() + "\n"
    assert summary.to_latex(tmp_path / "t.tex") is None
    assert (tmp_path / "t.tex").read_text() == text
    assert "tabular" in summary[["estimate"]].to_latex()


def test_latex_of_a_bad_fit_says_so_first():
    text = summarize(make_bad_results()).to_latex()
    assert text.startswith(r"\textbf{INFINITE: There is no finite maximum")
    assert "inf" in text


def numbers_of(text):
    return re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text)


def test_terminal_notebook_and_document_show_the_same_numbers():
    results = make_results()
    summary = summarize(results)
    console = Console(file=io.StringIO(), width=200)
    console.print(summary)
    file = io.StringIO()
    print_summary(summary, file)
    texts = [console.file.getvalue(), file.getvalue(), repr(summary), summary._repr_html_(), summary._repr_latex_()]
    expected = numbers_of(repr(summary))
    # estimate, se, z, p and bounds of two rows, the p-value of the second (2e-09) without a point
    assert expected[2:13] == ["3.00", "1.00", "3.00", "0.003", "1.04", "4.96", "6.00", "1.00", "6.00", "4.04", "7.96"]
    for text in texts:
        assert numbers_of(text.replace("{-}", "-")) == expected
        assert text.index("MLE, CONVERGED") < text.index("estimate") < text.index("observed information")


def test_rich_shows_a_bad_fit_first_and_names_literally():
    file = io.StringIO()
    Console(file=file, width=300, force_terminal=True).print(summarize(make_bad_results()))
    assert file.getvalue().index("INFINITE") < file.getvalue().index("estimate")
    file = io.StringIO()
    Console(file=file, width=300).print(summarize(make_results("[red]b[/red]\x1b[2J")))
    assert "[red]b[/red]" in file.getvalue()
    assert "\x1b" not in file.getvalue()
