"""Correct digits on the bars of the README: Spector, Longley, and models in hard units. Prints a table.

python benchmarks/accuracy.py
"""

import math
import os
import warnings
from pathlib import Path

import numpy as np
import pymc as pm
import statsmodels.api as sm

import ppl_mle
from ppl_mle.script import load_script

ROOT = Path(__file__).parents[1]
REFERENCE = Path(os.environ.get("PPL_MLE_REFERENCE", ROOT.parent / "shared" / "data"))


def digits(got: np.ndarray, expected: np.ndarray) -> float:
    """Smallest number of correct digits, -log10 of the relative error, at most 16."""
    got, expected = np.atleast_1d(got), np.atleast_1d(expected)
    error = np.max(np.abs(got - expected) / np.abs(expected))
    return min(16.0, -math.log10(error)) if error else 16.0


def fit_script(name: str) -> ppl_mle.Fit:
    """Fit one of the model scripts."""
    script = load_script(ROOT / "models" / f"{name}.py")
    return ppl_mle.find_MLE(script.build_model(script.load_data()))


def spector() -> tuple[float, float, float]:
    """Against statsmodels' Logit."""
    data = sm.datasets.spector.load_pandas()
    peer = sm.Logit(data.endog, sm.add_constant(data.exog)).fit(disp=0, tol=1e-14, maxiter=100)
    fit = fit_script("spector")
    return (
        digits(fit.params.to_numpy(), peer.params.to_numpy()),
        digits(fit.bse.to_numpy(), peer.bse.to_numpy()),
        digits(np.array(fit.llf), np.array(peer.llf)),
    )


def longley() -> tuple[float, float, float]:
    """Against the maximum-likelihood quantities that 40-digit arithmetic gives."""
    import json

    answer = json.loads(next(REFERENCE.glob("nist/*ongley*.json")).read_text())
    fit = fit_script("longley")
    estimates = np.array([p["estimate"] for p in answer["parameters"]])
    errors = np.array([p["se"] for p in answer["parameters"]])
    return (
        digits(fit.params.to_numpy(), estimates),
        digits(fit.bse.to_numpy(), errors),
        digits(np.array(fit.llf), np.array(answer["loglik"])),
    )


def normal(center: float, spread: float) -> tuple[float, float, float]:
    """A normal sample against its closed form."""
    y = center + spread * np.random.default_rng(0).normal(size=50)
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y)
    fit = ppl_mle.find_MLE(model)
    exact = [math.fsum(y) / len(y)]
    exact.append(math.sqrt(math.fsum((v - exact[0]) ** 2 for v in y) / len(y)))
    errors = np.array([exact[1] / math.sqrt(50), exact[1] / math.sqrt(100)])
    llf = -25 * (math.log(2 * math.pi) + 2 * math.log(exact[1]) + 1)
    return digits(fit.params.to_numpy(), np.array(exact)), digits(fit.bse.to_numpy(), errors), digits(fit.llf, llf)


def poisson() -> tuple[float, float, float]:
    """Poisson with x in [0, 2000] against statsmodels."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 2000, 200)
    y = rng.poisson(np.exp(0.5 + 0.002 * x))
    with pm.Model() as model:
        pm.Poisson("y", pm.math.exp(pm.Flat("a") + pm.Flat("b") * x), observed=y)
    fit = ppl_mle.find_MLE(model)
    peer = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson()).fit(tol=1e-15, maxiter=200)
    return digits(fit.params.to_numpy(), peer.params), digits(fit.bse.to_numpy(), peer.bse), digits(fit.llf, peer.llf)


def columns() -> tuple[float, float, float]:
    """A linear model whose columns differ by 1e8 against least squares on rescaled columns."""
    rng = np.random.default_rng(2)
    unscaled = rng.normal(size=(100, 3))
    units = np.array([1e-4, 1.0, 1e4])
    y = 1 + unscaled @ [1.0, -2.0, 3.0] + rng.normal(size=100)
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") + (unscaled * units) @ pm.Flat("b", shape=3), pm.HalfFlat("sigma"), observed=y)
    fit = ppl_mle.find_MLE(model)
    peer = sm.OLS(y, sm.add_constant(unscaled)).fit()
    ml = math.sqrt(peer.ssr / 100)
    estimates = np.append(peer.params / np.append(1.0, units), ml)
    errors = np.append(peer.bse * math.sqrt(96 / 100) / np.append(1.0, units), ml / math.sqrt(200))
    return digits(fit.params.to_numpy(), estimates), digits(fit.bse.to_numpy(), errors), digits(fit.llf, peer.llf)


def main() -> None:
    """Print the table of correct digits."""
    warnings.simplefilter("ignore")
    cases = {
        "Spector (statsmodels Logit)": spector,
        "Longley (40-digit ML quantities)": longley,
        "y ~ N(1e6, 1) (closed form)": lambda: normal(1e6, 1.0),
        "y ~ N(0, 1e6) (closed form)": lambda: normal(0.0, 1e6),
        "Poisson, x in [0, 2000] (statsmodels)": poisson,
        "columns 1e-4 to 1e4 (least squares)": columns,
    }
    print("| case | estimates | standard errors | log-likelihood |\n|---|---|---|---|")
    for name, case in cases.items():
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in case()) + " |")


if __name__ == "__main__":
    main()
