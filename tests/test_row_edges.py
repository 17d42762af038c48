"""Where rows end: parameters outside their range, weights, missing responses, rows that take different branches."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from pymc.distributions.transforms import ordered
from pymc.logprob.utils import ParameterValueError

from ppl_mle import FitWarning, explain, find_MLE
from ppl_mle.read import read_model
from tests.original_density import OriginalDensity

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

RNG = np.random.default_rng(7)
N = 36
X = RNG.normal(size=(N, 2))
Y = 0.4 + X @ [0.8, -0.5] + 0.7 * RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(0.3 + 0.5 * X[:, 0])) * RNG.integers(0, 2, size=N)
GRADES = np.digitize(Y, [-0.5, 0.4, 1.2])
WEIGHTS = np.arange(N) % 4  # a quarter of the rows counts for nothing
FEW = np.array([0.3, 1.2, 0.7, 2.5])
SHARES = np.array([0.2, 0.5, 0.8, 0.35])
SMALL = np.array([0, 2, 1, 5])
HITS = np.array([0, 1, 1, 0])

# Parameters without a transform, named by the letters that the constructors take: only the checks keep them in range.
UNGUARDED = {
    "Normal": lambda a, b, c: pm.Normal("y", a, b, observed=FEW),
    "deviation of a row": lambda a, b, c: pm.Normal("y", a, b + c * FEW, observed=FEW),
    "Gamma": lambda a, b, c: pm.Gamma("y", a, b, observed=FEW),
    "Beta": lambda a, b, c: pm.Beta("y", mu=a, nu=b, observed=SHARES),
    "Student-t": lambda a, b, c: pm.StudentT("y", nu=a, mu=c, sigma=b, observed=FEW),
    "Poisson": lambda a, b, c: pm.Poisson("y", a + b * FEW, observed=SMALL),
    "Exponential": lambda a, b, c: pm.Exponential("y", scale=a + b * FEW, observed=FEW),
    "Bernoulli": lambda a, b, c: pm.Bernoulli("y", a + 0.1 * b * FEW, observed=HITS),
    "negative binomial": lambda a, b, c: pm.NegativeBinomial("y", mu=a, alpha=b, observed=SMALL),
    "Weibull": lambda a, b, c: pm.Weibull("y", a, b, observed=FEW),
    "Uniform": lambda a, b, c: pm.Uniform("y", -pt.exp(3 * a), b + 2.5, observed=FEW),
    "zero-inflated": lambda a, b, c: pm.ZeroInflatedPoisson("y", psi=a, mu=b, observed=SMALL),
    "cutpoints": lambda a, b, c: pm.OrderedLogistic(
        "y", eta=FEW, cutpoints=pt.stack([a, b, c]), compute_p=False, observed=[0, 1, 2, 3]
    ),
    "truncated": lambda a, b, c: pm.Truncated(
        "y", pm.Exponential.dist(a), lower=0.2, upper=pt.exp(2 * b), observed=FEW
    ),
    "skewed": lambda a, b, c: pm.AsymmetricLaplace("y", kappa=a, mu=c, b=b, observed=FEW),
}


@pytest.mark.parametrize("name", list(UNGUARDED))
def test_density_ends_where_the_declared_one_does(name):
    with pm.Model() as model:
        UNGUARDED[name](*(pm.Flat(letter) for letter in "abc"))
        pm.Potential("all are used", 0.0 * (model["a"] + model["b"] + model["c"]))
    likelihood, original = read_model(model), OriginalDensity(model, ())
    assert all(form.sums for form in likelihood.forms)
    points = np.random.default_rng(1).normal(size=(60, 3))
    found = np.array([likelihood.objective.value_and_gradient(point)[0] for point in points])
    expected = np.array([declared_value(original, point) for point in points])
    assert 5 < np.isfinite(expected).sum() < 55
    np.testing.assert_array_equal(np.isneginf(found), ~np.isfinite(expected))
    inside = np.isfinite(expected)
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-7)
    assert all(np.isnan(likelihood.objective.value_and_gradient(point)[1]).all() for point in points[~inside])


def declared_value(original, point):
    try:
        with np.errstate(all="ignore"):
            return original.value(point)
    except ParameterValueError:
        return -np.inf


def test_a_deviation_without_transform_is_found_on_its_side():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("m"), pm.Flat("s"), observed=FEW)
    fit = find_MLE(model, progressbar=False)
    assert fit.status.name == "CONVERGED"
    np.testing.assert_allclose(fit.params, [FEW.mean(), FEW.std()], rtol=1e-10)
    np.testing.assert_allclose(fit.bse, FEW.std() / np.sqrt([4, 8]), rtol=1e-8)


def test_a_check_that_no_row_makes_is_made_at_the_answer():
    # That the probabilities add up to one is no condition of a row; without it these have no maximum at all.
    with pm.Model() as model:
        pm.Categorical("y", p=pt.stack([pm.Flat("a", initval=0.3), pm.Flat("b", initval=0.3), 0.4]), observed=[0, 1, 2])
    with pytest.warns(FitWarning, match="PyMC's own log-density differs by inf"):
        assert not find_MLE(model, progressbar=False).converged


def affine(rows):
    return pm.Flat("a") + X[rows] @ pm.Flat("b", shape=2)


def linear(y, rows):
    pm.Normal("y", affine(rows), pm.HalfFlat("s"), observed=y)


def poisson(y, rows):
    pm.Poisson("y", pm.math.exp(affine(rows)), observed=y)


def coin(y, rows):
    pm.Bernoulli("y", pm.Uniform("p"), observed=y)


def student_t(y, rows):
    pm.StudentT("y", nu=4, mu=affine(rows), sigma=pm.HalfFlat("s"), observed=y)


def ordered_logistic(y, rows):
    cuts = pm.Flat("cuts", shape=3, default_transform=ordered, initval=[-1.0, 0.0, 1.0])
    pm.OrderedLogistic("y", eta=X[rows] @ pm.Flat("b", shape=2), cutpoints=cuts, compute_p=False, observed=y)


def multinomial_logit(y, rows):
    scores = pt.concatenate([np.zeros((len(y), 1)), X[rows] @ pm.Flat("b", shape=(2, 3))], axis=1)
    pm.Categorical("y", p=pm.math.softmax(scores, axis=-1), observed=y)


def zero_inflated(y, rows):
    pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi"), mu=pm.math.exp(affine(rows)), observed=y)


def censored(y, rows):
    pm.Censored("y", pm.Normal.dist(affine(rows), pm.HalfFlat("s")), lower=-0.5, upper=1.0, observed=y)


RESPONSES = {
    linear: Y,
    poisson: COUNTS,
    coin: (Y > 0.5).astype(int),
    student_t: Y,
    ordered_logistic: GRADES,
    multinomial_logit: GRADES,
    zero_inflated: COUNTS,
    censored: np.clip(Y, -0.5, 1.0),
}


def built(declare, y, rows):
    with pm.Model() as model:
        declare(y, rows)
    return model


def assert_same(fit, reference):
    assert fit.status.name == reference.status.name == "CONVERGED"
    assert fit.nobs == reference.nobs
    assert fit.llf == pytest.approx(reference.llf, rel=1e-12)
    np.testing.assert_allclose(fit.params, reference.params, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(fit.bse, reference.bse, rtol=1e-9)


@pytest.mark.parametrize("declare", RESPONSES)
def test_weights_are_repeated_rows(declare):
    y, rows = RESPONSES[declare], np.repeat(np.arange(N), WEIGHTS)
    fit = find_MLE(built(declare, y, slice(None)), weights=WEIGHTS, progressbar=False)
    assert_same(fit, find_MLE(built(declare, y[rows], rows), progressbar=False))


@pytest.mark.parametrize(
    ("declare", "response"),
    [(linear, np.inf), (linear, 1e300), (poisson, -1), (censored, 7.0), (coin, 2), (zero_inflated, -1)],
)
def test_a_row_without_weight_may_hold_anything(declare, response):
    y = np.where(WEIGHTS == 0, response, RESPONSES[declare])
    y = y.astype(RESPONSES[declare].dtype) if np.isfinite(response) else y
    kept = np.flatnonzero(WEIGHTS)
    fit = find_MLE(built(declare, y, slice(None)), weights=WEIGHTS, progressbar=False)
    assert_same(fit, find_MLE(built(declare, y[kept], kept), weights=WEIGHTS[kept], progressbar=False))


@pytest.mark.filterwarnings("ignore::pymc.exceptions.ImputationWarning")
@pytest.mark.parametrize("declare", [linear, poisson, coin, student_t, ordered_logistic])
def test_missing_responses_are_left_out(declare):
    gone = np.arange(N) % 7 == 3
    model = built(declare, np.ma.masked_array(RESPONSES[declare], gone), slice(None))
    fit = find_MLE(model, progressbar=False)
    assert_same(fit, find_MLE(built(declare, RESPONSES[declare][~gone], ~gone), progressbar=False))
    (term,) = fit.plan.terms
    assert term.rows == (~gone).sum()
    assert {predictor.rows for predictor in term.predictors} <= {1, (~gone).sum()}
    assert fit.plan.record()["missing"] == {"y": gone.sum()}


@pytest.mark.parametrize(
    ("declare", "branch"),
    [(ordered_logistic, GRADES), (multinomial_logit, GRADES), (censored, np.digitize(Y, [-0.5, 1.0]))],
)
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_rows_of_different_branches_are_read_apart(declare, branch, weights):
    model = built(declare, RESPONSES[declare], slice(None))
    likelihood = explain(model, weights=weights).likelihood
    (term,) = likelihood.forms[0].sums
    counted = np.ones(N, bool) if weights is None else weights > 0
    expected = {tuple(np.flatnonzero((branch == b) & counted)) for b in np.unique(branch)}
    assert {tuple(group.rows) for group in term.groups} == expected
    theta = 0.3 * np.random.default_rng(2).normal(size=likelihood.size)
    blocks = [term.density(theta, slice(start, min(start + 10, N), 1), 0) for start in range(0, N, 10)]
    whole = term.density(theta, slice(0, N, 1), 0)
    np.testing.assert_allclose(np.concatenate([block.value for block in blocks]), whole.value, rtol=1e-14)
    assert np.all(whole.value[~counted] == 0)
