"""Bytes are stored while they are decoded; what turns out to be no image leaves nothing."""

import threading
from datetime import UTC, datetime

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationKey, CreationState, Fence, FenceLostError
from pixy_grpc.core.exceptions import ProviderBadResponseError
from pixy_grpc.core.ports import GeneratedImage
from pixy_grpc.service.creation.headstart import HeadStart
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.pictures import Pictures
from pixy_grpc.service.inspection import Picture, inspect
from tests.fakes import InMemoryCreationRepository, InMemoryImageStore
from tests.unit.service.creating import WAIT_SECONDS, World, png

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
        raise KeyError("what nobody foresaw")


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
    start = HeadStart(store, WAIT_SECONDS)

    def look(data: bytes) -> Picture:
        stored.wait(WAIT_SECONDS)
        seen.append(bool(store.objects))
        return inspect(data)

    made = Pictures(CreationLimits(), look).made(MINE, png(), start)

    assert seen == [True]
    assert made.is_stored
    assert store.objects == {made.contents.key: made.data}


def test_store_that_fails_in_whatever_way_costs_the_head_start_alone() -> None:
    """The image is paid for: it is made all the same, and stored as ever."""
    start = HeadStart(FailingStore(), WAIT_SECONDS)

    made = Pictures(CreationLimits()).made(MINE, png(), start)

    assert not made.is_stored


def test_bytes_that_are_no_image_are_put_aside_once_refused() -> None:
    """A truncated file begins as an image: nobody adopts it, and somebody may look at it."""
    world = World(GeneratedImage(png().data[:60]))

    with pytest.raises(ProviderBadResponseError):
        world.create()

    assert world.state == "refused"
    assert world.store.objects == {}
    assert list(world.store.quarantined.values()) == [png().data[:60]]


class OvertakenCreations(InMemoryCreationRepository):
    """A repository whose creations somebody else has taken over before they are refused."""

    def note_refused(self, *_: object, **__: object) -> None:
        """Tell so."""
        raise FenceLostError


def test_bytes_that_somebody_else_goes_on_with_are_left_alone() -> None:
    """Who lost the fence while it decoded may not touch what the winner has adopted."""
    world = World(GeneratedImage(png().data[:60]), creations=OvertakenCreations)

    with pytest.raises(ProviderBadResponseError):
        world.create()

    assert list(world.store.objects.values()) == [png().data[:60]]


def test_picture_is_decoded_without_a_thread_for_it() -> None:
    """Where none can begin, what was paid for is not lost to that."""
    pictures = Pictures(CreationLimits())
    pictures.close()

    made = pictures.made(MINE, png(), HeadStart(InMemoryImageStore(), WAIT_SECONDS))

    assert made.contents.width == 8
