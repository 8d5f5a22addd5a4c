"""A file that is deleted, replaced, or damaged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import add, listed, soon
from tests.integration.data.implementations import new_sqlite_file
from tests.integration.data.sqlite.intruding import other_connection


def _forget(path: Path) -> None:
    """Remove the files that SQLite keeps beside a database."""
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


@pytest.mark.parametrize("operation", ["ping", "add", "list"])
def test_call_on_a_deleted_file_is_unavailable(
    path: Path, repository: SqlImageRepository, operation: str
) -> None:
    """Nothing goes on with the deleted file, and no empty one is made in its place."""
    add(repository)
    path.unlink()

    with pytest.raises(DBConnectionError):
        _call(repository, operation)

    assert not path.exists()


def _call(repository: SqlImageRepository, operation: str) -> object:
    match operation:
        case "ping":
            repository.ping(soon())
            return None
        case "add":
            return add(repository)
        case _:
            return listed(repository)


@pytest.mark.parametrize("operation", ["ping", "add", "list"])
def test_call_where_the_path_leads_nowhere_is_unavailable(tmp_path: Path, operation: str) -> None:
    """As where a disk is not mounted, or fails; once it is back, all is as before."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with closing(SqliteDatabase(new_sqlite_file(folder))) as database:
        repository = SqlImageRepository(database)
        added = add(repository)
        away = folder.rename(tmp_path / "away")
        folder.write_bytes(b"in the way")

        with pytest.raises(DBConnectionError):
            _call(repository, operation)

        folder.unlink()
        away.rename(folder)
        assert listed(repository) == [added.image.guid]


def test_file_that_comes_back_is_used_again(path: Path, repository: SqlImageRepository) -> None:
    added = add(repository)
    away = path.rename(path.with_suffix(".away"))
    with pytest.raises(DBConnectionError):
        repository.ping(soon())

    away.rename(path)

    assert listed(repository) == [added.image.guid]
    add(repository)


def test_restored_file_is_used_at_once(path: Path, repository: SqlImageRepository) -> None:
    """What is written goes to the file that is there, not to the one it replaced."""
    kept = add(repository)
    backup = path.with_suffix(".backup")
    with other_connection(path) as other, closing(sqlite3.connect(backup)) as copy:
        other.backup(copy)
    add(repository)

    backup.replace(path)
    _forget(path)
    added = add(repository)

    with closing(SqliteDatabase(path)) as another:
        assert set(listed(SqlImageRepository(another))) == {kept.image.guid, added.image.guid}


@pytest.mark.parametrize("damage", ["garbage", "folder", "torn"])
def test_call_on_a_damaged_file_is_unavailable(
    path: Path, repository: SqlImageRepository, damage: str
) -> None:
    add(repository)
    kept = path.rename(path.with_suffix(".kept"))
    _forget(path)
    if damage == "folder":
        path.mkdir()
    else:
        header = kept.read_bytes()[:100] if damage == "torn" else b""
        path.write_bytes(header + b"no database at all" * 1_000)

    with pytest.raises(DBConnectionError):
        listed(repository)


def test_empty_file_is_not_taken_for_ours(path: Path, repository: SqlImageRepository) -> None:
    """An empty file is an empty database to SQLite; to us it is an error, not a list."""
    add(repository)
    path.unlink()
    _forget(path)
    path.touch()

    with pytest.raises(DBConnectionError):
        repository.ping(soon())
