"""How a command starts: before its modules are there, which take their time to import."""

import os
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""

USAGE = 2
"""Exit code where what was asked for cannot be used as things are."""


@contextmanager
def starting(program: str, *, extra: str, packages: Collection[str]) -> Iterator[None]:
    """Import a command: Ctrl-C ends it quietly, a missing package of its extra with one line.

    Another module that is missing is shown as what it is: ModuleNotFoundError.
    """
    try:
        with interruptible():
            yield
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in packages:
            raise
        sys.stderr.write(
            f"{program}: the command needs an extra: pip install 'pixy-grpc[{extra}]'\n"
        )
        sys.exit(USAGE)


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
