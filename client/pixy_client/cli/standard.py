"""Standard output and standard error, whatever the shell has made of them."""

import io
import os
import sys
from typing import TextIO

_STDERR = 2
"""The descriptor of standard error. (POSIX)"""


def prepare_streams() -> None:
    """Let text in another script be escaped, and what is written to a closed stream be lost.

    `>&-` leaves Python without the stream, and the next file that is opened in its place.
    """
    _hold_places()
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_closed(stream: TextIO) -> bool:
    """Tell whether a stream is one that was found closed."""
    return stream.name == os.devnull


def _hold_places() -> None:
    """Open every descriptor up to that of standard error, which libraries write to."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - as long as we run
