"""Fits in a warm process: the same logistic 1000 x 10 model object again, and a new model object of the same shape.

The same object: `find_MLE` after a first one, beside statsmodels' `Logit(y, X).fit(disp=0)` and its `bse`, the design
with its column of ones built outside the clock. A new object, as in a simulation study: new data, the model built
outside the clock, then `find_MLE`; statsmodels on the same data. All with standard errors, ours with its certificate.

    python benchmarks/repeat_fit.py [--rows 1000] [--columns 10] [--runs 50]
"""

import argparse
import itertools
from dataclasses import dataclass

import numpy as np
import pymc as pm
import statsmodels.api as sm
from side_by_side import Answer, Timed, Tool, demand_agreement, take_turns, verdict, worst_difference

import ppl_mle

OURS, PEER = "ppl_mle", "statsmodels Logit"
REPEAT_BAR, NEW_BAR = 1.0, 0.1


@dataclass(frozen=True)
class Problem:
    """A model object and the same data for statsmodels."""

    model: pm.Model
    A: np.ndarray
    y: np.ndarray


def make_problem(rows: int, columns: int, seed: int) -> Problem:
    """New data and a new model object."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns))
    y = rng.binomial(1, 1 / (1 + np.exp(-X @ np.full(columns, 0.3))))
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b", shape=columns)
        pm.Bernoulli("y", logit_p=a + X @ b, observed=y)
    return Problem(model, sm.add_constant(X), y)


def fit_ours(problem: Problem) -> Answer:
    """Intercept first, as in statsmodels."""
    fit = ppl_mle.find_MLE(problem.model, progressbar=False)
    assert fit.converged, fit.message
    return Answer(fit.params.to_numpy(), fit.bse.to_numpy())


def fit_peer(problem: Problem) -> Answer:
    """Newton's method, default tolerance."""
    fit = sm.Logit(problem.y, problem.A).fit(disp=0)
    return Answer(np.asarray(fit.params), np.asarray(fit.bse))


def same_object(rows: int, columns: int, runs: int) -> dict[str, Timed]:
    """Both tools on one problem, again and again, after a first fit."""
    problem = make_problem(rows, columns, 0)
    fit_ours(problem), fit_peer(problem)
    return take_turns([Tool(OURS, fit_ours, lambda: problem), Tool(PEER, fit_peer, lambda: problem)], runs)


def new_objects(rows: int, columns: int, runs: int) -> dict[str, Timed]:
    """A new problem for every run; each tool meets the same ones in the same order."""
    ours, theirs = itertools.count(1), itertools.count(1)
    tools = [
        Tool(OURS, fit_ours, lambda: make_problem(rows, columns, next(ours))),
        Tool(PEER, fit_peer, lambda: make_problem(rows, columns, next(theirs))),
    ]
    return take_turns(tools, runs)


def main() -> None:
    """Print the table; an error at the end if the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--runs", type=int, default=50)
    asked = parser.parse_args()
    rows = int(asked.rows)
    results = {
        "the same model object": same_object(rows, asked.columns, asked.runs),
        "a new model object": new_objects(rows, asked.columns, asked.runs),
    }
    worst = {case: worst_difference(timed, OURS) for case, timed in results.items()}
    print(
        f"| logistic {rows} x {asked.columns} | {OURS}, s (median, range) | {PEER}, s (median, range) | ratio | bar "
        "| worst difference (bar 1e-8) |\n|---|---|---|---|---|---|"
    )
    for (case, timed), bar in zip(results.items(), ("ratio", "seconds"), strict=True):
        ratio = timed[OURS].median / timed[PEER].median
        said = (
            f"ratio {REPEAT_BAR:g}: {verdict(ratio <= REPEAT_BAR)}"
            if bar == "ratio"
            else f"{NEW_BAR:g} s: {verdict(timed[OURS].median <= NEW_BAR)}"
        )
        cells = [timed[OURS].cell(4), timed[PEER].cell(4), f"{ratio:.2f}", said, f"{worst[case]:.0e}"]
        print(f"| {case} | " + " | ".join(cells) + " |")
    demand_agreement(worst)


if __name__ == "__main__":
    main()
