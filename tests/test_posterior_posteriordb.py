"""Draws against the reference draws of posteriordb: means within Monte Carlo error, sds within 5 %."""

import pytest

import ppl_mle
from tests.posteriordb_models import POSTERIORS, compare_moments

QUICK = ("kidiq-kidscore_interaction", "mesquite-logmesquite", "nes1972-nes", "sblri-blr", "arK-arK")
BY_NUTS = ("kidiq-kidscore_momhs", "mesquite-mesquite")
BY_NAME = {case.name: case for case in POSTERIORS}


def judge(tree, case):
    (z, mean), (ratio, sd) = compare_moments(tree, case.reference)
    assert z < 4, f"the mean of {mean} is {z:.1f} Monte Carlo errors from the reference"
    assert abs(ratio - 1) < 0.05, f"the sd of {sd} is {ratio:.3f} times the reference"


@pytest.mark.parametrize("name", QUICK)
def test_weighted_draws_stand_for_the_posterior(name):
    case = BY_NAME[name]
    tree = ppl_mle.sample(case.build(), random_seed=1, progressbar=False)
    assert tree["posterior"].attrs["method"] == "psis"
    assert tree["posterior"].attrs["k_hat"] < 0.5
    judge(tree, case)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NUTS)
def test_nuts_agrees(name):
    case = BY_NAME[name]
    judge(ppl_mle.sample(case.build(), method="nuts", draws=2000, random_seed=1, progressbar=False), case)
