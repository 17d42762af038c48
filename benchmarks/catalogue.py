"""Every model of a folder of scripts with `build_model()`, each fitted in a new process and then attacked by restarts.

Made for https://github.com/ricardoV94/pymc-model-catalogue: `build_model()` returns a model, or a tuple that begins
with one. After the fit, scipy's L-BFGS-B climbs PyMC's own log-density (without Jacobian, the terms that the estimator
sums) from jittered points around the default start and around the answer. A silent wrong answer is a status CONVERGED,
with no finding of several maxima or of a density without bound, above which a restart climbs by more than 1e-6. Results
are kept as JSON lines, so that a run goes on where it was stopped; what ran out of time is tried again under a longer
limit. Linux only: memory is limited through setrlimit.

    python benchmarks/catalogue.py FOLDER [--estimator MAP] [--seconds 120] [--check-seconds 60] [--only NAME ...]
"""

import argparse
import faulthandler
import importlib
import json
import os
import re
import resource
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

HIGHER = 1e-6
JITTERED = 5
DISCLOSED = re.compile(r"several maxima|without bound|no bound")
SLOW_CALL = 0.02
Record = dict[str, Any]


def say(**facts: Any) -> None:
    """Tell the parent process, which reads one JSON object a line."""
    print(json.dumps(facts, default=float), flush=True)


def say_error(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    """Tell the parent process of an exception that ends this one, and where in the package it came from."""
    places = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(trace) if "/ppl_mle/" in f.filename]
    message = (str(value).strip().splitlines() or [""])[0][:300]
    say(error=kind.__name__, ours=kind.__module__.startswith("ppl_mle"), message=message, place="".join(places[-1:]))


def load_model(path: Path) -> Any:
    """Run a script and build its model."""
    os.chdir(path.parent.parent)
    sys.path[:0] = [str(path.parent), str(path.parent.parent)]
    built = importlib.import_module(path.stem).build_model()
    return built[0] if isinstance(built, tuple) else built


def run_here(path: Path, asked: argparse.Namespace) -> None:
    """Load, fit and check one model in this process, telling each stage."""
    import ppl_mle

    find = getattr(ppl_mle, f"find_{asked.estimator}")  # loads PyMC, which sets a hook of its own
    sys.excepthook = say_error
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (asked.megabytes << 20,) * 2)
    faulthandler.dump_traceback_later(asked.seconds, exit=True)
    begun = time.perf_counter()
    model = load_model(path)
    say(stage="fit", load_seconds=time.perf_counter() - begun)
    faulthandler.dump_traceback_later(asked.seconds, exit=True)
    begun = time.perf_counter()
    fit = find(model, progressbar=False)
    say(
        stage="check",
        seconds=time.perf_counter() - begun,
        outcome=fit.status.name,
        size=fit.plan.likelihood.size,
        lpf=fit.lpf,
        message="" if fit.status.name == "CONVERGED" else fit.message,
        findings=fit.findings,
    )
    faulthandler.dump_traceback_later(4 * asked.check_seconds, exit=True)
    check(model, fit, asked.check_seconds)
    faulthandler.cancel_dump_traceback_later()


@dataclass
class Peer:
    """PyMC's own log-density without Jacobian, of the terms that the estimator sums, in units of standard errors.

    Parameters
    ----------
    function, shapes : callable, list of tuple of int
        From the value variables to the log-density and its gradients; the shapes of the value variables.
    origin, units : array, shape (p,)
        The answer, and the standard errors on the unconstrained scale (1 where there is none).
    best : float
        Least value of minus the log-density met so far in a climb.
    """

    function: Callable[..., list[Any]]
    shapes: list[tuple[int, ...]]
    origin: np.ndarray
    units: np.ndarray
    best: float = np.inf

    def evaluate(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-density and gradient at unconstrained values; minus infinity where it does not exist."""
        sizes = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        parts = [part.reshape(shape) for part, shape in zip(np.split(theta, sizes), self.shapes, strict=True)]
        try:
            with np.errstate(all="ignore"):
                value, *gradients = self.function(*parts)
        except (ValueError, AssertionError, ArithmeticError, np.linalg.LinAlgError):
            return -np.inf, np.zeros(len(theta))
        return float(value), np.concatenate([np.ravel(gradient) for gradient in gradients]).astype(float)

    def descend(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log-density in units of standard errors from the answer; a wall where it does not exist."""
        value, gradient = self.evaluate(self.origin + self.units * z)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            known = self.best if np.isfinite(self.best) else 1e10
            return known + max(1e3, abs(known)), np.zeros(len(z))
        self.best = min(self.best, -value)
        return -value, -self.units * gradient


def build_peer(model: Any, fit: Any) -> Peer:
    """Compile PyMC's log-density: interpreted, and by Numba where a call takes long."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode

    likelihood = fit.plan.likelihood
    values = [model.rvs_to_values[model[variable.name]] for variable in likelihood.variables]
    total = model.logp(vars=[model[term.name] for term in likelihood.terms], jacobian=False)
    slopes = pt.grad(total, values, disconnected_inputs="ignore")
    theta, variances = fit.maximum.theta, np.diag(fit.maximum.covariance)
    units = np.sqrt(np.where(np.isfinite(variances) & (variances > 0), variances, 1.0))
    shapes = [tuple(shape) for shape in likelihood.mapping.start.shapes]
    interpreted = Mode(linker="py", optimizer="fast_run").excluding("fusion")
    with pytensor.config.change_flags(cxx=""):
        function = pytensor.function(values, [total, *slopes], mode=interpreted, on_unused_input="ignore")
        peer = Peer(function, shapes, theta, units)
        peer.evaluate(theta)
        begun = time.perf_counter()
        peer.evaluate(theta)
        if time.perf_counter() - begun > SLOW_CALL:
            peer.function = pytensor.function(values, [total, *slopes], mode="NUMBA", on_unused_input="ignore")
    return peer


def climb(peer: Peer, start: np.ndarray, deadline: float) -> np.ndarray:
    """Climb from a point until nothing more is gained or time is up; the place in units from the answer."""
    from scipy.optimize import minimize

    def watch(_: np.ndarray) -> None:
        if time.perf_counter() > deadline:
            raise StopIteration

    peer.best = np.inf
    z, reached = (start - peer.origin) / peer.units, np.inf
    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 30}
    while time.perf_counter() < deadline:
        found = minimize(peer.descend, z, jac=True, method="L-BFGS-B", options=options, callback=watch)
        z, gained, reached = found.x, reached - found.fun, found.fun
        if not gained > 1e-9 * max(1.0, abs(reached)):
            break
    return z


def jittered(default: np.ndarray, peer: Peer) -> Iterator[np.ndarray]:
    """Starts in turn around the default start, as `pm.sample` makes them, and around the answer."""
    rng, middle = np.random.default_rng(1), np.where(np.isfinite(default), default, 0.0)
    for _ in range(JITTERED):
        yield middle + rng.uniform(-1, 1, len(default))
        yield peer.origin + peer.units * rng.uniform(-3, 3, len(default))


def check(model: Any, fit: Any, seconds: float) -> None:
    """Tell how far PyMC's log-density is from ours at the answer, and how much higher restarts climb."""
    peer = build_peer(model, fit)
    own = peer.evaluate(peer.origin)[0]
    say(stage="climb", pymc_difference=own - fit.lpf)
    begun, best, done = time.perf_counter(), -np.inf, 0
    for start in jittered(fit.plan.likelihood.mapping.start(None), peer):
        if time.perf_counter() > begun + seconds:
            break
        z, done = climb(peer, start, begun + seconds), done + 1
        value = peer.evaluate(peer.origin + peer.units * z)[0]
        if value > best:
            best = value
            say(rise=best - own, farthest=[fit.plan.likelihood.free_labels[i] for i in np.argsort(-np.abs(z))[:4]])
    say(stage="done", restarts=done, check_seconds=time.perf_counter() - begun)


def run_apart(path: Path, asked: argparse.Namespace) -> Record:
    """The same in a new process; what it told, as one record."""
    passed = ("estimator", "seconds", "check_seconds", "megabytes")
    options = [f"--{name.replace('_', '-')}={getattr(asked, name)}" for name in passed]
    program = [sys.executable, __file__, str(path), "--here", *options]
    done = subprocess.run(program, capture_output=True, text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    record: Record = {"model": path.stem, "estimator": asked.estimator, "limit": asked.seconds, "stage": "load"}
    for line in [line for line in done.stdout.splitlines() if line.startswith("{")]:
        record |= json.loads(line)
    if "Timeout (" in done.stderr:
        frames = re.findall(r'File "[^"]*?([^/"]+/[^/"]+)", line (\d+) in (\S+)', done.stderr)
        record["place"] = " < ".join(f"{name}:{line} {function}" for name, line, function in frames[:3])
    return record | {"outcome": outcome_of(record, done.stderr, done.returncode)}


def outcome_of(record: Record, errors: str, code: int) -> str:
    """In a word: a status, declined, an exception, failed to load, time-out, or killed."""
    stage = record["stage"]
    if "outcome" in record:
        return str(record["outcome"])
    if "error" in record:
        return "failed to load" if stage == "load" else "declined" if record["ours"] else "exception"
    return f"time-out in {stage}" if "Timeout (" in errors else f"killed ({code}) in {stage}"


def is_silently_wrong(record: Record) -> bool:
    """Whether a certified answer, with nothing said about others, is not the highest that was found."""
    disclosed = any(DISCLOSED.search(finding) for finding in record.get("findings", []))
    return record["outcome"] == "CONVERGED" and not disclosed and record.get("rise", -np.inf) > HIGHER


def read_results(path: Path, estimator: str) -> dict[str, Record]:
    """The last record of every model."""
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {record["model"]: record for record in records if record["estimator"] == estimator}


def is_wanted(name: str, asked: argparse.Namespace, records: Mapping[str, Record]) -> bool:
    """Whether a model must run: it was asked for, never ran, or ran out of a shorter limit."""
    if asked.only or name not in records:
        return not asked.only or name in asked.only
    return "time-out" in records[name]["outcome"] and records[name]["limit"] < asked.seconds


def line_of(record: Record) -> str:
    """What became of one model, in a line."""
    said = record.get("message", "") if record["outcome"] != "CONVERGED" else "; ".join(record.get("findings", []))
    if "error" in record and record["stage"] in ("load", "fit"):
        said = f"{record['error']}: {record['message']}"
    seconds = f"{record['seconds']:.2f} s" if "seconds" in record else ""
    rise = f"{'SILENT WRONG, ' * is_silently_wrong(record)}rise {record['rise']:.2g}" if "rise" in record else ""
    return "  ".join([record["model"], record["outcome"], seconds, rise, (said or record.get("place", ""))[:160]])


def print_table(records: Mapping[str, Record]) -> None:
    """Print counts and times by outcome, the models of every outcome but CONVERGED, and the silent wrong answers."""
    told: dict[str, list[str]] = {}
    print("| outcome | models | median, s | longest, s |\n|---|---|---|---|")
    for outcome, count in Counter(record["outcome"] for record in records.values()).most_common():
        mine = [records[name] for name in sorted(records) if records[name]["outcome"] == outcome]
        told[outcome] = [r["model"] + (f" ({r['seconds']:.1f})" if "seconds" in r else "") for r in mine]
        times = [r["seconds"] for r in mine if "seconds" in r]
        print(f"| {outcome} | {count} | " + (f"{np.median(times):.2f} | {max(times):.1f} |" if times else "| |"))
    told.pop("CONVERGED", None)
    print(*(f"\n{outcome}: {', '.join(names)}" for outcome, names in told.items()), sep="\n")
    checked = sum(record["outcome"] == "CONVERGED" and "rise" in record for record in records.values())
    wrong = [name for name in sorted(records) if is_silently_wrong(records[name])]
    print(f"\nCertified and attacked by restarts: {checked}. Silent wrong answers: {len(wrong)}. {', '.join(wrong)}")


def main() -> None:
    """Run what has not run yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder searched for scripts with build_model()")
    parser.add_argument("--estimator", choices=("MAP", "MLE"), default="MAP")
    parser.add_argument("--seconds", type=int, default=120, help="limit of a fit, and of loading")
    parser.add_argument("--check-seconds", type=int, default=60, help="how long restarts may climb")
    parser.add_argument("--megabytes", type=int, default=10_000, help="address space of a process")
    parser.add_argument("--results", type=Path, default=Path("catalogue_results.jsonl"))
    parser.add_argument("--only", nargs="+", default=[], help="names of models, in the order to run them")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        run_here(asked.folder.resolve(), asked)
        return
    records = read_results(asked.results, asked.estimator)
    found = [path for path in sorted(asked.folder.glob("models*/*.py")) if "def build_model" in path.read_text()]
    scripts = sorted(found, key=lambda path: asked.only.index(path.stem) if path.stem in asked.only else 0)
    for path in [path for path in scripts if is_wanted(path.stem, asked, records)]:
        records[path.stem] = run_apart(path.resolve(), asked)
        with asked.results.open("a") as file:
            file.write(json.dumps(records[path.stem]) + "\n")
        print(line_of(records[path.stem]), file=sys.stderr, flush=True)
    print_table(records)


if __name__ == "__main__":
    main()
