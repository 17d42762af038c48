"""Progress of a search: a line on standard error after a second, and what was reached when it is interrupted."""

import sys
import time
from types import TracebackType

_PATIENCE = 1.0
_EVERY = 0.2


class Ticker:
    """Context of a search; `tick` is told every iteration.

    Parameters
    ----------
    progressbar : bool
        False, or standard error not being a terminal, shows nothing.

    Raises
    ------
    KeyboardInterrupt
        An interrupt inside the context is passed on with what was reached as its message.
    """

    def __init__(self, progressbar: bool) -> None:
        self._visible = progressbar and sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()
        self._reached = "before the first iteration"

    def tick(self, iteration: int, value: float) -> None:
        """Note the iteration and the log-density there."""
        self._reached = f"at iteration {iteration} of the search, log-density {value:.6g}"
        now = time.monotonic()
        if self._visible and now - self._begun > _PATIENCE and now - self._shown > _EVERY:
            self._shown = now
            sys.stderr.write(f"\r\x1b[Kmaximizing: iteration {iteration}, log-density {value:.6g}")
            sys.stderr.flush()

    def __enter__(self) -> "Ticker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown > self._begun:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        if isinstance(exc, KeyboardInterrupt):
            raise KeyboardInterrupt(self._reached) from exc
