"""Bytes are stored while they are decoded; what turns out to be no image leaves nothing."""

import threading
from datetime import UTC, datetime

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationKey, CreationState, Fence
from pixy_grpc.core.exceptions import ProviderBadResponseError, StorageUnavailableError
from pixy_grpc.core.ports import GeneratedImage
from pixy_grpc.service.creation.headstart import HeadStart
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.pictures import Pictures
from pixy_grpc.service.inspection import Picture, inspect
from tests.fakes import InMemoryImageStore
from tests.unit.service.creating import WAIT_SECONDS, png

MINE = Creation(
    fence=Fence(CreationKey("alice", "id"), 1, "0b"),
    fingerprint="",
    guid="0b",
    state=CreationState.ASKED,
    asks=1,
    lease_until_ms=0,
    created_at=datetime.now(UTC),
    generator="painter",
)


class FailingStore(InMemoryImageStore):
    """A store that takes nothing."""

    def put(self, *_: object) -> None:
        """Refuse."""
        raise StorageUnavailableError("Out of reach.")


class TellingStore(InMemoryImageStore):
    """A store that tells when it has taken something."""

    def __init__(self, stored: threading.Event) -> None:
        super().__init__()
        self._stored = stored

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store, then tell."""
        super().put(key, data, deadline)
        self._stored.set()


def test_image_is_stored_before_it_is_decoded() -> None:
    """The disk does not wait for the processor: the bytes are there when the look ends."""
    stored, seen = threading.Event(), list[bool]()
    store = TellingStore(stored)
    start = HeadStart(store)

    def look(data: bytes) -> Picture:
        stored.wait(WAIT_SECONDS)
        seen.append(bool(store.objects))
        return inspect(data)

    made = Pictures(CreationLimits(), look).made(MINE, png(), start)

    assert seen == [True]
    assert made.is_stored
    assert store.objects == {made.contents.key: made.data}


def test_bytes_that_are_no_image_are_taken_back() -> None:
    """A truncated file begins as an image; nothing of it stays."""
    store = InMemoryImageStore()
    truncated = GeneratedImage(png().data[:60])

    with pytest.raises(ProviderBadResponseError):
        Pictures(CreationLimits()).made(MINE, truncated, HeadStart(store))

    assert store.objects == {}


def test_store_that_fails_costs_the_head_start_alone() -> None:
    """The image is made all the same, and stored as ever."""
    made = Pictures(CreationLimits()).made(MINE, png(), HeadStart(FailingStore()))

    assert not made.is_stored
