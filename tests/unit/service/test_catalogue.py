"""Details: how pages, changes and removals come together from their parts."""

import hashlib
import logging
from datetime import timedelta

import pytest

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import (
    InvalidFilenameError,
    InvalidPageTokenError,
    RecordNotFoundError,
    StorageUnavailableError,
)
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import NewImage, RenditionKey
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.service.catalogue import ImageCatalogue
from tests.fakes import (
    FixedClock,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemoryRenditionCache,
)

CALL = Call("alice", "1", Deadline.after(86_400))
EVERYTHING = ImageFilter()
IMAGES = 7
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


class World:
    """Use case, and what it works on: images numbered by the second they were made in."""

    def __init__(self) -> None:
        self.repository, self.store = InMemoryImageRepository(), InMemoryImageStore()
        self.clock, self.renditions = FixedClock(), InMemoryRenditionCache()
        self.catalogue = ImageCatalogue(self.repository, self.store, self.clock, self.renditions)
        for number in range(IMAGES):
            self._add(number)

    def _add(self, number: int) -> None:
        key = f"{guid(number)}.1.png"
        contents = ImageContents(key, "image/png", 1, "", b"", 1, 1, "", "")
        moment = self.clock.now() + timedelta(seconds=number)
        new = NewImage(guid(number), "f.png", f"image {number}", moment, contents)
        self.repository.add(new, CALL.deadline)
        self.store.objects[key] = b"b"

    def make_rendition(self, number: int) -> None:
        """Keep a rendition of an image."""
        contents = ImageContents("", "image/png", 0, EMPTY_SHA256, b"", 1, 1, "", "")
        self.renditions.put(RenditionKey(guid(number), "", 128, ImageFormat.PNG), contents, b"")

    def page(self, page_size: int, token: str, sought: ImageFilter = EVERYTHING) -> list[str]:
        """Return the guids of a page, then its token."""
        page = self.catalogue.list_page(sought, page_size=page_size, page_token=token, call=CALL)
        return [*(image.guid for image in page.images), page.next_page_token]


def test_pages_follow_their_tokens_to_the_end() -> None:
    """Newest first, each once; only the last page has no token."""
    world = World()

    *first, token = world.page(3, "")
    *second, last_token = world.page(3, token)
    *third, end = world.page(3, last_token)

    assert [*first, *second, *third] == [guid(number) for number in reversed(range(IMAGES))]
    assert (len(third), end) == (1, "")


def test_token_goes_on_with_its_own_filters_only() -> None:
    """The token of one list is none of another."""
    world = World()
    token = world.page(1, "", ImageFilter(prompt="image"))[-1]

    assert world.page(1, token, ImageFilter(prompt="image"))[0] == guid(IMAGES - 2)
    with pytest.raises(InvalidPageTokenError):
        world.page(1, token)


def test_update_takes_the_time_of_the_clock() -> None:
    """A change has its own time; no change has none."""
    world = World()
    world.clock.advance(3_600)

    same = world.catalogue.update(guid(0), {}, CALL)
    changed = world.catalogue.update(guid(0), {"filename": " g.png "}, CALL)

    assert same.updated_at == same.created_at
    assert (changed.filename, changed.updated_at) == ("g.png", world.clock.now())


def test_update_with_one_bad_field_changes_none() -> None:
    """A change is whole or does not happen."""
    world = World()

    with pytest.raises(InvalidFilenameError):
        world.catalogue.update(guid(0), {"prompt": "new", "filename": "a/b"}, CALL)

    assert world.catalogue.get(guid(0), CALL).prompt == "image 0"


def test_delete_removes_row_and_bytes() -> None:
    """Nothing of the image is left, and nothing of the others is touched."""
    world = World()
    for number in range(2):
        world.make_rendition(number)

    world.catalogue.delete(guid(0), allow_missing=False, call=CALL)

    assert len(world.store.objects) == IMAGES - 1
    assert world.renditions.guids() == [guid(1)]
    with pytest.raises(RecordNotFoundError):
        world.catalogue.delete(guid(0), allow_missing=False, call=CALL)
    world.catalogue.delete(guid(0), allow_missing=True, call=CALL)


def test_delete_is_done_though_the_bytes_cannot_be_removed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The image is gone for everybody; what is left of it is in the log, for fsck."""
    world = World()
    world.store.failure = StorageUnavailableError("No.")
    world.renditions.failure = StorageUnavailableError("No.")

    with caplog.at_level(logging.WARNING, "pixy_grpc"):
        world.catalogue.delete(guid(0), allow_missing=False, call=CALL)

    assert f"orphaned bytes key={guid(0)}.1.png reason=STORAGE_UNAVAILABLE" in caplog.text
    assert f"orphaned renditions guid={guid(0)} reason=STORAGE_UNAVAILABLE" in caplog.text
    with pytest.raises(RecordNotFoundError):
        world.catalogue.get(guid(0), CALL)
