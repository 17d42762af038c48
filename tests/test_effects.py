"""Marginal effects through the package marginaleffects, against statsmodels and closed forms."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import statsmodels.formula.api as smf
from statsmodels.datasets import spector

from ppl_mle import DataError, RequestError, find_MLE
from ppl_mle.effects import as_marginaleffects

me = pytest.importorskip("marginaleffects", reason="the extra `effects` is not installed")

DATA = spector.load_pandas().data
RNG = np.random.default_rng(2)
GROUPED = pd.DataFrame({"x": RNG.normal(size=90), "g": pd.Categorical(np.array(list("pqr"))[np.arange(90) % 3])})
GROUPED["y"] = RNG.poisson(np.exp(0.5 + 0.4 * GROUPED["x"] + 0.3 * GROUPED["g"].cat.codes))


def build_logit(frame):
    with pm.Model(coords={"predictor": ["GPA", "TUCE", "PSI"]}) as model:
        x = pm.Data("X", frame[["GPA", "TUCE", "PSI"]].to_numpy(float), dims=("row", "predictor"))
        b = pm.Flat("b", dims="predictor")
        pm.Bernoulli("GRADE", logit_p=pm.Flat("a") + x @ b, observed=frame["GRADE"].to_numpy(int), dims="row")
    return model


def build_groups(frame):
    with pm.Model(coords={"g": frame["g"].cat.categories}) as model:
        u = pm.Flat("u", dims="g")
        eta = u[frame["g"].cat.codes.to_numpy()] + pm.Flat("b") * frame["x"].to_numpy(float)
        pm.Poisson("y", pm.math.exp(eta), observed=frame["y"].to_numpy(int))
    return model


def table(result):
    """A result of marginaleffects as a pandas frame."""
    return result.to_pandas() if hasattr(result, "to_pandas") else result.data.to_pandas()


@pytest.fixture(scope="module")
def logit():
    return find_MLE(build_logit(DATA), progressbar=False)


@pytest.fixture(scope="module")
def oracle():
    return smf.logit("GRADE ~ GPA + TUCE + PSI", DATA).fit(disp=0, method="newton", tol=1e-14)


@pytest.mark.parametrize("build", [build_logit, None], ids=["script", "containers"])
def test_average_slopes_are_those_of_statsmodels(logit, oracle, build):
    # PSI is 0 or 1, which marginaleffects contrasts, as get_margeff does with dummy=True.
    model = as_marginaleffects(logit, DATA, build_model=build)
    found = table(model.avg_slopes()).set_index("term").loc[["GPA", "TUCE", "PSI"]]
    expected = oracle.get_margeff(dummy=True)
    np.testing.assert_allclose(found["estimate"], expected.margeff, rtol=1e-8)
    np.testing.assert_allclose(found["std_error"], expected.margeff_se, rtol=1e-6)


def test_elasticities_are_those_of_statsmodels(logit, oracle):
    model = as_marginaleffects(logit, DATA)
    found = table(model.avg_slopes(variables=["GPA", "TUCE"], slope="eyex")).set_index("term").loc[["GPA", "TUCE"]]
    expected = oracle.get_margeff(method="eyex")
    np.testing.assert_allclose(found["estimate"], expected.margeff[:2], rtol=1e-8)
    np.testing.assert_allclose(found["std_error"], expected.margeff_se[:2], rtol=5e-4)  # the package's own step


def test_slopes_at_rows_of_an_uncentered_predictor():
    # The slope b p (1 - p) at each row, its error by the delta method in closed form.
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"z": rng.normal(300, 50, 200)})
    frame["y"] = (rng.random(200) < 1 / (1 + np.exp(-(frame["z"] - 300) / 40))).astype(int)
    with pm.Model() as model:
        z = pm.Data("z", frame["z"].to_numpy())
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * z, observed=frame["y"].to_numpy())
    fit = find_MLE(model, progressbar=False)
    a, b = fit.params[["a", "b"]]
    p = 1 / (1 + np.exp(-a - b * frame["z"].to_numpy()))
    bend = b * p * (1 - p) * (1 - 2 * p)
    gradient = np.column_stack([bend, p * (1 - p) + bend * frame["z"]])
    se = np.sqrt(np.sum((gradient @ fit.cov_params().loc[["a", "b"], ["a", "b"]].to_numpy()) * gradient, axis=1))
    found = table(as_marginaleffects(fit, frame).slopes("z"))
    np.testing.assert_allclose(found["std_error"], se, rtol=1e-5)


def test_contrasts_predictions_and_hypotheses_are_those_of_a_statsmodels_fit(logit, oracle):
    model = as_marginaleffects(logit, DATA)
    for function, options in (
        (me.avg_comparisons, {"variables": "GPA"}),
        (me.avg_comparisons, {"variables": "GPA", "comparison": "ratio"}),
        (me.avg_predictions, {"by": "PSI"}),
    ):
        ours, theirs = table(function(model, **options)), table(function(oracle, **options))
        np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=1e-7)
        np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=1e-5)
        method = table(getattr(model, function.__name__)(**options))
        np.testing.assert_allclose(method["std_error"], theirs["std_error"], rtol=1e-5)


def test_hypotheses_are_those_of_a_statsmodels_fit(logit, oracle):
    # b0, b1 are the coefficients of GPA and TUCE here, where b is declared before a, and b1, b2 in statsmodels.
    ours = table(me.hypotheses(as_marginaleffects(logit, DATA), hypothesis="b0 - b1 = 0"))
    theirs = table(me.hypotheses(oracle, hypothesis="b1 - b2 = 0"))
    np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=1e-8)
    np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=1e-6)


def test_predictions_have_the_errors_of_get_prediction(logit):
    found = table(me.predictions(as_marginaleffects(logit, DATA)))
    frame = logit.get_prediction(interval=False).frame
    np.testing.assert_allclose(found["estimate"], frame["mean"], rtol=1e-10)
    np.testing.assert_allclose(found["std_error"], frame["mean_se"], rtol=1e-6)


def test_coefficients_are_the_declared_parameters():
    with pm.Model() as model:
        x = pm.Data("x", GROUPED["x"].to_numpy())
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") * x, pm.HalfFlat("sigma"), observed=GROUPED["y"].to_numpy(float))
    fit = find_MLE(model, progressbar=False)
    adapter = as_marginaleffects(fit, GROUPED[["x", "y"]])
    assert list(adapter.get_coefnames()) == ["a", "b", "sigma"]
    np.testing.assert_allclose(adapter.get_coef(), fit.params, rtol=1e-12)
    np.testing.assert_allclose(adapter.get_vcov(True), fit.cov_params(), rtol=1e-12)
    np.testing.assert_allclose(adapter.get_vcov("HC1"), fit.with_covariance("HC1").cov_params(), rtol=1e-12)
    slope = table(adapter.avg_slopes())
    assert slope["std_error"][0] == pytest.approx(fit.bse["b"], rel=1e-7)


def test_contrasts_of_levels_are_averages_over_the_rows():
    # The average difference of exp(u_q + b x) and exp(u_p + b x), its error by the delta method in closed form.
    fit = find_MLE(build_groups(GROUPED), progressbar=False)
    model = as_marginaleffects(fit, GROUPED, build_model=build_groups)
    found = table(model.avg_comparisons(variables="g")).set_index("contrast")
    x, b = GROUPED["x"].to_numpy(), fit.params["b"]
    q, p = (np.exp(fit.params[f"u[{level}]"] + b * x) for level in "qp")
    gradient = pd.Series({"u[p]": -p.mean(), "u[q]": q.mean(), "u[r]": 0.0, "b": (x * (q - p)).mean()})[fit.labels]
    row = found.loc["q - p"]
    assert row["estimate"] == pytest.approx((q - p).mean(), rel=1e-9)
    assert row["std_error"] == pytest.approx(np.sqrt(gradient @ fit.cov_params() @ gradient), rel=1e-6)


def test_a_frame_that_was_not_fitted_is_refused(logit):
    with pytest.raises(DataError, match="does not give the means that were fitted"):
        as_marginaleffects(logit, DATA.iloc[::-1])
    with pytest.raises(DataError, match="lack the column 'PSI'"):
        as_marginaleffects(logit, DATA.drop(columns="PSI"))
    with pytest.raises(RequestError, match="must be the DataFrame"):
        as_marginaleffects(logit, DATA.to_dict())
