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
DEFECTS: dict[str, str] = {}


def all_cases() -> tuple[Case, ...]:
    """Return the cases of every group, each with its defect."""
    cases = [case for group in GROUPS for case in import_module(f"tests.stress.{group}").CASES]
    return tuple(replace(case, defect=DEFECTS.get(case.name, "")) for case in cases)
