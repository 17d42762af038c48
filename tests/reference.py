"""The reference problems: certified answers kept beside the project, read where they are, never copied in."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

_BESIDE = Path(__file__).parents[1] / ".." / "shared" / "data"


def reference_folder():
    """The folder that PPL_MLE_REFERENCE names, else ../shared/data; skips the test where it is absent."""
    folder = Path(os.environ.get("PPL_MLE_REFERENCE") or _BESIDE)
    if not (folder / "catalogue.json").is_file():
        pytest.skip("the reference problems are absent: no ../shared/data, and PPL_MLE_REFERENCE names no such folder")
    return folder


@dataclass(frozen=True)
class Problem:
    """One reference problem.

    Parameters
    ----------
    path : Path
        Its JSON file.
    facts : dict
        What the file says.
    """

    path: Path
    facts: dict

    @cached_property
    def data(self):
        """Its raw data."""
        return pd.read_csv(self.path.parent / self.facts["data"])

    @cached_property
    def design(self):
        """Its numeric design matrix; the columns are the coefficients' names."""
        return pd.read_csv(self.path.parent / self.facts["design"])

    @cached_property
    def estimates(self):
        """Certified estimates by name."""
        return pd.Series({p["name"]: p["estimate"] for p in self.facts["parameters"]})

    @cached_property
    def se(self):
        """Certified standard errors by name."""
        return pd.Series({p["name"]: p["se"] for p in self.facts["parameters"]})

    @property
    def fair(self):
        """Relative error that double precision excuses: 10^-(15 - log10(condition number) - 1)."""
        design = self.facts.get("condition_number_design")
        information = self.facts.get("certificate", {}).get("condition_number_scaled_information")
        return 1e-14 * float(design or information or 1.0)


def reference_problem(name):
    """Read one problem by its path in the folder without the suffix, e.g. `models/beetles_logit`."""
    path = reference_folder() / f"{name}.json"
    return Problem(path, json.loads(path.read_text(encoding="utf-8")))


def nist_table(name):
    """Columns y, x1, x2... of a NIST StRD file; its header says on which lines the data are."""
    lines = (reference_folder() / "nist" / name).read_text(encoding="latin-1").splitlines()
    header = next(line for line in lines if line.strip().startswith("Data") and "(lines" in line)
    first, last = (int(word) for word in header.split("(lines")[1].replace(")", " ").split() if word.isdigit())
    return np.array([[float(word) for word in line.split()] for line in lines[first - 1 : last] if line.split()])


def quantity(fit, name):
    """Estimate and standard error of what a reference calls `name`: a label, an element of one, a Deterministic."""
    wanted = [label for label in fit.labels if label == name or label.endswith(f"[{name}]")]
    if wanted:
        return float(fit.params[wanted[0]]), float(fit.bse[wanted[0]])
    derived = fit.deterministic(name)
    return float(derived.params.iloc[0]), float(derived.bse.iloc[0])
