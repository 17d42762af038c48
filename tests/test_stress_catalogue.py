"""Hard models that statisticians meet, each with its independently known answer or diagnosis."""

import warnings
from functools import partial

import pytest

from ppl_mle import FitWarning, find_MAP, find_MLE
from tests.reference import quantity
from tests.stress.case import Ending
from tests.stress.catalogue import DEFECTS, all_cases

CASES = all_cases()


def marked(case):
    marks = pytest.mark.xfail(strict=True, reason=case.defect) if case.defect else ()
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [marked(case) for case in CASES if not case.slow])
def test_fit_is_right(case):
    find = find_MLE if case.estimator == "MLE" else find_MAP
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", FitWarning)
        fit = find(case.build(), progressbar=False)
    faults = case.faults(Ending(fit.status.name, fit.message, fit.findings, partial(quantity, fit), fit.lpf))
    assert not faults, faults


def test_catalogue_is_large_and_its_names_differ():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 65
    assert set(DEFECTS) <= set(names)
