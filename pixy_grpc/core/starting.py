"""How a command starts: before its modules are there, which take their time to import."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process without a word while its modules are imported.

    Nothing is there yet to be closed, and a KeyboardInterrupt within an import is a
    traceback at best. Where SIGINT is ignored, as in the background of a shell, or is
    another's, it stays so.
    """
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)
