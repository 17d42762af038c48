"""Logistic and Poisson regression, 1e6 x 20, with standard errors, beside glum and statsmodels' GLM.

Clocks. Ours: `find_MLE` of a model object that was never fitted (built outside the clock, process warm), with standard
errors and certificate. glum: `fit` and `std_errors` on a matrix in Fortran order, its faster layout, laid out outside
the clock; `gradient_tol=1e-9`, as its default 1e-4 gives the logistic answer to 6e-5 only and 1e-8 to 2e-8 at 1e4 rows,
while at 1e-10 its Poisson fit wanders at the rounding floor for 9 iterations more. statsmodels: `GLM(...).fit()` and
`bse` on a design that was built outside the clock; its tolerance, a change of the deviance, is 1e-14 per row, which is
the default 1e-8 at a million rows and less at fewer, where the default is too loose.
One pass of A'WA: NumPy on the design with its column of ones, plain or in row blocks, C or Fortran order, the fastest.

    python benchmarks/large_glm.py [--rows 1e6] [--columns 20] [--runs 5]
"""

import argparse
import functools
import time

import numpy as np
import pymc as pm
import statsmodels.api as sm
from glum import GeneralizedLinearRegressor
from side_by_side import Answer, Tool, demand_agreement, take_turns, verdict, worst_difference

import ppl_mle

OURS, GLUM, STATSMODELS = "ppl_mle", "glum", "statsmodels GLM"
GLUM_BAR, STATSMODELS_BAR = 0.7, 0.15
FAMILIES = {"logistic": ("binomial", sm.families.Binomial), "Poisson": ("poisson", sm.families.Poisson)}


def make_data(family: str, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Design without the column of ones, and the outcome."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    eta = 0.3 + X @ rng.normal(scale=0.2, size=columns)
    return X, rng.binomial(1, 1 / (1 + np.exp(-eta))) if family == "logistic" else rng.poisson(np.exp(eta))


def build(family: str, X: np.ndarray, y: np.ndarray) -> pm.Model:
    """The model as a user writes it."""
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b", shape=X.shape[1])
        if family == "logistic":
            pm.Bernoulli("y", logit_p=a + X @ b, observed=y)
        else:
            pm.Poisson("y", mu=pm.math.exp(a + X @ b), observed=y)
    return model


def fit_ours(model: pm.Model) -> Answer:
    """Intercept first, as in every tool here."""
    fit = ppl_mle.find_MLE(model, progressbar=False)
    assert fit.converged, fit.message
    return Answer(fit.params.to_numpy(), fit.bse.to_numpy())


def fit_glum(family: str, X: np.ndarray, y: np.ndarray) -> Answer:
    """glum multiplies its covariance by n / (n - p); divided out, so that the errors can be compared."""
    begun = time.perf_counter()
    regressor = GeneralizedLinearRegressor(family=FAMILIES[family][0], alpha=0, fit_intercept=True, gradient_tol=1e-9)
    regressor.fit(X, y)
    fitted = time.perf_counter() - begun
    errors = regressor.std_errors(X, y, robust=False, dispersion=1.0)
    factor = np.sqrt((len(y) - X.shape[1] - 1) / len(y))
    return Answer(np.append(regressor.intercept_, regressor.coef_), errors * factor, fitted)


def fit_statsmodels(family: str, A: np.ndarray, y: np.ndarray) -> Answer:
    """Iteratively reweighted least squares; its errors, from weights one iteration back, are 2e-8 off: not compared."""
    fit = sm.GLM(y, A, family=FAMILIES[family][1]()).fit(tol=1e-14 * len(y))
    assert np.all(fit.bse > 0)
    return Answer(fit.params)


def one_pass(A: np.ndarray, runs: int) -> tuple[float, str]:
    """Median seconds of A'WA in NumPy, and the way that was fastest."""
    w = np.random.default_rng(1).uniform(size=len(A))
    found = []
    for order, matrix in (("C", A), ("F", np.asfortranarray(A))):
        for way, size in (("plain", len(A)), ("blocks", 8192)):
            found.append((time_pass(matrix, w, size, max(runs, 3)), f"{order}, {way}"))
    return min(found)


def time_pass(A: np.ndarray, w: np.ndarray, size: int, runs: int) -> float:
    """Median seconds of A'WA in row blocks of a size."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        total = np.zeros((A.shape[1], A.shape[1]))
        for low in range(0, len(A), size):
            block = A[low : low + size]
            total += (block * w[low : low + size, None]).T @ block
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def measure(family: str, rows: int, columns: int, runs: int) -> float:
    """Print the row of one family; returns the worst difference of the answers."""
    X, y = make_data(family, rows, columns)
    columns_first, design, float_y = np.asfortranarray(X), sm.add_constant(X), y.astype(float)
    tools = [
        Tool(OURS, fit_ours, functools.partial(build, family, X, y)),
        Tool(GLUM, lambda _: fit_glum(family, columns_first, float_y)),
        Tool(STATSMODELS, lambda _: fit_statsmodels(family, design, float_y)),
    ]
    results = take_turns(tools, runs)
    seconds, way = one_pass(design, runs)
    ours = results[OURS].median
    ratios = ours / results[GLUM].median, ours / results[STATSMODELS].median
    worst = worst_difference(results, OURS)
    cells = [results[OURS].cell(), results[GLUM].cell(), results[GLUM].fit_cell(), f"{ratios[0]:.2f}"]
    cells += [verdict(ratios[0] <= GLUM_BAR), results[STATSMODELS].cell(), f"{ratios[1]:.3f}"]
    cells += [verdict(ratios[1] <= STATSMODELS_BAR), f"{seconds:.3f} ({way})", f"{ours / seconds:.1f}", f"{worst:.0e}"]
    print(f"| {family} {rows:.0e} x {columns} | " + " | ".join(cells) + " |", flush=True)
    return worst


def main() -> None:
    """Print the table; an error at the end if the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    for family in FAMILIES:  # everything is imported and warm before the first clock
        X, y = make_data(family, 200, 2)
        fit_ours(build(family, X, y)), fit_glum(family, X, y.astype(float)), fit_statsmodels(family, X, y)
    print(
        f"| model | {OURS}, s (median, range) | {GLUM}, s | of which fit | ratio | bar {GLUM_BAR:g} | {STATSMODELS}, s "
        f"| ratio | bar {STATSMODELS_BAR:g} | one pass A'WA, s | ours / pass | worst difference (bar 1e-8) |"
    )
    print("|" + "---|" * 12)
    demand_agreement({family: measure(family, int(asked.rows), asked.columns, asked.runs) for family in FAMILIES})


if __name__ == "__main__":
    main()
