"""How a connection behaves before any call: retries, keepalive, proxies."""

import json

from pixy_client.settings import ClientSettings
from pixy_client.targets import is_loopback
from pixy_grpc.v1 import image_service_pb2 as pb

SERVICE = pb.DESCRIPTOR.services_by_name["ImageService"].full_name

REPEATABLE_METHODS = (
    "CreateImage",
    "CreateImageStream",
    "GetImageDetails",
    "ListImageDetails",
    "GetImageBytes",
    "UpdateImage",
)
"""What may be sent again unasked. A creation carries a request id, always. A removal is
left out: after a lost answer the second one would be told NOT_FOUND."""

MAX_ATTEMPTS = 4
KEEPALIVE_SECONDS = 90
"""Above the 60 s that servers take for an attack when pinged more often."""

KEEPALIVE_TIMEOUT_SECONDS = 20
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""gRPC's default: a message of ours carries 1 MiB at most, of bytes or of details."""


def service_config() -> str:
    """Return the gRPC service config (gRFC A6): what is retried, when and how often."""
    names = [{"service": SERVICE, "method": method} for method in REPEATABLE_METHODS]
    policy = {
        "maxAttempts": MAX_ATTEMPTS,
        "initialBackoff": "0.2s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}]})


def channel_options(settings: ClientSettings) -> tuple[tuple[str, int | str], ...]:
    """Return the options of a channel to the target.

    A target on this machine is never reached through an HTTP proxy of the environment:
    the token would leave in plain text. A config found in DNS would undo the retries.
    The window of flow control does not grow: gRPC drops what has arrived and was not read
    when a connection is cut, and with a window below one message that is no whole message.
    """
    return (
        ("grpc.enable_retries", 1),
        ("grpc.service_config", service_config()),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.enable_http_proxy", 0 if is_loopback(settings.target) else 1),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.http2.bdp_probe", 0),
    )
