"""Readers that stall or trickle hold up nobody else, and not for long."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import grpc
import pytest

from pixy_grpc.core.exceptions import TooManyDownloadsError
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.e2e.rooms.calls import Download, reason_of, refusal_of
from tests.e2e.rooms.conftest import PLACES, StartLimited
from tests.e2e.rooms.large import add_image
from tests.support.process import wait_until
from tests.support.server import RunningServer

HALF = PLACES // 2
STALL_SECONDS = 4.0
NARROW = [("grpc.http2.bdp_probe", 0), ("grpc.enable_retries", 0)]
"""A flow-control window that does not grow: what is not read stays with the server."""


@contextmanager
def stalled(
    server: RunningServer, guid: str, count: int, caller: str = "alice"
) -> Iterator[list[Download]]:
    """Begin downloads and read no further until the block ends."""
    with grpc.insecure_channel(server.target, NARROW) as channel, ExitStack() as closing:
        stub = ImageServiceStub(channel)
        downloads = [Download(stub, guid, server.metadata(caller)) for _ in range(count)]
        for download in downloads:
            closing.callback(download.cancel)
        yield [download.begin() for download in downloads]


def trickle(download: Download, messages: int, seconds: float) -> None:
    """Read some messages, with so long before each."""
    for _ in range(messages):
        threading.Event().wait(seconds)
        download.step()


def admitted(server: RunningServer, guid: str, caller: str = "alice") -> bool:
    """Tell whether a caller's download goes through, whole."""
    with server.client(caller) as client:
        try:
            return client.read(guid).verified
        except TooManyDownloadsError:
            return False


def fit(server: RunningServer, guid: str) -> bool:
    """Tell whether as many downloads as ever are let in at once, and not one more."""
    with suppress(grpc.RpcError), stalled(server, guid, HALF):
        return not admitted(server, guid)
    return False


def refused(server: RunningServer, guid: str, caller: str) -> tuple[str, float | None]:
    """Return reason and delay of a download that is refused."""
    with server.stub() as stub, pytest.raises(grpc.RpcError) as error:
        Download(stub, guid, server.metadata(caller)).begin()
    return reason_of(error.value)


def test_stalled_reader_is_refused_past_half(start_limited: StartLimited) -> None:
    """One caller holds half of the downloads; another downloads as usual."""
    server = start_limited(stall_seconds=30.0)
    guid, data = add_image(server.folder, 4)
    with stalled(server, guid, HALF) as downloads:
        refusal = refused(server, guid, "alice")
        with server.client("bob") as client:
            others = client.read(guid).data

        assert refusal == ("TOO_MANY_DOWNLOADS", 1.0)
        assert others == data
        assert [download.finish() == data for download in downloads] == [True] * HALF


def test_stalled_downloads_leave_other_rooms_alone(start_limited: StartLimited) -> None:
    """All places stalled: downloads are refused at once, everything else goes on."""
    server = start_limited(stall_seconds=30.0)
    guid, _ = add_image(server.folder, 4)
    with stalled(server, guid, HALF, "alice"), stalled(server, guid, HALF, "bob"):
        refusals = [refused(server, guid, caller) for caller in ("alice", "bob")]

        assert refusals == [("TOO_MANY_DOWNLOADS", 1.0)] * 2
        assert refusal_of(server) == "IMAGE_NOT_FOUND"
        with server.client() as client:
            created = client.create("goes on", size="64x64").image
            assert client.get(created.guid) == created


def test_stalled_download_is_cut(start_limited: StartLimited) -> None:
    """After the limit the places are free, and who reads on finds no end."""
    server = start_limited(stall_seconds=STALL_SECONDS)
    guid, data = add_image(server.folder, 4)
    with stalled(server, guid, HALF) as downloads:
        before = admitted(server, guid)

        wait_until(lambda: admitted(server, guid), "the places are free")

        assert not before
        for download in downloads:
            with pytest.raises(grpc.RpcError) as cut:
                download.finish()
            assert cut.value.code() is grpc.StatusCode.CANCELLED
            assert len(download.received) < len(data)


def test_trickling_download_is_cut(start_limited: StartLimited) -> None:
    """A reader that never stalls, but is slower than the least rate, is cut."""
    server = start_limited(stall_seconds=2.0, least_bytes_per_second=64 * 1024 * 1024)
    guid, data = add_image(server.folder, 16)
    with stalled(server, guid, 1) as (download,):
        with pytest.raises(grpc.RpcError) as cut:
            trickle(download, 16, 0.4)

        assert cut.value.code() is grpc.StatusCode.CANCELLED
        assert len(download.received) < len(data)


def test_steady_download_is_not_cut(start_limited: StartLimited) -> None:
    """A reader that takes longer than the stall limit in all, but keeps the rate, gets all."""
    server = start_limited(stall_seconds=3.0)
    guid, data = add_image(server.folder, 8)
    with stalled(server, guid, 1) as (download,):
        trickle(download, 7, 0.5)

        assert download.finish() == data


@pytest.mark.parametrize("how", ["cancel", "deadline"])
def test_abandoned_downloads_give_places_back(start_limited: StartLimited, how: str) -> None:
    """A reader that goes away, or whose time is up, leaves its place at once."""
    server = start_limited(stall_seconds=60.0)
    guid, _ = add_image(server.folder, 4)
    timeout = 1.0 if how == "deadline" else None
    with grpc.insecure_channel(server.target, NARROW) as channel:
        for _ in range(HALF):
            download = Download(ImageServiceStub(channel), guid, server.metadata(), timeout)
            with suppress(grpc.RpcError):
                download.begin()
            if how == "cancel":
                download.cancel()

        wait_until(lambda: fit(server, guid), "every place is free")
