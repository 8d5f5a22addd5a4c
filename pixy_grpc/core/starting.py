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

DISTRIBUTION = "pixy-grpc"


def version_line(program: str) -> str:
    """Return what a program prints for its version: that of what is installed."""
    from importlib.metadata import version  # noqa: PLC0415 - as slow as the rest of this module

    return f"{program} {version(DISTRIBUTION)}"


def answers_version(program: str) -> bool:
    """Print the version, if that is all that is asked for: at once, as nothing is imported."""
    is_wanted = sys.argv[1:] == ["--version"]
    if is_wanted:
        print(version_line(program))  # noqa: T201 - the one thing said without typer
    return is_wanted


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
            f"{program}: the command needs an extra: pip install '{DISTRIBUTION}[{extra}]'\n"
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
