"""The gRPC server: its rooms, its limits, and what every RPC passes on its way in.

LoggingInterceptor          opens the scope, logs start and end
ErrorInterceptor          turns exceptions into statuses
AuthenticationInterceptor   names the caller, or refuses
AdmissionInterceptor      takes a place in a room, or refuses
MessageInterceptor      reads the message within a limit
ImageServicer             calls the use case
"""

import resource
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

MAX_CONNECTIONS = 4_000
"""Connections at once: each costs some 100 KiB."""

OWN_DESCRIPTORS = 256
"""Descriptors that connections leave to files, databases and the log."""

MAX_REQUEST_BYTES = 1024 * 1024
"""A request of the contract has less than 70 KiB. What is somewhat larger is refused by
us, with a reason; what is larger than this by the transport, unread."""

MAX_STREAMS = 100
"""Calls of one connection at once, the least that RFC 9113 (5.1.2) wants: what a connection
sends in one burst, refused or not, passes the one event thread before anybody else's call.
Clients queue beyond it by themselves."""

MAX_PENDING = MAX_CONNECTIONS
"""Calls that have come and wait for the event thread: one of each connection, as all come back
at once. What comes beyond it, gRPC's core ends as CANCELLED, whoever's it is; left to itself,
it begins to by chance at 1,000."""

_OPTIONS = {
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    "grpc.max_send_message_length": 4 * 1024 * 1024,  # what clients receive by default
    "grpc.max_metadata_size": 16 * 1024,  # twice our own limit, which gives a reason
    "grpc.absolute_max_metadata_size": 32 * 1024,
    "grpc.max_concurrent_streams": MAX_STREAMS,
    "grpc.server.max_pending_requests": MAX_PENDING,
    "grpc.server.max_pending_requests_hard_limit": MAX_PENDING,
    "grpc.server_handshake_timeout_ms": 10_000,
    "grpc.http2.settings_timeout": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.http2.min_ping_interval_without_data_ms": 20_000,  # clients may ping as often
    "grpc.max_connection_age_grace_ms": 600_000,
}


@dataclass(frozen=True)
class ServerLimits:
    """Places in each room, and how long what may take, in seconds.

    `waits` are duplicates of a creation that runs, each a thread that sleeps. A creation
    that is told of has a second thread, in either room.

    `message_seconds` is from a call's headers to the end of its message: a client has the
    message when it sends the headers, and it is at most a few packets. An answer about health
    that has no place may wait for its reader as long. `probe_seconds` is the same for the
    messages of health, whose few places are open to anybody. `stream_seconds` is a stream of
    requests in all (reflection: a client asks a few questions and goes).

    A connection that is quiet for `quiet_seconds` is asked whether it is there, and closed
    after `silent_seconds` without an answer. One without calls for `idle_seconds` makes
    room. `connection_seconds` is the backstop: what every other limit missed ends then.
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
    quiet_seconds: float = 30.0
    silent_seconds: float = 10.0
    idle_seconds: float = 120.0
    connection_seconds: float = 3_600.0

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
            options=_options(limits, share_port=share_port),
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


def _options(limits: ServerLimits, *, share_port: bool) -> list[tuple[str, int]]:
    """Return the channel arguments, so that connections leave descriptors for files.

    gRPC's own `keepalive_timeout_ms` closes no silent peer; the timeout of pings does.
    """
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    connections = max(min(MAX_CONNECTIONS, descriptors - OWN_DESCRIPTORS), 1)
    return [
        *_OPTIONS.items(),
        ("grpc.keepalive_time_ms", _milliseconds(limits.quiet_seconds)),
        ("grpc.http2.ping_timeout_ms", _milliseconds(limits.silent_seconds)),
        ("grpc.max_connection_idle_ms", _milliseconds(limits.idle_seconds)),
        ("grpc.max_connection_age_ms", _milliseconds(limits.connection_seconds)),
        ("grpc.max_allowed_incoming_connections", connections),
        ("grpc.so_reuseport", int(share_port)),
    ]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1_000)


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
