"""Streams of creations, read message by message."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.creation.callers import CALL_SECONDS, follow, streamed
from tests.e2e.rpc.wire import Refusal, refused
from tests.support.server import RunningServer

STREAM = "/pixy.v1.ImageService/CreateImageStream"


class Answers(Protocol):
    """What the stub returns of a call."""

    def __iter__(self) -> Iterator[pb.CreateImageStreamResponse]: ...

    def __next__(self) -> pb.CreateImageStreamResponse: ...

    def cancel(self) -> bool:
        """Give up."""


class Stream:
    """A stream that is read message by message."""

    def __init__(self, call: Answers) -> None:
        self._call = call

    def next(self) -> pb.CreateImageStreamResponse:
        """Read one message."""
        return next(self._call)

    def rest(self) -> list[pb.CreateImageStreamResponse]:
        """Read to the end."""
        return list(self._call)

    def cancel(self) -> None:
        """Give up."""
        self._call.cancel()


@contextmanager
def reading(
    server: RunningServer,
    message: pb.CreateImageRequest,
    partial_images: int = 0,
    seconds: float = CALL_SECONDS,
    caller: str = "alice",
) -> Iterator[Stream]:
    """Begin a stream, to be read in the block."""
    with server.stub() as stub:
        call = stub.CreateImageStream(
            streamed(message, partial_images), metadata=server.metadata(caller), timeout=seconds
        )
        yield Stream(call)
        call.cancel()


def refused_stream(server: RunningServer, message: pb.CreateImageRequest) -> Refusal:
    return refused(lambda: follow(server, message))
