"""Every script of models/: it loads, declares what it says, and its reference figures are right."""

from fractions import Fraction
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode

from ppl_mle.errors import ScriptError
from ppl_mle.script import load_script

MODELS = Path(__file__).parents[1] / "models"
SCRIPTS = sorted(path.stem for path in MODELS.glob("*.py"))

# name: (rows and columns of the data, free variables, observed variable, predictor data of the model)
DECLARED = {
    "bernoulli": ((200, 1), ["p"], "y", []),
    "diabetes": ((442, 11), ["a", "b", "sigma"], "target", ["X"]),
    "linear": ((100, 2), ["a", "b", "sigma"], "y", ["x"]),
    "logistic": ((200, 2), ["a", "b"], "y", ["x"]),
    "longley": ((16, 7), ["a", "b", "sigma"], "TOTEMP", ["X"]),
    "negative_binomial": ((2019, 10), ["a", "b", "alpha"], "mdvis", ["X"]),
    "poisson": ((17, 7), ["a", "b"], "EXECUTIONS", ["X"]),
    "spector": ((32, 4), ["a", "b"], "GRADE", ["X"]),
    "weibull": ((69, 3), ["a", "b", "alpha"], "survival", ["age"]),
}

# Log-likelihood at the maximum from R 4.2.2: logLik() of glm, MASS::glm.nb and survival::survreg; for Longley
# -n/2 (log(2 pi RSS / n) + 1) with the certified RSS.
LOG_LIKELIHOOD = {
    "longley": -109.61743480848057,
    "negative_binomial": -4373.91219994396,
    "poisson": -32.1255985877262,
    "weibull": -312.107667581715,
}

# Estimates printed by independent programs, R 4.2.2: lm, glm(epsilon = 1e-15), MASS::glm.nb(epsilon = 1e-15); Greene,
# Econometric Analysis, prints the figures of spector to five decimals.
PUBLISHED = {
    "diabetes": {
        "a": 152.133484162896,
        "b[age]": -10.0098662998105,
        "b[bmi]": 519.84592005446,
        "b[s1]": -792.175638552226,
        "b[s6]": 67.6266921837048,
        "sigma": 53.4761287640266,
    },
    "negative_binomial": {
        "a": 0.550191960067185,
        "b[lncoins]": -0.074120614636369,
        "b[disea]": 0.0369151403119577,
        "b[hlthp]": 0.340507422587303,
        "alpha": 0.820547264773247,
    },
    "poisson": {
        "a": -4.77021297749857,
        "b[INCOME]": 0.000256665757281164,
        "b[PERBLACK]": -0.0924867021346138,
        "b[VC100k96]": 0.000188737655712807,
        "b[SOUTH]": 2.31082770008959,
        "b[DEGREE]": -19.1276588258603,
    },
    "spector": {
        "a": -13.0213468581157,
        "b[GPA]": 2.82611259488932,
        "b[TUCE]": 0.0951576613179093,
        "b[PSI]": 2.37868765509335,
    },
}


@pytest.fixture(scope="module", params=SCRIPTS)
def loaded(request):
    """Script, its data, its model and its reference answer."""
    script = load_script(MODELS / f"{request.param}.py")
    data = script.load_data()
    return script, data, script.build_model(data), script.reference(data)


def reference_of(name):
    script = load_script(MODELS / f"{name}.py")
    return script.reference(script.load_data())


def log_likelihood(model):
    """Return the function from a reference column to PyMC's log-density, without Jacobian; it is interpreted."""
    logp = model.compile_logp(jacobian=False, mode=Mode(linker="py", optimizer="fast_compile"))
    unconstrain = {"_log__": np.log, "_interval__": lambda p: np.log(p / (1 - p))}

    def evaluate(estimates):
        point = {}
        for rv in model.free_RVs:
            value = model.rvs_to_values[rv]
            mapping = unconstrain.get(value.name.removeprefix(rv.name), np.asarray)
            labels = [label for label in estimates.index if label.split("[")[0] == rv.name]
            point[value.name] = mapping(np.reshape(estimates[labels].to_numpy(), (-1,) * value.ndim))
        return float(logp(point))

    return evaluate


def test_every_script_is_declared_here():
    assert sorted(DECLARED) == SCRIPTS


class TestEveryScript:
    def test_says_what_it_is(self, loaded):
        script, *_ = loaded
        assert " ~ " in script.doc.splitlines()[0]
        assert "simulated" in script.doc or "shipped by" in script.doc

    def test_data_are_complete_numbers(self, loaded):
        script, data, *_ = loaded
        assert data.shape == DECLARED[script.name][0]
        assert np.isfinite(data.to_numpy(dtype=float)).all()
        assert data.index.equals(pd.RangeIndex(len(data)))

    def test_model_has_the_expected_variables(self, loaded):
        script, data, model, _ = loaded
        _, free, response, predictors = DECLARED[script.name]
        assert [rv.name for rv in model.free_RVs] == free
        assert [rv.name for rv in model.observed_RVs] == [response]
        assert response in data.columns
        assert [variable.name for variable in model.data_vars] == predictors

    def test_reference_has_the_labels_that_arviz_gives(self, loaded):
        _, _, model, reference = loaded
        dims = {rv.name: list(model.named_vars_to_dims.get(rv.name, [])) for rv in model.free_RVs}
        coords = {dim: list(model.coords[dim]) for used in dims.values() for dim in used}
        draws = {name: np.zeros((2, 4, *(len(coords[dim]) for dim in used))) for name, used in dims.items()}
        tree = az.from_dict({"posterior": draws}, coords=coords, dims=dims)
        labels = az.summary(tree, kind="stats").index
        assert reference.index.tolist() == labels.tolist()

    def test_reference_names_its_source(self, loaded):
        *_, reference = loaded
        assert all("(" in source for source in reference.columns)
        assert np.isfinite(reference.to_numpy()).all()

    def test_reference_is_a_maximum_of_the_declared_density(self, loaded):
        script, _, model, reference = loaded
        evaluate = log_likelihood(model)
        for source in reference:
            top = evaluate(reference[source])
            if script.name in LOG_LIKELIHOOD:
                assert top == pytest.approx(LOG_LIKELIHOOD[script.name], rel=1e-12)
            for label in reference.index:
                for factor in (0.99, 1.01):
                    moved = reference[source].copy()
                    moved[label] *= factor
                    assert evaluate(moved) < top, (source, label, factor)

    def test_sources_agree(self, loaded):
        *_, reference = loaded
        for source in reference:
            np.testing.assert_allclose(reference[source], reference.iloc[:, 0], rtol=1e-8)

    def test_takes_other_rows_from_a_file(self, loaded, tmp_path):
        script, data, model, _ = loaded
        rows = data.sample(frac=0.9, random_state=1) if len(data) > 20 else data.iloc[::-1].iloc[:-1]
        rows.to_csv(tmp_path / "data.csv", index=False)
        again = script.read_data(tmp_path / "data.csv")
        other = script.build_model(again)
        assert [rv.name for rv in other.free_RVs] == [rv.name for rv in model.free_RVs]
        observed = other.rvs_to_values[other.observed_RVs[0]].data
        np.testing.assert_array_equal(observed, rows[DECLARED[script.name][2]])
        assert script.reference(again).index.equals(script.reference(data).index)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_reference_agrees_with_figures_of_another_program(name):
    answer = reference_of(name)
    for label, value in PUBLISHED[name].items():
        assert answer.loc[label].iloc[0] == pytest.approx(value, rel=1e-9), label


def test_longley_figures_are_the_exact_least_squares_solution():
    script = load_script(MODELS / "longley.py")
    data = script.load_data()
    exact = data.map(lambda value: Fraction(str(value)))
    columns = [[Fraction(1)] * len(data), *(exact[name].tolist() for name in data.columns[1:])]
    solution = solve([[dot(u, v) for v in columns] for u in columns], [dot(u, exact["TOTEMP"]) for u in columns])
    residuals = [y - dot(solution, row) for y, row in zip(exact["TOTEMP"], zip(*columns, strict=True), strict=True)]
    sigma = float(dot(residuals, residuals) / len(data)) ** 0.5
    expected = [*map(float, solution), sigma]
    np.testing.assert_allclose(script.reference(data).iloc[:, 0], expected, rtol=1e-14)


def test_longley_certified_figures_are_not_given_for_other_rows():
    script = load_script(MODELS / "longley.py")
    data = script.load_data()
    assert script.reference(data).columns.tolist() == ["NIST StRD (certified)"]
    assert script.reference(data.iloc[:-1]).columns.tolist() == ["OLS (statsmodels)"]


def test_survreg_figures_are_not_given_for_other_rows():
    script = load_script(MODELS / "weibull.py")
    data = script.load_data()
    assert script.reference(data).columns.tolist() == ["trust-exact (SciPy)", "survreg (R survival 3.5-3)"]
    assert script.reference(data.iloc[:-1]).columns.tolist() == ["trust-exact (SciPy)"]


def test_weibull_counts_the_deaths():
    data = load_script(MODELS / "weibull.py").load_data()
    assert data["censors"].value_counts().to_dict() == {1.0: 45, 0.0: 24}
    assert data["survival"].min() == 1


def test_diabetes_in_its_own_units_is_the_same_fit():
    script = load_script(MODELS / "diabetes.py")
    raw = script.module.load_data(scaled=False)
    assert raw["age"].max() > 70
    scaled, own = script.reference(script.load_data()), script.reference(raw)
    assert own.loc["sigma"].iloc[0] == pytest.approx(scaled.loc["sigma"].iloc[0], rel=1e-10)


@pytest.mark.parametrize(
    ("name", "column", "value", "sentence"),
    [
        ("bernoulli", "y", 0.5, "zeros and ones"),
        ("logistic", "y", 2, "zeros and ones"),
        ("spector", "GRADE", 0.5, "zeros and ones"),
        ("poisson", "EXECUTIONS", 2.5, "whole numbers"),
        ("negative_binomial", "mdvis", 2.5, "whole numbers"),
        ("weibull", "survival", 0.0, "zero or less"),
        ("weibull", "censors", 2, "death observed"),
    ],
)
def test_response_that_pymc_would_take_wrongly_is_refused(name, column, value, sentence):
    # PyMC casts a discrete observed variable to integers: counts of 2.5 were fitted as 2 without a word.
    script = load_script(MODELS / f"{name}.py")
    data = script.load_data().astype(float)
    data.loc[3, column] = value
    with pytest.raises(ScriptError, match=sentence):
        script.build_model(data)


def dot(u, v):
    return sum(x * y for x, y in zip(u, v, strict=True))


def solve(matrix, right):
    """Gauss-Jordan elimination in exact arithmetic; normal equations have nonzero pivots."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i, pivot in enumerate(rows):
        rows[i] = pivot = [value / pivot[i] for value in pivot]
        for j, row in enumerate(rows):
            if j != i:
                rows[j] = [value - row[i] * lead for value, lead in zip(row, pivot, strict=True)]
    return [row[-1] for row in rows]
