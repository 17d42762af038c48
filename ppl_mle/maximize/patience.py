"""How long looks beyond the first answer may take: a few times what that answer took."""

import time
from collections.abc import Callable
from dataclasses import dataclass

_AT_LEAST = 10.0

Tick = Callable[[int, float], None]


class OutOfPatienceError(Exception):
    """Searches beyond the first have taken as long as they may."""


@dataclass(frozen=True)
class Patience:
    """A limit on the time that later searches take; ten seconds always are allowed, so that only costly models meet it.

    Parameters
    ----------
    seconds : float
        On the clock `time.perf_counter`, from `begun` on; infinite for no limit.
    begun : float
    """

    seconds: float
    begun: float

    @classmethod
    def of(cls, first: float, times: float) -> "Patience":
        """So many times what the first search took in seconds, from now on."""
        return cls(max(_AT_LEAST, times * first), time.perf_counter())

    @property
    def is_over(self) -> bool:
        """Whether the time is spent."""
        return time.perf_counter() - self.begun > self.seconds

    def watch(self, tick: Tick) -> Tick:
        """A tick that ends the search that it is told of when the time is spent, by OutOfPatienceError."""

        def watched(iteration: int, value: float) -> None:
            if self.is_over:
                raise OutOfPatienceError
            tick(iteration, value)

        return watched


def tell_of_cuts(first: float, made: int, missed: int, looked: bool) -> list[str]:
    """Findings about what there was no time for.

    Parameters
    ----------
    first : float
        Seconds that the first search took.
    made, missed : int
        Starts made, and left out.
    looked : bool
        Every look beyond the maxima found was taken to its end.
    """
    why = f"because the first search took {first:.2g} s"
    findings = []
    if missed:
        findings.append(
            f"there may be other maxima: {missed} of {made + missed} starts that would look for them were left out, "
            f"{why}; starts={made + missed} makes them all"
        )
    if not looked:
        findings.append(f"not every scale was held far away to look for a higher density there, {why}")
    return findings
