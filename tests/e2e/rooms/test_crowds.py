"""Crowds: many readers of one caller, and renditions that take long to make."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Unpack

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.e2e.rooms.calls import Download, reason_of
from tests.e2e.rooms.conftest import StartLimited
from tests.e2e.rooms.large import MEBIBYTE, add_image
from tests.e2e.rooms.test_downloads import NARROW, admitted
from tests.e2e.rpc.fields import ReadFields
from tests.e2e.rpc.logbook import LogBook, keeping_logs
from tests.support.process import wait_until
from tests.support.server import RunningServer

READERS = 200
CONNECTIONS = 4
"""Those of the crowd: one carries a hundred calls at once."""

PLACES = 64
HALF = PLACES // 2
TRICKLING = 4
STALL_SECONDS = 6.0
BOUND_SECONDS = 60.0


def begun(download: Download) -> "Download | tuple[str, float | None]":
    """Return a download that has its place, else reason and delay of its refusal."""
    try:
        return download.begin()
    except grpc.RpcError as error:
        return reason_of(error)


def trickled(download: Download, until: float) -> float:
    """Read a message now and then; return the seconds left when it is cut."""
    while time.monotonic() < until:
        threading.Event().wait(1.0)  # all of it would take more than twice the limit
        try:
            download.step()
        except grpc.RpcError:
            return until - time.monotonic()
    return 0.0


def cut(log: LogBook) -> int:
    """Return how many calls the server has ended as cancelled."""
    return sum(each.pairs["code"] == "CANCELLED" for each in log.ended())


def stub_of_its_own(server: RunningServer, closing: ExitStack) -> ImageServiceStub:
    """Return a stub over a connection of its own, with a window of little."""
    options = [*NARROW, ("grpc.use_local_subchannel_pool", 1)]
    return ImageServiceStub(closing.enter_context(grpc.insecure_channel(server.target, options)))


def test_crowd_of_stalled_readers_gets_half_and_is_cut(start_limited: StartLimited) -> None:
    """It is told so, another caller downloads as usual, and neither stall nor trickle lasts."""
    server = start_limited(
        downloads=PLACES, stall_seconds=STALL_SECONDS, least_bytes_per_second=64 * MEBIBYTE
    )
    guid, data = add_image(server.folder, 16)
    with ExitStack() as closing:
        log = closing.enter_context(keeping_logs())
        stubs = [stub_of_its_own(server, closing) for _ in range(CONNECTIONS)]
        began = time.monotonic()
        crowd = [
            Download(stubs[number % CONNECTIONS], guid, server.metadata())
            for number in range(READERS)
        ]
        for download in crowd:
            closing.callback(download.cancel)
        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(begun, crowd))
        placed = [outcome for outcome in outcomes if isinstance(outcome, Download)]
        refusals = [outcome for outcome in outcomes if not isinstance(outcome, Download)]
        with server.client("bob") as client:
            others = client.read(guid).data
        in_time = time.monotonic() - began < STALL_SECONDS

        with ThreadPoolExecutor(TRICKLING) as pool:
            until = time.monotonic() + BOUND_SECONDS
            left = list(pool.map(lambda each: trickled(each, until), placed[:TRICKLING]))
        wait_until(lambda: cut(log) == len(placed), "all are cut", BOUND_SECONDS)
        wait_until(lambda: admitted(server, guid), "the places are free", BOUND_SECONDS)
        lasted = time.monotonic() - began

        assert in_time, "the machine was too slow for what follows to be meant"
        assert len(placed) == HALF
        assert refusals == [("TOO_MANY_DOWNLOADS", 1.0)] * (READERS - HALF)
        assert others == data
        assert all(left)
        assert lasted >= STALL_SECONDS
        for download in placed:
            with pytest.raises(grpc.RpcError) as ended:
                download.finish()
            assert ended.value.code() is grpc.StatusCode.CANCELLED


def outcome(server: RunningServer, guid: str, caller: str, **wanted: Unpack[ReadFields]) -> str:
    """Read to the end; return OK or the reason that is given."""
    request = pb.GetImageBytesRequest(guid=guid, **wanted)
    with server.stub() as stub:
        try:
            list(stub.GetImageBytes(request, metadata=server.metadata(caller)))
        except grpc.RpcError as error:
            return reason_of(error)[0]
    return "OK"


def test_crowd_that_wants_renditions_leaves_downloads_alone(start_limited: StartLimited) -> None:
    """They wait, or are told to come back; who downloads an image has a place meanwhile."""
    server = start_limited(downloads=8)
    with server.client() as client:
        guids = [client.create(f"fox {n}", size="2048x2048").image.guid for n in range(2)]
    formats = (pb.IMAGE_FORMAT_JPEG, pb.IMAGE_FORMAT_WEBP)
    wanted = [ReadFields(max_side=side, format=f) for side in (256, 1024) for f in formats]
    asked = [(guid, each) for guid in guids for each in wanted]

    with ThreadPoolExecutor(len(asked)) as pool:
        crowd = [pool.submit(outcome, server, guid, "alice", **each) for guid, each in asked]
        meanwhile = []
        while not all(each.done() for each in crowd):
            meanwhile.append(outcome(server, guids[0], "bob"))
        outcomes = [each.result() for each in crowd]

    assert set(outcomes) == {"OK", "TOO_MANY_DOWNLOADS"}
    assert outcomes.count("OK") >= 8 // 2 // 2
    assert set(meanwhile) == {"OK"}
