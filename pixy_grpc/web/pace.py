"""The pace that a reader has to keep: a stalled one holds a thread and a message."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import grpc

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web.watchdog import Watchdog

LEAST_BYTES_PER_SECOND = 64 * 1024
"""Below it a reader trickles: the slowest networks between servers are faster."""

Responses = Iterator[pb.GetImageBytesResponse | bytes]
Response = TypeVar("Response")


@dataclass(frozen=True)
class Pace:
    """How slow a reader may be before it is cut."""

    watchdog: Watchdog
    stall_seconds: float
    least_bytes_per_second: float = LEAST_BYTES_PER_SECOND

    def kept(self, responses: Responses, context: grpc.ServicerContext) -> Responses:
        """Yield responses; cancel the call once the reader falls behind.

        It may take `stall_seconds` over any message, and so much more over all of them
        than the least rate would take. What the store takes to read them is not the reader's.
        """
        with self.watchdog.limit(math.inf, context.cancel) as limit:
            patience = self.stall_seconds
            for response in responses:
                began = time.monotonic()
                limit.at = began + min(patience, self.stall_seconds)
                yield response  # returns when the transport has taken it
                limit.at = math.inf
                patience -= time.monotonic() - began
                if isinstance(response, bytes):
                    patience += len(response) / self.least_bytes_per_second

    def followed(
        self, responses: Iterator[Response], context: grpc.ServicerContext
    ) -> Iterator[Response]:
        """Yield responses, whenever they come; cancel the call of a reader that stalls.

        It may take `stall_seconds` over any of them.
        """
        with self.watchdog.limit(math.inf, context.cancel) as limit:
            for response in responses:
                limit.at = time.monotonic() + self.stall_seconds
                yield response
                limit.at = math.inf
