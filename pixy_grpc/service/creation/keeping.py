"""Bytes first, row second; and what becomes of both where somebody else was quicker."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationState, Fence, FenceLostError
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    CreationInProgressError,
    ImageException,
    ProviderOutcomeUnknownError,
    RecordNotFoundError,
    ServiceUnavailableError,
    StorageFullError,
    StorageUnavailableError,
    TransactionConflictError,
)
from pixy_grpc.core.keys import guid_of
from pixy_grpc.core.ports import NewImage
from pixy_grpc.core.progress import UNWATCHED, Progress
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.parts import CreatedImage, CreationParts
from pixy_grpc.service.creation.pictures import Made
from pixy_grpc.service.naming import slug_filename

NOT_NOW = (ServiceUnavailableError, StorageFullError, TransactionConflictError)
"""Errors that pass: what was paid for waits, and is stored later."""

RETRY_SECONDS = 1.0
"""When to come back to a creation that is under way; who does waits for its end."""

_ATTEMPTS = 3
"""How often a transaction is tried that another was in the way of."""

_ANY_LEASE = 2**62
"""Later than any lease ends: an image that is there goes before one that may come."""

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


class Keeping:
    """Stores what was made, and binds it to its creation."""

    def __init__(self, parts: CreationParts, leases: Leases, limits: CreationLimits) -> None:
        self._parts = parts
        self._leases = leases
        self._limits = limits

    def finish(self, mine: Creation, made: Made, progress: Progress = UNWATCHED) -> CreatedImage:
        """Store bytes and row, or find that the creation is done and return its image.

        May be called again after any error. Raises those of NOT_NOW.
        """
        deadline = Deadline.after(self._limits.store)
        if not made.is_stored:
            self.put(made.contents.key, made.data, deadline)
        progress.stored(made.contents.size_bytes)
        return self.bind(mine, made, deadline)

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store bytes durably; an earlier attempt may have come to do so, or almost.

        Raises the errors of NOT_NOW: StorageUnavailableError also where other bytes are
        under the key.
        """
        try:
            self._parts.store.put(key, data, deadline)
        except ConstraintViolationError as error:
            if not self._is_durable(key, data, deadline):
                _log.error("other bytes in the place of a paid image key=%s", key)
                raise StorageUnavailableError("The store holds other bytes.") from error

    def _is_durable(self, key: str, data: bytes, deadline: Deadline) -> bool:
        """Make the bytes under a key durable, by a look; tell whether they are these."""
        if key not in self._parts.store.keys(key.partition(".")[0], deadline):
            return False
        with self._parts.store.open(key, deadline) as source:
            return source.size_bytes == len(data) and source.read(0, len(data)) == data

    def bind(self, mine: Creation, made: Made, deadline: Deadline) -> CreatedImage:
        """Do the same for bytes that are durable."""
        new = _new_image(mine, made, self._parts.clock.now())
        try:
            unhindered(lambda: self._parts.creations.note_kept(made.paid(mine), deadline))
            stored = unhindered(lambda: self._parts.images.add(new, deadline))
        except FenceLostError:
            return self._meet_winner(mine, made, deadline)
        return CreatedImage(stored.image, replayed=False)

    def _meet_winner(self, mine: Creation, made: Made, deadline: Deadline) -> CreatedImage:
        """Return the image that is there; where there is none, take the fence back."""
        found = self.creation_of(mine.fence, deadline)
        if found is None:
            self.set_aside(made.contents.key, deadline)
            raise ProviderOutcomeUnknownError("The creation is gone; what it made is put aside.")
        if found.state is CreationState.DONE:
            return self._give_way(found, made, deadline)
        until = self._leases.until_ms()
        taken = self._parts.creations.take_over(found, until, _ANY_LEASE, deadline)
        return self.bind(taken or mine, made, deadline)

    def regained(self, fence: Fence, deadline: Deadline) -> Fence:
        """Return the fence of a creation whose image is there; where it was lost, and nobody is
        at work under another, a new one.
        """
        found = self.creation_of(fence, deadline)
        if found is None or found.fence == fence:
            return fence
        until, ended = self._leases.until_ms(), self._leases.ended_before_ms()
        taken = self._parts.creations.take_over(found, until, ended, deadline)
        return taken.fence if taken else fence

    def creation_of(self, fence: Fence, deadline: Deadline) -> Creation | None:
        """Return the creation that a fence was of, whatever it has come to.

        Once its request id has lapsed it has another name, and its own may be another's.
        """
        found = self._parts.creations.find(fence.key, deadline)
        if found and found.guid == fence.guid:
            return found
        return next(iter(self._parts.creations.list_by_guid([fence.guid], deadline)), None)

    def _give_way(self, done: Creation, made: Made, deadline: Deadline) -> CreatedImage:
        is_ours = done.store_key == made.contents.key
        if not is_ours:
            self.set_aside(made.contents.key, deadline)
        try:
            stored = self._parts.images.get(done.guid, deadline)
        except RecordNotFoundError:
            if is_ours:  # deleted, and stored once more by who did not know that it was stored
                self.set_aside(made.contents.key, deadline)
            raise
        return CreatedImage(stored.image, replayed=not is_ours)

    def set_aside(self, key: str, deadline: Deadline) -> None:
        """Quarantine bytes that no row will name; fsck finds those that stay.

        What an image has its bytes in stays, whatever is known of its creation.
        """
        try:
            if self._is_named(key, deadline):
                _log.info("not put aside key=%s: an image has its bytes there", key)
                return
            self._parts.store.quarantine(key, deadline)
        except ImageException as error:
            _log.warning("orphaned bytes key=%s reason=%s", key, error.reason)
        else:
            _log.warning("quarantined bytes key=%s: no image needs them", key)

    def _is_named(self, key: str, deadline: Deadline) -> bool:
        """Tell whether an image has its bytes there, or may have: it lost what it knew."""
        try:
            contents = self._parts.images.get(guid_of(key), deadline).contents
        except RecordNotFoundError:
            return False
        return contents is None or contents.key == key


def in_progress() -> CreationInProgressError:
    """Return what a caller is told whose creation goes on without them."""
    text = "The creation is still under way: ask again with the same request_id."
    return CreationInProgressError(text, retry_delay_seconds=RETRY_SECONDS)


def _new_image(mine: Creation, made: Made, now: datetime) -> NewImage:
    return NewImage(
        guid=mine.guid,
        filename=mine.filename or slug_filename(mine.prompt, made.format),
        prompt=mine.prompt,
        created_at=now,
        contents=made.contents,
        fence=mine.fence,
    )


def unhindered(act: Callable[[], _Result]) -> _Result:
    """Act again where another transaction was in the way."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return act()
        except TransactionConflictError as error:
            _log.info("conflict, again: %s", error.message)
    return act()
