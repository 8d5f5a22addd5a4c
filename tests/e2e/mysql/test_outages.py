"""What callers see while the database is slow, frozen or gone, and once it is back."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2

from pixy_client import Client, ImageException
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.support.health import HealthStub
from tests.support.mariadb import MariaDBServer
from tests.support.server import RunningServer
from tests.support.stopwatch import Stopwatch

NOTICED_SECONDS = 5.0
"""Within which health tells of a loss and of a return, and the service works again."""

MARGIN_SECONDS = 2.0
"""How long past its deadline a call may end."""

PATIENCE_SECONDS = 40.0
"""For what has no deadline of its own, and ends."""

SMALL = "64x64"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNREACHABLE = {"DATABASE_UNAVAILABLE", "DEADLINE_TOO_SHORT", ""}

Outage = tuple[Callable[[MariaDBServer], None], Callable[[MariaDBServer], None]]

FROZEN: Outage = (MariaDBServer.freeze, MariaDBServer.thaw)
KILLED: Outage = (MariaDBServer.kill, MariaDBServer.start)
STOPPED: Outage = (MariaDBServer.stop, MariaDBServer.start)
OUTAGES = pytest.mark.parametrize(
    "outage", [FROZEN, KILLED, STOPPED], ids=["frozen", "killed", "stopped"]
)


@contextmanager
def during(outage: Outage, mariadb: MariaDBServer) -> Iterator[None]:
    """Take the database away for the length of a block."""
    begin, end = outage
    begin(mariadb)
    try:
        yield
    finally:
        end(mariadb)


@contextmanager
def watching(service: RunningServer) -> Iterator[Iterator[int]]:
    """Lend the changes of the service's health."""
    with service.channel() as channel:
        request = health_pb2.HealthCheckRequest()
        stream = HealthStub(channel).Watch(request, timeout=60)
        yield (response.status for response in stream)
        stream.cancel()


def ends_within(seconds: float, act: Callable[[], object]) -> str:
    """Run a call that fails; return its reason, and hold it to its deadline."""
    watch = Stopwatch()
    with pytest.raises(ImageException) as caught:
        act()
    assert watch.seconds < seconds + MARGIN_SECONDS
    return caught.value.reason


def works_within(seconds: float, act: Callable[[], object]) -> None:
    """Repeat a call until it succeeds."""
    watch = Stopwatch()
    while True:
        try:
            act()
        except ImageException:
            assert watch.seconds < seconds
        else:
            return


@OUTAGES
def test_outage_shows_in_health_and_ends_with_it(
    service: RunningServer, mariadb: MariaDBServer, outage: Outage
) -> None:
    """Health says NOT_SERVING within 5 s of the loss, SERVING within 5 s of the return."""
    with watching(service) as statuses:
        assert next(statuses) == SERVING
        with during(outage, mariadb):
            lost = Stopwatch()
            assert next(statuses) == NOT_SERVING
            noticed = lost.seconds
        back = Stopwatch()
        assert next(statuses) == SERVING
        recovered = back.seconds

    assert noticed < NOTICED_SECONDS
    assert recovered < NOTICED_SECONDS


@OUTAGES
def test_calls_in_an_outage_end_by_their_deadline(
    service: RunningServer, mariadb: MariaDBServer, outage: Outage
) -> None:
    """Each call says that the database is out of reach, in time, and works afterwards."""
    with service.client() as client:
        image = client.create("a fox", size=SMALL).image
        calls = (
            lambda: client.get(image.guid, timeout=1),
            lambda: client.list_page(prompt="fox", timeout=1),
            lambda: client.create("a fox", size=SMALL, timeout=1),
            lambda: client.update(image.guid, filename="x.png", timeout=1),
            lambda: client.delete(image.guid, timeout=1),
            lambda: client.read(image.guid, timeout=1),
        )
        with during(outage, mariadb), ThreadPoolExecutor(len(calls)) as threads:
            reasons = set(threads.map(lambda call: ends_within(1, call), calls))

        works_within(NOTICED_SECONDS, lambda: client.get(image.guid, timeout=1))
        assert reasons <= UNREACHABLE
        assert client.read(image.guid).verified


def test_silent_database_holds_nobody_up_for_good(
    service: RunningServer, mariadb: MariaDBServer
) -> None:
    """Calls without a deadline of their own end too; health answers throughout."""
    with service.stub() as stub, during(FROZEN, mariadb), service.channel() as channel:
        request = pb.ListImageDetailsRequest()
        call = stub.ListImageDetails.future(request, metadata=service.metadata())
        probe = HealthStub(channel)
        probe.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_SECONDS)

        error = call.exception(timeout=PATIENCE_SECONDS)

    assert isinstance(error, grpc.RpcError)
    assert error.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.timeout(600)
def test_kill_under_load_loses_nothing_acknowledged(
    service: RunningServer, mariadb: MariaDBServer
) -> None:
    """Whatever was acknowledged before, during and after a kill -9 is there, once."""
    with service.client() as client, ThreadPoolExecutor(4) as threads:
        work = [threads.submit(_create_all, client, range(at, at + 30)) for at in (0, 30, 60, 90)]
        works_within(NOTICED_SECONDS, lambda: _assert_some(client))
        mariadb.kill()
        mariadb.start()
        acknowledged = {guid for done in work for guid in done.result()}

        listed = [image.guid for image in client.list()]
        assert acknowledged <= set(listed)
        assert len(listed) == len(set(listed)) == 120
        assert all(client.read(guid).verified for guid in acknowledged)


def _create_all(client: Client, numbers: range) -> list[str]:
    """Create images, each again with its request id until it is acknowledged."""
    return [_create(client, number) for number in numbers]


def _create(client: Client, number: int) -> str:
    request_id = None
    until = time.monotonic() + 30
    while True:
        try:
            prompt = f"picture number {number}"
            return client.create(prompt, size=SMALL, request_id=request_id).image.guid
        except ImageException as error:
            request_id = error.request_id
            assert time.monotonic() < until


def _assert_some(client: Client) -> None:
    page = client.list_page(page_size=5)
    if len(page.images) < 5:
        raise ImageException("not yet")
