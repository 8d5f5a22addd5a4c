"""Reading bytes where something is not as it was: an error, never the wrong bytes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.contents import BLOCK_BYTES, DIGEST_BYTES, ImageContents
from pixy_grpc.core.exceptions import (
    ImageChangedError,
    ImageCorruptError,
    ImageException,
    InvalidOffsetError,
    MalformedRequestError,
    RecordNotFoundError,
    StorageUnavailableError,
)
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import NewImage
from pixy_grpc.service.delivery import ByteRange, ImageDelivery, WantedBytes
from pixy_grpc.service.originals import Originals
from pixy_grpc.service.renditions import RenditionLimits, Renditions
from tests.fakes import (
    FixedClock,
    InMemoryBytes,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemoryRenditionCache,
)
from tests.support.contents import contents_of

GUID = "00000000-0000-4000-8000-000000000000"
DATA = bytes(range(256)) * (BLOCK_BYTES // 256) + b"the last block"
CALL = Call("alice", "1", Deadline.after(86_400))

CONTENTS = contents_of(DATA, f"{GUID}.1.png")
WITHOUT_DIGESTS = replace(CONTENTS, sha256="", block_digests=b"")
WHOLE = ByteRange(0, 0)


def holding(
    contents: ImageContents = CONTENTS, data: bytes = DATA, store: InMemoryImageStore | None = None
) -> ImageDelivery:
    """Return the use case over one image, whose bytes may not be those of its row."""
    repository, kept = InMemoryImageRepository(), store or InMemoryImageStore()
    new = NewImage(GUID, "f.png", "p", FixedClock().now(), contents)
    repository.add(new, CALL.deadline)
    kept.objects[contents.key] = data
    return delivering(repository, kept)


def delivering(repository: InMemoryImageRepository, store: InMemoryImageStore) -> ImageDelivery:
    """Return the use case over a repository and a store."""
    originals = Originals(repository, store)
    renditions = Renditions(originals, InMemoryRenditionCache(), RenditionLimits())
    return ImageDelivery(repository, originals, renditions)


def read(delivery: ImageDelivery, wanted: ByteRange = WHOLE, expected_sha256: str = "") -> bytes:
    """Return all that is delivered."""
    asked = WantedBytes(wanted, expected_sha256=expected_sha256)
    with delivery.open(GUID, asked, CALL) as opened:
        return b"".join(opened.chunks)


@settings(deadline=None)
@given(st.integers(0, len(DATA)), st.integers(0, len(DATA) + 1))
def test_any_range_is_that_part_of_the_bytes(offset: int, limit: int) -> None:
    """Wherever it begins and ends, blocks do not show."""
    expected = DATA[offset : offset + limit] if limit else DATA[offset:]

    assert read(holding(), ByteRange(offset, limit)) == expected


def marked(length: int) -> bytes:
    """Return a head that tells how long the chunk behind it is."""
    return b"<%d>" % length


@settings(deadline=None)
@given(st.integers(0, len(DATA)), st.integers(0, len(DATA) + 1))
def test_each_chunk_stands_behind_the_head_for_its_length(offset: int, limit: int) -> None:
    """Also where a block is cut to the range: whole or cut, a chunk is one message."""
    expected = DATA[offset : offset + limit] if limit else DATA[offset:]
    wanted = WantedBytes(ByteRange(offset, limit))
    with holding().open(GUID, wanted, CALL, marked) as opened:
        chunks = list(opened.chunks)

    parts = [chunk.partition(b">")[2] for chunk in chunks]

    assert b"".join(parts) == expected
    assert chunks == [marked(len(part)) + part for part in parts]
    assert all(len(part) <= BLOCK_BYTES for part in parts)


@pytest.mark.parametrize(
    "wanted", [ByteRange(-1, 0), ByteRange(0, -1), ByteRange(len(DATA) + 1, 0)]
)
def test_range_outside_is_refused_before_the_store_is_asked(wanted: ByteRange) -> None:
    """The row alone says how many bytes there are."""
    store = InMemoryImageStore()
    delivery = holding(store=store)
    store.failure = StorageUnavailableError("No.")

    with pytest.raises(InvalidOffsetError):
        read(delivery, wanted)


@pytest.mark.parametrize("wanted", [ByteRange(-1, 0), ByteRange(0, -1)])
def test_range_of_no_image_is_refused_before_a_rendition_is_made(wanted: ByteRange) -> None:
    """However large a rendition turns out to be, it does not begin below zero."""
    store = InMemoryImageStore()
    delivery = holding(store=store)
    store.failure = StorageUnavailableError("No.")
    asked = WantedBytes(wanted, format=ImageFormat.JPEG)

    with pytest.raises(InvalidOffsetError), delivery.open(GUID, asked, CALL):
        pass


def test_image_without_digests_is_checked_by_its_size() -> None:
    """An older image that was not adopted is served as far as it can be known."""
    assert read(holding(WITHOUT_DIGESTS)) == DATA

    with pytest.raises(ImageCorruptError):
        read(holding(WITHOUT_DIGESTS, DATA[:-1]))


def test_image_with_too_few_digests_is_corrupt() -> None:
    """A block without its digest among others that have theirs is not taken on trust."""
    some = replace(CONTENTS, block_digests=CONTENTS.block_digests[:DIGEST_BYTES])

    with pytest.raises(ImageCorruptError):
        read(holding(some))


def test_no_byte_of_a_changed_block_is_given_out() -> None:
    """What comes before the damage is right; the damage itself never leaves."""
    delivered: list[bytes] = []
    delivery = holding(data=DATA[:-1] + b"!")

    with delivery.open(GUID, WantedBytes(), CALL) as opened, pytest.raises(ImageCorruptError):
        delivered.extend(opened.chunks)

    assert delivered == [DATA[:BLOCK_BYTES]]


@pytest.mark.parametrize("data", [DATA[:-1] + b"!", b"!" + DATA[1:]])
def test_image_with_a_sum_alone_is_held_to_it_when_it_is_read_whole(data: bytes) -> None:
    """Without block digests the last block waits for the sum of all of them."""
    summed = replace(CONTENTS, block_digests=b"")
    delivered: list[bytes] = []
    damaged = holding(summed, data).open(GUID, WantedBytes(), CALL)

    with damaged as opened, pytest.raises(ImageCorruptError):
        delivered.extend(opened.chunks)

    assert len(b"".join(delivered)) < len(DATA)
    assert read(holding(summed)) == DATA
    assert read(holding(summed), ByteRange(5, 9)) == DATA[5:14]


@pytest.mark.parametrize("expected", [CONTENTS.sha256, CONTENTS.sha256.upper(), ""])
def test_read_of_the_expected_bytes_goes_on(expected: str) -> None:
    """Nothing has changed, or nothing is expected."""
    assert read(holding(), ByteRange(9, 0), expected) == DATA[9:]


@pytest.mark.parametrize("wanted", [WHOLE, ByteRange(9, 1), ByteRange(len(DATA) + 1, 0)])
@pytest.mark.parametrize("contents", [CONTENTS, WITHOUT_DIGESTS])
def test_read_of_other_bytes_than_expected_is_aborted(
    contents: ImageContents, wanted: ByteRange
) -> None:
    """Wherever it was to go on; and where no sum is known, none can be the expected one."""
    with pytest.raises(ImageChangedError):
        read(holding(contents), wanted, "0" * 64)


@pytest.mark.parametrize("expected", ["0" * 63, "0" * 65, "g" * 64, " " * 64, "٠" * 64])
def test_expected_sum_that_is_none_is_refused(expected: str) -> None:
    """It would never be met."""
    with pytest.raises(MalformedRequestError) as refused:
        read(holding(), WHOLE, expected)

    assert [violation.field for violation in refused.value.violations] == ["expected_sha256"]


class VanishingStore(InMemoryImageStore):
    """A store from which an image is deleted just before it is opened."""

    def __init__(self, repository: InMemoryImageRepository) -> None:
        super().__init__()
        self._repository = repository

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Delete the image, its row first, then try to open it."""
        self._repository.delete(GUID, deadline)
        self.delete(key, deadline)
        with super().open(key, deadline) as opened:
            yield opened


def test_image_deleted_while_it_is_opened_is_not_found() -> None:
    """Missing bytes of an image that has just gone are no damage."""
    repository = InMemoryImageRepository()
    repository.add(NewImage(GUID, "f.png", "p", FixedClock().now(), CONTENTS), CALL.deadline)

    with pytest.raises(RecordNotFoundError):
        read(delivering(repository, VanishingStore(repository)))


@dataclass(frozen=True)
class LentBytes(InMemoryBytes):
    """Bytes of which there is but the first block by the time the next is wanted."""

    happens: Callable[[], object]

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        """Return a part of the first block; let it happen before any other."""
        if offset:
            self.happens()
            raise ImageCorruptError("The image's bytes are missing.")
        return head + self.data[:length]


class LendingStore(InMemoryImageStore):
    """A store that lends the first block alone, as one of another machine may."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Open what is there no longer to its end."""
        with super().open(key, deadline) as opened:
            yield LentBytes(opened.data, self._happens)


def lending(*, is_deleted: bool = True) -> ImageDelivery:
    """Return the use case over an image that may be deleted, or only its bytes, while read."""
    repository = InMemoryImageRepository()
    repository.add(NewImage(GUID, "f.png", "p", FixedClock().now(), CONTENTS), CALL.deadline)
    store = LendingStore(lambda: is_deleted and repository.delete(GUID, CALL.deadline))
    store.objects[CONTENTS.key] = DATA
    return delivering(repository, store)


@pytest.mark.parametrize(
    ("is_deleted", "expected"), [(True, RecordNotFoundError), (False, ImageCorruptError)]
)
def test_image_deleted_while_it_is_read_is_not_found(
    expected: type[ImageException], *, is_deleted: bool
) -> None:
    """Not even from a store that lends its beginning alone; a row without bytes is damage."""
    delivered: list[bytes] = []
    lent = lending(is_deleted=is_deleted).open(GUID, WantedBytes(), CALL)

    with lent as opened, pytest.raises(expected):
        delivered.extend(opened.chunks)

    assert delivered == [DATA[:BLOCK_BYTES]]


def test_image_deleted_while_a_rendition_is_made_of_it_is_not_found() -> None:
    """That reads it as well."""
    wanted = WantedBytes(format=ImageFormat.JPEG)

    with pytest.raises(RecordNotFoundError), lending().open(GUID, wanted, CALL):
        pass
