"""The gRPC server: its rooms, its limits, and what every RPC passes on its way in.

LoggingInterceptor          opens the scope, logs start and end
ErrorInterceptor          turns exceptions into statuses
AuthenticationInterceptor   names the caller, or refuses
AdmissionInterceptor      takes a place in a room, or refuses
MessageInterceptor      reads the message within a limit
ImageServicer             calls the use case
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from pixy_grpc.core.exceptions import (
    TooManyCreatesError,
    TooManyDownloadsError,
    TooManyReadsError,
)
from pixy_grpc.core.ports import Authenticator
from pixy_grpc.v1 import image_service_pb2_grpc as pb_grpc
from pixy_grpc.web.health import WATCH_SECONDS, Health, HealthServicer, unread_check
from pixy_grpc.web.interceptors.admission import AdmissionInterceptor
from pixy_grpc.web.interceptors.authentication import AuthenticationInterceptor
from pixy_grpc.web.interceptors.errors import ErrorInterceptor
from pixy_grpc.web.interceptors.logging import LoggingInterceptor
from pixy_grpc.web.interceptors.messages import MessageInterceptor
from pixy_grpc.web.narration import Narration
from pixy_grpc.web.pace import LEAST_BYTES_PER_SECOND, Pace
from pixy_grpc.web.rooms import Room
from pixy_grpc.web.servicer import ImageServicer, UseCases
from pixy_grpc.web.threads import Threads
from pixy_grpc.web.transport import ConnectionLimits, channel_options
from pixy_grpc.web.watchdog import Watchdog

SERVICE = "pixy.v1.ImageService"
HEALTH = "grpc.health.v1.Health"

REFUSAL_THREADS = 4
"""Refusals are answered without waiting for anything, a few microseconds each."""

HEALTH_PLACES = 32
"""Probes whose message is awaited at once, whoever sends them; a check beyond them is
answered without."""

WATCH_PLACES = 32
"""Health watches at once, each a thread that sleeps."""


@dataclass(frozen=True)
class ServerLimits(ConnectionLimits):
    """Places in each room, and how long what may take, in seconds.

    `waits` are duplicates of a creation that runs, each a thread that sleeps. A creation
    that is told of has a second thread, in either room.

    `message_seconds` is from a call's headers to the end of its message: a client has the
    message when it sends the headers, and it is at most a few packets. An answer about health
    that has no place may wait for its reader as long. `probe_seconds` is the same for the
    messages of health, whose few places are open to anybody. `stream_seconds` is a stream of
    requests in all (reflection: a client asks a few questions and goes).
    """

    reads: int = 64
    creates: int = 32
    waits: int = 128
    downloads: int = 64
    watches: int = WATCH_PLACES
    message_seconds: float = 5.0
    probe_seconds: float = 1.0
    stream_seconds: float = 60.0
    watch_seconds: float = WATCH_SECONDS
    stall_seconds: float = 30.0
    least_bytes_per_second: float = LEAST_BYTES_PER_SECOND

    def message_seconds_of(self, method: str) -> float:
        """Return how long that method's message may take."""
        probed = method.startswith(f"/{HEALTH}/")
        return min(self.probe_seconds, self.message_seconds) if probed else self.message_seconds


class GrpcServer:
    """One process's server, from start to stop."""

    def __init__(
        self,
        use_cases: UseCases,
        authenticator: Authenticator,
        health: Health,
        limits: ServerLimits,
        *,
        reflect: bool = True,
        share_port: bool = False,
    ) -> None:
        self._health = health
        self._watchdog = Watchdog()
        self._rooms = _rooms(limits)
        self._refusals = Threads(REFUSAL_THREADS, "refusals")
        self._server = grpc.server(
            self._refusals,
            interceptors=_interceptors(authenticator, health, self._rooms, self._watchdog, limits),
            options=channel_options(limits, share_port=share_port),
        )
        pace = Pace(self._watchdog, limits.stall_seconds, limits.least_bytes_per_second)
        self._narration = Narration(limits.creates + limits.waits, pace)
        servicer = ImageServicer(use_cases, pace, self._narration)
        pb_grpc.add_ImageServiceServicer_to_server(servicer, self._server)
        probes = HealthServicer(health, self._watchdog, limits.watch_seconds)
        health_pb2_grpc.add_HealthServicer_to_server(probes, self._server)
        if reflect:
            names = [SERVICE, HEALTH, reflection.SERVICE_NAME]
            reflection.enable_server_reflection(names, self._server)

    def start(self, *addresses: str) -> int:
        """Serve on each host:port; return the last port. Raises OSError where one is taken."""
        try:
            ports = [self._server.add_insecure_port(address) for address in addresses]
        except RuntimeError as error:
            raise OSError(f"cannot listen on {', '.join(addresses)}") from error
        self._refusals.begin()
        self._narration.open()
        for room in self._rooms.values():
            room.open()
        self._watchdog.start()
        self._health.start()
        self._server.start()
        return ports[-1]

    def stop(self, grace_seconds: float) -> bool:
        """Say NOT_SERVING, take no more calls, let the running ones end within the grace.

        Return whether all had ended; `grpc.Server.stop` itself comes back while handlers
        still run.
        """
        self._health.drain()
        until = time.monotonic() + grace_seconds
        self._server.stop(grace_seconds).wait(grace_seconds)
        ended = [room.wait_empty(until - time.monotonic()) for room in self._rooms.values()]
        self._health.stop()
        self._watchdog.stop()
        self._narration.close()
        for room in self._rooms.values():
            room.close()
        return all(ended)


def _rooms(limits: ServerLimits) -> dict[str, Room]:
    return {
        "reads": Room("reads", limits.reads, TooManyReadsError),
        "creates": Room("creations", limits.creates, TooManyCreatesError, threads=limits.waits),
        "waits": Room("waits for a creation", limits.waits, TooManyCreatesError),
        "downloads": Room("downloads", limits.downloads, TooManyDownloadsError),
        "health": Room("health checks", HEALTH_PLACES, TooManyReadsError, shared=True),
        "watches": Room("health watches", limits.watches, TooManyReadsError, shared=True),
    }


_ROOM_OF = {
    f"/{SERVICE}/CreateImage": "creates",
    f"/{SERVICE}/CreateImageStream": "creates",
    f"/{SERVICE}/GetImageBytes": "downloads",
    f"/{HEALTH}/Check": "health",
    f"/{HEALTH}/List": "health",
    f"/{HEALTH}/Watch": "watches",
}


def _interceptors(
    authenticator: Authenticator,
    health: Health,
    rooms: Mapping[str, Room],
    watchdog: Watchdog,
    limits: ServerLimits,
) -> list[grpc.ServerInterceptor]:
    return [
        LoggingInterceptor(),
        ErrorInterceptor(),
        AuthenticationInterceptor(authenticator),
        AdmissionInterceptor(
            lambda method: rooms[_ROOM_OF.get(method, "reads")],
            rooms["waits"],
            watchdog,
            limits.stall_seconds,
            {f"/{HEALTH}/Check": unread_check(health, watchdog, limits.message_seconds)},
        ),
        MessageInterceptor(watchdog, limits.message_seconds_of, limits.stream_seconds),
    ]
