"""ImageRepository: what is known of images."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import CreationState
from pixy_grpc.core.exceptions import ConstraintViolationError, DBConnectionError
from pixy_grpc.core.models import Image, ImageUpdate
from pixy_grpc.core.ports import NewImage, Page, PageQuery, Position, StoredImage
from pixy_grpc.core.search import ImageFilter
from tests.fakes.deadlines import require_time
from tests.fakes.tables import Tables

DETAILS_BYTES = 256
"""What the details of one image are taken to have beside their texts."""


class InMemoryImageRepository:
    """An ImageRepository whose search is `ImageFilter.matches` on every image there is.

    `beside` shares the data of another one. While `failure` is set, every method raises
    it and does nothing.
    """

    def __init__(self, beside: "InMemoryImageRepository | None" = None) -> None:
        self._tables: Tables = beside._tables if beside else Tables()  # noqa: SLF001 - of its own class
        self.failure: BaseException | None = None

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Add an image and its creation."""
        with self.lent(deadline) as tables:
            creation = tables.held(new.fence) if new.fence else None
            if new.guid in tables.rows:
                raise ConstraintViolationError("The guid is taken.")
            if creation:
                tables.creations[creation.key] = replace(
                    creation,
                    state=CreationState.DONE,
                    lease_until_ms=0,
                    prompt="",
                    filename="",
                    store_key=new.contents.key,
                    refusal=None,
                )
            tables.last_row += 1
            stored = _stored(new)
            tables.rows[new.guid] = (tables.last_row, stored)
            return stored

    def get(self, guid: str, deadline: Deadline) -> StoredImage:
        """Return one image."""
        with self.lent(deadline) as tables:
            return tables.row(guid)[1]

    def list_page(self, query: PageQuery, deadline: Deadline) -> Page:
        """Return one page; never a short one."""
        with self.lent(deadline) as tables:
            rows = [
                (Position(each.image.created_at, row), each) for row, each in tables.rows.values()
            ]
        rows.sort(key=lambda pair: (pair[0].created_at, pair[0].row), reverse=True)
        behind = (pair for pair in rows if _is_behind(pair[0], query.after))
        return _page((pair for pair in behind if meets(pair[1], query.filter)), query)

    def update(self, guid: str, update: ImageUpdate, now: datetime, deadline: Deadline) -> Image:
        """Change an image."""
        with self.lent(deadline) as tables:
            row, stored = tables.row(guid)
            changes = update.model_dump(exclude_none=True)
            if changes:
                image = stored.image.model_copy(update={**changes, "updated_at": now})
                stored = replace(stored, image=image)
                tables.rows[guid] = (row, stored)
            return stored.image

    def delete(self, guid: str, deadline: Deadline) -> ImageContents | None:
        """Remove an image."""
        with self.lent(deadline) as tables:
            tables.row(guid)
            return tables.rows.pop(guid)[1].contents

    def ping(self, deadline: Deadline) -> None:
        """Return at once."""
        with self.lent(deadline):
            return

    @contextmanager
    def lent(self, deadline: Deadline) -> Iterator[Tables]:
        """Lend what is stored to one at a time."""
        if self.failure:
            raise self.failure
        require_time(deadline, DBConnectionError)
        with self._tables.lock:
            yield self._tables


def meets(stored: StoredImage, sought: ImageFilter) -> bool:
    """Tell whether an image meets a filter, its times included."""
    created_at = stored.image.created_at
    if sought.created_after and created_at < sought.created_after:
        return False
    if sought.created_before and created_at >= sought.created_before:
        return False
    return sought.matches(stored.image.prompt, stored.image.filename)


def _stored(new: NewImage) -> StoredImage:
    contents = new.contents
    image = Image(
        guid=new.guid,
        filename=new.filename,
        prompt=new.prompt,
        created_at=new.created_at,
        updated_at=new.created_at,
        content_type=contents.content_type,
        size_bytes=contents.size_bytes,
        sha256=contents.sha256,
        width=contents.width,
        height=contents.height,
        generator=contents.generator,
        model=contents.model,
    )
    return StoredImage(image, contents)


def _is_behind(at: Position, after: Position | None) -> bool:
    return after is None or (at.created_at, at.row) < (after.created_at, after.row)


def _page(found: Iterable[tuple[Position, StoredImage]], query: PageQuery) -> Page:
    taken: list[StoredImage] = []
    reached = query.after
    room = query.max_bytes
    for position, stored in found:
        room -= _details_bytes(stored.image)
        if taken and (room < 0 or len(taken) == query.limit):
            return Page(taken, reached)
        taken.append(stored)
        reached = position
    return Page(taken, None)


def _details_bytes(image: Image) -> int:
    texts = (image.prompt, image.filename, image.generator, image.model)
    return DETAILS_BYTES + sum(len(text.encode()) for text in texts)
