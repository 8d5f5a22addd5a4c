"""The `pixy` command as a process of its own, with a terminal where a test wants one."""

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from typer.testing import Result

from tests.e2e.client.stand_in import WAIT_SECONDS, StandIn

Pixy = Callable[..., Result]
"""Runs a command in this process, without a terminal."""

PROGRAM = str(Path(sys.executable).parent / "pixy")


def environment(stand_in: StandIn) -> dict[str, str]:
    """Return an environment in which `pixy` finds the stand-in, its output held as usual."""
    unusual = ("PIXY_", "PYTHONUNBUFFERED")
    found = {name: value for name, value in os.environ.items() if not name.startswith(unusual)}
    return found | {
        "PIXY_TARGET": stand_in.target,
        "PIXY_TOKEN": "secret",
        "COLUMNS": "120",
        "TERM": "xterm",
    }


def run(stand_in: StandIn, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, its output in pipes."""
    return subprocess.run(
        [PROGRAM, *arguments],
        env=environment(stand_in),
        capture_output=True,
        timeout=WAIT_SECONDS * 2,
        check=False,
    )


def run_closed(
    stand_in: StandIn, redirection: str, *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end by a shell that closes some of its streams."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", PROGRAM, *arguments],
        env=environment(stand_in),
        capture_output=True,
        timeout=WAIT_SECONDS * 2,
        check=False,
    )


def start(
    stand_in: StandIn, *arguments: str, changes: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command, its output in pipes."""
    return subprocess.Popen(
        [PROGRAM, *arguments],
        env=environment(stand_in) | dict(changes or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@dataclass(frozen=True)
class TerminalRun:
    """What a command on a terminal wrote, errors among it, and how it ended."""

    output: str
    returncode: int


def run_on_terminal(stand_in: StandIn, *arguments: str, columns: int = 120) -> TerminalRun:
    """Run a command to its end on a terminal so wide."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env=environment(stand_in) | {"COLUMNS": str(columns)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = bytearray()
        reader = threading.Thread(target=_read_all, args=(ours, written))
        reader.start()
        returncode = process.wait(WAIT_SECONDS * 2)
        reader.join(WAIT_SECONDS)
    os.close(ours)
    return TerminalRun(written.decode(), returncode)


def _read_all(terminal: int, written: bytearray) -> None:
    """Read what is written to a terminal; Linux ends it with an error once nobody has it."""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            return
        if not data:
            return
        written += data
