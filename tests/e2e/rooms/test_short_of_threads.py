"""A machine that allows no more threads: what can be done with those that are there goes on."""

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rooms.calls import BOUND_SECONDS, DETAILS, NO_GUID, half_open, reason_of
from tests.e2e.rooms.conftest import StartLimited
from tests.support.server import RunningServer
from tests.support.threads import no_more_threads


def reason(server: RunningServer, caller: str) -> str:
    """Ask for an image that is not there; return the reason that is given."""
    with server.stub() as stub, pytest.raises(grpc.RpcError) as refused:
        stub.GetImageDetails(
            pb.GetImageDetailsRequest(guid=NO_GUID),
            metadata=server.metadata(caller),
            timeout=BOUND_SECONDS,
        )
    return reason_of(refused.value)[0]


def test_call_waits_for_a_thread_where_no_more_begin(start_limited: StartLimited) -> None:
    """It is answered once another call has ended; the server goes on."""
    server = start_limited(message_seconds=1.0)
    with half_open(server, DETAILS, 1, server.metadata("alice")) as (held,):
        with no_more_threads():
            reasons = [reason(server, caller) for caller in ("bob", "alice", "bob")]

        assert reasons == ["IMAGE_NOT_FOUND"] * 3
        assert held.code() is grpc.StatusCode.CANCELLED
