"""What gRPC's core is told: what a connection may take, and how long it may last."""

import resource
from dataclasses import dataclass

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
class ConnectionLimits:
    """How long a connection lasts, in seconds.

    A connection that is quiet for `quiet_seconds` is asked whether it is there, and closed
    after `silent_seconds` without an answer. One without calls for `idle_seconds` makes
    room. `connection_seconds` is the backstop: what every other limit missed ends then.
    """

    quiet_seconds: float = 30.0
    silent_seconds: float = 10.0
    idle_seconds: float = 120.0
    connection_seconds: float = 3_600.0


def channel_options(limits: ConnectionLimits, *, share_port: bool) -> list[tuple[str, int]]:
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
