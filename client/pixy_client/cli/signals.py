"""What asks a run to end: it ends as Ctrl-C ends it, and leaves nothing half done behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = tuple(each for each in signal.Signals if each.name in ("SIGTERM", "SIGHUP"))
"""Sent by who stops a job, and by a terminal that is closed (Windows sends none). SIGINT is
Python's own."""


class Terminated(KeyboardInterrupt):
    """A signal came that asks to end; `number` is its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)


@contextmanager
def terminable() -> Iterator[None]:
    """Raise Terminated where a signal comes; one that is ignored, as by nohup, stays so.

    While the first is dealt with the others are ignored: a terminal that closes may
    send both, and what is cleaned up is not to be cut short.
    """
    usual = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = [number for number in _SIGNALS if usual[number] not in (signal.SIG_IGN, None)]

    def end(number: int, _frame: FrameType | None) -> None:
        for each in taken:
            signal.signal(each, signal.SIG_IGN)
        raise Terminated(number)

    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, usual[number])


def interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the interrupt in whose course an error came up: a closed terminal brings more."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__context__
    return None
