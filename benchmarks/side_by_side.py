"""What the benchmarks share: tools that take turns under one clock, medians with ranges, answers that must agree."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

AGREE = 1e-8


@dataclass(frozen=True)
class Answer:
    """Estimates and standard errors in one order for all tools; standard errors may be left out.

    `fit_seconds` is the time until the estimates were there, where the standard errors come from a second call.
    """

    estimates: np.ndarray
    errors: np.ndarray | None = None
    fit_seconds: float | None = None


@dataclass(frozen=True)
class Tool:
    """A name, the run that is timed, and what prepares each run outside the clock."""

    name: str
    run: Callable[[Any], Answer]
    prepare: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class Timed:
    """Seconds of every run of one tool, and its last answer."""

    seconds: list[float]
    fit_seconds: list[float]
    answer: Answer

    @property
    def median(self) -> float:
        """Median of the seconds."""
        return statistics.median(self.seconds)

    def cell(self, digits: int = 2) -> str:
        """Median and range for the table."""
        low, high = min(self.seconds), max(self.seconds)
        return f"{self.median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

    def fit_cell(self, digits: int = 2) -> str:
        """Median time until the estimates were there, without standard errors."""
        return f"{statistics.median(self.fit_seconds):.{digits}f}" if self.fit_seconds else ""


def take_turns(tools: Sequence[Tool], runs: int) -> dict[str, Timed]:
    """Time every tool `runs` times; the order is reversed in every other round."""
    seconds: dict[str, list[float]] = {tool.name: [] for tool in tools}
    answers: dict[str, list[Answer]] = {tool.name: [] for tool in tools}
    for turn in range(runs):
        for tool in tools if turn % 2 == 0 else tools[::-1]:
            prepared = tool.prepare()
            gc.collect()
            begun = time.perf_counter()
            answer = tool.run(prepared)
            seconds[tool.name].append(time.perf_counter() - begun)
            answers[tool.name].append(answer)
    return {
        name: Timed(times, [a.fit_seconds for a in answers[name] if a.fit_seconds is not None], answers[name][-1])
        for name, times in seconds.items()
    }


def difference(answer: Answer, other: Answer) -> float:
    """Largest difference of the estimates over max(|estimate|, standard error), and of standard errors, relative."""
    assert other.errors is not None
    scale = np.maximum(np.abs(other.estimates), other.errors)
    worst = float(np.max(np.abs(answer.estimates - other.estimates) / scale))
    if answer.errors is not None:
        worst = max(worst, float(np.max(np.abs(answer.errors / other.errors - 1))))
    return worst


def worst_difference(results: Mapping[str, Timed], ours: str) -> float:
    """Largest difference of any tool's answer from ours."""
    return max(difference(timed.answer, results[ours].answer) for name, timed in results.items() if name != ours)


def verdict(reached: bool) -> str:
    """How the table says whether a bar is reached."""
    return "reached" if reached else "NOT REACHED"


def demand_agreement(worst: Mapping[str, float], bar: float = AGREE) -> None:
    """Leave with an error that names every case whose answers differ by more than the bar."""
    apart = [f"{case}: {value:.1e}" for case, value in worst.items() if not value <= bar]
    if apart:
        raise SystemExit(f"answers differ by more than {bar:g}: " + "; ".join(apart))
