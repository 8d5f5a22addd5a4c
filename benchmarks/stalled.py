"""What readers cost that take the first message of a download and no more."""

import threading
from contextlib import ExitStack
from pathlib import Path

import grpc
from rich.table import Table

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.support.process import ServeProcess

READERS = 64
SETTLE_SECONDS = 3.0
"""How long memory takes to be what it stays."""


def table(process: ServeProcess, guid: str) -> Table:
    """Return the memory of a worker without and with stalled readers of an image."""
    pid = process.workers()[0]
    before = _resident_mb(pid)
    with ExitStack() as opened:
        for number in range(READERS):
            _stall(opened, process, guid, number)
        threading.Event().wait(SETTLE_SECONDS)
        held = _resident_mb(pid) - before
    rows = Table(f"{READERS} stalled readers", "")
    rows.add_row("memory of the worker before", f"{before:.0f} MB")
    rows.add_row("memory for them", f"{held:.0f} MB")
    rows.add_row("memory for each", f"{held / READERS:.1f} MB")
    return rows


def _stall(opened: ExitStack, process: ServeProcess, guid: str, number: int) -> None:
    """Take one message, on a connection of its own; callers take turns, for their shares."""
    options = [("grpc.use_local_subchannel_pool", 1), ("pixy.number", number)]
    channel = opened.enter_context(grpc.insecure_channel(process.server.target, options=options))
    answers = ImageServiceStub(channel).GetImageBytes(
        pb.GetImageBytesRequest(guid=guid),
        metadata=process.server.metadata(("alice", "bob")[number % 2]),
    )
    opened.callback(answers.cancel)
    next(answers)


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))
