"""A rendition is made of the right bytes, or not at all."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PIL import Image

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    InvalidFormatError,
    RecordNotFoundError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import EVERY_BYTE, OpenedBytes, RenditionKey
from pixy_grpc.service.inspection import inspect
from pixy_grpc.service.originals import Originals
from pixy_grpc.service.renditions import RenditionLimits, Renditions
from tests.fakes import InMemoryBytes, InMemoryImageRepository, InMemoryRenditionCache
from tests.unit.service.rendition_world import CALL, CONTENTS, DATA, GUID, KEY, OLDER, World, summed


class LateCache(InMemoryRenditionCache):
    """A cache in which another process puts what was not there when it was looked for."""

    meanwhile: tuple[RenditionKey, tuple[ImageContents, bytes]] | None = None

    @contextmanager
    def open(self, key: RenditionKey, span: range = EVERY_BYTE) -> Iterator[OpenedBytes | None]:
        """Look first, then let it be put."""
        with super().open(key, span) as opened:
            if self.meanwhile:
                self.renditions.update([self.meanwhile])
            yield opened


def test_rendition_made_next_door_meanwhile_is_not_made_again() -> None:
    """Before the work begins, the cache is asked once more."""
    world = World()
    first = world.read()
    cache = LateCache()
    cache.meanwhile = (KEY, world.cache.renditions[KEY])
    world.store.failure = StorageUnavailableError("No.")
    originals = Originals(world.repository, world.store)
    world.renditions = Renditions(originals, cache, RenditionLimits())

    assert world.read() == first


class FadingCache(InMemoryRenditionCache):
    """A cache in which what another process put is damaged between two looks at it."""

    looks = 0

    @contextmanager
    def open(self, key: RenditionKey, span: range = EVERY_BYTE) -> Iterator[OpenedBytes | None]:
        """Find nothing, then what is damaged as it is read, then what is kept."""
        self.looks += 1
        with super().open(key, span) as opened:
            if self.looks == 2:
                other = b"!" * CONTENTS.size_bytes
                yield OpenedBytes(CONTENTS, InMemoryBytes(other))
            else:
                yield opened


def test_rendition_that_is_damaged_as_it_is_found_is_made_anew() -> None:
    """The image itself is as it was: nobody is told that it is corrupt."""
    world, cache = World(), FadingCache()
    originals = Originals(world.repository, world.store)
    world.renditions = Renditions(originals, cache, RenditionLimits())

    assert world.read() == World().read()


def test_rendition_of_a_damaged_original_is_not_made() -> None:
    """Every block is held to its digest before a pixel is decoded."""
    world = World(data=DATA[:-20] + b"!" + DATA[-19:])

    with pytest.raises(ImageCorruptError):
        world.read()
    assert not world.cache.renditions


@pytest.mark.parametrize(
    ("contents", "expected"), [(OLDER, ImageCorruptError), (CONTENTS, InvalidFormatError)]
)
def test_what_does_not_decode_is_damage_only_where_no_sum_says_otherwise(
    contents: ImageContents, expected: type[Exception]
) -> None:
    """Bytes that are what was stored are not damaged, whatever they are."""
    data = b"no picture" * 9
    sized = replace(contents, size_bytes=len(data))
    known = summed(sized, data) if contents.sha256 else sized
    world = World(known, data)

    with pytest.raises(expected):
        world.read()


class DeletingCache(InMemoryRenditionCache):
    """A cache in which a rendition is put just after its image has been deleted."""

    def __init__(self, repository: InMemoryImageRepository) -> None:
        super().__init__()
        self._repository = repository

    def put(self, key: RenditionKey, contents: ImageContents, data: bytes) -> None:
        """Delete the image and its renditions, as DeleteImage does, then put."""
        self._repository.delete(key.guid, CALL.deadline)
        self.delete(key.guid)
        super().put(key, contents, data)


def test_image_deleted_while_its_rendition_is_made_leaves_none() -> None:
    """The caller learns that it has gone, and nothing of it stays."""
    world = World()
    cache = DeletingCache(world.repository)
    originals = Originals(world.repository, world.store)
    renditions = Renditions(originals, cache, RenditionLimits())

    with pytest.raises(RecordNotFoundError), renditions.open(world.stored, KEY, EVERY_BYTE, CALL):
        pass

    assert cache.guids() == []


class StuckCache(DeletingCache):
    """The same, out of which nothing can be removed by then."""

    def put(self, key: RenditionKey, contents: ImageContents, data: bytes) -> None:
        """Put, then fail."""
        super().put(key, contents, data)
        self.failure = StorageUnavailableError("No.")


def test_image_deleted_meanwhile_is_not_found_whatever_its_rendition_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What cannot be removed is in the log, and for fsck: no caller can do anything about it."""
    world = World()
    originals = Originals(world.repository, world.store)
    renditions = Renditions(originals, StuckCache(world.repository), RenditionLimits())

    with (
        pytest.raises(RecordNotFoundError),
        renditions.open(world.stored, KEY, EVERY_BYTE, CALL),
    ):
        pass

    assert f"orphaned renditions guid={GUID} reason=STORAGE_UNAVAILABLE" in caplog.text


def blank_png(side: int) -> bytes:
    """Return a square of nothing."""
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


def test_largest_picture_is_made_small() -> None:
    """The limit is the largest image that can be asked for."""
    data = blank_png(4096)
    world = World(summed(replace(CONTENTS, size_bytes=len(data)), data), data)

    assert inspect(world.read()).width == 128
