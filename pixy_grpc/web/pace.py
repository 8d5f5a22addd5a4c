"""The pace that a download has to keep: a stalled reader holds a thread and a message."""

import time
from collections.abc import Iterator

import grpc

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web.watchdog import Watchdog

LEAST_BYTES_PER_SECOND = 64 * 1024
"""Below it a reader trickles: the slowest networks between servers are faster."""

Responses = Iterator[pb.GetImageBytesResponse]


def paced(
    responses: Responses,
    context: grpc.ServicerContext,
    watchdog: Watchdog,
    stall_seconds: float,
) -> Responses:
    """Yield responses; cancel the call once the reader falls behind.

    It may take `stall_seconds` over any message, and so much more over all of them than
    the least rate would take.
    """
    with watchdog.limit(stall_seconds, context.cancel) as limit:
        slowest = time.monotonic() + stall_seconds
        for response in responses:
            yield response  # returns when the transport has taken it
            slowest += len(response.data) / LEAST_BYTES_PER_SECOND
            limit.at = min(time.monotonic() + stall_seconds, slowest)
