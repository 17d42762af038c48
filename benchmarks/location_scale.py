"""Negative-binomial and Gaussian location-scale regression, 1e5 x 10, beside a warm `pm.find_MAP`.

Both are warm: later calls on one model object. Ours: `find_MLE` with standard errors and certificate (nothing evaluated
by an earlier fit is used); beside it, `find_MLE` of a model object that was never fitted, in a
warm process. pm.find_MAP: defaults, no standard errors; its first call is shown beside the later ones. Both get the
same declaration, twice: with the data as constants of the graph and as `pm.Data`. PyTensor's compile cache passes over
graphs with large constants, so with them `pm.find_MAP` compiles again in every call (and with `freeze_model` too); with
`pm.Data` it is really warm, and that row is the hard one.

L-BFGS-B stops early, so its error is shown, over max(|estimate|, standard error). The answers are held to 1e-8 against
`pm.find_MAP` carried on from there, outside the clock, by trust-region Newton steps (`method="trust-exact"`).

    python benchmarks/location_scale.py [--rows 1e5] [--columns 10] [--runs 5]
"""

import argparse
import functools
import itertools
import time
import warnings
from typing import Any

import numpy as np
import pymc as pm
from side_by_side import Answer, Tool, demand_agreement, difference, take_turns, verdict

import ppl_mle

OURS, FRESH, PEER = "ppl_mle", "ppl_mle, new object", "pm.find_MAP"
CONSTANTS, DATA = "constants", "pm.Data"
BAR = 10.0
NAMES = {"negative binomial": ("a", "b", "alpha"), "Gaussian location-scale": ("a", "b", "k", "c")}


def make_data(case: str, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Design without the column of ones, and the outcome."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    location = 0.5 + X @ rng.normal(scale=0.2, size=columns)
    if case == "negative binomial":
        return X, rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(location)))
    return X, location + np.exp(X @ rng.normal(scale=0.1, size=columns) - 0.3) * rng.normal(size=rows)


def build(case: str, held: str, X: Any, y: Any) -> pm.Model:
    """The model as a user writes it."""
    columns = X.shape[1]
    with pm.Model() as model:
        if held == DATA:
            X, y = pm.Data("X", X), pm.Data("outcome", y)
        location = pm.Flat("a") + X @ pm.Flat("b", shape=columns)
        if case == "negative binomial":
            pm.NegativeBinomial("y", mu=pm.math.exp(location), alpha=pm.HalfFlat("alpha"), observed=y)
        else:
            log_sigma = pm.Flat("k") + X @ pm.Flat("c", shape=columns)
            pm.Normal("y", mu=location, sigma=pm.math.exp(log_sigma), observed=y)
    return model


def fit_ours(model: pm.Model) -> Answer:
    """In the order of declaration."""
    fit = ppl_mle.find_MLE(model, progressbar=False)
    assert fit.converged, fit.message
    return Answer(fit.params.to_numpy(), fit.bse.to_numpy())


def fit_peer(case: str, model: pm.Model, **options: Any) -> Answer:
    """In the same order, without standard errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = pm.find_MAP(model=model, jitter=False, progressbar=False, return_inferencedata=True, **options)
    values = [np.ravel(tree["posterior"][name].values) for name in NAMES[case]]
    return Answer(np.concatenate(values))


def carry_on(case: str, model: pm.Model, reached: Answer, columns: int) -> Answer:
    """The maximum to rounding by PyMC itself: Newton steps from what L-BFGS-B reached."""
    sizes = [columns if name in ("b", "c") else 1 for name in NAMES[case]]
    parts = np.split(reached.estimates, np.cumsum(sizes)[:-1])
    start = {
        name: part if name in ("b", "c") else float(part[0]) for name, part in zip(NAMES[case], parts, strict=True)
    }
    return fit_peer(case, model, initvals=start, method="trust-exact", use_hess=True, tol=1e-6)


def measure(case: str, held: str, rows: int, columns: int, runs: int) -> float:
    """Print the row of one declaration; returns the difference of our answer from the peer's maximum."""
    X, y = make_data(case, rows, columns)
    model = build(case, held, X, y)
    begun = time.perf_counter()
    fit_peer(case, model)
    first = time.perf_counter() - begun
    tools = [
        Tool(OURS, lambda _: fit_ours(model)),
        Tool(FRESH, fit_ours, functools.partial(build, case, held, X, y)),
        Tool(PEER, lambda _: fit_peer(case, model)),
    ]
    fit_ours(model)
    results = take_turns(tools, runs)
    ratio = results[PEER].median / results[OURS].median
    error = difference(results[PEER].answer, results[OURS].answer)
    apart = difference(carry_on(case, model, results[PEER].answer, columns), results[OURS].answer)
    cells = [results[OURS].cell(3), results[FRESH].cell(), results[PEER].cell(), f"{first:.1f}", f"{ratio:.1f}"]
    cells += [verdict(ratio >= BAR)]
    cells += [f"{error:.0e}", f"{apart:.0e}"]
    print(f"| {case} {rows:.0e} x {columns}, {held} | " + " | ".join(cells) + " |", flush=True)
    return apart


def main() -> None:
    """Print the table; an error at the end if the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e5)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    cases = list(itertools.product(NAMES, (CONSTANTS, DATA)))
    for case, held in cases:  # everything is imported and warm before the first clock
        fit_ours(build(case, held, *make_data(case, 200, 2)))
    print(
        f"| model | {OURS} warm, s (median, range) | {FRESH}, s | {PEER} warm, s (median, range) "
        f"| its first call, s | ratio | bar {BAR:g} | {PEER}'s error | difference from its maximum (bar 1e-8) |"
    )
    print("|" + "---|" * 9)
    rows, columns, runs = int(asked.rows), asked.columns, asked.runs
    demand_agreement({f"{case}, {held}": measure(case, held, rows, columns, runs) for case, held in cases})


if __name__ == "__main__":
    main()
