"""Hundreds of dimensions: by the row Hessian and by gradients, the answer is the closed form."""

import numpy as np
import pymc as pm
import pytest

from ppl_mle import explain, find_MAP
from ppl_mle.maximize import QuasiNewton


@pytest.mark.slow
def test_many_group_means_are_shrunk_as_in_closed_form():
    rng = np.random.default_rng(0)
    groups = np.arange(2400) % 600
    y = rng.normal(size=600)[groups] + rng.normal(size=2400)
    with pm.Model() as model:
        u = pm.Normal("u", 0, 1, shape=600)
        pm.Normal("y", u[groups], 1, observed=y)
    assert explain(model, estimator="MAP").engine == "predictor Newton"
    sums = np.bincount(groups, y)
    for fit in (find_MAP(model), find_MAP(model, engine=QuasiNewton())):
        check(fit, sums)


def check(fit, sums):
    assert fit.status.name == "CONVERGED"
    np.testing.assert_allclose(fit.params, sums / 5, rtol=1e-9)  # precision 4 of the data, 1 of the prior
    np.testing.assert_allclose(fit.bse, np.sqrt(1 / 5), rtol=1e-9)
