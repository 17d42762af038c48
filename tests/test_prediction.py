"""Predicted means, their uncertainty and prediction intervals, against statsmodels and closed forms; bad new data."""

import time

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy import stats

import ppl_mle
from ppl_mle import DataError, FitWarning, RequestError, find_MLE

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

RNG = np.random.default_rng(5)
N = 60
X = RNG.normal(size=(N, 2))
NEW = RNG.normal(size=(7, 2))
ETA = 0.2 + X @ [0.5, -0.3]
COUNTS = RNG.poisson(np.exp(ETA))
BINARY = RNG.binomial(1, 1 / (1 + np.exp(-ETA)))
HITS = RNG.binomial(9, 1 / (1 + np.exp(-ETA)))
REAL = ETA + RNG.normal(size=N)
POSITIVE = RNG.gamma(3, np.exp(ETA) / 3)
COLUMNS = ["mean", "mean_se", "mean_ci_lower", "mean_ci_upper", "obs_ci_lower", "obs_ci_upper"]
FAMILIES = sm.families


def model_of(respond, x=X):
    """A model with the linear predictor a + X b and the response that `respond` declares for it."""
    with pm.Model(coords={"column": ["u", "v"]}) as model:
        data = pm.Data("X", x, dims=("row", "column"))
        a = pm.Flat("a")
        b = pm.Flat("b", dims="column")
        respond(a + data @ b)
    return model


def poisson(eta):
    pm.Poisson("y", pm.math.exp(eta), observed=COUNTS, dims="row")


def logit(eta):
    pm.Bernoulli("y", logit_p=eta, observed=BINARY)


def binomial(eta):
    pm.Binomial("y", 9, pm.math.invlogit(eta), observed=HITS)


def probit(eta):
    pm.Bernoulli("y", p=pm.math.invprobit(eta), observed=BINARY)


def cloglog(eta):
    pm.Bernoulli("y", p=1 - pm.math.exp(-pm.math.exp(eta)), observed=BINARY)


def negative_binomial(eta):
    pm.NegativeBinomial("y", mu=pm.math.exp(eta), alpha=2.0, observed=COUNTS)


def normal(eta):
    pm.Normal("y", eta, pm.HalfFlat("sigma"), observed=REAL)


def gamma(eta):
    alpha = pm.HalfFlat("alpha")
    pm.Gamma("y", alpha=alpha, beta=alpha / pm.math.exp(eta), observed=POSITIVE)


def glm(y, family):
    return sm.GLM(y, sm.add_constant(X), family=family).fit(tol=1e-15, maxiter=300)


GLMS = {
    "poisson": (poisson, "observed", lambda: glm(COUNTS, FAMILIES.Poisson())),
    "logit": (logit, "observed", lambda: glm(BINARY, FAMILIES.Binomial())),
    "binomial": (binomial, "observed", lambda: glm(np.column_stack([HITS, 9 - HITS]), FAMILIES.Binomial())),
    # statsmodels' GLM has the expected information, which is another one where the link is not canonical.
    "probit": (probit, "expected", lambda: glm(BINARY, FAMILIES.Binomial(FAMILIES.links.Probit()))),
    "cloglog": (cloglog, "expected", lambda: glm(BINARY, FAMILIES.Binomial(FAMILIES.links.CLogLog()))),
}


@pytest.mark.parametrize("name", GLMS)
def test_means_and_intervals_are_those_of_statsmodels_glm(name):
    respond, kind, oracle = GLMS[name]
    fit = find_MLE(model_of(respond), progressbar=False)
    fit = fit if kind == "observed" else fit.with_covariance(kind)
    frame = fit.get_prediction({"X": NEW}, interval=False).frame
    expected = oracle().get_prediction(sm.add_constant(NEW)).summary_frame()
    assert list(frame) == COLUMNS
    unit = 9 if name == "binomial" else 1
    for column in COLUMNS[:4]:
        np.testing.assert_allclose(frame[column] / unit, expected[column], rtol=1e-8, err_msg=column)
    np.testing.assert_allclose(fit.predict({"X": NEW}), frame["mean"], rtol=0)
    assert frame.attrs["mean_ci"].endswith("symmetric in the linear predictor")


def test_means_and_errors_are_those_of_least_squares():
    # Maximum likelihood divides the residual sum of squares by n, least squares by n - k.
    fit = find_MLE(model_of(normal), progressbar=False)
    oracle = sm.OLS(REAL, sm.add_constant(X)).fit()
    frame = fit.get_prediction({"X": NEW}, interval=False).frame
    expected = oracle.get_prediction(sm.add_constant(NEW)).summary_frame()
    np.testing.assert_allclose(frame["mean"], expected["mean"], rtol=1e-10)
    np.testing.assert_allclose(frame["mean_se"] * np.sqrt(N / (N - 3)), expected["mean_se"], rtol=1e-9)
    z = stats.norm.ppf(0.975)
    np.testing.assert_allclose(frame["mean_ci_upper"], frame["mean"] + z * frame["mean_se"], rtol=1e-12)


def test_errors_follow_the_covariance_of_the_fit():
    fit = find_MLE(model_of(poisson), progressbar=False).with_covariance("HC0")
    oracle = sm.GLM(COUNTS, sm.add_constant(X), family=FAMILIES.Poisson()).fit(cov_type="HC0", tol=1e-15)
    prediction = fit.get_prediction({"X": NEW}, interval=False)
    expected = oracle.get_prediction(sm.add_constant(NEW)).summary_frame()
    np.testing.assert_allclose(prediction.frame["mean_se"], expected["mean_se"], rtol=1e-8)
    assert prediction.frame.attrs["covariance_kind"] == "HC0"
    assert "HC0" in str(prediction)


def test_intervals_of_positive_means_are_made_on_their_logarithm():
    # The mean exp(m + s^2 / 2) of a lognormal sample: se^2 = mean^2 (s^2 / n + s^4 / (2 n)) at the maximum.
    with pm.Model() as model:
        pm.LogNormal("y", pm.Flat("m"), pm.HalfFlat("s"), observed=POSITIVE)
    frame = find_MLE(model, progressbar=False).get_prediction(interval=False).frame
    logs = np.log(POSITIVE)
    s2 = logs.var()
    mean = np.exp(logs.mean() + s2 / 2)
    error = mean * np.sqrt(s2 / N + s2**2 / (2 * N))
    z = stats.norm.ppf(0.975)
    row = frame.iloc[0]
    assert row["mean"] == pytest.approx(mean, rel=1e-9)
    assert row["mean_se"] == pytest.approx(error, rel=1e-8)
    assert row["mean_ci_lower"] == pytest.approx(mean * np.exp(-z * error / mean), rel=1e-8)
    assert frame.attrs["mean_ci"].endswith("logarithm of the mean")


def test_prediction_interval_of_a_normal_response_is_the_closed_form():
    # Without the spread of sigma the interval is mean +- z sqrt(se^2 + sigma^2); 4,000 draws leave about 0.05 sigma.
    with pm.Model() as model:
        x = pm.Data("x", X[:, 0])
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") * x, 1.3, observed=REAL)
    fit = find_MLE(model, progressbar=False)
    frame = fit.get_prediction({"x": np.array([0.0, 3.0])}, draws=20_000, random_seed=3).frame
    half = stats.norm.ppf(0.975) * np.sqrt(frame["mean_se"] ** 2 + 1.3**2)
    np.testing.assert_allclose(frame["obs_ci_lower"], frame["mean"] - half, atol=0.08)
    np.testing.assert_allclose(frame["obs_ci_upper"], frame["mean"] + half, atol=0.08)


def test_prediction_intervals_of_counts_are_counts_and_repeat_with_the_seed():
    fit = find_MLE(model_of(poisson), progressbar=False)
    first, again, other = (fit.get_prediction({"X": NEW}, random_seed=seed).frame for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert np.all(first["obs_ci_upper"] == np.round(first["obs_ci_upper"]))
    middle = stats.poisson.ppf([[0.025], [0.975]], first["mean"].to_numpy())
    assert np.all(first["obs_ci_lower"] <= middle[0] + 1)
    assert np.all(first["obs_ci_upper"] >= middle[1] - 1)
    assert not first.equals(other)


def zero_inflated(eta):
    pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi", 0, 1), mu=pm.math.exp(eta), observed=COUNTS * (BINARY | 1))


def test_mean_of_a_mixture_is_the_weighted_mean():
    fit = find_MLE(model_of(zero_inflated), progressbar=False)
    mu = np.exp(fit.params["a"] + NEW @ fit.params[["b[u]", "b[v]"]])
    np.testing.assert_allclose(fit.predict({"X": NEW}), fit.params["psi"] * mu, rtol=1e-12)
    assert fit.get_prediction({"X": NEW}).frame.notna().all(axis=None)


def test_mean_of_a_censored_response_is_that_before_censoring():
    times = np.minimum(POSITIVE, 2.0)
    with pm.Model() as model:
        x = pm.Data("x", X[:, 0])
        lifetime = pm.Exponential.dist(scale=pm.math.exp(pm.Flat("a") + pm.Flat("b") * x))
        pm.Censored("t", lifetime, lower=None, upper=2.0, observed=times)
    fit = find_MLE(model, progressbar=False)
    expected = np.exp(fit.params["a"] + fit.params["b"] * NEW[:, 0])
    np.testing.assert_allclose(fit.predict({"x": NEW[:, 0]}), expected, rtol=1e-12)
    frame = fit.get_prediction({"x": NEW[:, 0]}).frame
    assert "quantiles of responses before censoring at 1000 draws" in frame.attrs["obs_ci"]
    assert frame["obs_ci_upper"].max() > 2.0
    with pytest.raises(RequestError, match="'t' is censored, so its rows have no distance to the mean; use kind='quan"):
        fit.residuals()


def test_probabilities_of_categories():
    levels = RNG.integers(0, 3, N)
    with pm.Model() as model:
        x = pm.Data("x", X[:, 0])
        cuts = pm.Normal("cuts", 0, 10, shape=2, transform=pm.distributions.transforms.ordered, initval=[-1, 1])
        pm.OrderedLogistic("y", eta=pm.Flat("b") * x, cutpoints=cuts, observed=levels)
    fit = find_MLE(model, progressbar=False)
    frame = fit.get_prediction({"x": NEW[:, 0]}).frame
    cuts, eta = fit.params[["cuts[0]", "cuts[1]"]].to_numpy(), fit.params["b"] * NEW[:, 0]
    below = stats.logistic.cdf(cuts - eta[:, None])
    chances = np.diff(np.column_stack([np.zeros(7), below, np.ones(7)]), axis=1)
    np.testing.assert_allclose(frame["mean"], chances.ravel(), rtol=1e-9)
    assert frame["mean_ci_lower"].between(0, 1).all()
    assert frame.index.names[-1] == "category"


def test_general_models_predict_by_pytensor():
    # A mean that has no row form (an inverse of a matrix of the parameter); its derivative by differences.
    def mean_at(b):
        return np.linalg.inv(np.eye(3) + b * np.diag([1.0, 2.0, 3.0])) @ np.ones(3)

    y = mean_at(0.7) + 0.01 * np.array([1.0, -1.0, 0.5])
    with pm.Model() as model:
        b = pm.HalfFlat("b")
        matrix = np.eye(3) + b * np.diag([1.0, 2.0, 3.0])
        pm.Normal("y", pm.math.dot(pm.math.matrix_inverse(matrix), np.ones(3)), 0.01, observed=y)
    fit = find_MLE(model, progressbar=False)
    b, h = fit.params["b"], 1e-5
    frame = fit.get_prediction(interval=False).frame
    np.testing.assert_allclose(frame["mean"], mean_at(b), rtol=1e-9)
    slope = (mean_at(b + h) - mean_at(b - h)) / (2 * h)
    np.testing.assert_allclose(frame["mean_se"], np.abs(slope) * fit.bse["b"], rtol=1e-7)


def test_models_with_named_dims():
    import pymc.dims as pmd

    with pm.Model(coords={"row": range(N), "column": ["u", "v"]}) as model:
        data = pmd.Data("X", X, dims=("row", "column"))
        eta = pmd.Flat("a") + (data * pmd.Flat("b", dims="column")).sum("column")
        pmd.Poisson("y", pmd.math.exp(eta), observed=pmd.as_xtensor(COUNTS, dims=("row",)))
    fit, plain = (find_MLE(m, progressbar=False) for m in (model, model_of(poisson)))
    np.testing.assert_allclose(fit.predict({"X": NEW}), plain.predict({"X": NEW}), rtol=1e-9)
    np.testing.assert_allclose(fit.residuals("deviance"), plain.residuals("deviance"), rtol=1e-8)


def test_responses_with_two_axes():
    y = RNG.normal(size=(20, 3))
    with pm.Model(coords={"row": range(20), "part": ["p", "q", "r"]}) as model:
        mean = pm.Flat("m", dims="part")
        pm.Normal("y", mean, pm.HalfFlat("sigma"), observed=y, dims=("row", "part"))
    frame = find_MLE(model, progressbar=False).get_prediction(interval=False).frame
    np.testing.assert_allclose(frame["mean"], np.tile(y.mean(axis=0), 20), rtol=1e-9)
    np.testing.assert_allclose(frame["mean_se"], np.sqrt(((y - y.mean(axis=0)) ** 2).mean() / 20), rtol=1e-9)
    assert frame.index.names == ["row", "part"]
    assert frame.loc[(4, "q"), "mean"] == pytest.approx(y[:, 1].mean())


def test_mean_on_the_edge_has_no_standard_error():
    with pm.Model() as model:
        pm.Bernoulli("y", p=pm.Uniform("p", 0, 1), observed=np.zeros(10, int))
    frame = find_MLE(model, progressbar=False).get_prediction().frame
    assert frame["mean"].abs().max() < 1e-6
    assert frame.drop(columns="mean").isna().all(axis=None)


def test_new_data_leave_the_model_as_it_was():
    model = model_of(poisson)
    fit = find_MLE(model, progressbar=False)
    before = fit.predict()
    fit.predict({"X": NEW})
    np.testing.assert_array_equal(model["X"].get_value(), X)
    with model:
        pm.set_data({"X": 2 * X})
    pd.testing.assert_series_equal(fit.predict(), before)  # the data of the fit, whatever is set later


def test_new_rows_from_a_frame():
    fit = find_MLE(model_of(poisson), progressbar=False)
    frame = pd.DataFrame(NEW, columns=["u", "v"], index=list("abcdefg"))
    by_name = fit.predict(frame[["v", "u"]])
    np.testing.assert_array_equal(by_name, fit.predict({"X": NEW}))
    assert list(by_name.index) == list("abcdefg")


def test_rows_without_a_response_keep_their_place():
    y = REAL.copy()
    y[[3, 7]] = np.nan
    with pm.Model() as model:
        x = pm.Data("x", X[:, 0])
        mean = pm.Flat("a") + pm.Flat("b") * x
        with pytest.warns(match="missing values"):
            pm.Normal("y", mean, pm.HalfFlat("sigma"), observed=y)
    fit = find_MLE(model, progressbar=False)
    assert list(fit.predict().index) == [i for i in range(N) if i not in (3, 7)]
    oracle = sm.OLS(y, sm.add_constant(X[:, 0]), missing="drop").fit()
    np.testing.assert_allclose(fit.predict(), oracle.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(fit.predict({"x": NEW[:, 0]}), oracle.predict(sm.add_constant(NEW[:, 0])), rtol=1e-9)


def grouped_model(groups):
    with pm.Model() as model:
        group = pm.Data("group", groups)
        pm.Normal("y", pm.Flat("u", shape=3)[group], pm.HalfFlat("sigma"), observed=REAL)
    return model


GROUPS = np.arange(N) % 3
HOLED = np.where(np.arange(14).reshape(7, 2) == 5, np.nan, NEW)
BAD_DATA = {
    "lacks": ({}, DataError, "lacks 'X'"),
    "unknown name": ({"x": NEW}, RequestError, "did you mean 'X'"),
    "columns": ({"X": NEW[:, :1]}, DataError, r"shape \(7, 1\)"),
    "missing": (
        {"X": np.where(np.arange(14).reshape(7, 2) == 5, np.nan, NEW)},
        DataError,
        "missing or infinite in row 2",
    ),
    "text": ({"X": NEW.astype(str)}, DataError, "not numbers"),
    "frame lacks": (pd.DataFrame({"u": [1.0]}), DataError, "lack the column 'v'"),
    "no mapping": ([1.0, 2.0], DataError, "pass a dict"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_new_data_are_named(case):
    new, error, message = BAD_DATA[case]
    fit = find_MLE(model_of(poisson), progressbar=False)
    with pytest.raises(error, match=message):
        fit.predict(new)


def test_unseen_levels_are_named():
    fit = find_MLE(grouped_model(GROUPS), progressbar=False)
    assert fit.predict({"group": np.array([2, 0])}).tolist() == pytest.approx([fit.params["u[2]"], fit.params["u[0]"]])
    with pytest.raises(DataError, match="level 3 in row 1"):
        fit.predict({"group": np.array([0, 3])})
    with pytest.raises(DataError, match="no level below 0"):
        fit.predict({"group": np.array([0, -1])})


def test_rows_of_different_number_are_named():
    with pm.Model() as model:
        x, w = pm.Data("x", X[:, 0]), pm.Data("w", X[:, 1])
        pm.Normal("y", pm.Flat("a") * x + w, 1, observed=REAL)
    fit = find_MLE(model, progressbar=False)
    with pytest.raises(DataError, match="'x' has 2, 'w' has 3"):
        fit.predict({"x": np.zeros(2), "w": np.zeros(3)})
    with pytest.raises(DataError, match="lacks 'w'"):
        fit.predict({"x": np.zeros(2)})


def build_scripted(frame):
    levels = frame["g"].astype("category")
    with pm.Model(coords={"g": levels.cat.categories}) as model:
        u = pm.Flat("u", dims="g")
        b = pm.Flat("b")
        x = frame["x"].to_numpy(float)
        pm.Normal(
            "y", u[levels.cat.codes.to_numpy()] + b * x, pm.HalfFlat("sigma"), observed=frame["y"].to_numpy(float)
        )
    return model


SCRIPTED = pd.DataFrame({"x": X[:, 0], "g": pd.Categorical(np.array(["p", "q", "r"])[GROUPS]), "y": REAL})


def test_script_models_predict_from_frames():
    fit = find_MLE(build_scripted(SCRIPTED), progressbar=False)
    new = SCRIPTED.loc[[4, 6], ["x", "g"]]  # without the response
    expected = [fit.params[f"u[{g}]"] + fit.params["b"] * x for x, g in zip(new["x"], new["g"], strict=True)]
    predicted = fit.predict(new, build_model=build_scripted)
    assert predicted.tolist() == pytest.approx(expected)
    assert list(predicted.index) == [4, 6]
    with pytest.raises(DataError, match="lack the column 'x'"):
        fit.predict(new[["g"]], build_model=build_scripted)
    unseen = pd.DataFrame({"x": [0.0, 1.0], "g": ["p", "s"]})
    with pytest.raises(DataError, match=r"has u\[s\], which the fit has not and lacks u\[q\], u\[r\]"):
        fit.predict(unseen, build_model=build_scripted)


def build_centered(frame):
    with pm.Model() as model:
        x = frame["x"].to_numpy(float)
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") * (x - x.mean()), 1, observed=frame["y"].to_numpy(float))
    return model


def test_a_script_that_centers_by_its_own_rows_is_refused():
    fit = find_MLE(build_centered(SCRIPTED), progressbar=False)
    with pytest.raises(DataError, match="computes predictors from all rows"):
        fit.predict(SCRIPTED.iloc[:10], build_model=build_centered)


def test_what_cannot_be_predicted_is_said():
    with pm.Model() as model:
        mu = pm.Flat("mu")
        pm.Normal("y", mu, 1, observed=REAL)
        pm.Poisson("z", pm.math.exp(mu), observed=COUNTS)
    fit = find_MLE(model, progressbar=False)
    with pytest.raises(RequestError, match="name one with var_name=: 'y', 'z'"):
        fit.predict()
    assert fit.predict(var_name="z").iloc[0] == pytest.approx(np.exp(fit.params["mu"]))
    with pytest.raises(RequestError, match=r"depends on no pm\.Data container"):
        fit.predict({"x": [1.0]}, var_name="y")
    with pytest.raises(RequestError, match=r"ci_prob=1\.0"):
        fit.get_prediction(var_name="y", ci_prob=1.0)
    for options, said in (
        ({"draws": "a"}, "draws='a' is no whole number"),
        ({"draws": 100.5}, r"draws=100\.5 is no whole number"),
        ({"draws": 3}, "draws=3 is too few"),
        ({"random_seed": -1}, "random_seed=-1 is no whole number"),
    ):
        with pytest.raises(RequestError, match=said):
            fit.get_prediction(var_name="y", **options)
    with pm.Model() as cauchy:
        pm.Cauchy("y", pm.Flat("mu"), 1, observed=REAL)
    with pytest.raises(RequestError, match="Cauchy, whose mean PyMC does not know"):
        find_MLE(cauchy, progressbar=False).predict()


def test_status_decides_what_is_predicted():
    x = np.arange(8.0)
    with pm.Model() as separated:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * x, observed=x > 3)
    with pytest.warns(FitWarning):
        fit = find_MLE(separated, progressbar=False)
    with pytest.raises(RequestError, match="INFINITE"):
        fit.predict()
    with pm.Model() as ridge:
        shared = pm.Data("x", x)
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") + pm.Flat("c") * shared, 1, observed=x**2)
    with pytest.warns(FitWarning):
        fit = find_MLE(ridge, progressbar=False)
    assert fit.status.name == "UNIDENTIFIED"
    expected = sm.OLS(x**2, sm.add_constant(x)).fit()
    frame = fit.get_prediction(interval=False).frame  # a + b is determined, though neither is
    np.testing.assert_allclose(frame["mean"], expected.fittedvalues, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(frame["mean_se"], np.sqrt(hat(x)), rtol=1e-6)


def test_what_an_infinite_estimate_leaves_is_predicted():
    # Without overdispersion a negative binomial fit tends to the Poisson fit as alpha grows.
    x = np.linspace(-1, 1, 12)
    y = np.array([2, 3, 3, 4, 4, 5, 4, 5, 6, 6, 7, 7])
    with pm.Model() as model:
        mu = pm.math.exp(pm.Flat("a") + pm.Flat("b") * x)
        pm.NegativeBinomial("y", mu=mu, alpha=pm.HalfFlat("alpha"), observed=y)
    with pytest.warns(FitWarning):
        fit = find_MLE(model, progressbar=False)
    assert fit.status.name == "INFINITE"
    oracle = sm.GLM(y, sm.add_constant(x), family=FAMILIES.Poisson()).fit(tol=1e-14)
    np.testing.assert_allclose(fit.predict(), oracle.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(fit.residuals(), oracle.resid_response, atol=1e-8)
    frame = fit.get_prediction().frame
    np.testing.assert_allclose(frame["mean_se"], oracle.get_prediction().se, rtol=1e-7)
    assert frame[["obs_ci_lower", "obs_ci_upper"]].isna().all(axis=None)
    with pytest.raises(RequestError, match="pearson residuals need the distribution of 'y', and this fit is INFINITE"):
        fit.residuals("pearson")


def test_rows_without_a_finite_estimate_are_nan():
    # Rows of the second level are all ones; the others are a logistic regression of their own.
    x, level, y = np.arange(8.0) % 5, np.repeat([0.0, 1.0], [5, 3]), np.array([0, 1, 0, 1, 1, 1, 1, 1])
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * x + pm.Flat("d") * level, observed=y)
        pm.Normal("z", pm.Flat("c"), 1, observed=[1.0, 2.0])
    with pytest.warns(FitWarning):
        fit = find_MLE(model, progressbar=False)
    oracle = sm.GLM(y[:5], sm.add_constant(x[:5]), family=FAMILIES.Binomial()).fit(tol=1e-14)
    np.testing.assert_allclose(fit.predict(var_name="y"), [*oracle.fittedvalues, *[np.nan] * 3], rtol=1e-7)
    deviance = fit.residuals("deviance", var_name="y")
    np.testing.assert_allclose(deviance, [*oracle.resid_deviance, *[np.nan] * 3], rtol=1e-7)
    assert fit.predict(var_name="z").tolist() == [1.5, 1.5]


def hat(x):
    return 1 / len(x) + (x - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)


def test_a_loaded_fit_has_no_rows(tmp_path):
    find_MLE(model_of(poisson), progressbar=False).save(tmp_path / "fit.json")
    with pytest.raises(RequestError, match="needs the model's graph"):
        ppl_mle.load(tmp_path / "fit.json").predict()


def test_augment_has_the_data_and_brooms_columns():
    fit = find_MLE(model_of(poisson), progressbar=False)
    frame = fit.augment()
    assert list(frame) == ["y", "X[u]", "X[v]", "fitted", "se_fit", "resid", "std_resid", "hat", "cooks_d"]
    oracle = glm(COUNTS, FAMILIES.Poisson())
    np.testing.assert_allclose(frame["fitted"], oracle.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(frame["cooks_d"], oracle.get_influence().cooks_distance[0], rtol=1e-8)
    new = pd.DataFrame(NEW, columns=["u", "v"])
    assert list(fit.augment(new)) == ["u", "v", "fitted", "se_fit"]


def test_augment_of_two_axes_has_the_response():
    x, y = np.array([0.0, 1.0, 2.0]), np.arange(6.0).reshape(3, 2) ** 2
    with pm.Model(coords={"row": list("abc"), "side": ["left", "right"]}) as model:
        shared = pm.Data("x", x)
        eta = pm.Flat("a") + pm.Flat("b") * shared[:, None]
        pm.Normal("y", eta, 1, observed=y, dims=("row", "side"))
    frame = find_MLE(model, progressbar=False).augment()
    assert list(frame)[:4] == ["y", "x", "fitted", "se_fit"]
    assert frame.loc[("b", "right"), ["y", "x"]].tolist() == [9.0, 1.0]
    oracle = sm.OLS(y.ravel(), sm.add_constant(np.repeat(x, 2))).fit()
    np.testing.assert_allclose(frame["y"] - frame["fitted"], oracle.resid, atol=1e-9)
    with pm.Model() as categories:
        pm.Categorical("y", p=pm.Dirichlet("p", np.ones(2)), observed=[0, 1, 1])
    frame = find_MLE(categories, progressbar=False).augment()
    assert frame["y"].tolist() == [0, 0, 1, 1, 1, 1]


def test_many_rows_take_milliseconds():
    x = RNG.normal(size=(100_000, 5))
    with pm.Model() as model:
        data = pm.Data("X", x)
        pm.Poisson("y", pm.math.exp(data @ pm.Flat("b", shape=5)), observed=RNG.poisson(1, 100_000))
    fit = find_MLE(model, progressbar=False)
    fit.predict()
    spent = []
    for _ in range(5):
        begun = time.perf_counter()
        fit.predict()
        spent.append(time.perf_counter() - begun)
    assert min(spent) < 0.02


@pytest.mark.parametrize("verb", ["predict", "residuals"])
def test_a_truncated_response_has_no_known_mean(verb):
    with pm.Model() as model:
        pm.Truncated("y", pm.Poisson.dist(pm.HalfFlat("mu")), lower=1, observed=[1, 2, 1, 3])
    with pytest.raises(RequestError, match=r"'y' \(Truncated\) has no mean that PyMC knows; declare what you want"):
        getattr(find_MLE(model, progressbar=False), verb)()
