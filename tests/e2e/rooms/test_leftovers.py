"""A call leaves nothing behind that only the garbage collector would find.

What held a call would hold its stream, and a connection carries so many: the next call over
it would be refused by the transport.
"""

import gc
from collections.abc import Callable, Iterator

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from pixy_grpc.web.transport import MAX_STREAMS
from tests.e2e.rooms.calls import NO_GUID, Metadata
from tests.e2e.rooms.conftest import StartLimited

Act = Callable[[ImageServiceStub, Metadata], object]

BLANK = pb.CreateImageRequest(prompt=" ")
KINDS: dict[str, Act] = {
    "refused without a token": lambda stub, _: stub.ListImageDetails(pb.ListImageDetailsRequest()),
    "a stream refused without a token": lambda stub, _: list(
        stub.GetImageBytes(pb.GetImageBytesRequest(guid=NO_GUID))
    ),
    "refused for its message": lambda stub, named: stub.CreateImage(BLANK, metadata=named),
    "a stream refused for its message": lambda stub, named: list(
        stub.CreateImageStream(pb.CreateImageStreamRequest(creation=BLANK), metadata=named)
    ),
    "not found": lambda stub, named: stub.GetImageDetails(
        pb.GetImageDetailsRequest(guid=NO_GUID), metadata=named
    ),
    "a stream not found": lambda stub, named: list(
        stub.GetImageBytes(pb.GetImageBytesRequest(guid=NO_GUID), metadata=named)
    ),
    "answered": lambda stub, named: stub.ListImageDetails(
        pb.ListImageDetailsRequest(), metadata=named
    ),
}


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Collect no garbage until the test ends."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def code_of(act: Callable[[], object]) -> grpc.StatusCode:
    """Return what a call ends with."""
    try:
        act()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("act", KINDS.values(), ids=KINDS)
def test_call_leaves_nothing_to_be_collected(start_limited: StartLimited, act: Act) -> None:
    """One connection carries any number of them, one after the other."""
    server = start_limited()
    with server.stub() as stub:
        codes = {code_of(lambda: act(stub, server.metadata())) for _ in range(MAX_STREAMS + 20)}

    assert len(codes) == 1
    assert grpc.StatusCode.UNAVAILABLE not in codes
