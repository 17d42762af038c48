"""The HTML report of the linear model with its posterior, from a cold process and an empty compile directory.

Times the whole command, imports included; then what each part of a report costs in a warm process, and how large each
format is.

    python benchmarks/report.py [--runs 3]
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import verdict

SECONDS_BAR, BYTES_BAR = 12.0, 3_000_000
LINEAR = Path(__file__).parents[1] / "models" / "linear.py"
WARM = """
import sys, time, ppl_mle
from ppl_mle.script import load_script
script = load_script(sys.argv[1])
data = script.load_data()
fit = ppl_mle.find_MLE(script.build_model(data), progressbar=False)
draws = ppl_mle.sample(fit, random_seed=0, progressbar=False)
ppl_mle.report(fit, draws, path=f"{sys.argv[2]}/first.html")
for suffix in (".html", ".md", ".tex", ".ipynb", ".docx"):
    begun = time.perf_counter()
    ppl_mle.report(fit, draws, path=f"{sys.argv[2]}/r{suffix}", script=sys.argv[1])
    print(suffix, round(time.perf_counter() - begun, 2))
"""


def run_once() -> tuple[float, float, int]:
    """Seconds by the clock and of the processors, and size of one cold report."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "linear.html")
        environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={folder}/compiled"}
        command = [sys.executable, "-m", "ppl_mle", "report", str(LINEAR), "--sample", "--output", str(path)]
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, capture_output=True, check=True)
        took, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return took, busy, path.stat().st_size


def formats() -> list[tuple[str, str, int]]:
    """Format, seconds of a warm process, and size with its figures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", WARM, str(LINEAR), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = [line.split() for line in done.stdout.splitlines()]
        beside = {
            "." + kind: sum(file.stat().st_size for file in Path(folder, "r_files").glob(f"*.{figure}"))
            for kind, figure in (("md", "svg"), ("tex", "pdf"))
        }
        return [(name, took, Path(folder, f"r{name}").stat().st_size + beside.get(name, 0)) for name, took in rows]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    found = [run_once() for _ in range(parser.parse_args().runs)]
    seconds, size = [took for took, _, _ in found], max(size for _, _, size in found)
    median, spread = statistics.median(seconds), f"{min(seconds):.1f} to {max(seconds):.1f}"
    print(f"| HTML report with posterior, cold | measured | bar {SECONDS_BAR:g} s, {BYTES_BAR / 1e6:g} MB |")
    print("|---|---|---|")
    print(f"| seconds (median, range) | {median:.1f} ({spread}) | {verdict(median <= SECONDS_BAR)} |")
    print(f"| of which processors are busy, median | {statistics.median(busy for _, busy, _ in found):.1f} | |")
    print(f"| megabytes | {size / 1e6:.2f} | {verdict(size <= BYTES_BAR)} |\n")
    print("| format | warm, s | kB |\n|---|---|---|")
    for name, took, bytes_ in formats():
        print(f"| {name} | {took} | {bytes_ / 1e3:.0f} |")


if __name__ == "__main__":
    main()
