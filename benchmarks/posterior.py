"""Posteriors: speed beside pm.sample's defaults, posteriordb, and what is refused of the stress catalogue.

    python benchmarks/posterior.py speed [--repeats 3]
    python benchmarks/posterior.py posteriordb [--cases WORD ...] [--methods auto nuts]
    python benchmarks/posterior.py stress [--cases WORD ...] [--limit 60]

`speed`: effective draws per second (the least bulk ESS of all elements), each run in a fresh process with an empty
compile directory for the column "compile included"; "compile excluded" is the time that the sampler itself reports.
`posteriordb`: means and sds against 10,000 reference draws. `stress`: whether the posterior, with the declared priors,
is called improper, stood for by weighted draws, or handed to NUTS.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import types
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
tests = types.ModuleType("tests")  # some packages install one of this name, which would hide the folder
tests.__path__ = [str(ROOT / "tests")]
sys.modules["tests"] = tests
sys.path.insert(0, str(ROOT))

RUNS = ("pm.sample", "sample(auto)", "sample(nuts)", "sample(nuts, nuts_sampler='nutpie')")


def tutorial_model() -> Any:
    from ppl_mle.script import load_script

    script = load_script(str(ROOT / "models" / "linear.py"))
    return script.build_model(script.load_data())


def logistic_model() -> Any:
    import pymc as pm

    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(1000), rng.normal(size=(1000, 9))])
    y = (rng.random(1000) < 1 / (1 + np.exp(-X @ rng.normal(scale=0.5, size=10)))).astype(int)
    with pm.Model() as model:
        b = pm.Flat("b", shape=10)
        pm.Bernoulli("y", logit_p=pm.math.dot(X, b), observed=y)
    return model


MODELS = {"tutorial": tutorial_model, "logistic": logistic_model}


def sample_once(run: str, model: Any, seed: int) -> Any:
    import pymc as pm

    import ppl_mle

    if run == "pm.sample":
        return pm.sample(model=model, progressbar=False, random_seed=seed, quiet=True)
    method = "auto" if "auto" in run else "nuts"
    options = {"nuts_sampler": "nutpie"} if "nutpie" in run else {}
    return ppl_mle.sample(model, method=method, random_seed=seed, progressbar=False, **options)


def measure(model: str, run: str, repeats: int) -> None:
    """Print one line of JSON for each repetition in this process: the first is cold."""
    import ppl_mle
    from ppl_mle.posterior import check_draws

    assert ppl_mle.sample
    built = MODELS[model]()
    for seed in range(1, repeats + 1):
        begun = time.perf_counter()
        tree = sample_once(run, built, seed)
        wall = time.perf_counter() - begun
        check = check_draws(tree)
        sampling = tree["posterior"].attrs.get("sampling_time", wall)
        ess = float(check.table["ess_bulk"].min())
        line = {"wall": wall, "sampling": float(sampling), "ess": ess, "draws": check.draws * check.chains}
        print(json.dumps(line), flush=True)


def speed(repeats: int) -> None:
    """Each run in a fresh process with an empty compile directory."""
    print("| model | run | draws | min ESS | cold s | ESS/s, compile included | sampling s | ESS/s, compile excluded |")
    print("|---|---|---|---|---|---|---|---|")
    for model in MODELS:
        for run in RUNS:
            with tempfile.TemporaryDirectory() as folder:
                env = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={folder}", "NUMBA_CACHE_DIR": folder}
                command = [sys.executable, __file__, "measure", model, run, "--repeats", str(repeats)]
                done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
            first = lines[0]
            best = max(lines, key=lambda line: line["ess"] / line["sampling"])
            print(
                f"| {model} | {run} | {first['draws']} | {first['ess']:.0f} | {first['wall']:.2f} | "
                f"{first['ess'] / first['wall']:.0f} | {best['sampling']:.3f} | {best['ess'] / best['sampling']:.0f} |",
                flush=True,
            )


def posteriordb(words: list[str], methods: list[str]) -> None:
    """Every case by every method."""
    import ppl_mle
    from tests.posteriordb_models import POSTERIORS, compare_moments

    print("| case | method | chosen | k-hat | ESS | worst z | worst sd ratio | divergences | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in POSTERIORS:
        if words and not any(word in case.name for word in words):
            continue
        for method in methods:
            begun = time.perf_counter()
            try:
                tree = ppl_mle.sample(case.build(), method=method, random_seed=1, progressbar=False)
            except ppl_mle.PplMleError as exc:
                print(f"| {case.name} | {method} | {type(exc).__name__}: {exc} |", flush=True)
                continue
            seconds = time.perf_counter() - begun
            print(f"| {case.name} | {method} | {_figures(tree, compare_moments(tree, case.reference))} {seconds:.1f} |")
            sys.stdout.flush()


def _figures(tree: Any, moments: Any) -> str:
    from ppl_mle.posterior import check_draws

    (z, mean), (ratio, sd) = moments
    check = check_draws(tree)
    k_hat = "" if check.k_hat is None else f"{check.k_hat:.2f}"
    ess = np.nanmin(check.table["ess_bulk"])
    divergences = "" if check.divergences is None else check.divergences
    cells = [tree["posterior"].attrs["method"], k_hat, f"{ess:.0f}", f"{z:.2f} ({mean})", f"{ratio:.3f} ({sd})"]
    return " | ".join([*cells, str(divergences), ""])


def judge(case: Any) -> str:
    """What `sample(method="auto")` would do, without running NUTS."""
    from ppl_mle.posterior import find_mode, sample_instantly, why_improper, why_periodic, why_separated

    model = case.build()
    if improper := why_separated(model) or why_periodic(model):
        return f"refused | {improper}"
    mode = find_mode(model)
    if improper := why_improper(model, mode):
        return f"refused | {improper}"
    instant = sample_instantly(mode, 4000, np.random.default_rng(1))
    if not instant.reason:
        assert instant.weighted is not None
        return f"weighted draws | k-hat {instant.weighted.k_hat:.2f}, ESS {instant.weighted.ess:.0f}"
    return f"NUTS | {instant.reason}"


def stress(words: list[str], limit: float) -> None:
    """Verdict on the posterior of every model of the catalogue."""
    from stress import time_limit

    import ppl_mle
    from tests.stress.catalogue import all_cases

    counts: Counter[str] = Counter()
    print("| case | fit ends in | posterior | why | s |\n|---|---|---|---|---|")
    for case in all_cases():
        if words and not any(word in case.name for word in words):
            continue
        begun = time.perf_counter()
        try:
            with time_limit(limit):
                verdict = judge(case)
        except (TimeoutError, RuntimeError, ppl_mle.PplMleError) as exc:  # a compiler interrupted
            verdict = f"{type(exc).__name__} | {exc}"
        counts[verdict.split(" | ")[0]] += 1
        line = f"| {case.name} | {case.status.replace('|', ' or ')} | {verdict} | {time.perf_counter() - begun:.1f} |"
        print(" ".join(line.split()), flush=True)
    print("\n" + ", ".join(f"{count} {what}" for what, count in counts.most_common()))


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["speed", "posteriordb", "stress", "measure"])
    parser.add_argument("of", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--cases", nargs="*", default=[], help="only cases whose name contains one of these words")
    parser.add_argument("--methods", nargs="*", default=["auto", "nuts"])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one model of the catalogue")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.part == "speed":
        speed(options.repeats)
    elif options.part == "measure":
        measure(*options.of, options.repeats)
    elif options.part == "posteriordb":
        posteriordb(options.cases, options.methods)
    else:
        stress(options.cases, options.limit)


if __name__ == "__main__":
    main()
