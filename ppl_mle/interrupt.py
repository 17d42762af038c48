"""Interrupts that are noted even where a library or the interpreter swallows them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noting_interrupts() -> Iterator[list[int]]:
    """Note every SIGINT while it is also handled as usual; a KeyboardInterrupt follows if one was swallowed.

    An interrupt inside a destructor or a weak reference's callback is printed and ignored by Python, and some samplers
    end only the chain at hand; what is made afterwards must not pass for the whole.

    Yields
    ------
    list of int
        The signals noted so far.

    Raises
    ------
    KeyboardInterrupt
        At the end of the block, when an interrupt was noted.
    """
    noted: list[int] = []
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield noted
        return

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        usual(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, usual)
    if noted:
        raise KeyboardInterrupt("was noted before the draws were complete")
