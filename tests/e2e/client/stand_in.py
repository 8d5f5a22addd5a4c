"""A real gRPC server that answers as a test tells it to, and remembers what it was asked."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1 import image_service_pb2_grpc as pb_grpc

WAIT_SECONDS = 50.0
"""How long anything here waits for something that has to happen."""

Behaviour = Callable[[Any, grpc.ServicerContext], Any]
"""Answers one call: returns a message or an iterator of messages, or aborts."""


@dataclass(frozen=True)
class Received:
    """One call as it came in."""

    method: str
    request: Any
    metadata: Mapping[str, str | bytes]
    seconds_left: float


def answers(message: Message) -> Behaviour:
    """Answer with a message."""
    return lambda _request, _context: message


def sends(*messages: Message, then: Behaviour | None = None) -> Behaviour:
    """Answer with a stream of messages, and then as told."""

    def behave(request: object, context: grpc.ServicerContext) -> Iterator[Message]:
        yield from messages
        if then:
            then(request, context)

    return behave


def refuses(
    status: grpc.StatusCode,
    reason: str,
    text: str = "What happened.",
    *,
    delay_seconds: int | None = None,
    violations: Mapping[str, str] | None = None,
) -> Behaviour:
    """Refuse as the service does, with google.rpc details; the call id is `call-1`."""
    rich = status_pb2.Status(code=status.value[0], message=text)
    metadata = {"call_id": "call-1"}
    info = error_details_pb2.ErrorInfo(reason=reason, domain="pixy.v1", metadata=metadata)
    rich.details.add().Pack(info)
    if delay_seconds is not None:
        delay = Duration(seconds=delay_seconds)
        rich.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    for field_name, description in (violations or {}).items():
        request = error_details_pb2.BadRequest()
        request.field_violations.add(field=field_name, description=description)
        rich.details.add().Pack(request)
    return lambda _, context: context.abort_with_status(rpc_status.to_status(rich))


def breaks(status: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> Behaviour:
    """End a call as a transport does: a status and nothing else."""
    return lambda _, context: context.abort(status, "broken")


@dataclass
class Held:
    """A call that is held until it is released, or until its caller is gone."""

    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)

    def then(self, behaviour: Behaviour) -> Behaviour:
        """Hold a call, then behave."""

        def behave(request: object, context: grpc.ServicerContext) -> object:
            context.add_callback(self._end)
            self.arrived.set()
            self.released.wait(WAIT_SECONDS)
            return behaviour(request, context)

        return behave

    def _end(self) -> None:
        self.gone.set()
        self.released.set()


class StandIn(pb_grpc.ImageServiceServicer):
    """The service, scripted: each call takes the next behaviour of its method.

    The last one stays; a method without any is UNIMPLEMENTED.
    """

    def __init__(self) -> None:
        self.target = ""
        self.received: list[Received] = []
        self._scripts: defaultdict[str, deque[Behaviour]] = defaultdict(deque)

    def script(self, method: str, *behaviours: Behaviour) -> None:
        """Say how the next calls of a method are answered."""
        self._scripts[method] = deque(behaviours)

    def requests(self, method: str) -> Sequence[Any]:
        """Return the requests that a method has got."""
        return [each.request for each in self.received if each.method == method]

    def CreateImage(self, request: pb.CreateImageRequest, context: Any) -> Any:  # noqa: N802 - the contract's
        """Answer as told."""
        return self._answer("CreateImage", request, context)

    def CreateImageStream(self, request: pb.CreateImageStreamRequest, context: Any) -> Any:  # noqa: N802 - the contract's
        """Answer as told."""
        return self._answer("CreateImageStream", request, context)

    def GetImageDetails(self, request: pb.GetImageDetailsRequest, context: Any) -> Any:  # noqa: N802 - the contract's
        """Answer as told."""
        return self._answer("GetImageDetails", request, context)

    def ListImageDetails(self, request: pb.ListImageDetailsRequest, context: Any) -> Any:  # noqa: N802 - the contract's
        """Answer as told."""
        return self._answer("ListImageDetails", request, context)

    def GetImageBytes(self, request: pb.GetImageBytesRequest, context: Any) -> Any:  # noqa: N802 - the contract's
        """Answer as told."""
        return self._answer("GetImageBytes", request, context)

    def UpdateImage(self, request: pb.UpdateImageRequest, context: Any) -> Any:  # noqa: N802 - the contract's
        """Answer as told."""
        return self._answer("UpdateImage", request, context)

    def DeleteImage(self, request: pb.DeleteImageRequest, context: Any) -> Any:  # noqa: N802 - the contract's
        """Answer as told."""
        return self._answer("DeleteImage", request, context)

    def _answer(self, method: str, request: object, context: grpc.ServicerContext) -> object:
        metadata = dict(context.invocation_metadata())
        self.received.append(Received(method, request, metadata, context.time_remaining()))
        script = self._scripts[method]
        if not script:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{method} has no script")
        return (script.popleft() if len(script) > 1 else script[0])(request, context)


@contextmanager
def serving() -> Iterator[StandIn]:
    """Serve a stand-in on a free port of this machine."""
    stand_in = StandIn()
    server = grpc.server(ThreadPoolExecutor(8), options=(("grpc.so_reuseport", 0),))
    pb_grpc.add_ImageServiceServicer_to_server(stand_in, server)
    stand_in.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield stand_in
    finally:
        server.stop(grace=None).wait(WAIT_SECONDS)
