"""Renditions: which one is asked for, and that it is made once, of the right bytes."""

import hashlib
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PIL import Image

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.contents import BLOCK_BYTES, ImageContents, digest_blocks
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    ImageCorruptError,
    InvalidFormatError,
    RecordNotFoundError,
    StorageUnavailableError,
    TooManyDownloadsError,
)
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import (
    EVERY_BYTE,
    NewImage,
    OpenedBytes,
    RenditionKey,
    StoredImage,
)
from pixy_grpc.service.inspection import inspect
from pixy_grpc.service.originals import Originals, verified
from pixy_grpc.service.renditions import (
    MAX_ORIGINAL_BYTES,
    RenditionLimits,
    Renditions,
    rendition_key,
)
from tests.fakes import (
    FixedClock,
    InMemoryBytes,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemoryRenditionCache,
)
from tests.unit.service.test_inspection import encoded

GUID = "00000000-0000-4000-8000-000000000000"
CALL = Call("alice", "1", Deadline.after(86_400))
DATA = encoded("PNG", (300, 200))
PNG, JPEG, WEBP = ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP

CONTENTS = ImageContents(
    key=f"{GUID}.1.png",
    content_type="image/png",
    size_bytes=len(DATA),
    sha256=hashlib.sha256(DATA).hexdigest(),
    block_digests=digest_blocks(DATA),
    width=300,
    height=200,
    generator="sketch",
    model="",
)
OLDER = replace(CONTENTS, sha256="", block_digests=b"", width=0, height=0)
WAIT_SECONDS = 20.0
"""Bound on what comes at once."""

KEY = RenditionKey(GUID, CONTENTS.sha256, 128, JPEG)


def blank_png(side: int) -> bytes:
    """Return a square of nothing."""
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


class World:
    """Renditions of one image, and what they are made of and kept in."""

    def __init__(
        self,
        contents: ImageContents = CONTENTS,
        data: bytes = DATA,
        limits: RenditionLimits | None = None,
        *,
        keeps: bool = True,
        store: InMemoryImageStore | None = None,
    ) -> None:
        self.repository, self.store = InMemoryImageRepository(), store or InMemoryImageStore()
        self.cache = InMemoryRenditionCache(keeps=keeps)
        new = NewImage(GUID, "f.png", "p", FixedClock().now(), contents)
        self.stored = self.repository.add(new, CALL.deadline)
        self.store.objects[contents.key] = data
        originals = Originals(self.repository, self.store)
        self.renditions = Renditions(originals, self.cache, limits or RenditionLimits())

    def read(self, key: RenditionKey = KEY, call: Call = CALL) -> bytes:
        """Return all of a rendition."""
        with self.renditions.open(self.stored, key, EVERY_BYTE, call) as opened:
            return b"".join(verified(opened, range(opened.contents.size_bytes)))


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


class CountingStore(InMemoryImageStore):
    """A store that counts how often bytes are opened."""

    opened = 0

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Count, then open."""
        self.opened += 1
        with super().open(key, deadline) as opened:
            yield opened


def test_many_who_want_the_same_have_it_made_once() -> None:
    """Whenever they come: before, while or after it is made."""
    store = CountingStore()
    world = World(store=store)

    with ThreadPoolExecutor(12) as pool:
        results = set(pool.map(lambda _: world.read(), range(48)))

    assert len(results) == 1
    assert store.opened == 1


class HeldStore(CountingStore):
    """A store whose objects are opened once they may be."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_open = threading.Semaphore(0), threading.Event()

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Say that it is asked, and wait."""
        self.asked.release()
        assert self.may_open.wait(WAIT_SECONDS)
        with super().open(key, deadline) as opened:
            yield opened


class Waiting:
    """Whether a caller is there still: asked for the first time when they begin to wait."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def __call__(self) -> bool:
        """Say so, and that they are."""
        self.begun.set()
        return True


def test_image_of_which_none_can_be_made_is_decoded_once_for_all_who_wait() -> None:
    """To try again would come to the same, and hold up the next in turn."""
    data = b"no picture" * 9
    store, callers = HeldStore(), [Waiting() for _ in range(4)]
    sized = replace(CONTENTS, size_bytes=len(data))
    world = World(summed(sized, data), data, store=store)

    with ThreadPoolExecutor(5) as pool:
        reads = [pool.submit(world.read)]
        assert store.asked.acquire(timeout=WAIT_SECONDS)
        reads += [pool.submit(world.read, call=replace(CALL, is_active=each)) for each in callers]
        for each in callers:
            assert each.begun.wait(WAIT_SECONDS)
        store.may_open.set()
        errors = [read.exception(WAIT_SECONDS) for read in reads]

    assert {type(error) for error in errors} == {InvalidFormatError}
    assert store.opened == 1


def test_callers_do_not_wait_for_the_turns_of_others() -> None:
    """Alice's other work holds up what Bob wants, too, for her alone."""
    store = HeldStore()
    world = World(store=store, limits=RenditionLimits(at_once=2, wait_seconds=WAIT_SECONDS))
    other, bob = replace(KEY, max_side=256), replace(CALL, caller="bob")
    with ThreadPoolExecutor(3) as pool:
        held = pool.submit(world.read, other)
        assert store.asked.acquire(timeout=WAIT_SECONDS)
        queued = pool.submit(world.read)  # behind the other, which has Alice's one turn
        bobs = pool.submit(world.read, KEY, bob)

        began = store.asked.acquire(timeout=WAIT_SECONDS)
        store.may_open.set()

        assert began
        assert bobs.result() == queued.result() != held.result()


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


def summed(contents: ImageContents, data: bytes) -> ImageContents:
    """Return the contents with the sums of these bytes."""
    sha256 = hashlib.sha256(data).hexdigest()
    return replace(contents, sha256=sha256, block_digests=digest_blocks(data))


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


def test_caller_who_has_gone_is_given_no_work() -> None:
    """Nothing is decoded for nobody."""
    world = World()

    with pytest.raises(DeadlineTooShortError):
        world.read(call=replace(CALL, is_active=lambda: False))
    assert not world.cache.renditions


class WaitingStore(InMemoryImageStore):
    """A store in which reading goes on with what is done while something is opened."""

    def __init__(self, meanwhile: object = None) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Do it, then open."""
        if callable(self.meanwhile):
            act, self.meanwhile = self.meanwhile, None
            act()
        with super().open(key, deadline) as opened:
            yield opened


@pytest.mark.parametrize(
    "limits",
    [
        RenditionLimits(crowd=1, at_once=9),
        RenditionLimits(crowd=2, at_once=9),
        RenditionLimits(at_once=1, wait_seconds=0.05),
        RenditionLimits(at_once=2, wait_seconds=0.05),
    ],
    ids=["a full crowd", "its caller's half", "no turn", "its caller's turn"],
)
def test_rendition_too_many_is_refused_with_a_delay(limits: RenditionLimits) -> None:
    """One is being made: another of the same caller is told when to come back."""
    store = WaitingStore()
    world = World(limits=limits, store=store)
    refused: list[TooManyDownloadsError] = []

    def another() -> None:
        with pytest.raises(TooManyDownloadsError) as caught:
            world.read(replace(KEY, max_side=256))
        refused.append(caught.value)

    store.meanwhile = another
    world.read()

    assert [error.retry_delay_seconds for error in refused] == [1.0]
    assert world.read(replace(KEY, max_side=256))


def test_blocks_of_a_large_rendition_are_read_one_by_one() -> None:
    """It is sent as an image is: no message holds more than a block."""
    data = bytes(BLOCK_BYTES + 1)
    contents = replace(CONTENTS, size_bytes=len(data), block_digests=digest_blocks(data))

    blocks = list(verified(OpenedBytes(contents, InMemoryBytes(data)), range(len(data))))

    assert [len(block) for block in blocks] == [BLOCK_BYTES, 1]


def test_largest_picture_is_made_small() -> None:
    """The limit is the largest image that can be asked for."""
    data = blank_png(4096)
    world = World(summed(replace(CONTENTS, size_bytes=len(data)), data), data)

    assert inspect(world.read()).width == 128
