"""Follows a creation to its end, over cuts of the connection: its request id makes one image."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from pixy_client.allowance import Allowance
from pixy_client.calls import UnaryCall, create_stream
from pixy_client.errors import (
    CallCancelledError,
    UnexpectedStatusError,
    UnreachableError,
    UnreadableAnswerError,
    is_reset,
)
from pixy_client.results import Creation, CreationAccepted, CreationEvent
from pixy_client.translation import ASK_AGAIN
from pixy_client.transport import Transport
from pixy_grpc.core.exceptions import ImageException, TooManyCreatesError
from pixy_grpc.v1 import image_service_pb2 as pb

RESUME_PAUSES_SECONDS = (0.2, 0.8, 2.0)
"""Before each attempt to go on after a cut, unless the error asks for more; whatever is told
begins them anew. gRPC's own retries, which end with the first message, come on top of each."""

_CUT = (UnreachableError, CallCancelledError, TooManyCreatesError)
"""How a stream ends that is worth going on with: cut, read too slowly, or let in no more while
what it had begun still holds its place."""


@dataclass(frozen=True)
class FollowedCreation:
    """One creation, by whatever calls it takes."""

    transport: Transport
    creation: UnaryCall[pb.CreateImageRequest, pb.CreateImageResponse, Creation]
    partial_images: int
    timeout_seconds: float

    def events(self) -> Generator[CreationEvent, None, None]:
        """Yield what happens; the last is the Creation. Raises what `Client.create` does."""
        allowance = Allowance(self.timeout_seconds)
        seconds, cuts, is_begun = self.timeout_seconds, 0, False
        while True:
            try:
                with closing(self._told(seconds)) as told:
                    for event in told:
                        if not (is_begun and isinstance(event, CreationAccepted)):
                            yield event
                        is_begun, cuts = True, 0
            except ImageException as exc:
                if not is_begun or not (isinstance(exc, _CUT) or is_reset(exc)):
                    raise
                self._wait(exc, cuts, allowance)
            else:
                return
            seconds, cuts = allowance.remaining(), cuts + 1

    def _told(self, seconds: float) -> Generator[CreationEvent, None, None]:
        """Yield what one call tells, up to the Creation; an older server tells that alone."""
        call = create_stream(self.creation, self.partial_images)
        try:
            stream = self.transport.stream(call, seconds, allowed_seconds=self.timeout_seconds)
            with closing(stream) as told:
                yield from _to_creation(told, self.creation.request_id)
        except UnexpectedStatusError as error:
            if error.status_name != "UNIMPLEMENTED":
                raise
            yield self.transport.call(self.creation, seconds)

    def _wait(self, cut: ImageException, cuts: int, allowance: Allowance) -> None:
        """Wait for the next attempt; raise the cut where there is none, or no time for one."""
        if cuts == len(RESUME_PAUSES_SECONDS):
            raise cut
        wait = max(RESUME_PAUSES_SECONDS[cuts], cut.retry_delay_seconds or 0.0)
        if wait >= allowance.remaining():
            raise cut
        if self.transport.closes_within(wait):
            text = f"The client was closed while it waited.{ASK_AGAIN}"
            raise CallCancelledError(text, request_id=self.creation.request_id) from cut


def _to_creation(told: Iterable[CreationEvent | None], request_id: str) -> Iterator[CreationEvent]:
    """Yield events up to the Creation; pass over what is not known here."""
    for event in told:
        if event:
            yield event
        if isinstance(event, Creation):
            return
    raise UnreadableAnswerError("The stream ended without its image.", request_id=request_id)
