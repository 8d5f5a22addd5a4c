"""Calls whose caller has no time left, or has gone, end promptly and leave nothing."""

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rooms.calls import CREATE, NO_GUID, half_open
from tests.e2e.rooms.conftest import StartLimited
from tests.support.process import wait_until


@pytest.mark.parametrize("timeout", [0.0, 0.0005, 0.005])
def test_read_without_time_left_ends_promptly(start_limited: StartLimited, timeout: float) -> None:
    """Whoever notices first, client or service, the call is late or answered, nothing else."""
    server = start_limited()
    request = pb.GetImageDetailsRequest(guid=NO_GUID)
    with server.stub() as stub:
        for _ in range(20):
            with pytest.raises(grpc.RpcError) as late:
                stub.GetImageDetails(request, metadata=server.metadata(), timeout=timeout)

            assert late.value.code() in {
                grpc.StatusCode.DEADLINE_EXCEEDED,
                grpc.StatusCode.NOT_FOUND,
            }


def test_creation_cancelled_before_it_began_stores_nothing(start_limited: StartLimited) -> None:
    """Nothing is made for a caller that has gone; its place is free."""
    server = start_limited()
    with half_open(server, CREATE, 3, server.metadata(), b"\x0a\x01x") as calls:
        wait_until(lambda: any(not call.goes_on for call in calls), "the third is refused", 10)

    with server.client() as client:
        wait_until(lambda: client.create("another", size="64x64"), "a place is free", 10)
        assert [image.prompt for image in client.list()] == ["another"]
