"""Every implementation of the data ports, for the suites that hold them to their contract.

To add one: write its builder, enter it in the dictionary. A builder makes data of its
own, lends what opens it, any number of times, and cleans up.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pixy_grpc.core.ports import CreationRepository, ImageRepository, ImageStore, Inventory
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.database import Database
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.init import migrate
from pixy_grpc.data.inventory import SqlInventory
from pixy_grpc.data.listing import ListingLimits
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.s3.store import S3Store
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.fakes import (
    InMemoryCreationRepository,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemoryInventory,
)
from tests.integration.data.examples import new_guid, soon
from tests.support.mariadb import fresh_database, shared_server_url
from tests.support.seaweedfs import Bare, shared_seaweedfs

LIMITS = ListingLimits()


@dataclass(frozen=True)
class Repositories:
    """What is kept in one database."""

    images: ImageRepository
    creations: CreationRepository
    inventory: Inventory


class OpenRepositories(Protocol):
    """Opens the same data once more: what one instance did, every other has to see."""

    def __call__(self, limits: ListingLimits = LIMITS) -> Repositories:
        """Return one more of each."""
        ...


class OpenRepository(Protocol):
    """Opens the images of the same data once more."""

    def __call__(self, limits: ListingLimits = LIMITS) -> ImageRepository:
        """Return one more instance."""
        ...


OpenStore = Callable[[], ImageStore]


@contextmanager
def fake_repositories(_folder: Path) -> Iterator[OpenRepositories]:
    first = InMemoryImageRepository()

    def open_again(limits: ListingLimits = LIMITS) -> Repositories:  # noqa: ARG001 - has none
        images = InMemoryImageRepository(beside=first)
        return Repositories(images, InMemoryCreationRepository(images), InMemoryInventory(images))

    yield open_again


@contextmanager
def sqlite_repositories(folder: Path) -> Iterator[OpenRepositories]:
    path = new_sqlite_file(folder)
    opened: list[SqliteDatabase] = []

    def open_again(limits: ListingLimits = LIMITS) -> Repositories:
        opened.append(SqliteDatabase(path))
        return _sql_repositories(opened[-1], limits)

    yield open_again
    for database in opened:
        database.close()


@contextmanager
def mysql_repositories(_folder: Path) -> Iterator[OpenRepositories]:
    with fresh_database(shared_server_url()) as url, ExitStack() as opened:

        def open_again(limits: ListingLimits = LIMITS) -> Repositories:
            database = opened.enter_context(closing(MySQLDatabase(parse_url(url))))
            return _sql_repositories(database, limits)

        with closing(MySQLDatabase(parse_url(url))) as database:
            migrate(database, soon())
        yield open_again


def _sql_repositories(database: Database, limits: ListingLimits) -> Repositories:
    return Repositories(
        SqlImageRepository(database, limits),
        SqlCreationRepository(database),
        SqlInventory(database),
    )


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


@contextmanager
def s3_store(_folder: Path) -> Iterator[OpenStore]:
    access = Bare(shared_seaweedfs()).access()
    store_id = new_guid()

    def open_again() -> ImageStore:
        store = S3Store(access)
        if store.prepare() is None:
            store.mark(store_id)
        return store

    yield open_again


REPOSITORIES: dict[str, Callable[[Path], AbstractContextManager[OpenRepositories]]] = {
    "fake": fake_repositories,
    "sqlite": sqlite_repositories,
    "mysql": mysql_repositories,
}

IMAGE_STORES: dict[str, Callable[[Path], AbstractContextManager[OpenStore]]] = {
    "fake": fake_store,
    "folder": folder_store,
    "s3": s3_store,
}
