"""Puts images into a server's own database and folder, past the generator."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.ports import NewImage
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.support.contents import contents_of
from tests.support.server import RunningServer

STOCK_SECONDS = 30.0
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

Add = Callable[..., str]


class About(TypedDict, total=False):
    """What is known of bytes, where a test says otherwise."""

    content_type: str
    size_bytes: int
    sha256: str
    block_digests: bytes
    width: int
    height: int


def new_image(data: bytes, prompt: str, created_at: datetime, **about: Unpack[About]) -> NewImage:
    """Describe an image of these bytes, whatever they are; `about` says otherwise."""
    guid = str(uuid.uuid4())
    contents = contents_of(data, f"{guid}.stock.png")
    return NewImage(guid, "stock.png", prompt, created_at, replace(contents, **about))


def soon() -> Deadline:
    """Return a deadline that nothing is expected to reach."""
    return Deadline.after(STOCK_SECONDS)


@contextmanager
def stock(server: RunningServer) -> Iterator[Add]:
    """Lend a function that stores bytes and their row, and returns the guid."""
    database = SqliteDatabase(server.folder / "pixy.db")
    store = FolderStore(server.images)

    def add(
        data: bytes = b"",
        prompt: str = "stock",
        created_at: datetime = NOON,
        **about: Unpack[About],
    ) -> str:
        new = new_image(data, prompt, created_at, **about)
        if data:
            store.put(new.contents.key, data, soon())
        SqlImageRepository(database).add(new, soon())
        return new.guid

    try:
        yield add
    finally:
        database.close()
