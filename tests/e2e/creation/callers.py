"""Callers that call once, and take the answer as it is."""

import uuid

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.wire import Refusal, refused
from tests.support.server import RunningServer

CALL_SECONDS = 30.0
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
