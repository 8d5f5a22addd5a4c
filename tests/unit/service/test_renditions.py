"""Renditions: which one is asked for, what is said of it, and where it is kept."""

import hashlib
from dataclasses import replace

import pytest

from pixy_grpc.core.contents import BLOCK_BYTES, ImageContents, digest_blocks
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    InvalidFormatError,
    StorageUnavailableError,
    TooManyDownloadsError,
)
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import EVERY_BYTE, OpenedBytes, RenditionKey, StoredImage
from pixy_grpc.service.inspection import inspect
from pixy_grpc.service.originals import verified
from pixy_grpc.service.renditions import MAX_ORIGINAL_BYTES, RenditionLimits, rendition_key
from tests.fakes import InMemoryBytes
from tests.unit.service.rendition_world import (
    CALL,
    CONTENTS,
    GUID,
    JPEG,
    KEY,
    OLDER,
    PNG,
    WEBP,
    World,
)


def stored(contents: ImageContents | None) -> StoredImage:
    """Return an image of these contents."""
    return replace(World().stored, contents=contents)


@pytest.mark.parametrize(
    ("max_side", "image_format"),
    [(0, None), (0, PNG), (512, None), (512, PNG), (1024, PNG)],
)
def test_image_that_is_what_is_wanted_is_no_rendition(
    max_side: int, image_format: ImageFormat | None
) -> None:
    """Its own format and no more pixels than asked for: the stored bytes will do."""
    assert rendition_key(stored(CONTENTS), max_side, image_format) is None
    exact = replace(CONTENTS, width=512, height=512)
    assert rendition_key(stored(exact), max_side, image_format) is None


@pytest.mark.parametrize(
    ("max_side", "image_format", "expected"),
    [(256, None, PNG), (128, PNG, PNG), (0, JPEG, JPEG), (1024, WEBP, WEBP), (128, JPEG, JPEG)],
)
def test_other_size_or_format_is_a_rendition(
    max_side: int, image_format: ImageFormat | None, expected: ImageFormat
) -> None:
    """Without a format it is that of the image."""
    key = rendition_key(stored(CONTENTS), max_side, image_format)

    assert key == RenditionKey(GUID, CONTENTS.sha256, max_side, expected)


def test_image_of_unknown_dimensions_is_looked_at_to_be_made_small() -> None:
    """An older image may be larger than asked for; its key stands for its bytes."""
    assert rendition_key(stored(OLDER), 1024, None) == RenditionKey(GUID, OLDER.key, 1024, PNG)
    assert rendition_key(stored(OLDER), 0, PNG) is None


@pytest.mark.parametrize(
    "contents",
    [
        replace(OLDER, content_type=""),
        replace(CONTENTS, size_bytes=MAX_ORIGINAL_BYTES + 1),
    ],
)
def test_image_that_cannot_be_decoded_has_no_renditions(contents: ImageContents) -> None:
    """What is no picture, or too much of one, is refused before it is read."""
    with pytest.raises(InvalidFormatError):
        rendition_key(stored(contents), 128, None)


def test_image_of_unknown_bytes_is_corrupt() -> None:
    """As it is without a rendition."""
    with pytest.raises(ImageCorruptError):
        rendition_key(stored(None), 128, JPEG)


def test_rendition_is_described_as_it_is() -> None:
    """Type, size, sum and dimensions are those of its own bytes."""
    world = World()

    with world.renditions.open(world.stored, KEY, EVERY_BYTE, CALL) as opened:
        contents = opened.contents
    data = world.read()

    assert inspect(data).format is JPEG
    assert (contents.width, contents.height) == (128, 85)
    assert contents.content_type == "image/jpeg"
    assert contents.size_bytes == len(data)
    assert contents.sha256 == hashlib.sha256(data).hexdigest()


def test_rendition_that_is_kept_needs_no_original() -> None:
    """It is read from the cache, however the store fares."""
    world = World()
    first = world.read()
    world.store.failure = StorageUnavailableError("No.")

    assert world.read() == first
    with pytest.raises(StorageUnavailableError):
        world.read(replace(KEY, max_side=256))


def test_rendition_that_is_not_kept_is_served_all_the_same() -> None:
    """A cache without room costs time, not reads."""
    world = World(keeps=False)

    assert world.read() == world.read() == World().read()
    assert not world.cache.renditions


def test_rendition_of_an_image_without_sums_is_not_kept() -> None:
    """Its file may become another without a word, and the rendition would be of the first."""
    world = World(OLDER)

    world.read(replace(KEY, source=OLDER.key))

    assert not world.cache.renditions


def test_rendition_that_is_not_kept_is_bounded_in_memory() -> None:
    """Who reads slowly from memory leaves no more than that to others."""
    world = World(keeps=False, limits=RenditionLimits(loose_bytes=1))

    with (
        world.renditions.open(world.stored, KEY, EVERY_BYTE, CALL),
        pytest.raises(TooManyDownloadsError),
    ):
        world.read()
    assert world.read()


def test_blocks_of_a_large_rendition_are_read_one_by_one() -> None:
    """It is sent as an image is: no message holds more than a block."""
    data = bytes(BLOCK_BYTES + 1)
    contents = replace(CONTENTS, size_bytes=len(data), block_digests=digest_blocks(data))

    blocks = list(verified(OpenedBytes(contents, InMemoryBytes(data)), range(len(data))))

    assert [len(block) for block in blocks] == [BLOCK_BYTES, 1]
