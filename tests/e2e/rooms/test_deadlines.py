"""Calls whose caller has no time left, or has gone, end promptly and leave nothing."""

import grpc
import pytest

from pixy_client import Client, TooManyCreatesError
from pixy_grpc.core.call import Deadline
from pixy_grpc.core.ports import StoredImage
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from pixy_grpc.web.scope import MAX_CALL_SECONDS
from tests.e2e.rooms.calls import CREATE, NO_GUID, half_open
from tests.e2e.rooms.conftest import StartLimited
from tests.e2e.rpc.failing import failing_server
from tests.fakes import InMemoryImageRepository
from tests.support.process import wait_until
from tests.support.server import RunningServer

CALL_SECONDS = 5.0
TRIES = 10


@pytest.mark.parametrize("timeout", [0.0, 0.0005, 0.005])
def test_read_without_time_left_ends_promptly(start_limited: StartLimited, timeout: float) -> None:
    """Whoever notices first, client or service, the call is late or answered, nothing else."""
    server = start_limited(reads=64)  # calls that were given up may still be on their way out
    request = pb.GetImageDetailsRequest(guid=NO_GUID)
    with server.stub() as stub:
        for _ in range(20):
            with pytest.raises(grpc.RpcError) as late:
                stub.GetImageDetails(request, metadata=server.metadata(), timeout=timeout)

            assert late.value.code() in {
                grpc.StatusCode.DEADLINE_EXCEEDED,
                grpc.StatusCode.NOT_FOUND,
            }


class TimedRepository(InMemoryImageRepository):
    """One that notes by when it has to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.deadlines: list[Deadline] = []

    def get(self, guid: str, deadline: Deadline) -> StoredImage:
        """Note it, and find nothing."""
        self.deadlines.append(deadline)
        return super().get(guid, deadline)


def test_work_ends_before_the_callers_deadline() -> None:
    """So that our answer, which says what was too slow, is there before the caller gives up.

    On a busy machine a call may take longer than that to come here; not each one does.
    """
    repository = TimedRepository()
    with failing_server(repository) as server, server.running.stub() as stub:
        latest = [_call(server.running, stub, CALL_SECONDS) for _ in range(TRIES)]

    ends = [deadline.at for deadline in repository.deadlines]
    assert any(end < given.at for end, given in zip(ends, latest, strict=True))


def test_work_for_a_call_without_a_deadline_has_a_cap() -> None:
    """Ours: past it the caller has not asked for too much."""
    repository = TimedRepository()
    request = pb.GetImageDetailsRequest(guid=NO_GUID)
    with failing_server(repository) as server, server.running.stub() as stub:  # noqa: SIM117
        with pytest.raises(grpc.RpcError):
            stub.GetImageDetails(request, metadata=server.running.metadata())

    (deadline,) = repository.deadlines
    assert deadline.remaining() <= MAX_CALL_SECONDS
    assert not deadline.from_caller


def _call(server: RunningServer, stub: ImageServiceStub, seconds: float) -> Deadline:
    """Ask for an image that is not there; return when we would have given up."""
    given = Deadline.after(seconds)
    with pytest.raises(grpc.RpcError):
        stub.GetImageDetails(
            pb.GetImageDetailsRequest(guid=NO_GUID), metadata=server.metadata(), timeout=seconds
        )
    return given


def test_creation_cancelled_before_it_began_stores_nothing(start_limited: StartLimited) -> None:
    """Nothing is made for a caller that has gone; its place is free."""
    server = start_limited()
    with half_open(server, CREATE, 3, server.metadata(), b"\x0a\x01x") as calls:
        wait_until(lambda: any(not call.goes_on for call in calls), "the third is refused")

    with server.client() as client:
        wait_until(lambda: _has_a_place(client), "a place is free")
        assert [image.prompt for image in client.list()] == ["another"]


def _has_a_place(client: Client) -> bool:
    """Create, unless the calls that were cut are still on their way out."""
    try:
        client.create("another", size="64x64")
    except TooManyCreatesError:
        return False
    return True
