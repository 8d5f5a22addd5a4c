"""Calls as ill-behaved clients make them: held open without a message, never read."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Self

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.support.server import RunningServer
from tests.support.status import status_of

CREATE = "/pixy.v1.ImageService/CreateImage"
DETAILS = "/pixy.v1.ImageService/GetImageDetails"
BYTES = "/pixy.v1.ImageService/GetImageBytes"
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
NO_GUID = "00000000-0000-4000-8000-000000000000"
BOUND_SECONDS = 60.0
"""Generous: what is cut at once or after a second has long been."""

Metadata = tuple[tuple[str, str], ...]


class HalfOpen:
    """A call that has sent its headers, and does not end what it sends."""

    def __init__(
        self,
        channel: grpc.Channel,
        method: str,
        metadata: Metadata = (),
        first: bytes = b"",
        timeout: float | None = None,
    ) -> None:
        self._first = first
        self._release = threading.Event()
        self._ended = threading.Event()
        call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
        self._call = call(self._requests(), metadata=metadata, timeout=timeout)
        if not self._call.add_callback(self._ended.set):
            self._ended.set()  # it has ended by now

    def code(self) -> grpc.StatusCode | None:
        """Wait for the end of the call; return its code, None where it goes on."""
        return self._call.code() if self._ended.wait(BOUND_SECONDS) else None

    @property
    def goes_on(self) -> bool:
        """Whether nobody has ended the call."""
        return not self._ended.is_set()

    def cancel(self) -> None:
        """Give up, as its client."""
        self._release.set()
        self._call.cancel()

    def _requests(self) -> Iterator[bytes]:
        if self._first:
            yield self._first
        self._release.wait()


@contextmanager
def half_open(
    server: RunningServer,
    method: str,
    count: int,
    metadata: Metadata = (),
    first: bytes = b"",
    timeout: float | None = None,
) -> Iterator[list[HalfOpen]]:
    """Hold calls open, with a first message or none, until the block ends."""
    with server.channel() as channel, ExitStack() as closing:
        calls = [HalfOpen(channel, method, metadata, first, timeout) for _ in range(count)]
        for call in calls:
            closing.callback(call.cancel)
        yield calls


class Download:
    """A download that is read message by message, or not at all."""

    def __init__(
        self, stub: ImageServiceStub, guid: str, metadata: Metadata, timeout: float | None = None
    ) -> None:
        request = pb.GetImageBytesRequest(guid=guid)
        self._call = stub.GetImageBytes(request, metadata=metadata, timeout=timeout)
        self.received = b""

    def begin(self) -> Self:
        """Read the details: the download has its place then."""
        next(self._call)
        return self

    def step(self) -> None:
        """Read one message of data."""
        self.received += next(self._call).data

    def finish(self) -> bytes:
        """Read to the end."""
        for response in self._call:
            self.received += response.data
        return self.received

    def cancel(self) -> None:
        """Give up, as its client."""
        self._call.cancel()


def call_raw(
    server: RunningServer, method: str, messages: list[bytes], timeout: float | None = None
) -> grpc.StatusCode | None:
    """Make a call with exactly these messages; return the code it ends with."""
    with server.channel() as channel:
        stream: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
        call = stream(iter(messages), metadata=server.metadata(), timeout=timeout)
        with suppress(grpc.RpcError):
            list(call)
        return call.code()


def refusal_of(server: RunningServer, caller: str = "alice") -> str:
    """Ask for an image that is not there; return the reason that is given."""
    with server.stub() as stub:
        try:
            stub.GetImageDetails(
                pb.GetImageDetailsRequest(guid=NO_GUID), metadata=server.metadata(caller)
            )
        except grpc.RpcError as error:
            return reason_of(error)[0]
    return ""


def reason_of(error: grpc.RpcError) -> tuple[str, float | None]:
    """Return the reason of a refusal, and the seconds after which to come back."""
    status = status_of(error)
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    delay = None
    assert status
    for detail in status.details:
        detail.Unpack(info)
        if detail.Unpack(retry):
            delay = _seconds(retry.retry_delay)
    return info.reason, delay


def _seconds(duration: Duration) -> float:
    return duration.ToMilliseconds() / 1000
