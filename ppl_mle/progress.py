"""A line on standard error for work that takes longer than a second; nothing where no one is watching."""

import sys
from threading import Timer
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

_PATIENCE = 1.0


class Progress:
    """Context of a piece of work.

    Parameters
    ----------
    message : str
        What is being done.
    visible : bool
        False shows nothing, and neither does standard error that is no terminal.

    Examples
    --------
    >>> with Progress("maximizing") as progress:
    ...     progress.say("iteration 3")
    >>> progress.reached
    'iteration 3'
    """

    def __init__(self, message: str, visible: bool = True) -> None:
        self._message = message
        self._status = _make_status(message) if visible and sys.stderr.isatty() else None
        self._timer = Timer(_PATIENCE, self._status.start) if self._status is not None else None
        self.reached = "before the first iteration"

    def say(self, reached: str) -> None:
        """Note how far the work has come, and show it."""
        self.reached = reached
        if self._status is not None:
            self._status.update(f"{self._message}: {reached}")

    def __enter__(self) -> "Progress":
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None and self._status is not None:
            self._timer.cancel()
            self._timer.join()
            self._status.stop()


def _make_status(message: str) -> "Status":
    from rich.console import Console

    return Console(stderr=True, markup=False).status(message)
