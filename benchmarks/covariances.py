"""HC1 and clustered covariances of a large logistic regression, beside one Newton iteration and statsmodels.

python benchmarks/covariances.py [--rows 1000000] [--columns 20] [--groups 10000] [--repeats 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import pymc as pm

import ppl_mle


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of a call, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rows", 1_000_000), ("columns", 20), ("groups", 10_000), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    x = rng.normal(size=(asked.rows, asked.columns))
    eta = 0.3 + x @ np.linspace(-0.5, 0.5, asked.columns)
    y = rng.random(asked.rows) < 1 / (1 + np.exp(-eta))
    firm = rng.integers(0, asked.groups, asked.rows)
    with pm.Model() as model:
        pm.Bernoulli("y", logit_p=pm.Flat("a") + x @ pm.Flat("b", shape=asked.columns), observed=y.astype(int))
    fit = ppl_mle.find_MLE(model, progressbar=False)
    objective, theta = fit.maximum.plan.likelihood.objective, fit.maximum.theta

    def newton() -> object:
        objective.forget()
        return np.linalg.solve(objective.second_order(theta)[2], objective.second_order(theta)[1])

    print(f"{asked.rows} rows, {asked.columns} columns, {asked.groups} groups; medians of {asked.repeats}")
    iteration = seconds(newton, asked.repeats)
    print(f"{'one Newton iteration':32s} {iteration:.3f} s")
    cases: dict[str, Callable[[], object]] = {
        "HC1": lambda: fit.with_covariance("HC1"),
        "cluster": lambda: fit.with_covariance("cluster", groups=firm),
    }
    for name, work in cases.items():
        took = seconds(work, asked.repeats)
        print(f"{name:32s} {took:.3f} s, {took / iteration:.2f} Newton iterations")


if __name__ == "__main__":
    main()
