"""Wald tests of linear hypotheses against statsmodels, R's car and closed forms; how hypotheses are read; refusals."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ppl_mle import FitWarning, RequestError, find_MLE, load
from ppl_mle.inference.hypotheses.hypothesis import read_hypotheses
from tests.reference import reference_problem

LENGTHS = np.array([4.21, 3.87, 5.02, 4.66, 4.40, 3.95, 4.83, 4.12, 5.31, 4.57, 4.05])
N, MEAN, SD = LENGTHS.size, LENGTHS.mean(), LENGTHS.std()
LABELS = ["a", "ab", "t[x, u]", "t[x, v]", "b[(Intercept)]", "b[wool=B:tension M]", "c[-1]", "sigma"]


def birthwt():
    problem = reference_problem("models/birthwt_logit")
    with pm.Model(coords={"column": list(problem.design.columns)}) as model:
        b = pm.Flat("b", dims="column")
        pm.Bernoulli("y", logit_p=problem.design.to_numpy(float) @ b, observed=problem.data["low"])
    return model


def warpbreaks():
    problem = reference_problem("models/warpbreaks_poisson")
    with pm.Model(coords={"column": list(problem.design.columns)}) as model:
        b = pm.Flat("b", dims="column")
        pm.Poisson("y", pm.math.exp(problem.design.to_numpy(float) @ b), observed=problem.data["breaks"])
    return model


def mtcars():
    problem = reference_problem("models/mtcars_gaussian")
    with pm.Model(coords={"column": list(problem.design.columns)}) as model:
        b, sigma = pm.Flat("b", dims="column"), pm.HalfFlat("sigma")
        pm.Normal("y", problem.design.to_numpy(float) @ b, sigma, observed=problem.data["mpg"])
    return model


def normal():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=LENGTHS)
    return model


def simplex():
    with pm.Model() as model:
        pm.Categorical("y", p=pm.Dirichlet("p", np.ones(3)), observed=np.repeat([0, 1, 2], [5, 3, 2]))
    return model


def redundant():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") + pm.Flat("u", shape=3)[np.repeat([0, 1, 2], 4)], 1.0, observed=np.arange(12.0) % 5)
    return model


def separated():
    with pm.Model() as model:
        eta = (
            pm.Flat("a") + pm.Flat("b") * np.repeat([0, 1], [5, 3]) + pm.Flat("c") * np.array([0, 1, 2, 3, 4, 0, 1, 2])
        )
        pm.Bernoulli("y", logit_p=eta, observed=[0, 1, 0, 1, 1, 1, 1, 1])
    return model


def no_spread():
    """Groups whose means differ less than chance would make them: the variance between them is zero."""
    with pm.Model() as model:
        mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
        pm.Normal("y", mu, pm.math.sqrt(1.0 + tau**2), observed=[0.1, -0.2, 0.3, 0.0])
    return model


GLMS = {
    "birthwt": (birthwt, "models/birthwt_logit", "low", sm.families.Binomial()),
    "warpbreaks": (warpbreaks, "models/warpbreaks_poisson", "breaks", sm.families.Poisson()),
}
JOINT = {
    "birthwt": {
        "b[raceblack] = b[raceother]": ({"raceblack": 1, "raceother": -1}, 0.0),
        "2*b[raceother] - b[smoke] = 1": ({"raceother": 2, "smoke": -1}, 1.0),
        "(b[age] + b[lwt]) / 2 = -.02": ({"age": 0.5, "lwt": 0.5}, -0.02),
    },
    "warpbreaks": {
        "b[tensionM] = b[tensionH]": ({"tensionM": 1, "tensionH": -1}, 0.0),
        "b[woolB:tensionM]": ({"woolB:tensionM": 1}, 0.0),
        "3e-1 = -b[woolB] - b[woolB:tensionH]*2": ({"woolB": -1, "woolB:tensionH": -2}, 0.3),
    },
}


@pytest.mark.parametrize("name", GLMS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_equals_statsmodels(fitted, name, count):
    build, path, response, family = GLMS[name]
    problem = reference_problem(path)
    glm = sm.GLM(problem.data[response], problem.design.astype(float), family=family).fit(tol=1e-14, maxiter=100)
    texts = list(JOINT[name])[:count]
    columns = list(problem.design.columns)
    matrix, values = np.zeros((count, len(columns))), np.zeros(count)
    for i, text in enumerate(texts):
        slopes, values[i] = JOINT[name][text]
        matrix[i, [columns.index(column) for column in slopes]] = list(slopes.values())
    expected = glm.wald_test((matrix, values), scalar=True)
    for test in (fitted(build).wald_test(texts), fitted(build).wald_test(matrix, values)):
        assert test.statistic == pytest.approx(float(expected.statistic), rel=1e-9)
        assert test.p_value == pytest.approx(float(expected.pvalue), rel=1e-8)
        assert (test.df, test.distribution, test.covariance_kind) == (count, f"chi2({count})", "observed information")


def test_equals_linear_hypothesis_of_car(fitted):
    # R 4.5, car::linearHypothesis(glm, ..., test = "Chisq"), to the digits it prints.
    fit = fitted(birthwt)
    one = fit.wald_test("b[raceblack] = b[raceother]")
    two = fit.wald_test(("b[raceblack] = 0", "2*b[raceother] - b[smoke] = 1"))
    assert (round(one.statistic, 5), round(one.p_value, 5)) == (0.53102, 0.46618)
    assert (round(two.statistic, 5), round(two.p_value, 6)) == (7.02822, 0.029774)


def test_of_least_squares_is_closed_form(fitted):
    # n (RSS0 - RSS1) / RSS1, with the variance that maximizes the likelihood (Buse 1982).
    problem = reference_problem("models/mtcars_gaussian")
    x, y = problem.design.to_numpy(float), problem.data["mpg"].to_numpy(float)
    rss = [y @ y - y @ z @ np.linalg.lstsq(z, y, rcond=None)[0] for z in (x[:, :2], x)]
    test = fitted(mtcars).wald_test(["b[qsec]", "b[am]"])
    assert test.statistic == pytest.approx(len(y) * (rss[0] - rss[1]) / rss[1], rel=1e-9)


def test_of_a_mean_and_of_a_standard_deviation(fitted):
    fit = fitted(normal)
    mean = fit.wald_test("mu = 4.2")
    assert mean.z == pytest.approx((MEAN - 4.2) / (SD / np.sqrt(N)), rel=1e-10)
    assert mean.statistic == pytest.approx(mean.z**2, rel=1e-14)
    assert mean.p_value == pytest.approx(2 * stats.norm.sf(abs(mean.z)), rel=1e-12)
    assert fit.wald_test("sigma = 0.5").z == pytest.approx((SD - 0.5) / (SD / np.sqrt(2 * N)), rel=1e-10)
    both = fit.wald_test(["mu = 4.2", "sigma = 0.5"])
    assert both.statistic == pytest.approx(mean.z**2 + ((SD - 0.5) / (SD / np.sqrt(2 * N))) ** 2, rel=1e-10)


def test_columns_of_a_frame_are_aligned_by_name(fitted):
    fit = fitted(normal)
    expected = (MEAN - 5) / (fit.params["sigma"] / np.sqrt(N))
    frame = pd.DataFrame([[0.0, 1.0]], columns=["sigma", "mu"])
    test = fit.wald_test(frame, [5.0])
    assert (test.hypotheses, test.z) == (("mu = 5",), pytest.approx(expected, rel=1e-10))
    assert fit.wald_test(frame.iloc[0], 5.0).z == pytest.approx(expected, rel=1e-10)
    assert fit.wald_tests(frame)["hypothesis"].tolist() == ["mu = 0"]


def test_variable_name_stands_for_all_its_elements(fitted):
    problem, fit = reference_problem("models/birthwt_logit"), fitted(birthwt)
    labels = [f"b[{column}] = 1" for column in problem.design.columns]
    assert fit.wald_test("b = 1") == fit.wald_test(labels)


def test_of_a_constrained_variable_leaves_out_what_is_implied(fitted):
    # Multinomial: n (p - p0)' S^-1 (p - p0) with S = diag(p) - p p' of the first two.
    p = np.array([0.5, 0.3])
    expected = 10 * (p - 1 / 3) @ np.linalg.solve(np.diag(p) - np.outer(p, p), p - 1 / 3)
    fit = fitted(simplex)
    assert fit.wald_test(["3*p[0] = 1", "3*p[1] = 1"]).statistic == pytest.approx(expected, rel=1e-9)
    with pytest.raises(RequestError, match=r"not positive definite, .* leave out one that the others imply"):
        fit.wald_test("p = 0.2")


def test_takes_the_covariance_of_the_fit(fitted):
    problem = reference_problem("models/warpbreaks_poisson")
    glm = sm.GLM(problem.data["breaks"], problem.design.astype(float), family=sm.families.Poisson())
    robust = glm.fit(tol=1e-14, maxiter=100, cov_type="HC0")
    test = fitted(warpbreaks).with_covariance("HC0").wald_test(["b[woolB:tensionM]", "b[woolB:tensionH]"])
    expected = robust.wald_test(np.eye(6)[4:], scalar=True)
    assert test.statistic == pytest.approx(float(expected.statistic), rel=1e-8)
    assert "HC0" in test.covariance_kind
    assert "HC0" in repr(test)


def test_needs_no_graph(fitted, tmp_path):
    fitted(normal).save(tmp_path / "fit.json")
    assert load(tmp_path / "fit.json").wald_test("mu = 4") == fitted(normal).wald_test("mu = 4")


def test_record_shows_everything(fitted):
    test = fitted(normal).wald_test("mu = 4.2")
    assert repr(test).splitlines()[0] == "Wald test of mu = 4.2"
    assert "on 1 df, z = " in repr(test)
    frame = test.frame
    assert len(frame) == 1
    assert frame["p_value"][0] == test.p_value
    assert frame["hypotheses"][0] == "mu = 4.2"


def test_many_hypotheses_one_by_one(fitted):
    # Holm's adjusted p-values: the smallest times 3, the next times 2, never falling.
    fit = fitted(birthwt)
    table = fit.wald_tests(["b[raceblack]", "b[raceother] = 0.1", ["b[age]", "b[lwt]"]], adjust="holm")
    p = table["p_value"].to_numpy()
    order = np.argsort(p)
    expected = np.empty(3)
    expected[order] = np.minimum(1, np.maximum.accumulate(p[order] * [3, 2, 1]))
    np.testing.assert_allclose(table["p_adjusted"], expected, rtol=1e-14)
    assert table["estimate"][1] == pytest.approx(fit.params["b[raceother]"] - 0.1, rel=1e-12)
    assert table["std_error"][0] == pytest.approx(fit.bse["b[raceblack]"], rel=1e-12)
    assert table["df"].tolist() == [1, 1, 2]
    assert np.isnan(table["estimate"][2])
    assert "p_adjusted" not in fit.wald_tests(["b[age]"])


class TestReading:
    @given(
        st.lists(
            st.tuples(st.integers(0, len(LABELS) - 1), st.integers(-50, 50), st.sampled_from([1, 4, 10])), min_size=1
        ),
        st.integers(-20, 20),
        st.booleans(),
    )
    @settings(max_examples=200, deadline=None)
    def test_sums_are_read_as_they_are_written(self, terms, value, turned):
        row = np.zeros(len(LABELS))
        for i, numerator, denominator in terms:
            row[i] += numerator / denominator
        text = " + ".join(f"{numerator}*{LABELS[i]}/{denominator}" for i, numerator, denominator in terms)
        exact = [sum(Fraction(n, d) for i, n, d in terms if i == place) for place in range(len(LABELS))]
        if not any(exact):  # a sum that cancels is refused, up to rounding
            return
        equation = f"{value} = {text}" if turned else f"{text}={value}"
        read = read_hypotheses(equation, LABELS)
        sign = -1 if turned else 1
        np.testing.assert_allclose(sign * read.coefficients[0], row, rtol=1e-12, atol=1e-12)
        assert sign * read.values[0] == pytest.approx(value)

    @pytest.mark.parametrize("label", LABELS)
    def test_every_label_is_one_word(self, label):
        read = read_hypotheses(f"-{label}", LABELS)
        assert read.texts == (f"-{label} = 0",)
        np.testing.assert_array_equal(read.coefficients[0], [-float(own == label) for own in LABELS])

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("b[(Intercep)] = 0", r"names 'b\[\(Intercep\)\]', .* did you mean 'b\[\(Intercept\)\]'"),
            ("sigm = 1", "did you mean 'sigma'"),
            ("abc", "names 'abc'"),
            ("a*ab = 0", "not linear"),
            ("1/a", "not linear"),
            ("a/0 = 1", "divides by zero"),
            ("a = 1 = 2", "'=' is not expected there"),
            ("(a + ab", "parenthesis is not closed"),
            ("a +", "something is missing at its end"),
            ("", "something is missing at its end"),
            ("a @ 2", "'@' is not expected there"),
            ("a a", "'a' is not expected there"),
            ("1 = 2", "involves no parameter"),
            ("a - a = 0", "involves no parameter"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_the_reason(self, text, said):
        with pytest.raises(RequestError, match=said):
            read_hypotheses(text, LABELS)

    @pytest.mark.parametrize(
        ("matrix", "values", "said"),
        [
            (np.ones((2, 3)), None, r"shape \(k, 8\)"),
            (np.ones((2, 8)), [1.0], r"k values"),
            (np.full((1, 8), np.nan), None, "finite"),
            ({"a": 1}, None, "matrix of numbers"),
            ([], None, "no hypothesis"),
            ("a", 1.0, "after '='"),
        ],
    )
    def test_matrices_that_do_not_fit(self, matrix, values, said):
        with pytest.raises(RequestError, match=said):
            read_hypotheses(matrix, LABELS, values)


class TestRefusals:
    def test_redundant_and_contradictory(self, fitted):
        fit = fitted(birthwt)
        with pytest.raises(RequestError, match=r"'b\[age\] \+ b\[lwt\] = 0' follows from 'b\[age\] = 0' and 'b\[lwt\]"):
            fit.wald_test(["b[age]", "b[lwt]", "b[ftv]", "b[age] + b[lwt]"])
        with pytest.raises(RequestError, match=r"'2\*b\[age\] = 1' contradicts 'b\[age\] = 0'"):
            fit.wald_test(["b[age]", "2*b[age] = 1"])

    def test_edge_of_a_support(self, fitted):
        with pytest.raises(RequestError, match=r"0 is at the edge of the support of sigma; .*lr_test"):
            fitted(normal).wald_test("sigma")
        with pytest.raises(RequestError, match="-1 is outside the support of sigma"):
            fitted(normal).wald_test("2*sigma = -2")

    def test_fixed_value(self, fitted):
        fit = fitted(normal, fixed={"sigma": 0.5})
        with pytest.raises(RequestError, match="concerns fixed values alone"):
            fit.wald_test("sigma = 0.6")
        assert fit.wald_test("mu = 8*sigma").z == pytest.approx((MEAN - 4) / (0.5 / np.sqrt(N)), rel=1e-10)

    def test_edge_estimate(self, fitted):
        fit = fitted(no_spread)
        with pytest.raises(RequestError, match=r"tau has no standard error, .* BOUNDARY.*; use lr_test"):
            fit.wald_test("tau = 1")
        assert fit.wald_test("mu").z == pytest.approx(0.05 * 2, rel=1e-9)

    @pytest.mark.filterwarnings("ignore::ppl_mle.errors.FitWarning")
    def test_ridge_leaves_what_is_estimable(self, fitted):
        fit = fitted(redundant)
        means = (np.arange(12.0) % 5).reshape(3, 4).mean(axis=1)
        assert fit.wald_test("u[0] = u[1]").z == pytest.approx((means[0] - means[1]) / np.sqrt(0.5), rel=1e-9)
        joint = fit.wald_test(["u[0] = u[1]", "u[1] = u[2]"])
        assert joint.statistic == pytest.approx(4 * np.sum((means - means.mean()) ** 2), rel=1e-9)
        with pytest.raises(RequestError, match=r"u\[0\] has no standard error.*UNIDENTIFIED"):
            fit.wald_test("u[0]")

    def test_infinite_estimate(self, fitted):
        with pytest.warns(FitWarning):
            fit = find_MLE(separated(), progressbar=False)
        with pytest.raises(RequestError, match=r"b has no standard error.*INFINITE"):
            fit.wald_test("b = c")
        # What is left is the regression among the rows that are not separated.
        x = sm.add_constant(np.arange(5.0))
        glm = sm.GLM([0, 1, 0, 1, 1], x, family=sm.families.Binomial()).fit(tol=1e-14, maxiter=100)
        assert fit.wald_test("c").statistic == pytest.approx(glm.tvalues[1] ** 2, rel=1e-6)

    def test_no_list_to_wald_tests(self, fitted):
        for hypotheses in ("mu", 3, None):
            with pytest.raises(RequestError, match="takes a list"):
                fitted(normal).wald_tests(hypotheses)

    @pytest.mark.parametrize(("text", "value"), [("p[0]+p[1]+p[2]=1", 1), ("2*p[0]+2*p[1]+2*p[2]=0.9", 2)])
    def test_a_sum_that_is_constant_by_construction(self, fitted, text, value):
        with pytest.raises(RequestError, match=f"known without error, it is {value} whatever"):
            fitted(simplex).wald_test(text)

    def test_columns_that_are_no_labels(self, fitted):
        fit = fitted(normal)
        for columns, said in (
            (["mu", "s"], "the columns of the hypotheses has s;"),
            (["mu"], "lacks sigma;"),
            (["mu", "sigma", "mu"], "has twice mu;"),
            ([0, 1], r"has 0, 1; .* to_numpy\(\)"),
        ):
            with pytest.raises(RequestError, match=said):
                fit.wald_test(pd.DataFrame(np.ones((1, len(columns))), columns=columns))
