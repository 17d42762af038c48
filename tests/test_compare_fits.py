"""Fits side by side by information criteria, adjusted p-values, tidy() and glance()."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from ppl_mle import FitWarning, RequestError, adjust_pvalues, compare_fits, find_MAP, find_MLE
from tests.reference import reference_problem

COUNTS = np.array([1, 2, 2, 5, 9, 14, 11, 25])
X = np.arange(8.0)


def warpbreaks(columns=6, drop=()):
    problem = reference_problem("models/warpbreaks_poisson")
    design, y = problem.design.iloc[:, :columns].drop(index=list(drop)), problem.data["breaks"].drop(index=list(drop))
    with pm.Model(coords={"column": list(design.columns)}) as model:
        pm.Poisson("y", pm.math.exp(design.to_numpy(float) @ pm.Flat("b", dims="column")), observed=y)
    return model


def negative_binomial():
    with pm.Model() as model:
        mu = pm.math.exp(pm.Flat("a") + pm.Flat("b") * X)
        pm.NegativeBinomial("y", mu=mu, alpha=pm.HalfFlat("alpha"), observed=COUNTS * np.array([1, 3] * 4))
    return model


def normal(prior=False):
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1) if prior else pm.Flat("mu")
        pm.Normal("y", mu, pm.HalfFlat("sigma"), observed=COUNTS.astype(float))
    return model


def fit_of(model, find=find_MLE, **options):
    return find(model, progressbar=False, **options)


class TestCompareFits:
    @pytest.mark.parametrize("by", ["aic", "aicc", "bic"])
    def test_equals_statsmodels(self, by):
        problem = reference_problem("models/warpbreaks_poisson")
        fits, expected = {}, {}
        for name, k in {"all": 6, "main": 4, "wool": 2, "constant": 1}.items():
            x, y = problem.design.iloc[:, :k].astype(float), problem.data["breaks"]
            glm = sm.GLM(y, x, family=sm.families.Poisson()).fit(tol=1e-14, maxiter=100)
            fits[name] = fit_of(warpbreaks(k))
            n = len(y)
            extra = {"aic": 2 * k, "aicc": 2 * k + 2 * k * (k + 1) / (n - k - 1), "bic": k * np.log(n)}
            expected[name] = -2 * glm.llf + extra[by]
        expected = pd.Series(expected).sort_values()
        table = compare_fits(fits, by=by)
        assert list(table.index) == list(expected.index)
        assert list(table.columns) == [
            *("llf", "df_model", "nobs", "aic", "aicc", "bic", "delta", "weight", "evidence_ratio")
        ]
        np.testing.assert_allclose(table[by], expected, rtol=1e-10)
        delta = expected - expected.iloc[0]
        np.testing.assert_allclose(table["delta"], delta, rtol=1e-9, atol=1e-9)
        weight = np.exp(-delta / 2) / np.exp(-delta / 2).sum()
        np.testing.assert_allclose(table["weight"], weight, rtol=1e-8)
        np.testing.assert_allclose(table["evidence_ratio"], weight.iloc[0] / weight, rtol=1e-8)
        assert table.attrs["by"] == by

    def test_different_data_name_both(self):
        fits = {"one": fit_of(warpbreaks()), "two": fit_of(warpbreaks()), "less": fit_of(warpbreaks(drop=[3]))}
        said = "'one' and 'less' are not fits of the same data: 'y' has 54 observations in one and 53 in the other"
        with pytest.raises(RequestError, match=said):
            compare_fits(fits)

    def test_other_weights(self):
        fits = {"one": fit_of(normal()), "two": fit_of(normal(), weights=np.array([2.0, 0, 1, 1, 1, 1, 1, 1]))}
        with pytest.raises(RequestError, match=r"their weights differ in 2 rows \(0, 1\)"):
            compare_fits(fits)

    def test_what_has_no_criterion(self):
        with pytest.raises(RequestError, match=r"compare_fits: 'map' needs a maximum-likelihood fit"):
            compare_fits({"mle": fit_of(normal()), "map": fit_of(normal(prior=True), find_MAP)})
        with pytest.raises(RequestError, match=r"'firth' needs .* this one has Jeffreys' penalty; leave penalty= out"):
            compare_fits({"mle": fit_of(warpbreaks()), "firth": fit_of(warpbreaks(), penalty="jeffreys")})
        with pm.Model() as ridge:
            pm.Normal("y", pm.Flat("mu") + pm.Flat("nu"), pm.HalfFlat("sigma"), observed=COUNTS.astype(float))
        with pytest.warns(FitWarning):
            bad = fit_of(ridge)
        with pytest.raises(RequestError, match=r"'bad' needs a certified maximum, and this fit is UNIDENTIFIED"):
            compare_fits({"good": fit_of(normal()), "bad": bad})

    def test_too_few_observations(self):
        with pm.Model() as model:
            pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=[1.0, 2.0, 4.0])
        fits = {"two": fit_of(model), "one": fit_of(model, fixed={"sigma": 1.0})}
        with pytest.raises(
            RequestError, match="aicc of 'two' is inf, with 3 observations and 2 parameters; use by='aic'"
        ):
            compare_fits(fits)
        assert len(compare_fits(fits, by="aic")) == 2

    @pytest.mark.parametrize(
        ("fits", "options", "said"),
        [
            ({}, {}, "at least two fits, got 0"),
            ({"a": 1, "b": 2}, {}, "'a' is int, not a Fit"),
            ({"a": None}, {"by": "dic"}, "'a' is NoneType"),
        ],
    )
    def test_what_is_no_comparison(self, fits, options, said):
        with pytest.raises(RequestError, match=said):
            compare_fits(fits, **options)

    def test_unknown_criterion(self):
        with pytest.raises(RequestError, match="by='dic' is unknown; use one of 'aic', 'aicc', 'bic'"):
            compare_fits({"a": fit_of(normal()), "b": fit_of(normal())}, by="dic")


class TestAdjust:
    P = pd.Series([0.01, 0.02, np.nan, 0.04, 0.3], index=list("abcde"), name="p")

    # R 4.5, p.adjust(c(0.01, 0.02, NA, 0.04, 0.3), method).
    @pytest.mark.parametrize(
        ("method", "expected"),
        [
            ("holm", [0.04, 0.06, np.nan, 0.08, 0.3]),
            ("fdr_bh", [0.04, 0.04, np.nan, 0.16 / 3, 0.3]),
            ("hommel", [0.04, 0.06, np.nan, 0.08, 0.3]),
            ("bonferroni", [0.04, 0.08, np.nan, 0.16, 1.0]),
        ],
    )
    def test_equals_r_and_leaves_gaps(self, method, expected):
        adjusted = adjust_pvalues(self.P, method)
        pd.testing.assert_series_equal(adjusted, pd.Series(expected, index=self.P.index, name="p"), rtol=1e-12)

    @pytest.mark.parametrize("method", ["sidak", "holm-sidak", "simes-hochberg", "fdr_by", "fdr_tsbh", "fdr_tsbky"])
    def test_equals_statsmodels(self, method):
        p = [0.001, 0.03, 0.2, 0.04]
        np.testing.assert_array_equal(adjust_pvalues(p, method), multipletests(p, method=method)[1])

    def test_names_of_a_dict_are_the_index(self):
        assert adjust_pvalues({"x": 0.01, "y": 0.5}).to_dict() == {"x": 0.02, "y": 0.5}

    @pytest.mark.parametrize(
        ("pvalues", "method", "said"),
        [
            ([0.1, 1.2], "holm", r"p-value 1.2 at position 1 is not in \[0, 1\]"),
            ([0.1, -0.2], "holm", r"p-value -0.2 at position 1"),
            ([0.1], "tukey", "method='tukey' is unknown; use one of bonferroni"),
            ([[0.1], [0.2]], "holm", "one column"),
        ],
    )
    def test_what_is_no_p_value(self, pvalues, method, said):
        with pytest.raises(RequestError, match=said):
            adjust_pvalues(pvalues, method)

    def test_nothing_and_only_gaps(self):
        assert adjust_pvalues([]).size == 0
        assert np.isnan(adjust_pvalues([np.nan])).all()


class TestTidy:
    def test_equals_statsmodels(self):
        problem = reference_problem("models/warpbreaks_poisson")
        glm = sm.GLM(problem.data["breaks"], problem.design.astype(float), family=sm.families.Poisson())
        expected = glm.fit(tol=1e-14, maxiter=100)
        table = fit_of(warpbreaks()).tidy(ci_prob=0.9)
        columns = ["term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
        assert list(table.columns) == columns
        assert isinstance(table.index, pd.RangeIndex)
        assert table["term"].tolist() == [f"b[{column}]" for column in problem.design.columns]
        bounds = expected.conf_int(0.1).to_numpy().T
        wanted = [expected.params, expected.bse, expected.tvalues, expected.pvalues, *bounds]
        for column, values in zip(columns[1:], wanted, strict=True):
            np.testing.assert_allclose(table[column], values, rtol=1e-7, err_msg=column)
        assert table.attrs["covariance_kind"] == "observed information"
        assert (table.attrs["interval_method"], table.attrs["ci_prob"]) == ("wald", 0.9)

    def test_exponentials_are_of_what_is_free_on_the_line(self):
        fit = fit_of(negative_binomial())
        plain, table = fit.tidy(), fit.tidy(exponentiate=True)
        for column in ("estimate", "conf_low", "conf_high"):
            np.testing.assert_allclose(table[column][:2], np.exp(plain[column][:2]), rtol=1e-14)
            assert table[column][2] == plain[column][2]
        pd.testing.assert_frame_equal(table[["std_error", "statistic"]], plain[["std_error", "statistic"]])
        assert table.attrs["exponentiated"] == ["a", "b"]
        assert plain.attrs["exponentiated"] == []

    def test_fixed_values_have_no_test(self):
        table = fit_of(normal(), fixed={"sigma": 3.0}).tidy()
        assert table.loc[1, ["estimate", "std_error"]].tolist() == [pytest.approx(3.0, rel=1e-15), 0.0]
        assert table.loc[1, ["statistic", "p_value"]].isna().all()

    def test_names_the_covariance(self):
        assert "HC1" in fit_of(warpbreaks()).with_covariance("HC1").tidy().attrs["covariance_kind"]

    @pytest.mark.parametrize("ci_prob", [0, 1, 95])
    def test_content_outside_0_and_1(self, ci_prob):
        with pytest.raises(RequestError, match=f"ci_prob={ci_prob}"):
            fit_of(normal()).tidy(ci_prob=ci_prob)


class TestGlance:
    def test_of_a_regression(self):
        problem = reference_problem("models/warpbreaks_poisson")
        row = fit_of(warpbreaks()).glance()
        assert len(row) == 1
        for name in ("aic", "bic"):
            assert row[name][0] == pytest.approx(problem.facts[name], rel=1e-10)
        assert row["llf"][0] == pytest.approx(problem.facts["loglik"], rel=1e-10)
        shown = row.loc[0, ["estimator", "status", "converged", "nobs", "df_model", "covariance_kind", "n_fixed"]]
        assert shown.tolist() == ["MLE", "CONVERGED", True, 54, 6, "observed information", 0]

    def test_what_is_undefined_is_missing(self):
        row = fit_of(normal(prior=True), find_MAP).glance()
        assert row.loc[0, ["aic", "aicc", "bic"]].isna().all()
        assert np.isfinite(row["llf"][0])
        assert row["lpf"][0] < row["llf"][0]
        with pm.Model() as latent:
            u = pm.Normal("u", pm.Flat("mu"), 1.0, shape=8)
            pm.Normal("y", u, 1.0, observed=COUNTS.astype(float))
        row = fit_of(latent).glance()
        assert row["n_latent"][0] == 8
        assert np.isnan(row["aic"][0])

    def test_rows_of_several_fits_join(self):
        table = pd.concat([fit_of(normal()).glance(), fit_of(normal(), fixed={"sigma": 3.0}).glance()])
        assert table["df_model"].tolist() == [2, 1]
        assert table["n_fixed"].tolist() == [0, 1]
