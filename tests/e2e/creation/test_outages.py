"""The store or the database goes away after payment, and comes back: nothing is lost."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.creation.callers import CALL_SECONDS, create, refusal, request
from tests.e2e.creation.scripted import Gate, calls, scripted_process, scripted_server
from tests.support.mariadb import MariaDBServer, fresh_database
from tests.support.process import wait_until
from tests.support.server import RunningServer


def spool_of(folder: Path) -> list[Path]:
    return list((folder / "spool").glob("*.json"))


def require_one_image(server: RunningServer, folder: Path, message: pb.CreateImageRequest) -> None:
    """Hold a server to one image by one call, which a retry gets; nothing waits any more."""
    with server.client() as client:
        creation = client.create("a fox", request_id=message.request_id, timeout=CALL_SECONDS)
        assert creation.replayed
        assert client.read(creation.image.guid).verified
        assert len(client.list_page().images) == 1
    wait_until(lambda: not spool_of(folder), "the spool is empty")
    assert len(list(server.images.glob("??/??/*"))) == 1
    assert calls(folder) == 1


@contextmanager
def store_away(folder: Path) -> Iterator[None]:
    """Take the store away, as a mount that goes; an empty folder is in its place."""
    images, away = folder / "images", folder / "away"
    images.rename(away)
    images.mkdir()
    try:
        yield
    finally:
        images.rmdir()
        away.rename(images)


def test_store_that_goes_after_payment_gets_the_image_when_it_is_back(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    message = request()
    gate = Gate("answered")
    with scripted_server(tmp_path, reach=gate) as server:
        first = threads.submit(refusal, server, message)
        assert gate.reached.wait(CALL_SECONDS)
        with store_away(tmp_path):
            gate.open.set()
            told = first.result(CALL_SECONDS)
            assert len(spool_of(tmp_path)) == 1

        assert (told.status, told.reason) == ("ABORTED", "CREATION_IN_PROGRESS")
        assert told.retry_seconds
        require_one_image(server, tmp_path, message)


def test_spool_is_stored_by_the_next_server(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    """What was paid for outlives a kill -9 while the store is away."""
    message = request()
    with scripted_process(tmp_path, "", "answered") as process:
        first = threads.submit(refusal, process.await_serving(), message)
        process.await_step()
        with store_away(tmp_path):
            process.go_on()
            assert first.result(CALL_SECONDS).reason == "CREATION_IN_PROGRESS"
            process.signal(signal.SIGKILL)
            process.wait()
    assert len(spool_of(tmp_path)) == 1

    with scripted_server(tmp_path) as server:
        wait_until(lambda: not spool_of(tmp_path), "the spool is empty")
        require_one_image(server, tmp_path, message)


@pytest.fixture(scope="module")
def private_server() -> Iterator[MariaDBServer]:
    """Start a server to be stopped and killed."""
    server = MariaDBServer()
    server.start()
    yield server
    server.remove()


@pytest.mark.parametrize("goes", [MariaDBServer.stop, MariaDBServer.kill])
@pytest.mark.parametrize("step", ["answered", "durable"])
def test_database_that_goes_after_payment_gets_the_row_when_it_is_back(
    tmp_path: Path,
    threads: ThreadPoolExecutor,
    private_server: MariaDBServer,
    step: str,
    goes: Callable[[MariaDBServer], None],
) -> None:
    message = request()
    gate = Gate(step)
    with (
        fresh_database(private_server.url) as url,
        scripted_server(tmp_path, url, reach=gate) as server,
    ):
        first = threads.submit(refusal, server, message)
        assert gate.reached.wait(CALL_SECONDS)
        goes(private_server)
        gate.open.set()
        told = first.result(CALL_SECONDS)
        private_server.start()

        assert (told.status, told.reason) == ("ABORTED", "CREATION_IN_PROGRESS")
        require_one_image(server, tmp_path, message)


def test_caller_that_goes_after_the_ask_loses_nothing(
    tmp_path: Path, database_url: str, threads: ThreadPoolExecutor
) -> None:
    """Out of time: the image is stored, and the retry gets it."""
    message = request()
    gate = Gate("asked")
    with scripted_server(tmp_path, database_url, reach=gate) as server:
        late = threads.submit(refusal, server, message, seconds=2.0)
        assert gate.reached.wait(CALL_SECONDS)
        assert late.result(CALL_SECONDS).status == "DEADLINE_EXCEEDED"
        retry = threads.submit(create, server, message)
        gate.open.set()

        assert retry.result(CALL_SECONDS).replayed
        require_one_image(server, tmp_path, message)
