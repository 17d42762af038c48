"""What `import ppl_mle` adds to `import pymc`, and how long `ppl-mle --help` takes; medians of new processes.

python benchmarks/import_time.py [--runs 9]
"""

import argparse
import statistics
import subprocess
import sys
import time

ADDED = """
import pymc, time
begun = time.perf_counter()
import ppl_mle
{use}
print(time.perf_counter() - begun)
"""


def added(use: str) -> float:
    """Seconds that the import takes after PyMC's."""
    program = [sys.executable, "-c", ADDED.format(use=use)]
    return float(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def help_time() -> float:
    """Seconds of `ppl-mle --help` as a whole process."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "ppl_mle", "--help"], capture_output=True, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    rows = {
        "import ppl_mle, after import pymc": lambda: added(""),
        "the same, every public name loaded": lambda: added("[getattr(ppl_mle, name) for name in ppl_mle.__all__]"),
        "ppl-mle --help, whole process": help_time,
    }
    print("| what | seconds (median, range) |\n|---|---|")
    for name, measure in rows.items():
        times = [measure() for _ in range(runs)]
        print(f"| {name} | {statistics.median(times):.3f} ({min(times):.3f} to {max(times):.3f}) |")


if __name__ == "__main__":
    main()
