"""Reads bytes as one stream, over as many calls as it takes: what was cut goes on."""

import random
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from pixy_client import calls
from pixy_client.allowance import Allowance
from pixy_client.calls import Reading
from pixy_client.errors import (
    CallCancelledError,
    UnexpectedStatusError,
    UnreachableError,
    is_reset,
)
from pixy_client.streams import begin
from pixy_client.transport import Transport
from pixy_client.verification import check_unchanged, expected_bytes
from pixy_grpc.core.exceptions import (
    ImageChangedError,
    ImageException,
    ServiceUnavailableError,
    TooManyDownloadsError,
)
from pixy_grpc.core.models import Image

RESUMES_WITHOUT_PROGRESS = 8
"""Resumes in a row that bring no byte before a read is given up: 10 to 20 seconds of waiting,
in which a server restarts. gRPC repeats each of them as it does any call (see channel)."""

FIRST_WAIT_SECONDS = 0.2
MAX_WAIT_SECONDS = 5.0

_RESUMABLE = (
    UnreachableError,
    ServiceUnavailableError,
    TooManyDownloadsError,  # the place of the call that was cut may still count
    CallCancelledError,  # a server that lost patience with its reader
)


def may_resume(error: ImageException) -> bool:
    """Tell whether a read that had begun may go on after an error: a cut, not a refusal."""
    return isinstance(error, _RESUMABLE) or is_reset(error)


class Budget:
    """How often a read may be resumed; full again with every byte that arrives."""

    def __init__(self) -> None:
        self._spent = 0

    def refill(self) -> None:
        """Count from the beginning: there was progress."""
        self._spent = 0

    def spend(self, error: ImageException) -> float:
        """Return the seconds to wait before one more try; raise the error past the last.

        They double from try to try, less up to half of them by chance, so that readers
        cut together do not come back together. An error may ask for more.
        """
        if self._spent >= RESUMES_WITHOUT_PROGRESS:
            raise error
        longest = min(FIRST_WAIT_SECONDS * 2.0**self._spent, MAX_WAIT_SECONDS)
        self._spent += 1
        wait = longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        return max(wait, error.retry_delay_seconds or 0.0)


class ResumingRead:
    """One read, over as many calls as it takes within its time.

    A read that never began is over with its first call (which gRPC repeats, see channel).
    """

    def __init__(self, transport: Transport, reading: Reading, allowance: Allowance) -> None:
        self._transport = transport
        self._reading = reading
        self._allowance = allowance
        self._budget = Budget()
        self._image: Image | None = None
        self._received = 0
        self._cuts = 0

    def parts(self) -> Generator[Image | bytes, None, None]:
        """Yield the image, then its bytes: each resume asks for those that are missing.

        Raises ImageChangedError where they are no longer those it began with.
        """
        while True:
            try:
                yield from self._attempt()
            except ImageException as exc:
                if self._image is None or not may_resume(exc):
                    raise
                self._require_sum(self._image, exc)
                if self._is_complete(self._image):
                    return
                self._wait(self._named(exc, self._image))
            else:
                return

    def _attempt(self) -> Generator[Image | bytes, None, None]:
        call = calls.read(self._missing())
        stream = self._transport.stream(
            call, self._allowance.remaining(), allowed_seconds=self._allowance.seconds
        )
        with closing(stream) as parts:
            image = begin(parts, self._reading.guid)
            if self._image is None:
                self._image = image
                yield image
            check_unchanged(image, self._image)
            for part in parts:
                self._count(part)
                yield part

    def _require_sum(self, image: Image, cut: ImageException) -> None:
        """Raise ImageChangedError where nobody could tell whether what follows belongs to
        what has arrived: an older image has no sum.
        """
        if self._received and not image.sha256 and not self._is_complete(image):
            text = "The read was cut, and the image has no sum to go on by: begin anew."
            raise ImageChangedError(text) from cut

    def _missing(self) -> Reading:
        """Return what is still to be read; a limit is never down to 0, which means all."""
        if self._image is None:
            return self._reading
        return replace(
            self._reading,
            offset=self._reading.offset + self._received,
            limit=max(0, self._reading.limit - self._received),
            expected_sha256=self._image.sha256,
        )

    def _count(self, part: Image | bytes) -> None:
        if isinstance(part, bytes) and part:
            self._received += len(part)
            self._budget.refill()

    def _is_complete(self, image: Image) -> bool:
        """Tell whether a cut came behind the last byte: a resume would ask for none."""
        offset, limit = self._reading.offset, self._reading.limit
        expected = expected_bytes(image, offset, limit) or limit
        return bool(expected) and self._received >= expected

    def _named(self, cut: ImageException, image: Image) -> ImageException:
        """Return what to raise if a cut is the last: where the target was reached, and bytes
        had come, to check the target is no advice. What a service says stays as it is.
        """
        self._cuts += 1
        if not isinstance(cut, UnreachableError | UnexpectedStatusError):
            return cut
        expected = expected_bytes(image, self._reading.offset, self._reading.limit)
        of_all = f" of {expected:,}" if expected else ""
        times = "once" if self._cuts == 1 else f"{self._cuts} times"
        error = UnreachableError(
            f"The connection was cut {times}, and the read came no further than "
            f"{self._received:,}{of_all} bytes."
        )
        error.__cause__ = cut
        return error

    def _wait(self, error: ImageException) -> None:
        """Wait for the next try, if there is time for one."""
        wait = self._budget.spend(error)
        if wait >= self._allowance.remaining():
            raise error
        if self._transport.closes_within(wait):
            raise CallCancelledError("The client was closed while it read.") from error
