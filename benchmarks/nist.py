"""Correct digits on NIST's Statistical Reference Datasets (StRD), beside other programs'. Prints Markdown tables.

python benchmarks/nist.py [FOLDER]

FOLDER holds the published files, by default `../shared/data/nist` (or `nist` in the folder that PPL_MLE_REFERENCE
names). Every set found there is run, of the nonlinear ones those in `MEANS`; starts, certified values and data are read
from the `.dat` files. Digits are those of the worst parameter, -log10 of the relative error.

Certified standard deviations divide by n - p; ours are of maximum likelihood, which divides by n, so they are times
sqrt(n / (n - p)). For nonlinear sets the certified ones are also those of Gauss and Newton, s^2 (J'J)^-1, while ours
come from the exact Hessian, which holds the curvature of the mean too. Both are checked: ours against the
observed-information standard errors of 90-digit arithmetic (the JSON file beside the data), and, as `GN`, the certified
ones against the Jacobian of the declared mean at our estimates with our sigma.
"""

import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import statsmodels.api as sm

import ppl_mle

ROOT = Path(__file__).parents[1]
REFERENCE = Path(os.environ.get("PPL_MLE_REFERENCE", ROOT.parent / "shared" / "data"))
# R 4.2.2 lm() with its defaults: digits of the worst coefficient.
R_LM = {"Wampler1": 9.8, "Wampler3": 9.3, "Wampler4": 7.5}
SOLVED = 4.0
LOCAL = 1e-6


def waves(m: Any, b: Any, x: Any) -> Any:
    def wave(i: int, j: int, period: Any) -> Any:
        return b[i] * m.cos(2 * np.pi * x / period) + b[j] * m.sin(2 * np.pi * x / period)

    return b[0] + wave(1, 2, 12) + wave(4, 5, b[3]) + wave(7, 8, b[6])


def peaks(m: Any, b: Any, x: Any) -> Any:
    first, second = (b[i] * m.exp(-((x - b[i + 1]) ** 2) / b[i + 2] ** 2) for i in (2, 5))
    return b[0] * m.exp(-b[1] * x) + first + second


def decays(m: Any, b: Any, x: Any) -> Any:
    return b[0] * m.exp(-b[1] * x) + b[2] * m.exp(-b[3] * x) + b[4] * m.exp(-b[5] * x)


def cubics(m: Any, b: Any, x: Any) -> Any:
    return (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def hyperbola(m: Any, b: Any, x: Any) -> Any:
    return m.exp(-b[0] * x) / (b[1] + b[2] * x)


def rise(m: Any, b: Any, x: Any) -> Any:
    return b[0] * (1 - m.exp(-b[1] * x))


# The means of the nonlinear sets: of a module with exp and the like (PyTensor's or NumPy's), parameters, predictors.
MEANS: dict[str, Callable[..., Any]] = {
    "Misra1a": rise,
    "Chwirut2": hyperbola,
    "Chwirut1": hyperbola,
    "Lanczos3": decays,
    "Gauss1": peaks,
    "Gauss2": peaks,
    "DanWood": lambda m, b, x: b[0] * x ** b[1],
    "Misra1b": lambda m, b, x: b[0] * (1 - (1 + b[1] * x / 2) ** (-2)),
    "Kirby2": lambda m, b, x: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Hahn1": cubics,
    "Nelson": lambda m, b, x1, x2: b[0] - b[1] * x1 * m.exp(-b[2] * x2),
    "MGH17": lambda m, b, x: b[0] + b[1] * m.exp(-x * b[3]) + b[2] * m.exp(-x * b[4]),
    "Lanczos1": decays,
    "Lanczos2": decays,
    "Gauss3": peaks,
    "Misra1c": lambda m, b, x: b[0] * (1 - (1 + 2 * b[1] * x) ** (-0.5)),
    "Misra1d": lambda m, b, x: b[0] * b[1] * x / (1 + b[1] * x),
    "Roszman1": lambda m, b, x: b[0] - b[1] * x - m.arctan(b[2] / (x - b[3])) / np.pi,
    "ENSO": waves,
    "MGH09": lambda m, b, x: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "Thurber": cubics,
    "BoxBOD": rise,
    "Rat42": lambda m, b, x: b[0] / (1 + m.exp(b[1] - b[2] * x)),
    "MGH10": lambda m, b, x: b[0] * m.exp(b[1] / (x + b[2])),
    "Eckerle4": lambda m, b, x: b[0] / b[1] * m.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Rat43": lambda m, b, x: b[0] / (1 + m.exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "Bennett5": lambda m, b, x: b[0] * (b[1] + x) ** (-1 / b[2]),
}


@dataclass(frozen=True)
class Curve:
    """A nonlinear set: response, predictors, both starts, certified values and standard deviations, residual sum."""

    name: str
    y: np.ndarray
    xs: tuple[np.ndarray, ...]
    starts: np.ndarray
    values: np.ndarray
    deviations: np.ndarray
    rss: float

    def declare(self, start: np.ndarray | None) -> pm.Model:
        """y ~ N(mean, sigma), all flat; without a start nothing is said about where to begin."""
        with pm.Model() as model:
            b = pm.Flat("b", shape=len(self.values), initval=start)
            pm.Normal("y", MEANS[self.name](pt, b, *self.xs), pm.HalfFlat("sigma"), observed=self.y)
        return model

    @property
    def llf(self) -> float:
        """Log-likelihood at the certified values."""
        n = len(self.y)
        return -n / 2 * (math.log(2 * math.pi * self.rss / n) + 1)

    def gauss_newton(self, fit: ppl_mle.Fit) -> np.ndarray:
        """Standard errors as certified ones are, at a fit's estimates; the Jacobian by complex steps."""
        n, p = len(self.y), len(self.values)
        b = fit.params.to_numpy()[:p]
        turned = b.astype(complex) + 1e-30j * np.diag(np.maximum(np.abs(b), 1e-30))
        columns = [MEANS[self.name](np, at, *self.xs).imag / at[j].imag for j, at in enumerate(turned)]
        lengths = np.linalg.norm(columns, axis=1)
        triangle = np.linalg.qr(np.array(columns).T / lengths, mode="r")
        spread = np.linalg.norm(np.linalg.inv(triangle), axis=1) / lengths
        return spread * float(fit.params["sigma"]) * math.sqrt(n / (n - p))


@dataclass(frozen=True)
class Line:
    """A linear set: response, design, certified values and standard deviations, residual standard deviation."""

    name: str
    y: np.ndarray
    design: np.ndarray
    values: np.ndarray
    deviations: np.ndarray

    def declare(self, sigma: float | None = None) -> pm.Model:
        """y ~ N(X b, sigma), all flat."""
        with pm.Model() as model:
            b = pm.Flat("b", shape=len(self.values))
            pm.Normal("y", self.design @ b, sigma or pm.HalfFlat("sigma"), observed=self.y)
        return model


def read_table(lines: list[str]) -> np.ndarray:
    """The numbers on the lines that the header names."""
    where = next(line for line in lines if line.strip().startswith("Data") and "lines" in line)
    first, last = (int(word) for word in where.replace(")", " ").split("lines")[1].split() if word.isdigit())
    return np.array([[float(word) for word in line.split()] for line in lines[first - 1 : last] if line.split()])


def read_curve(path: Path) -> Curve:
    """Read a nonlinear set; Nelson's response is the logarithm of its first column."""
    lines = path.read_text(encoding="latin-1").splitlines()
    header = [line.split("=")[1].split() for line in lines if line.strip()[:1] == "b" and "=" in line]
    start1, start2, values, deviations = np.array(header, float).T
    rss = next(float(line.split()[-1]) for line in lines if line.startswith("Residual Sum of Squares"))
    y, *xs = read_table(lines).T
    y = np.log(y) if path.stem == "Nelson" else y
    return Curve(path.stem, y, tuple(xs), np.array([start1, start2]), values, deviations, rss)


def read_line(path: Path) -> Line:
    """Read a linear set: a polynomial if there are more coefficients than columns, with a constant if there is a B0."""
    lines = path.read_text(encoding="latin-1").splitlines()
    rows = [line.split() for line in lines if line.strip()[:1] == "B" and len(line.split()) == 3]
    rows = [row for row in rows if row[0][1:].isdigit()]
    y, *xs = read_table(lines).T
    if len(xs) == 1 and len(rows) > 2:
        xs = [xs[0] ** power for power in range(1, len(rows))]
    constant = [np.ones(len(y))] if rows[0][0] == "B0" else []
    values, deviations = np.array([row[1:] for row in rows], float).T
    return Line(path.stem, y, np.column_stack([*constant, *xs]), values, deviations)


def read_sample(path: Path, count: int) -> np.ndarray:
    """Read a univariate set: the last `count` lines of its file."""
    lines = [line for line in path.read_text(encoding="latin-1").splitlines() if line.strip()]
    return np.array(lines[-count:], float)


def digits(got: Iterable[float], expected: Iterable[float]) -> float:
    """Correct digits of the worst number, from 0 to 16."""
    pairs = [(float(a), float(b)) for a, b in zip(got, expected, strict=True)]
    worst = max(abs(a - b) / abs(b) if b else abs(a) for a, b in pairs)
    return min(16.0, max(0.0, -math.log10(worst))) if worst else 16.0 if worst == 0 else 0.0


def fit(model: pm.Model) -> ppl_mle.Fit:
    """Fit without a bar or a warning: the status is in the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ppl_mle.FitWarning)
        return ppl_mle.find_MLE(model, progressbar=False)


def print_linear(folder: Path) -> None:
    print("| linear set | status | coefficients | SEs, times sqrt(n/(n - p)) | statsmodels OLS | numpy lstsq | R lm |")
    print("|---|---|---|---|---|---|---|")
    paths = [p for p in sorted(folder.glob("*.dat")) if "Linear Least Squares" in p.read_text(encoding="latin-1")]
    for line in (read_line(p) for p in paths if "Nonlinear" not in p.read_text(encoding="latin-1")):
        n, p = line.design.shape
        exact = not line.deviations.any()
        for sigma in (None, 1.0) if exact else (None,):
            found = fit(line.declare(sigma))
            errors = found.bse.to_numpy()[:p] * math.sqrt(n / (n - p))
            peers = sm.OLS(line.y, line.design).fit().params, np.linalg.lstsq(line.design, line.y, rcond=1e-15)[0]
            cells = [digits(found.params.to_numpy()[:p], line.values), *(digits(peer, line.values) for peer in peers)]
            ours, ols, lstsq = (f"{cell:.1f}" for cell in cells)
            se = "" if exact else f"{digits(errors, line.deviations):.1f}"
            name = f"{line.name}, sigma known" if sigma else line.name
            print(f"| {name} | {found.status.name} | {ours} | {se} | {ols} | {lstsq} | {R_LM.get(line.name, '')} |")


def print_univariate(folder: Path) -> None:
    print("\n| univariate set | status | mean | standard deviation, times sqrt(n/(n - 1)) |\n|---|---|---|---|")
    for path in sorted(folder.glob("*.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        if "certified_mean" in facts:
            y = read_sample(folder / facts["data"], facts["n"])
            with pm.Model() as model:
                pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y)
            found = fit(model)
            mean = digits([found.params["mu"]], [facts["certified_mean"]])
            sd = digits([found.params["sigma"] * math.sqrt(len(y) / (len(y) - 1))], [facts["certified_sd"]])
            print(f"| {path.stem} | {found.status.name} | {mean:.1f} | {sd:.1f} |")


def print_nonlinear(folder: Path, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print one row per set; returns our runs from both starts in the form of the peers'."""
    heads = ["estimates", "SEs", "GN", "best peer, start 1", "start 2", "no start: status", "log-likelihood short by"]
    print("\n| nonlinear set | status, start 1, 2 | " + " | ".join(heads) + " |\n" + "|---" * 9 + "|")
    ours = []
    for curve in (read_curve(folder / f"{name}.dat") for name in MEANS if (folder / f"{name}.dat").is_file()):
        fits, p = [fit(curve.declare(start)) for start in curve.starts], len(curve.values)
        facts = folder / f"{curve.name}.json"
        errors = [e["se"] for e in json.loads(facts.read_text())["parameters"][:p]] if facts.is_file() else None
        lres = [digits(found.params.to_numpy()[:p], curve.values) for found in fits]
        se = [f"{digits(found.bse.to_numpy()[:p], errors):.1f}" for found in fits] if errors else [""]
        gauss_newton = [f"{digits(curve.gauss_newton(found), curve.deviations):.1f}" for found in fits]
        for start, (found, lre) in enumerate(zip(fits, lres, strict=True), 1):
            row = {"problem": curve.name, "program": "ppl_mle", "start": start, "min_lre": lre}
            ours.append(row | {"claimed_success": found.converged})
        best = [[r["min_lre"] for r in runs if (r["problem"], r["start"]) == (curve.name, s)] for s in (1, 2)]
        peers = [f"{max(lre or 0 for lre in of_start):.1f}" if of_start else "" for of_start in best]
        free = fit(curve.declare(None))
        short = curve.llf - free.llf
        cells = [
            ", ".join(dict.fromkeys(found.status.name for found in fits)),
            ", ".join(f"{lre:.1f}" for lre in lres),
            ", ".join(se),
            ", ".join(gauss_newton),
            *peers,
            free.status.name,
            f"{short:.2g}" if abs(short) > LOCAL else "0",
        ]
        print(f"| {curve.name} | " + " | ".join(cells) + " |", flush=True)
    return ours


def print_programs(runs: list[dict[str, Any]]) -> None:
    print(
        "\n| program | runs | solved (4 digits) | 6 digits | mean digits | lowest | false success |"
        + "\n"
        + "|---" * 7
        + "|"
    )
    for program in dict.fromkeys(run["program"] for run in runs):
        mine = [run for run in runs if run["program"] == program]
        lres = [min(11.0, max(0.0, run["min_lre"] or 0.0)) for run in mine]
        wrong = sum(bool(run["claimed_success"]) and lre < SOLVED for run, lre in zip(mine, lres, strict=True))
        solved, six = (sum(lre >= bar for lre in lres) for bar in (SOLVED, 6))
        print(f"| {program} | {len(mine)} | {solved} | {six} | {np.mean(lres):.1f} | {min(lres):.1f} | {wrong} |")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE / "nist"
    peers = REFERENCE / "peers" / "nist_nonlinear_runs.json"
    runs = json.loads(peers.read_text(encoding="utf-8")) if peers.is_file() else []
    print_linear(folder)
    print_univariate(folder)
    ours = print_nonlinear(folder, runs)
    print_programs(ours + runs)


if __name__ == "__main__":
    main()
