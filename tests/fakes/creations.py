"""CreationRepository: what creations have come to."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import (
    Creation,
    CreationKey,
    CreationState,
    Fence,
    FenceLostError,
    NewCreation,
    PaidImage,
    Refusal,
    Usage,
)
from pixy_grpc.core.exceptions import ConstraintViolationError
from tests.fakes.repository import InMemoryImageRepository

_UNFINISHED = (CreationState.CLAIMED, CreationState.ASKED, CreationState.KEPT)


class InMemoryCreationRepository:
    """A CreationRepository over the data of images; it fails as they do.

    `usages` holds what each creation took.
    """

    def __init__(self, images: InMemoryImageRepository) -> None:
        self._images = images
        self.usages: dict[str, Usage | None] = {}

    def find(self, key: CreationKey, deadline: Deadline) -> Creation | None:
        """Return one creation."""
        with self._images.lent(deadline) as tables:
            return tables.creations.get(key)

    def list_by_guid(self, guids: Collection[str], deadline: Deadline) -> list[Creation]:
        """Look at every creation."""
        with self._images.lent(deadline) as tables:
            return [each for each in tables.creations.values() if each.guid in guids]

    def claim(self, new: NewCreation, deadline: Deadline) -> Creation:
        """Begin a creation."""
        with self._images.lent(deadline) as tables:
            if new.key in tables.creations:
                raise ConstraintViolationError("The request id is taken.")
            return tables.keep(_claimed(new))

    def take_over(
        self, seen: Creation, lease_until_ms: int, ended_before_ms: int, deadline: Deadline
    ) -> Creation | None:
        """Go on under the next fence."""
        with self._images.lent(deadline) as tables:
            try:
                found = tables.held(seen.fence)
            except FenceLostError:
                return None
            if found.lease_until_ms >= ended_before_ms:
                return None
            fence = replace(found.fence, number=found.fence.number + 1)
            return tables.keep(replace(found, fence=fence, lease_until_ms=lease_until_ms))

    def renew(
        self, fences: Sequence[Fence], lease_until_ms: int, deadline: Deadline
    ) -> list[Fence]:
        """Give longer leases."""
        renewed = []
        with self._images.lent(deadline) as tables:
            for fence in fences:
                with suppress(FenceLostError):
                    found = tables.held(fence)
                    if found.lease_until_ms:
                        tables.keep(replace(found, lease_until_ms=lease_until_ms))
                        renewed.append(fence)
        return renewed

    def note_asked(self, fence: Fence, deadline: Deadline) -> None:
        """Count an ask."""
        with self._images.lent(deadline) as tables:
            found = tables.held(fence)
            tables.keep(replace(found, state=CreationState.ASKED, asks=found.asks + 1))

    def note_kept(self, paid: PaidImage, deadline: Deadline) -> None:
        """Note the bytes."""
        with self._images.lent(deadline) as tables:
            found = tables.held(paid.fence)
            kept = replace(found, store_key=paid.store_key, model=paid.model)
            tables.keep(replace(kept, state=CreationState.KEPT))
            self.usages[paid.guid] = paid.usage or self.usages.get(paid.guid)

    def note_refused(self, fence: Fence, refusal: Refusal, deadline: Deadline) -> None:
        """Keep a refusal."""
        with self._images.lent(deadline) as tables:
            found = tables.held(fence)
            ended = replace(found, refusal=refusal, lease_until_ms=0)
            tables.keep(replace(ended, state=CreationState.REFUSED))

    def note_unknown(self, fence: Fence, deadline: Deadline) -> None:
        """End the lease."""
        with self._images.lent(deadline) as tables:
            found = tables.held(fence)
            tables.keep(replace(found, state=CreationState.UNKNOWN, lease_until_ms=0))

    def release(self, fence: Fence, asks: int, deadline: Deadline) -> None:
        """Forget the creation, or leave it."""
        with self._images.lent(deadline) as tables, suppress(FenceLostError):
            found = tables.held(fence)
            tables.keep(replace(found, state=CreationState.UNKNOWN, asks=asks, lease_until_ms=0))
            if not asks:
                del tables.creations[fence.key]

    def retire(self, seen: Fence, request_id: str, deadline: Deadline) -> None:
        """Give the creation another name."""
        with self._images.lent(deadline) as tables:
            found = tables.creations.get(seen.key)
            if found and found.fence == seen:
                del tables.creations[seen.key]
                other = CreationKey(seen.key.caller, request_id)
                tables.keep(replace(found, fence=replace(seen, key=other)))

    def list_unfinished(
        self, ended_before_ms: int, limit: int, deadline: Deadline
    ) -> Sequence[Creation]:
        """Look at every creation."""
        with self._images.lent(deadline) as tables:
            found = [
                each
                for each in tables.creations.values()
                if each.state in _UNFINISHED and each.lease_until_ms < ended_before_ms
            ]
        return sorted(found, key=lambda each: each.lease_until_ms)[:limit]


def _claimed(new: NewCreation) -> Creation:
    return Creation(
        fence=Fence(new.key, 1, new.guid),
        fingerprint=new.fingerprint,
        guid=new.guid,
        state=CreationState.CLAIMED,
        asks=0,
        lease_until_ms=new.lease_until_ms,
        created_at=new.created_at,
        generator=new.generator,
        prompt=new.prompt,
        filename=new.filename,
    )
