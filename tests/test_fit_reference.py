"""Fits of the reference problems against certified estimates, standard errors, log-likelihoods, profile intervals."""

import numpy as np
import pandas as pd
import pytest

from ppl_mle import find_MLE
from tests.reference import quantity, reference_problem
from tests.reference_models import DECLARATIONS, SLOW, WEIGHTS, declared

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")


def marks_of(name):
    return [pytest.mark.slow] if name in SLOW else []


@pytest.fixture(scope="module", params=[pytest.param(name, marks=marks_of(name)) for name in sorted(DECLARATIONS)])
def solved(request):
    problem = reference_problem(request.param)
    weights = problem.data[WEIGHTS[request.param]].to_numpy(float) if request.param in WEIGHTS else None
    return problem, find_MLE(declared(request.param, problem), weights=weights, progressbar=False)


def test_fit_is_certified(solved):
    """Estimates to 1e-7 standard errors, standard errors to 8 digits, log-likelihood to 9."""
    problem, fit = solved
    assert fit.status.name == "CONVERGED"
    estimates, ses = problem.estimates, problem.se
    found = pd.DataFrame([quantity(fit, name) for name in estimates.index], estimates.index, ["estimate", "se"])
    distance, error = (found["estimate"] - estimates) / ses, found["se"] / ses - 1
    assert distance.abs().max() < 1e-7, distance
    assert error.abs().max() < 1e-8, error
    assert fit.llf == pytest.approx(problem.facts["loglik"], rel=1e-9)
    assert fit.df_model == len(problem.estimates)


def test_profile_intervals(solved):
    """To 1e-7 standard errors."""
    problem, fit = solved
    wanted = [p for p in problem.facts["parameters"] if p.get("profile95")]
    if not wanted:
        pytest.skip("this problem has no profile intervals")
    labels = [next((x for x in fit.labels if x.endswith(f"[{p['name']}]")), p["name"]) for p in wanted]
    bounds = fit.conf_int(method="profile", of=labels).to_numpy()
    errors = np.abs(bounds - [p["profile95"] for p in wanted]) / np.array([[p["se"]] for p in wanted])
    assert errors.max() < 1e-7, dict(zip(labels, errors, strict=True))
