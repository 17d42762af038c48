"""Correct digits on the reference models and modes, beside other programs'. Prints Markdown tables.

python benchmarks/reference_digits.py [WORD ...]

With words, only the problems whose name holds one of them. The declarations are those of the tests, the certified
values and what the peers reach are read from `../shared/data` (or the folder that PPL_MLE_REFERENCE names). Digits are
-log10 of the relative error of the worst parameter, at most 15; the bar on estimates is in standard errors.
"""

import json
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm

import ppl_mle

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import reference_models as models
from tests import test_fit_reference_modes as modes
from tests.reference import quantity, reference_folder, reference_problem

MOST = 15.0
BARS = {"models": (7.0, 8.0, 9.0), "map": (8.0, math.nan, math.nan)}


@dataclass(frozen=True)
class Row:
    """How right one fit is.

    Parameters
    ----------
    name, status : str
    estimates, errors, value : float
        Digits of the worst estimate, the worst standard error and the log-likelihood (of a mode: the log-density).
    distance : float
        Digits of the worst estimate in units of its standard error.
    seconds : float
    """

    name: str
    status: str
    estimates: float
    distance: float
    errors: float
    value: float
    seconds: float

    @property
    def misses(self) -> bool:
        """Whether a bar is missed: estimates in standard errors for models, relative for modes."""
        kind = self.name.split("/")[0]
        reached = (self.distance if kind != "map" else self.estimates, self.errors, self.value)
        return any(found < bar for found, bar in zip(reached, BARS.get(kind, BARS["models"]), strict=True))


def digits(error: float) -> float:
    """-log10 of an error, at most 15."""
    return MOST if error <= 0 else min(MOST, -math.log10(error)) if math.isfinite(error) else math.nan


def compare(name: str, fit: Any, certified: pd.DataFrame, values: tuple[float, float], seconds: float) -> Row:
    """Measure a fit against certified estimates and standard errors (columns of `certified`, by name)."""
    found = np.array([quantity(fit, label) for label in certified.index])
    estimate, se = (certified[column].to_numpy() for column in ("estimate", "se"))
    off = np.abs(found[:, 0] - estimate)
    return Row(
        name,
        fit.status.name,
        digits(float(np.max(off / np.abs(estimate)))),
        digits(float(np.max(off / se))),
        digits(float(np.max(np.abs(found[:, 1] / se - 1)))),
        digits(abs(values[0] / values[1] - 1)),
        seconds,
    )


def timed(fit: Callable[[], Any]) -> tuple[Any, float]:
    """A fit and its time, the reading of the model included."""
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fit()
    return found, time.perf_counter() - begun


def model_row(name: str) -> Row:
    """Fit one of the likelihood models."""
    problem = reference_problem(name)
    weights = problem.data[models.WEIGHTS[name]].to_numpy(float) if name in models.WEIGHTS else None
    model = models.declared(name, problem)
    fit, seconds = timed(lambda: ppl_mle.find_MLE(model, weights=weights, progressbar=False))
    certified = pd.DataFrame({"estimate": problem.estimates, "se": problem.se})
    return compare(name, fit, certified, (fit.llf, problem.facts["loglik"]), seconds)


def mode_row(name: str) -> Row:
    """Find one of the posterior modes."""
    problem, (declare, halves) = reference_problem(name), modes.PRIORS[name]
    with pm.Model() as model:
        declare(problem)
    mode = problem.facts["modes"]["natural"]
    fit, seconds = timed(lambda: ppl_mle.find_MAP(model, progressbar=False))
    certified = pd.DataFrame(mode["parameters"]).set_index("name").rename(index={"beta1/(1-alpha1)": modes.SHARE})
    return compare(name, fit, certified, (fit.lpf, mode["logpost"] + halves * math.log(2)), seconds)


def shown(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.1f}"


def peers(name: str) -> str:
    """What the peers reach: estimates / standard errors / log-likelihood."""
    path = reference_folder() / "peers" / "models_digits.json"
    rows = [row for row in json.loads(path.read_text(encoding="utf-8")) if row["id"] == name.split("/")[-1]]
    kinds = ("digits_estimates", "digits_se", "digits_loglik")
    return "; ".join(f"{label(row)} {' / '.join(shown(row[kind]) or '-' for kind in kinds)}" for row in rows)


def label(row: dict[str, Any]) -> str:
    """A program in a word or two: `R glm`, `R zeroinfl`, `statsmodels Logit`."""
    if row["program"].startswith("R "):
        word = row["program"].split("::")[-1] if "::" in row["program"] else row["program"].split(", ")[1]
        return "R " + word.strip().split(" ")[0].rstrip(";")
    call = row["call"].split("(")
    return "statsmodels " + call[0].split(".")[-1]


def table(title: str, rows: Iterable[Row], with_peers: bool) -> str:
    """A Markdown table; a row that misses a bar is marked."""
    head = ["problem", "status", "estimates", "in SE", "SE", "log-density", "s"]
    head += ["peers: estimates / SE / log-likelihood"] if with_peers else []
    lines = [f"## {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        figures = [shown(value) for value in (row.estimates, row.distance, row.errors, row.value)]
        cells = [row.name + (" (MISSES A BAR)" if row.misses else ""), row.status, *figures, f"{row.seconds:.2f}"]
        lines.append("| " + " | ".join([*cells, *([peers(row.name)] if with_peers else [])]) + " |")
    return "\n".join(lines)


def main(words: list[str]) -> None:
    """Print the tables."""

    def chosen(names: Iterable[str]) -> list[str]:
        return [name for name in sorted(names) if not words or any(word in name for word in words)]

    likelihoods = [model_row(name) for name in chosen(models.DECLARATIONS)]
    print(table("Likelihood models", likelihoods, True), "\n")
    posteriors = [mode_row(name) for name in chosen(modes.PRIORS)]
    print(table("Posterior modes, natural scale", posteriors, False), "\n")
    missed = [row.name for row in [*likelihoods, *posteriors] if row.misses or row.status != "CONVERGED"]
    print(f"{len(likelihoods) + len(posteriors)} problems; bars missed: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
