"""A Watch of grpc.health.v1, read in a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2

from tests.support.health import HealthStub

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
WAIT_SECONDS = 60.0


class Watching:
    """What a Watch has said so far, and how it ended."""

    def __init__(self, channel: grpc.Channel, service: str = "") -> None:
        request = health_pb2.HealthCheckRequest(service=service)
        self._stub = HealthStub(channel)
        self._call = self._stub.Watch(request)
        self._changed = threading.Condition()
        self._said: list[int] = []
        self._code: grpc.StatusCode | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def said(self) -> list[int]:
        """Every status so far."""
        with self._changed:
            return list(self._said)

    def check(self, service: str = "") -> int:
        """Ask once, over the same channel."""
        request = health_pb2.HealthCheckRequest(service=service)
        return self._stub.Check(request, timeout=WAIT_SECONDS).status

    def await_said(self, status: int, seconds: float = WAIT_SECONDS) -> bool:
        """Wait until a status is the last that was said; return whether it came in time."""

        def settled() -> bool:
            return self._code is not None or self._said[-1:] == [status]

        with self._changed:
            self._changed.wait_for(settled, seconds)
            return self._said[-1:] == [status]

    def await_end(self) -> grpc.StatusCode | None:
        """Wait for the end of the stream; return its code."""
        self._thread.join(WAIT_SECONDS)
        return self._code

    def close(self) -> None:
        """Give up."""
        self._call.cancel()
        self._thread.join(WAIT_SECONDS)

    def _read(self) -> None:
        try:
            for response in self._call:
                with self._changed:
                    self._said.append(response.status)
                    self._changed.notify_all()
        except grpc.RpcError:
            pass  # the code tells
        with self._changed:
            self._code = self._call.code()
            self._changed.notify_all()


@contextmanager
def watching(target: str, service: str = "") -> Iterator[Watching]:
    """Watch until the block ends, from the first status on."""
    with grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        watch = Watching(channel, service)
        try:
            yield watch
        finally:
            watch.close()
