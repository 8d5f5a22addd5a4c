"""Signals end `pixy` as Ctrl-C does: nothing half done is left, and the exit code tells which."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, details_of, sends_image
from tests.e2e.client.pixy import PROGRAM, environment, start
from tests.e2e.client.stand_in import WAIT_SECONDS, Held, StandIn, breaks, sends, serving

BEGINNING = (
    pb.GetImageBytesResponse(details=details_of()),
    pb.GetImageBytesResponse(data=DATA[:1000]),
)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "Interrupted."),
        (signal.SIGTERM, 143, "Ended by SIGTERM."),
        (signal.SIGHUP, 129, "Ended by SIGHUP."),
    ],
)
def test_get_that_is_asked_to_end_leaves_nothing(
    stand_in: StandIn, tmp_path: Path, number: signal.Signals, code: int, said: str
) -> None:
    """Neither a file nor the hidden part of one."""
    held = Held()
    stand_in.script("GetImageBytes", sends(*BEGINNING, then=held.then(breaks())))

    with start(stand_in, "get", GUID, "-o", f"{tmp_path}") as process:
        held.arrived.wait(WAIT_SECONDS)
        os.kill(process.pid, number)
        _, complaints = process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == code
    assert complaints.decode() == f"pixy: INTERRUPTED: {said}\n"
    assert _names(tmp_path) == []


def test_get_whose_terminal_is_closed_leaves_nothing(stand_in: StandIn, tmp_path: Path) -> None:
    """Although nothing can be shown there any more."""
    held = Held()
    stand_in.script("GetImageBytes", sends(*BEGINNING, then=held.then(breaks())))
    ours, theirs = pty.openpty()

    with subprocess.Popen(
        [PROGRAM, "get", GUID, "-o", f"{tmp_path}"],
        env=environment(stand_in),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        held.arrived.wait(WAIT_SECONDS)
        os.close(ours)
        os.kill(process.pid, signal.SIGHUP)
        returncode = process.wait(WAIT_SECONDS)

    assert returncode == 129
    assert _names(tmp_path) == []


def test_get_whose_server_ends_says_so_in_one_document(tmp_path: Path) -> None:
    """A server that cancels its calls is worth a line to gRPC's core, in a format of its own."""
    held = Held()
    with serving() as stand_in:
        stand_in.script("GetImageBytes", sends(*BEGINNING, then=held.then(breaks())))
        process = start(stand_in, "--timeout", "3", "get", GUID, "-o", f"{tmp_path}", "--json")
        held.arrived.wait(WAIT_SECONDS)

    with process:
        _, complaints = process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == 7
    assert json.loads(complaints)["error"]["exit_code"] == 7


def test_get_that_outlives_its_terminal_goes_on(stand_in: StandIn, tmp_path: Path) -> None:
    """`nohup` ignores the signal, and so does what it runs."""
    held = Held()
    stand_in.script("GetImageBytes", held.then(sends_image()))

    with subprocess.Popen(
        ["nohup", PROGRAM, "get", GUID, "-o", f"{tmp_path}/fox.png"],
        env=environment(stand_in),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        held.arrived.wait(WAIT_SECONDS)
        os.kill(process.pid, signal.SIGHUP)
        held.released.set()
        returncode = process.wait(WAIT_SECONDS)

    assert returncode == 0
    assert (tmp_path / "fox.png").read_bytes() == DATA
