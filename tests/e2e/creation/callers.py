"""Callers that call once, and take the answer as it is."""

import uuid

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.wire import Refusal, refused
from tests.support.server import RunningServer

CALL_SECONDS = 60.0
"""Nothing here is expected to take so long."""


def request(request_id: str = "") -> pb.CreateImageRequest:
    return pb.CreateImageRequest(prompt="a fox", request_id=request_id or str(uuid.uuid4()))


def create(server: RunningServer, message: pb.CreateImageRequest) -> pb.CreateImageResponse:
    with server.stub() as stub:
        return stub.CreateImage(message, metadata=server.metadata(), timeout=CALL_SECONDS)


def refusal(
    server: RunningServer, message: pb.CreateImageRequest, seconds: float = CALL_SECONDS
) -> Refusal:
    with server.stub() as stub:
        return refused(
            lambda: stub.CreateImage(message, metadata=server.metadata(), timeout=seconds)
        )


def streamed(
    message: pb.CreateImageRequest, partial_images: int = 0
) -> pb.CreateImageStreamRequest:
    return pb.CreateImageStreamRequest(creation=message, partial_images=partial_images)


def follow(
    server: RunningServer, message: pb.CreateImageRequest, partial_images: int = 0
) -> list[pb.CreateImageStreamResponse]:
    """Create, and return all that is told, to the end."""
    with server.stub() as stub:
        call = stub.CreateImageStream(
            streamed(message, partial_images), metadata=server.metadata(), timeout=CALL_SECONDS
        )
        return list(call)


def kinds(told: list[pb.CreateImageStreamResponse]) -> list[str]:
    """Return what each message tells."""
    return [str(each.WhichOneof("event")) for each in told]
