"""What the proof of separation costs, beside the rest of the fit that asks for it.

Quasi-separated logistic data: a rare indicator whose rows are all ones. The linear program runs only where a fit does
not end in a certified maximum; the time of a fit of the same size whose data overlap is shown beside it. Warm fits,
medians.

    python benchmarks/separation.py [--runs 5]
"""

import argparse
import statistics
import time
import warnings
from unittest.mock import patch

import numpy as np
import pymc as pm
from side_by_side import verdict

import ppl_mle
from ppl_mle.maximize import recession
from ppl_mle.maximize import verdict as judging

SIZES = ((100, 3), (1000, 5), (30_000, 10), (300_000, 10))


def declare(rows: int, columns: int, separated: bool) -> pm.Model:
    """The last column is the indicator."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    y = rng.binomial(1, 1 / (1 + np.exp(-X[:, 0])))
    rare = rng.random(rows) < 0.1
    if separated:
        y[rare] = 1
    design = np.column_stack([X, rare])
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + design @ pm.Flat("b", shape=columns + 1), observed=y)
    return model


def timed(model: pm.Model, status: str, runs: int) -> tuple[float, float]:
    """Median seconds of the fit, and of the proof inside it."""
    proofs, totals = [], []
    prove = recession.prove_recession

    def clocked(*given: object) -> object:
        begun = time.perf_counter()
        found = prove(*given)
        proofs[-1] += time.perf_counter() - begun
        return found

    with patch.object(judging, "prove_recession", clocked), warnings.catch_warnings():
        warnings.simplefilter("ignore", ppl_mle.FitWarning)
        for _ in range(runs + 1):
            proofs.append(0.0)
            begun = time.perf_counter()
            fit = ppl_mle.find_MLE(model, progressbar=False)
            totals.append(time.perf_counter() - begun)
            assert fit.status.name == status, fit.message
    return statistics.median(totals[1:]), statistics.median(proofs[1:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    print("| logistic | separated, s | of which the proof | proof / the rest | bar 1 | data that overlap, s |")
    print("|" + "---|" * 6)
    for rows, columns in SIZES:
        whole, proof = timed(declare(rows, columns, True), "INFINITE", asked.runs)
        fine, _ = timed(declare(rows, columns, False), "CONVERGED", asked.runs)
        ratio = proof / (whole - proof)
        cells = [f"{whole:.3f}", f"{proof:.3f}", f"{ratio:.2f}", verdict(ratio <= 1), f"{fine:.3f}"]
        print(f"| {rows} x {columns + 1} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
