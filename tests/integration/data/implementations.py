"""Every implementation of the data ports, for the suites that hold them to their contract.

To add one: write its builder, enter it in the dictionary. A builder makes data of its
own, lends what opens it, any number of times, and cleans up.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol

from pixy_grpc.core.ports import ImageRepository, ImageStore
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.init import migrate
from pixy_grpc.data.listing import ListingLimits
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.fakes import InMemoryImageRepository, InMemoryImageStore
from tests.integration.data.examples import new_guid, soon
from tests.support.mariadb import fresh_database, shared_server_url

LIMITS = ListingLimits()


class OpenRepository(Protocol):
    """Opens the same data once more: what one instance did, every other has to see."""

    def __call__(self, limits: ListingLimits = LIMITS) -> ImageRepository:
        """Return one more instance."""
        ...


OpenStore = Callable[[], ImageStore]


@contextmanager
def fake_repository(_folder: Path) -> Iterator[OpenRepository]:
    first = InMemoryImageRepository()

    def open_again(limits: ListingLimits = LIMITS) -> ImageRepository:  # noqa: ARG001 - has none
        return InMemoryImageRepository(beside=first)

    yield open_again


@contextmanager
def sqlite_repository(folder: Path) -> Iterator[OpenRepository]:
    path = new_sqlite_file(folder)
    opened: list[SqliteDatabase] = []

    def open_again(limits: ListingLimits = LIMITS) -> ImageRepository:
        opened.append(SqliteDatabase(path))
        return SqlImageRepository(opened[-1], limits)

    yield open_again
    for database in opened:
        database.close()


@contextmanager
def mysql_repository(_folder: Path) -> Iterator[OpenRepository]:
    with fresh_database(shared_server_url()) as url, ExitStack() as opened:

        def open_again(limits: ListingLimits = LIMITS) -> ImageRepository:
            database = opened.enter_context(closing(MySQLDatabase(parse_url(url))))
            return SqlImageRepository(database, limits)

        with closing(MySQLDatabase(parse_url(url))) as database:
            migrate(database, soon())
        yield open_again


def new_sqlite_file(folder: Path) -> Path:
    """Return a database file with this version's tables."""
    path = folder / "pixy.db"
    path.touch()
    with closing(SqliteDatabase(path)) as database:
        migrate(database, soon())
    return path


@contextmanager
def fake_store(_folder: Path) -> Iterator[OpenStore]:
    first = InMemoryImageStore()
    yield lambda: InMemoryImageStore(beside=first)


@contextmanager
def folder_store(folder: Path) -> Iterator[OpenStore]:
    root = folder / "images"
    store_id = new_guid()

    def open_again() -> ImageStore:
        store = FolderStore(root)
        if store.prepare() is None:
            store.mark(store_id)
        return store

    yield open_again


IMAGE_REPOSITORIES: dict[str, Callable[[Path], AbstractContextManager[OpenRepository]]] = {
    "fake": fake_repository,
    "sqlite": sqlite_repository,
    "mysql": mysql_repository,
}

IMAGE_STORES: dict[str, Callable[[Path], AbstractContextManager[OpenStore]]] = {
    "fake": fake_store,
    "folder": folder_store,
}
