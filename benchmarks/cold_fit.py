"""Cold fits side by side with pm.find_MAP: a new process and an empty compile directory for every run.

The clock starts after `import pymc, ppl_mle` and after the model is built, and stops when estimates with standard
errors are there (ours with its certificate). Prints medians and ratios, and how far find_MAP's estimates are from
ours, over max(|estimate|, standard error).

    python benchmarks/cold_fit.py [--runs 5]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from side_by_side import verdict

SECONDS_BAR, RATIO_BAR = 0.5, 30.0
MODELS = {
    "linear": """
x = np.linspace(-10, 30, 100)
y = 10 + 4 * x + rng.normal(10, 5, 100)
with pm.Model() as model:
    a, b, sigma = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("sigma")
    pm.Normal("y", a + b * x, sigma, observed=y)
""",
    "logistic 1000 x 10": """
X = rng.normal(size=(1000, 10))
y = rng.binomial(1, 1 / (1 + np.exp(-X @ np.full(10, 0.3))))
with pm.Model() as model:
    a, b = pm.Flat("a"), pm.Flat("b", shape=10)
    pm.Bernoulli("y", logit_p=a + X @ b, observed=y)
""",
}
TOOLS = {
    "ppl_mle": """
fit = ppl_mle.find_MLE(model, progressbar=False)
estimates, errors, ok = fit.params.to_list(), fit.bse.to_list(), fit.converged
""",
    "pm.find_MAP": """
tree = pm.find_MAP(model=model, return_inferencedata=True, compute_hessian=True, jitter=False, progressbar=False)
values = [tree["posterior"][name].values.ravel() for name in ("a", "b", "sigma") if name in tree["posterior"]]
estimates = np.concatenate(values).tolist()
errors = np.sqrt(np.diag(tree["fit"]["covariance_matrix"].values)).tolist()
ok = bool(tree["optimizer_result"]["success"])
""",
}
PROGRAM = """
import json, time
import numpy as np, pymc as pm, ppl_mle
rng = np.random.default_rng(0)
{model}
begun = time.perf_counter()
{tool}
print(json.dumps(dict(seconds=time.perf_counter() - begun, ok=ok, estimates=estimates, errors=errors)))
"""


def run_once(model: str, tool: str) -> dict:
    """Time one fit in a new process with an empty compile directory."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={folder}"}
        program = PROGRAM.format(model=MODELS[model], tool=TOOLS[tool])
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def apart(ours: dict, theirs: dict) -> float:
    """Largest difference of the estimates over max(|estimate|, standard error)."""
    triples = zip(ours["estimates"], ours["errors"], theirs["estimates"], strict=True)
    return max(abs(their - our) / max(abs(our), error) for our, error, their in triples)


def print_row(model: str, found: dict[str, list[dict]]) -> None:
    """Print the row of one model."""
    ours, theirs = ([run["seconds"] for run in found[tool]] for tool in TOOLS)
    median, ratio = statistics.median(ours), statistics.median(theirs) / statistics.median(ours)
    assert all(run["ok"] for run in found["ppl_mle"])
    cells = [f"{statistics.median(t):.2f} ({min(t):.2f} to {max(t):.2f})" for t in (ours, theirs)]
    verdicts = verdict(median <= SECONDS_BAR), verdict(ratio >= RATIO_BAR)
    error = apart(*(found[tool][-1] for tool in TOOLS))
    print(
        f"| {model} | {cells[0]} | {verdicts[0]} | {cells[1]} | {ratio:.0f} | {verdicts[1]} | {error:.0e} |", flush=True
    )


def main() -> None:
    """Run every model with every tool in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(
        f"| model | ppl_mle, s (median, range) | bar {SECONDS_BAR:g} s | pm.find_MAP, s (median, range) | ratio "
        f"| bar {RATIO_BAR:g} | find_MAP's error |\n|---|---|---|---|---|---|---|"
    )
    for model in MODELS:
        found: dict[str, list[dict]] = {tool: [] for tool in TOOLS}
        for turn in range(runs):
            for tool in list(TOOLS) if turn % 2 == 0 else reversed(TOOLS):
                found[tool].append(run_once(model, tool))
        print_row(model, found)


if __name__ == "__main__":
    main()
