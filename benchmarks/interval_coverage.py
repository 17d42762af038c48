"""Coverage of 95 % intervals over simulated data sets: Wald and profile, and the bootstrap of the logistic model.

Logistic (n = 60), Poisson (n = 40), Weibull censored at 1.5 (n = 60), and 20 groups of 4 whose standard deviation of
0.35 is near its boundary. Every data set is drawn by PyMC at the values below and fitted; those without a finite
maximum are counted apart. A data set at a boundary has no Wald interval of that element. Beside each share stands that
of R 4.2 over 10,000 data sets of the same design (glm, survreg and likelihood-ratio tests of the true value, which is
what an interval's covering means; an infinite bound covers), and how many Monte-Carlo standard errors apart they are.

    python benchmarks/interval_coverage.py [--replicates 2000] [--bootstraps 200] [--draws 399]
"""

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pymc as pm
from scipy.special import ndtri

import ppl_mle
from ppl_mle.inference.resampling.drawn_data import draw_data
from ppl_mle.inference.resampling.refit import refit_all
from ppl_mle.inference.resampling.simulate import Simulation, covered_by_bounds, covered_by_ratio, wald_bounds
from ppl_mle.maximize import Maximum

BAR, APART, THEIRS, CONTENT = 120.0, 4.0, 10_000, 0.95


def grid(n: int) -> np.ndarray:
    """Normal quantiles."""
    return ndtri((np.arange(1, n + 1) - 0.5) / n)


def logistic(y: np.ndarray | None = None) -> pm.Model:
    """60 rows."""
    x = grid(60)
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Bernoulli("y", logit_p=a + b * x, observed=(x + np.sin(9 * x) > 0).astype(int) if y is None else y)
    return model


def poisson() -> pm.Model:
    """40 rows."""
    x = grid(40)
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Poisson("y", mu=pm.math.exp(a + b * x), observed=np.round(np.exp(0.5 + 0.4 * x)).astype(int))
    return model


def weibull() -> pm.Model:
    """60 rows, censored at 1.5."""
    x = grid(60)
    t = np.minimum(np.exp(0.2 + 0.5 * x + 0.7 * np.sin(9 * x)), 1.5)
    with pm.Model() as model:
        a, b, shape = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("shape")
        time_to_event = pm.Weibull.dist(alpha=shape, beta=pm.math.exp(a + b * x))
        pm.Censored("t", time_to_event, lower=None, upper=1.5, observed=t)
    return model


def variance() -> pm.Model:
    """Means of 20 groups of 4 and the sum of squares within, which are sufficient."""
    with pm.Model() as model:
        mu, tau, sigma = pm.Flat("mu"), pm.HalfFlat("tau"), pm.HalfFlat("sigma")
        pm.Normal("means", mu, pm.math.sqrt(tau**2 + sigma**2 / 4), observed=0.7 * grid(20))
        pm.Gamma("within", alpha=30, beta=1 / (2 * sigma**2), observed=np.array([60.0]))
    return model


@dataclass(frozen=True)
class Case:
    """A model, what data are drawn at, and R's shares: Wald, likelihood ratio."""

    make: Callable[[], pm.Model]
    true: Mapping[str, float]
    peer: Mapping[str, tuple[float, float]]


CASES = {
    "logistic, n = 60": Case(logistic, {"a": 0.3, "b": 1.0}, {"a": (0.9611, 0.9538), "b": (0.9621, 0.9470)}),
    "Poisson, n = 40": Case(poisson, {"a": 0.5, "b": 0.4}, {"a": (0.9510, 0.9485), "b": (0.9525, 0.9522)}),
    "Weibull, censored": Case(
        weibull,
        {"a": 0.2, "b": 0.5, "shape": 1.5},
        {"a": (0.9502, 0.9475), "b": (0.9430, 0.9459), "shape": (0.9390, 0.9454)},
    ),
    "variance near 0": Case(
        variance,
        {"mu": 0.0, "tau": 0.35, "sigma": 1.0},
        {"mu": (0.9349, 0.9444), "tau": (0.9564, 0.9710), "sigma": (0.9487, 0.9509)},
    ),
}


# R's glm.fit over 2,000 data sets of the logistic model with 399 replicates each.
BOOTSTRAP = {"percentile": (0.941, 0.929), "bca": (0.959, 0.956), "t": (0.937, 0.9465)}


def at(fit: ppl_mle.Fit, true: Mapping[str, float]) -> ppl_mle.Fit:
    """The fit as if its estimate were the true values, which is where data are drawn."""
    maximum = fit.maximum
    assert maximum is not None
    theta = maximum.plan.likelihood.mapping.start({name: np.asarray(value) for name, value in true.items()})
    moved: Maximum = replace(maximum, theta=theta, declared={})
    return replace(fit, maximum=moved)


def apart(share: float, count: int, theirs: float) -> float:
    """Difference from R's share in Monte-Carlo standard errors of both."""
    variance = theirs * (1 - theirs) * (1 / count + 1 / THEIRS)
    return (share - theirs) / float(np.sqrt(max(variance, 1e-6)))


def study(name: str, case: Case, replicates: int) -> tuple[list[str], float]:
    """Rows of the table and the largest distance from R's shares."""
    fit = at(ppl_mle.find_MLE(case.make(), progressbar=False), case.true)
    rows, worst = [], 0.0
    maximum, labels = fit.maximum, list(fit.labels)
    sample = draw_data(maximum, fit.model, replicates, 1)
    refits = refit_all(maximum, sample)
    true = maximum.plan.likelihood.mapping.declared(maximum.theta)
    covered = {
        "wald": covered_by_bounds(wald_bounds(maximum, refits, CONTENT), true),
        "profile": covered_by_ratio(maximum, sample, refits, CONTENT),
    }
    found = {
        method: Simulation(tuple(labels), true, refits, own, method, CONTENT, 1) for method, own in covered.items()
    }
    ended = ", ".join(f"{count} {status}" for status, count in found["wald"].statuses.items())
    for label in case.true:
        cells = [name, label, f"{found['wald'].table.bias[label]:+.4f}"]
        for position, (_, one) in enumerate(found.items()):
            share, count = one.table.coverage[label], int(one.table.intervals[label])
            theirs = case.peer[label][position]
            distance = apart(share, count, theirs)
            worst = max(worst, abs(distance))
            cells += [f"{share:.4f} ({count})", f"{theirs:.4f}", f"{distance:+.1f}"]
        rows.append("| " + " | ".join([*cells, ended]) + " |")
        name = ended = ""
    return rows, worst


def bootstrap_study(data_sets: int, draws: int) -> pd.DataFrame:
    """Coverage of bootstrap intervals of the logistic model; data sets that have no maximum are left out."""
    case = CASES["logistic, n = 60"]
    drawn = draw_data(at(ppl_mle.find_MLE(logistic(), progressbar=False), case.true).maximum, logistic(), data_sets, 2)
    covered: dict[str, list[list[bool]]] = {"percentile": [], "bca": [], "t": []}
    true = np.array(list(case.true.values()))
    for i, y in enumerate(drawn.data["y"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ppl_mle.FitWarning)
            fit = ppl_mle.find_MLE(logistic(y), progressbar=False)
        if not fit.converged:
            continue
        found = fit.bootstrap(draws, random_seed=i, progressbar=False)
        for method, rows in covered.items():
            bounds = found.conf_int(method=method)
            rows.append(((bounds.lower <= true) & (bounds.upper >= true)).tolist())
    return pd.DataFrame({m: np.mean(rows, axis=0) for m, rows in covered.items()}, index=list(case.true))


def main() -> None:
    """Print the tables; an error at the end if a share is far from R's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--bootstraps", type=int, default=200)
    parser.add_argument("--draws", type=int, default=399)
    asked = parser.parse_args()
    print("| model | element | bias | Wald | R | apart | profile | R | apart | data sets |\n" + "|---" * 10 + "|")
    begun, worst = time.perf_counter(), 0.0
    for name, case in CASES.items():
        rows, distance = study(name, case, asked.replicates)
        worst = max(worst, distance)
        print("\n".join(rows), flush=True)
    seconds = time.perf_counter() - begun
    print(f"\n{seconds:.1f} s (bar {BAR:g} s: {'reached' if seconds <= BAR else 'NOT REACHED'})\n", flush=True)
    begun = time.perf_counter()
    shares = bootstrap_study(asked.bootstraps, asked.draws)
    for method, theirs in BOOTSTRAP.items():
        distances = [apart(own, asked.bootstraps, one) for own, one in zip(shares[method], theirs, strict=True)]
        worst = max(worst, *map(abs, distances))
        shares[f"{method}, R"], shares[f"{method}, apart"] = theirs, np.round(distances, 1)
    print(shares.round(3).to_string())
    seconds = time.perf_counter() - begun
    print(f"bootstrap, {asked.bootstraps} data sets, B = {asked.draws}: {seconds:.1f} s")
    if worst > APART:
        raise SystemExit(f"a share lies {worst:.1f} Monte-Carlo standard errors from R's")


if __name__ == "__main__":
    main()
