"""Images to store, and how long the tests wait for anything."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import CreationKey, Fence, NewCreation
from pixy_grpc.core.ports import (
    ImageRepository,
    NewImage,
    Page,
    PageQuery,
    StoredImage,
)
from pixy_grpc.core.search import ImageFilter
from tests.support.contents import contents_of

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

PAGE_BYTES = 1024 * 1024

EVERYTHING = ImageFilter()


def soon() -> Deadline:
    """Return a deadline nothing is expected to reach."""
    return Deadline.after(30)


def new_guid() -> str:
    return str(uuid.uuid4())


def new_key() -> str:
    return f"{new_guid()}.1.png"


def contents(data: bytes = b"bytes of an image", key: str = "") -> ImageContents:
    return contents_of(data, key or new_key())


def new_image(
    prompt: str = "A red fox",
    filename: str = "a-red-fox.png",
    created_at: datetime = NOON,
    *,
    guid: str = "",
    fence: Fence | None = None,
) -> NewImage:
    guid = guid or new_guid()
    return NewImage(guid, filename, prompt, created_at, contents(key=f"{guid}.1.png"), fence)


def creation_key(caller: str = "alice", request_id: str = "") -> CreationKey:
    return CreationKey(caller, request_id or new_guid())


class CreationFields(TypedDict, total=False):
    """The fields of NewCreation, but for its key."""

    fingerprint: str
    guid: str
    prompt: str
    filename: str
    generator: str
    created_at: datetime
    lease_until_ms: int


def new_creation(key: CreationKey | None = None, **fields: Unpack[CreationFields]) -> NewCreation:
    """Describe a creation; with these fields, if any."""
    creation = NewCreation(
        key=key or creation_key(),
        fingerprint="f" * 64,
        guid=new_guid(),
        prompt="A red fox",
        filename="fox.png",
        generator="sketch",
        created_at=NOON,
        lease_until_ms=1_000,
    )
    return replace(creation, **fields)


class ImageFields(TypedDict, total=False):
    """What new_image takes."""

    prompt: str
    filename: str
    created_at: datetime
    guid: str
    fence: Fence | None


def add(repository: ImageRepository, **fields: Unpack[ImageFields]) -> StoredImage:
    """Add an image with these fields; see new_image."""
    return repository.add(new_image(**fields), soon())


def pages(
    repository: ImageRepository,
    sought: ImageFilter = EVERYTHING,
    *,
    limit: int = 50,
    max_bytes: int = PAGE_BYTES,
) -> Iterator[Page]:
    """Yield every page, following `next` to the end."""
    after = None
    while True:
        page = repository.list_page(PageQuery(sought, after, limit, max_bytes), soon())
        yield page
        if page.next is None:
            return
        after = page.next


def listed(
    repository: ImageRepository,
    sought: ImageFilter = EVERYTHING,
    *,
    limit: int = 50,
    max_bytes: int = PAGE_BYTES,
) -> list[str]:
    """Return the guids of the whole list."""
    each = pages(repository, sought, limit=limit, max_bytes=max_bytes)
    return [stored.image.guid for page in each for stored in page.images]
