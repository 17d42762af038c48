"""All cases, in the order of the groups, and what ppl_mle fails of them today."""

from dataclasses import replace
from importlib import import_module

from tests.stress.case import Case

GROUPS = (
    "scales",
    "regression",
    "binary",
    "counts",
    "survival",
    "boundaries",
    "unbounded",
    "ridges",
    "escapes",
    "basins",
    "plateaus",
    "series",
    "maps",
)
LIMIT = "parameters that run away along a curve are not followed"
DEFECTS = {
    "triangular_peak": "a likelihood that is convex between kinks is called unbounded",
    "stationary_by_potential": "a support declared by a Potential is not followed to its edge",
    "truncated_normal_of_steep_data": LIMIT,
    "skew_normal_of_steep_data": LIMIT,
    "zinb_of_neither": LIMIT,
    "seven_of_two_billion": "PyMC's binomial coefficient rounds to 5e-6, and that counts as a disagreement",
}


def all_cases() -> tuple[Case, ...]:
    """Return the cases of every group, each with its defect."""
    cases = [case for group in GROUPS for case in import_module(f"tests.stress.{group}").CASES]
    return tuple(replace(case, defect=DEFECTS.get(case.name, "")) for case in cases)
