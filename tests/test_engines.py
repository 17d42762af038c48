"""Every engine on every model that it says it can do: the answer is the maximum of PyMC's own log-density.

The oracle is `OriginalDensity`: the log-density as PyMC declares it, differentiated by PyTensor, independent of the
predictor form. To hold an engine to this put it in `ENGINES`; to add a model put it in `tests/engine_models.py`.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pymc as pm
import pytest

from ppl_mle import ModelError, explain, find_MLE
from ppl_mle.maximize import ENGINES, Newton
from ppl_mle.plan import Verdict
from tests.engine_models import CATALOGUE, GROUPS
from tests.original_density import OriginalDensity

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")


@cache
def declared(name):
    with pm.Model() as model:
        CATALOGUE[name].declare()
    return model


@cache
def planned(name):
    return explain(declared(name), estimator=CATALOGUE[name].estimator)


@cache
def density(name):
    case = CATALOGUE[name]
    return OriginalDensity(declared(name), None if case.estimator == "MAP" else case.latents)


@cache
def fitted_by(name, engine):
    return CATALOGUE[name].find(declared(name), engine=engine, progressbar=False)


def suited(name):
    return [engine for engine, verdict in zip(ENGINES, planned(name).verdicts, strict=True) if verdict.suits]


@pytest.mark.parametrize("name", CATALOGUE)
def test_engine_is_the_expected_one(name):
    assert planned(name).engine == CATALOGUE[name].engine
    assert planned(name).record()["engine"] == CATALOGUE[name].engine
    assert f"engine {CATALOGUE[name].engine}: runs" in str(planned(name))


KERNELS = {
    "linear": "normal",
    "known_sds": "normal known",
    "location_scale": "normal",
    "logistic": "bernoulli logit",
    "probit": "bernoulli probit",
    "cloglog": "bernoulli cloglog",
    "binomial": "binomial logit",
    "poisson_with_offset": "poisson log",
    "negative_binomial": "negative binomial",
    "gamma": "gamma",
    "weibull": "weibull",
    "waits": "exponential",
    "multivariate": "general",
    "mixture": "rows of the graph",
}


@pytest.mark.parametrize("name", KERNELS)
def test_closed_form_is_found(name):
    assert [term.form for term in planned(name).terms] == [KERNELS[name]]


def test_every_engine_has_models():
    for engine in ENGINES:
        assert sum(engine in suited(name) for name in CATALOGUE) >= 2, engine


@pytest.mark.parametrize("name", CATALOGUE)
def test_answer_is_a_maximum_of_the_declared_density(name):
    for engine in suited(name):
        fit = fitted_by(name, engine)
        assert fit.plan.engine == engine.name
        assert fit.status.name == "CONVERGED", engine
        value, gradient = density(name)(fit.maximum.theta)
        covariance = np.linalg.inv(-density(name).hessian(fit.maximum.theta))
        np.linalg.cholesky(covariance)
        errors = np.sqrt(np.diag(covariance))
        assert fit.lpf == pytest.approx(value, rel=1e-8), engine  # PyMC keeps some constants in single precision
        assert 0.5 * gradient @ covariance @ gradient < 1e-8, engine
        assert np.max(np.abs(fit.maximum.covariance - covariance) / np.outer(errors, errors)) < 1e-6, engine


@pytest.mark.parametrize("name", CATALOGUE)
def test_engines_agree(name):
    reference = fitted_by(name, Newton())
    errors = np.sqrt(np.diag(reference.maximum.covariance))
    for engine in suited(name):
        fit = fitted_by(name, engine)
        assert fit.lpf == pytest.approx(reference.lpf, rel=1e-10), engine
        assert np.max(np.abs(fit.maximum.theta - reference.maximum.theta) / errors) < 1e-8, engine


REQUESTS = (
    ("linear", {"fixed": {"sigma": 0.7}}),
    ("linear", {"fixed": {"a": 0.2, "b[1]": 0.0}}),
    ("known_sds", {"fixed": {"b[0]": 0.5}, "weights": GROUPS}),
    ("michaelis_menten", {"fixed": {"half": 1.0}}),
    ("growth", {"fixed": {"sigma": 0.2}, "weights": 1 + GROUPS}),
    ("waits", {"weights": GROUPS}),
    ("negative_binomial", {"fixed": {"alpha": 3.0}, "weights": GROUPS}),
)


@pytest.mark.parametrize(("name", "options"), REQUESTS)
def test_engines_agree_on_what_is_fixed_and_weighted(name, options):
    reference = find_MLE(declared(name), engine=Newton(), progressbar=False, **options)
    assert reference.status.name == "CONVERGED"
    for engine in suited(name):
        fit = find_MLE(declared(name), engine=engine, progressbar=False, **options)
        assert fit.lpf == pytest.approx(reference.lpf, rel=1e-10), engine
        np.testing.assert_allclose(fit.params, reference.params, rtol=1e-8, atol=1e-10, err_msg=engine.name)
        np.testing.assert_allclose(fit.bse, reference.bse, rtol=1e-7, err_msg=engine.name)


@dataclass(frozen=True)
class Own:
    """An engine that a user writes: it decides for itself, and searches as Newton does."""

    most: int = 10
    seen: list = field(default_factory=list)
    name: str = "own"

    def judge(self, likelihood, dimensions):
        return Verdict(self.name, dimensions <= self.most, f"{dimensions} against {self.most}")

    def search(self, problem, x, tick):
        self.seen.append(problem.size)
        return Newton().search(problem, x, tick)


def test_engine_of_the_user():
    own = Own()
    fit = find_MLE(declared("logistic"), engine=own, progressbar=False)
    assert (fit.plan.engine, own.seen) == ("own", [3])
    np.testing.assert_array_equal(fit.params, fitted_by("logistic", Newton()).params)
    with pytest.raises(ModelError, match="own: 3 against 2"):
        find_MLE(declared("logistic"), engine=Own(most=2), progressbar=False)
