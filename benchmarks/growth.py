"""Time and memory of a logistic fit as the rows grow tenfold, 1e4 to 1e7, 10 columns; every fit in its own process.

The process fits a small model first, so that imports are done, and builds the model; then the clock starts. Memory over
the data is the highest resident size during the fit minus the resident size just before it (after the allocator gave
back what it held), over the bytes of the design and of the outcome as the model holds them. It is held against its bar
where the data have at least 50 MB: below, a few fixed buffers outweigh them. The slope is that of log time on log rows
between neighbouring sizes. Linux only: reads /proc/self/status, and resets the peak through /proc/self/clear_refs.

    python benchmarks/growth.py [--rows 1e4 1e5 1e6 1e7] [--columns 10] [--runs 3]
"""

import argparse
import ctypes
import gc
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from side_by_side import verdict

MEMORY_BAR, SLOPE_BAR = 0.25, 1.1
LARGE = 50e6


def resident(field: str) -> int:
    """Bytes of a field of /proc/self/status: VmRSS now, VmHWM at its highest."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def measure_here(rows: int, columns: int) -> dict[str, float]:
    """Fit once in this process; seconds, bytes of the data and bytes over them."""
    import pymc as pm

    import ppl_mle

    def build(n: int) -> tuple[pm.Model, int]:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n, columns))
        y = (rng.random(n) < 1 / (1 + np.exp(-0.3 - X @ np.full(columns, 0.2)))).astype(np.int64)
        with pm.Model() as model:
            a, b = pm.Flat("a"), pm.Flat("b", shape=columns)
            outcome = pm.Bernoulli("y", logit_p=a + X @ b, observed=y)
        return model, X.nbytes + model.rvs_to_values[outcome].data.nbytes

    ppl_mle.find_MLE(build(500)[0], progressbar=False)
    model, size = build(rows)
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, begun = resident("VmRSS"), time.perf_counter()
    fit = ppl_mle.find_MLE(model, progressbar=False)
    errors = fit.bse.to_numpy()
    seconds = time.perf_counter() - begun
    assert fit.converged, fit.message
    assert np.all(errors > 0)
    return {"seconds": seconds, "data": size, "over": resident("VmHWM") - before}


def measure(rows: int, columns: int) -> dict[str, float]:
    """The same in a new process."""
    program = [sys.executable, __file__, "--here", str(rows), "--columns", str(columns)]
    return json.loads(subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, nargs="+", default=[1e4, 1e5, 1e6, 1e7])
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(measure_here(asked.here, asked.columns)))
        return
    print(
        f"| rows x {asked.columns} | s (median, range) | slope | bar {SLOPE_BAR:g} | data, MB | over them, MB | share "
        f"| bar {MEMORY_BAR:g} |\n|---|---|---|---|---|---|---|---|"
    )
    points: list[tuple[float, float]] = []
    for rows in sorted(asked.rows):
        found = [measure(int(rows), asked.columns) for _ in range(asked.runs)]
        points.append((rows, print_row(rows, found, points[-1] if points else None)))
    if len(points) > 2:
        overall = slope(points[0], points[-1])
        print(f"\nSlope over all sizes: {overall:.2f} ({verdict(overall <= SLOPE_BAR)})")


def print_row(rows: float, found: list[dict[str, float]], smaller: tuple[float, float] | None) -> float:
    """Print the row of one size; returns its median time."""
    times = [run["seconds"] for run in found]
    median, data = statistics.median(times), found[0]["data"]
    over = statistics.median(run["over"] for run in found)
    rise = slope(smaller, (rows, median)) if smaller else None
    cells = [f"{median:.3f} ({min(times):.3f} to {max(times):.3f})"]
    cells += ["", ""] if rise is None else [f"{rise:.2f}", verdict(rise <= SLOPE_BAR)]
    cells += [f"{data / 1e6:.1f}", f"{over / 1e6:.1f}", f"{over / data:.2f}"]
    cells.append(verdict(over <= MEMORY_BAR * data) if data >= LARGE else "")
    print(f"| {rows:.0e} | " + " | ".join(cells) + " |", flush=True)
    return median


def slope(smaller: tuple[float, float], larger: tuple[float, float]) -> float:
    """Of log time on log rows."""
    return math.log(larger[1] / smaller[1]) / math.log(larger[0] / smaller[0])


if __name__ == "__main__":
    main()
