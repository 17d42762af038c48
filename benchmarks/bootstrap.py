"""1,000 nonparametric bootstrap refits of a logistic regression after the first fit, beside statsmodels' loop.

The same rows are drawn for both: statsmodels fits `Logit(y[drawn], X[drawn])` from the estimate, as a user would write
it, and its first replicates are compared with ours, in standard errors.

    python benchmarks/bootstrap.py [--rows 1000] [--columns 10] [--replicates 1000] [--runs 5]
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import pymc as pm
import statsmodels.api as sm

import ppl_mle
from ppl_mle.inference.resampling.reweighted import drawn
from ppl_mle.inference.resampling.units import find_pools
from ppl_mle.read import one_thread_each

BAR, SAME = 1.0, 1e-6


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds and result."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def their_loop(A: np.ndarray, y: np.ndarray, weights: np.ndarray, start: np.ndarray) -> np.ndarray:
    """statsmodels, one replicate after the other; linear algebra on one thread, which is faster for it."""
    found = []
    with one_thread_each(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for own in weights:
            rows = np.repeat(np.arange(len(y)), own.astype(int))
            found.append(sm.Logit(y[rows], A[rows]).fit(start_params=start, disp=0).params)
    return np.array(found)


def main() -> None:
    """Print the table; an error at the end if the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    X = rng.normal(size=(asked.rows, asked.columns))
    y = rng.binomial(1, 1 / (1 + np.exp(-X @ np.full(asked.columns, 0.3))))
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b", shape=asked.columns)
        pm.Bernoulli("y", logit_p=a + X @ b, observed=y)
    fit = ppl_mle.find_MLE(model, progressbar=False)
    A, estimate = sm.add_constant(X), fit.params.to_numpy()
    members = np.arange(asked.replicates)
    weights = drawn(fit.maximum, find_pools(fit.maximum), asked.replicates, 0).weights(members)[0]
    ours, theirs = [], []
    for _ in range(asked.runs):
        ours.append(timed(lambda: fit.bootstrap(asked.replicates, progressbar=False)))
        theirs.append(timed(lambda: their_loop(A, y, weights, estimate)))
    found, params = ours[0][1], theirs[0][1]
    worst = float(np.max(np.abs(found.params.to_numpy() - params) / fit.bse.to_numpy()))
    mine, peer = (np.sort([seconds for seconds, _ in side]) for side in (ours, theirs))
    middle = len(mine) // 2
    verdict = "reached" if mine[middle] <= BAR else "NOT REACHED"
    print(
        f"| refits, logistic {asked.rows} x {asked.columns} | ppl_mle, s (median, range) | statsmodels' loop, s | "
        f"ratio | bar {BAR:g} s | worst difference, SE |\n|---|---|---|---|---|---|\n"
        f"| {asked.replicates} | {mine[middle]:.3f} ({mine[0]:.3f} to {mine[-1]:.3f}) | {peer[middle]:.2f} "
        f"({peer[0]:.2f} to {peer[-1]:.2f}) | {mine[middle] / peer[middle]:.3f} | {verdict} | {worst:.0e} |\n\n{found}"
    )
    if worst > SAME:
        raise SystemExit(f"the answers differ by {worst:.2g} standard errors")


if __name__ == "__main__":
    main()
