"""`pixy-grpc fsck`, in a process of its own or, where that is enough, in the test's."""

import json
import os
import pty
import subprocess
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import pytest

from pixy_grpc.cli.fsck import run_fsck
from pixy_grpc.service.fsck import FsckLimits, Tasks
from pixy_grpc.settings import Settings
from tests.support.process import PROGRAM, WAIT_SECONDS, environment, run_program
from tests.unit.service.fsck.depot import CHECK

SPOOL = "spool"
"""Where the test servers have it, in their folder."""


NOTHING_IS_YOUNG = FsckLimits(young=timedelta(hours=-1))
"""Takes the margin away that bytes without a row have."""


@dataclass(frozen=True)
class Ended:
    """How a run with --json ended, and what it printed."""

    code: int
    errors: list[str]
    events: list[dict[str, object]] = field(repr=False)

    @property
    def summary(self) -> dict[str, object]:
        """The last line."""
        assert self.events[-1]["event"] == "summary"
        return self.events[-1]

    def of(self, event: str, name: str) -> list[tuple[object, object]]:
        """Return what the events of a kind name, and the keys."""
        return [(each[name], each["key"]) for each in self.events if each["event"] == event]

    @property
    def findings(self) -> list[tuple[object, object]]:
        """What was found, and where."""
        return self.of("finding", "fault")

    @property
    def repairs(self) -> list[tuple[object, object]]:
        """What was done, and to what."""
        return self.of("repair", "action")


def fsck(folder: Path, *arguments: str, **settings: str) -> Ended:
    """Run the command to its end with --json."""
    ended = run_program(folder, "fsck", "--json", *arguments, **{"PIXY_SPOOL": SPOOL, **settings})
    return Ended(ended.returncode, ended.stderr.splitlines(), _events(ended.stdout))


def run_here(
    capsys: pytest.CaptureFixture[str],
    settings: Settings,
    tasks: Tasks = CHECK,
    limits: FsckLimits | None = None,
) -> Ended:
    """Run a check with --json, without a process of its own."""
    code = run_fsck(settings, tasks, as_json=True, limits=limits)
    said = capsys.readouterr()
    return Ended(code, said.err.splitlines(), _events(said.out))


def _events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def start(
    folder: Path, *arguments: str, output: "int | TextIO" = subprocess.PIPE, **settings: str
) -> "subprocess.Popen[str]":
    """Start the command, its output in pipes that hold 64 KiB, or where it is sent."""
    return subprocess.Popen(
        [PROGRAM, "fsck", *arguments],
        cwd=folder,
        env=environment(PIXY_SPOOL=SPOOL, **settings),
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )


def on_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the command on a terminal; return its exit code and all that was written."""
    ours, theirs = pty.openpty()
    written = bytearray()
    reader = threading.Thread(target=_read_all, args=(ours, written))
    with subprocess.Popen(
        [PROGRAM, "fsck", *arguments],
        cwd=folder,
        env=environment(PIXY_SPOOL=SPOOL, TERM="xterm", COLUMNS="200"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        reader.start()
        code = process.wait(WAIT_SECONDS)
        reader.join(WAIT_SECONDS)
    os.close(ours)
    return code, written.decode()


def _read_all(descriptor: int, into: bytearray) -> None:
    try:
        while data := os.read(descriptor, 65536):
            into += data
    except OSError:  # EIO: the last one who had the terminal has closed it
        return
