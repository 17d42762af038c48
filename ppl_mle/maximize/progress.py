"""One line on standard error while a search takes longer than a second; nothing where no one is watching."""

import sys
import time
from collections.abc import Callable

_PATIENCE = 1.0
_EVERY = 0.2


def make_ticker(progressbar: bool) -> tuple[Callable[[int, float], None], Callable[[], None]]:
    """Make the function that a search tells its progress to, and the one that clears the line.

    Parameters
    ----------
    progressbar : bool
        False, or standard error not being a terminal, silences both.

    Returns
    -------
    tick : callable of (iteration, log-density)
    clear : callable
    """
    if not (progressbar and sys.stderr.isatty()):
        return (lambda iteration, value: None), (lambda: None)
    begun = shown = time.monotonic()

    def tick(iteration: int, value: float) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - begun > _PATIENCE and now - shown > _EVERY:
            shown = now
            sys.stderr.write(f"\r\x1b[Kmaximizing: iteration {iteration}, log-density {value:.6g}, {now - begun:.0f} s")
            sys.stderr.flush()

    def clear() -> None:
        if shown > begun:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    return tick, clear
