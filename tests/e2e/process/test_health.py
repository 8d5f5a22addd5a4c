"""Health tells the truth about database and store, within 5 s of any change."""

import threading
from pathlib import Path

import grpc
import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.web.health import Health
from tests.e2e.process.watching import (
    NOT_SERVING,
    SERVICE_UNKNOWN,
    SERVING,
    Watching,
    watching,
)
from tests.support.process import wait_until
from tests.support.server import StartServer
from tests.support.stopwatch import Stopwatch

BOUND_SECONDS = 5.0
SERVICE = "pixy.v1.ImageService"


def says_within_bound(watch: Watching, status: int) -> bool:
    """Wait for a status; tell whether it came in time."""
    clock = Stopwatch()
    return watch.await_said(status) and clock.seconds < BOUND_SECONDS


@pytest.mark.parametrize("name", ["pixy.db", "images"])
def test_health_follows_what_is_moved_away_and_back(
    start_server: StartServer, tmp_path: Path, name: str
) -> None:
    """A Watch says NOT_SERVING within the bound, and SERVING once it is back."""
    server = start_server()
    with watching(server.target, SERVICE) as watch:
        assert watch.await_said(SERVING)

        (tmp_path / name).rename(tmp_path / "away")
        lost = says_within_bound(watch, NOT_SERVING)
        checked = watch.check()
        (tmp_path / "away").rename(tmp_path / name)
        back = says_within_bound(watch, SERVING)

        assert (lost, checked, back) == (True, NOT_SERVING, True)
        assert watch.said == [SERVING, NOT_SERVING, SERVING]


def test_health_sees_database_replaced_by_empty_one(
    start_server: StartServer, tmp_path: Path
) -> None:
    """A database without our tables does not serve, and does not end the asking."""
    server = start_server()
    with watching(server.target) as watch:
        assert watch.await_said(SERVING)

        (tmp_path / "pixy.db").rename(tmp_path / "away")
        (tmp_path / "pixy.db").touch()
        lost = says_within_bound(watch, NOT_SERVING)
        (tmp_path / "away").replace(tmp_path / "pixy.db")
        back = says_within_bound(watch, SERVING)

        assert (lost, back) == (True, True)


def test_health_of_unknown_service_is_told_apart(start_server: StartServer) -> None:
    """Check answers NOT_FOUND, Watch SERVICE_UNKNOWN, as the protocol has it."""
    server = start_server()
    with watching(server.target, "no.such.Service") as watch:
        assert watch.await_said(SERVICE_UNKNOWN)

        with pytest.raises(grpc.RpcError) as refused:
            watch.check("no.such.Service")

        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        assert watch.check(SERVICE) == watch.check() == SERVING


def test_health_of_store_that_hangs_is_not_serving() -> None:
    """A folder of a dead file server gives no answer, not even an error: that shows too."""
    hangs, goes_on = threading.Event(), threading.Event()

    def ping(_deadline: Deadline) -> None:
        if hangs.is_set():
            goes_on.wait(BOUND_SECONDS * 4)

    health = Health({"store": ping})
    health.start()
    before = health.serving

    hangs.set()
    wait_until(lambda: not health.serving, "the loss shows", BOUND_SECONDS * 2)
    goes_on.set()
    wait_until(lambda: health.serving, "the return shows", BOUND_SECONDS * 2)
    health.stop()

    assert before
    assert not health.serving
