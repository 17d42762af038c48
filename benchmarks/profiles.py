"""Profile intervals: the time of all of a 1000 x 10 logistic model, beside R's confint, and their digits.

R's `confint(glm)` is timed where `Rscript` with MASS is installed. The digits are those of `profile95` of the reference
problems, in standard errors of the parameter; the folder of tests/reference.py has to be there.

    python benchmarks/profiles.py [--repeats 5]
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm

import ppl_mle

ROOT = Path(__file__).parents[1]
IN_R = """
d <- read.csv("{path}"); m <- glm(y ~ ., family = binomial, data = d)
suppressMessages(library(MASS))
times <- replicate({repeats}, system.time(suppressMessages(confint(m)))["elapsed"])
b <- suppressMessages(confint(m)); cat(median(times), format(b["x0", ], digits = 15))
"""


def logistic() -> tuple[pm.Model, pd.DataFrame]:
    """A model of 1000 rows and 10 columns, and its data."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1000, 10))
    y = rng.random(1000) < 1 / (1 + np.exp(-(0.3 + x @ np.linspace(-0.5, 0.5, 10))))
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + x @ pm.Flat("b", shape=10), observed=y.astype(int))
    return model, pd.DataFrame(x, columns=[f"x{i}" for i in range(10)]).assign(y=y.astype(int))


def in_r(data: pd.DataFrame, repeats: int) -> str:
    """Median time of R's confint, and its interval of the first coefficient."""
    if shutil.which("Rscript") is None:
        return "not installed"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        program = IN_R.format(path=path, repeats=repeats)
        done = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def time_all(repeats: int) -> None:
    """Print the times."""
    model, data = logistic()
    fit = ppl_mle.find_MLE(model, progressbar=False)
    found = fit.conf_int(method="profile")
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        fit.conf_int(method="profile")
        times.append(time.perf_counter() - begun)
    print(f"11 profile intervals: {statistics.median(times):.3f} s ({min(times):.3f} to {max(times):.3f})")
    print("b[0]:", *(f"{bound:.12f}" for bound in found.loc["b[0]"]))
    print("R's confint, s, and its interval of the same:", in_r(data, repeats))


def count_digits() -> None:
    """Print the largest error of each reference problem's intervals, in standard errors."""
    sys.path.insert(0, str(ROOT))
    from tests.reference import reference_problem
    from tests.reference_models import DECLARATIONS, WEIGHTS, declared

    for name in sorted(DECLARATIONS):
        problem = reference_problem(name)
        wanted = [p for p in problem.facts["parameters"] if p.get("profile95")]
        if not wanted:
            continue
        weights = problem.data[WEIGHTS[name]].to_numpy(float) if name in WEIGHTS else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = ppl_mle.find_MLE(declared(name, problem), weights=weights, progressbar=False)
        own = [[x for x in fit.labels if x == p["name"] or x.endswith(f"[{p['name']}]")] or [p["name"]] for p in wanted]
        begun = time.perf_counter()
        bounds = fit.conf_int(method="profile", of=[labels[0] for labels in own]).to_numpy()
        took = time.perf_counter() - begun
        errors = np.abs(bounds - [p["profile95"] for p in wanted]) / np.array([[p["se"]] for p in wanted])
        print(f"{name:38s} {errors.max():8.1e} {took:7.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    time_all(parser.parse_args().repeats)
    count_digits()


if __name__ == "__main__":
    main()
