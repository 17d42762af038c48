"""Logistic regression with 20 dense columns and two factors of 1,000 and 50 levels, 1e6 rows, beside glum.

The first level of each factor is dropped: `u[g] + v[h]` with a leading zero in PyMC, `drop_first=True` in glum. All
clocks include standard errors of all 1,070 coefficients; "of which fit" is glum without them. Ours: `find_MLE` of a
model object that was never fitted (built outside the clock, process warm). glum twice: from a pandas DataFrame with
categorical columns, and from a tabmat SplitMatrix (dense block in Fortran order, two categorical blocks) that was built
outside the clock; the bar is held against the faster. `gradient_tol=1e-9` as in `large_glm.py`.

    python benchmarks/large_factors.py [--rows 1e6] [--columns 20] [--levels 1000 50] [--runs 3]
"""

import argparse
import functools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import tabmat
from glum import GeneralizedLinearRegressor
from side_by_side import Answer, Timed, Tool, demand_agreement, take_turns, verdict, worst_difference

import ppl_mle

OURS, FRAME, SPLIT = "ppl_mle", "glum, DataFrame", "glum, SplitMatrix"
BAR = 1.0


@dataclass(frozen=True)
class Data:
    """Dense columns, codes of the two factors with their numbers of levels, and the outcome."""

    X: np.ndarray
    g: np.ndarray
    h: np.ndarray
    levels: tuple[int, int]
    y: np.ndarray


def make_data(rows: int, columns: int, levels: tuple[int, int]) -> Data:
    """Every level occurs about equally often."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    g, h = (rng.permutation(np.arange(rows) % count) for count in levels)
    u, v = (rng.normal(scale=0.5, size=count) for count in levels)
    eta = X @ rng.normal(scale=0.2, size=columns) + u[g] + v[h]
    return Data(X, g, h, levels, rng.binomial(1, 1 / (1 + np.exp(-eta))))


def build(data: Data) -> pm.Model:
    """The model as a user writes it."""
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b", shape=data.X.shape[1])
        u, v = (pm.Flat(name, shape=count - 1) for name, count in zip("uv", data.levels, strict=True))
        u, v = (pt.concatenate([[0.0], free]) for free in (u, v))
        pm.Bernoulli("y", logit_p=a + data.X @ b + u[data.g] + v[data.h], observed=data.y)
    return model


def fit_ours(model: pm.Model) -> Answer:
    """In the order of declaration: a, b, u, v."""
    fit = ppl_mle.find_MLE(model, progressbar=False)
    assert fit.converged, fit.message
    return Answer(fit.params.to_numpy(), fit.bse.to_numpy())


def fit_glum(table: Any, y: np.ndarray) -> Answer:
    """glum multiplies its covariance by n / (n - features - 1), a factor counting as its columns; divided out."""
    begun = time.perf_counter()
    regressor = GeneralizedLinearRegressor(
        family="binomial", alpha=0, fit_intercept=True, gradient_tol=1e-9, drop_first=True
    )
    regressor.fit(table, y)
    fitted = time.perf_counter() - begun
    errors = regressor.std_errors(table, y, robust=False, dispersion=1.0)
    factor = np.sqrt((len(y) - regressor.n_features_in_ - 1) / len(y))
    return Answer(np.append(regressor.intercept_, regressor.coef_), errors * factor, fitted)


def tables(data: Data) -> tuple[pd.DataFrame, tabmat.SplitMatrix]:
    """What glum is given, both ways."""
    factors = [
        pd.Categorical.from_codes(codes, pd.Index(range(n)))
        for codes, n in zip((data.g, data.h), data.levels, strict=True)
    ]
    names = [f"x{j}" for j in range(data.X.shape[1])]
    frame = pd.DataFrame(data.X, columns=names).assign(g=factors[0], h=factors[1])
    blocks = [tabmat.DenseMatrix(np.asfortranarray(data.X))]
    blocks += [tabmat.CategoricalMatrix(factor, drop_first=True) for factor in factors]
    return frame, tabmat.SplitMatrix(blocks)


def run_all(data: Data, runs: int) -> dict[str, Timed]:
    """Let the three take turns."""
    frame, split = tables(data)
    y = data.y.astype(float)
    tools = [
        Tool(OURS, fit_ours, functools.partial(build, data)),
        Tool(FRAME, lambda _: fit_glum(frame, y)),
        Tool(SPLIT, lambda _: fit_glum(split, y)),
    ]
    return take_turns(tools, runs)


def print_table(results: dict[str, Timed], case: str) -> float:
    """Print one row for each way to run glum; returns the worst difference of the answers."""
    worst = worst_difference(results, OURS)
    fastest = min((FRAME, SPLIT), key=lambda name: results[name].median)
    print(f"| {case} | {OURS}, s (median, range) | s (median, range) | of which fit | ratio | bar {BAR:g} |")
    print("|---|---|---|---|---|---|")
    for name in (FRAME, SPLIT):
        ratio = results[OURS].median / results[name].median
        bar = verdict(ratio <= BAR) if name == fastest else ""
        cells = [results[OURS].cell(), results[name].cell(), results[name].fit_cell(), f"{ratio:.2f}", bar]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print(f"\nWorst difference of the answers: {worst:.0e} (bar 1e-8)", flush=True)
    return worst


def main() -> None:
    """Print the table; an error at the end if the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--levels", type=int, nargs=2, default=[1000, 50])
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    run_all(make_data(2000, 2, (4, 3)), 1)  # everything is imported and warm before the first clock
    data = make_data(int(asked.rows), asked.columns, (asked.levels[0], asked.levels[1]))
    case = f"{asked.rows:.0e} x {asked.columns} + factors of {asked.levels[0]} and {asked.levels[1]} levels"
    demand_agreement({case: print_table(run_all(data, asked.runs), case)})


if __name__ == "__main__":
    main()
