"""A disk without room: nothing is half written, and what is there can be read."""

from contextlib import closing
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import StorageFullError
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import NOON, add, listed, soon


def _fill(path: Path) -> tuple[SqliteDatabase, SqlImageRepository]:
    """Open the file with no page to spare on the one connection of the pool."""
    database = SqliteDatabase(path, connections=1)
    with database.read(soon()) as session:
        session.query("PRAGMA max_page_count = 1", {})
    return database, SqlImageRepository(database)


def test_add_without_room_changes_nothing(path: Path, repository: SqlImageRepository) -> None:
    kept = add(repository)
    database, full = _fill(path)

    with closing(database), pytest.raises(StorageFullError):
        add(full, prompt=" ".join(f"word{n}" for n in range(2_000)))

    assert listed(repository) == [kept.image.guid]
    assert listed(repository, ImageFilter("word1")) == []


def test_update_without_room_changes_nothing(path: Path, repository: SqlImageRepository) -> None:
    kept = add(repository)
    database, full = _fill(path)
    update = ImageUpdate(prompt=" ".join(f"word{n}" for n in range(2_000)))

    with closing(database), pytest.raises(StorageFullError):
        full.update(kept.image.guid, update, NOON, soon())

    assert repository.get(kept.image.guid, soon()) == kept
    assert listed(repository, ImageFilter("fox")) == [kept.image.guid]


def test_read_and_delete_need_no_room(path: Path, repository: SqlImageRepository) -> None:
    """A full disk can still be looked at and cleaned up."""
    kept = add(repository)
    database, full = _fill(path)

    with closing(database):
        assert listed(full) == [kept.image.guid]
        full.delete(kept.image.guid, soon())

    assert listed(repository) == []
