"""The stress catalogue of the tests, ppl_mle beside pm.find_MAP: a Markdown table and a score.

Every case has an answer or a diagnosis that is known independently. An estimate counts at 7 (or 3) digits relative to
its size or standard error; a diagnosis is right when it is said. pm.find_MAP can only say that it did not succeed.

    python benchmarks/stress.py [--only-ours] [--cases WORD ...] [--limit 60]
"""

import argparse
import io
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import numpy as np
import pymc as pm
from pymc.exceptions import SamplingError

import ppl_mle

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.stress.case import Case, Ending, Truth
from tests.stress.catalogue import all_cases

RIGHT, ROUGH, SILENT, ADMITTED = "right at 7 digits", "right at 3 digits", "silently wrong", "says it failed"
PEER_ERRORS = (SamplingError, ArithmeticError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError)
NOT_THE_LIKELIHOOD = ("sample_covariance", "covariance_of_columns_that_add_up")


@dataclass(frozen=True)
class Row:
    """One tool on one case."""

    verdict: str
    seconds: float
    note: str = ""


def value_in(fit: ppl_mle.Fit, name: str) -> tuple[float, float]:
    """Estimate and standard error of a label or Deterministic."""
    if name in fit.labels:
        return float(fit.params[name]), float(fit.bse[name])
    derived = fit.deterministic(name)
    return float(derived.params.iloc[0]), float(derived.bse.iloc[0])


def run_ours(case: Case) -> Row:
    """Fit with ppl_mle: right, wrong though certified, not certified, or an error."""
    find = ppl_mle.find_MLE if case.estimator == "MLE" else ppl_mle.find_MAP
    model, begun = case.build(), time.perf_counter()
    try:
        fit = find(model, progressbar=False)
    except ppl_mle.PplMleError as exc:
        return Row("error", time.perf_counter() - begun, type(exc).__name__)
    seconds = time.perf_counter() - begun
    faults = case.faults(Ending(fit.status.name, fit.message, fit.findings, partial(value_in, fit), fit.lpf))
    if not faults:
        return Row("right", seconds, fit.status.name)
    return Row(SILENT if fit.converged else "not the best answer", seconds, f"{fit.status.name}: {'; '.join(faults)}")


def element(posterior: object, name: str) -> float:
    """Value of a label such as `b[2]` or of a Deterministic in find_MAP's answer."""
    base, _, index = name.rstrip("]").partition("[")
    values = np.asarray(posterior[base].values)[0, 0]  # type: ignore[index]
    return float(values[tuple(int(i) for i in index.split(","))] if index else np.ravel(values)[0])


def agrees(truth: Truth, value: Callable[[str], float], digits: int) -> bool:
    """Whether every estimate of a truth is met."""
    for name, wanted in truth.values.items():
        scale = max(abs(wanted), truth.errors.get(name, 0.0)) or 1.0
        if not np.isfinite(wanted) or not abs(value(name) - wanted) <= 10.0**-digits * (scale if scale > 0 else 1.0):
            return False
    return bool(truth.values)


def judge_peer(case: Case, value: Callable[[str], float], success: bool) -> str:
    """Say how right find_MAP's point is."""
    if not {"CONVERGED", "BOUNDARY"} & set(case.statuses):
        return SILENT if success else ADMITTED
    truths = case.truths()
    best = max((truth.llf for truth in truths if truth.llf is not None), default=-np.inf) - 1e-6
    highest = [truth for truth in truths if truth.llf is None or truth.llf >= best]
    for digits, verdict in ((7, RIGHT), (3, ROUGH)):
        if any(agrees(truth, value, digits) for truth in highest):
            return verdict
    return SILENT if success else ADMITTED


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs longer, with TimeoutError."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_peer(case: Case, limit: float) -> Row:
    """Fit with pm.find_MAP, its defaults."""
    if case.name in NOT_THE_LIKELIHOOD:
        return Row("n/a", 0.0, "its prior has no flat density")
    model, begun = case.build(), time.perf_counter()
    try:
        with time_limit(limit), redirect_stderr(io.StringIO()):
            tree = pm.find_MAP(model=model, return_inferencedata=True, jitter=False, progressbar=False)
    except TimeoutError as exc:
        return Row("too slow", time.perf_counter() - begun, str(exc))
    except PEER_ERRORS as exc:
        return Row("error", time.perf_counter() - begun, type(exc).__name__)
    seconds = time.perf_counter() - begun
    success = bool(tree["optimizer_result"]["success"])
    return Row(judge_peer(case, partial(element, tree["posterior"]), success), seconds)


def cell(row: Row) -> str:
    """One tool's part of a table row."""
    note = f" ({row.note.replace('|', ' or ')})" if row.note else ""
    return f"{row.verdict}{note} | {row.seconds:.2f}"


def score(rows: list[Row]) -> str:
    """Count the verdicts."""
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()) + f" of {len(rows)}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only-ours", action="store_true", help="leave pm.find_MAP out")
    parser.add_argument("--cases", nargs="*", default=[], help="only cases whose name contains one of these words")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one call of pm.find_MAP")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = [c for c in all_cases() if not options.cases or any(word in c.name for word in options.cases)]
    ours, theirs = [], []
    head = "| case | expected | ppl_mle | s |" + ("" if options.only_ours else " pm.find_MAP | s |")
    print(head + "\n" + "|---" * (head.count("|") - 1) + "|")
    for number, case in enumerate(cases, 1):
        print(f"{number}/{len(cases)} {case.name}", file=sys.stderr, flush=True)
        ours.append(run_ours(case))
        line = f"| {case.name} | {case.status.replace('|', ' or ')} | {cell(ours[-1])} |"
        if not options.only_ours:
            theirs.append(run_peer(case, options.limit))
            line += f" {cell(theirs[-1])} |"
        print(line, flush=True)
    print(f"\nppl_mle: {score(ours)}")
    if theirs:
        print(f"pm.find_MAP: {score(theirs)}")


if __name__ == "__main__":
    main()
