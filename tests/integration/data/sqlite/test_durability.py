"""What SQLite has to be made to do: keep what was acknowledged."""

import shutil
from contextlib import closing
from pathlib import Path

from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import JOURNAL_BYTES, SqliteDatabase
from tests.integration.data.examples import add, listed, soon
from tests.integration.data.sqlite.intruding import other_connection


def test_every_connection_is_durable(database: SqliteDatabase) -> None:
    """A commit reaches the disk before it returns, on each connection of the pool."""
    with database.read(soon()) as first, database.read(soon()) as second:
        settings = [
            session.query(f"PRAGMA {name}", {})[0][name]
            for session in (first, second)
            for name in ("journal_mode", "synchronous")
        ]

    assert first is not second
    assert settings == ["wal", 2, "wal", 2]


def test_durability_holds_for_a_file_of_another_mode(tmp_path: Path) -> None:
    """Whatever made the file, commits are as durable."""
    path = tmp_path / "old.db"
    with other_connection(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("CREATE TABLE t (x)")

    with closing(SqliteDatabase(path)) as database, database.write(soon()) as session:
        modes = session.query("PRAGMA journal_mode", {}) + session.query("PRAGMA synchronous", {})

    assert modes == [{"journal_mode": "wal"}, {"synchronous": 2}]


def test_journal_of_every_connection_is_cut(database: SqliteDatabase) -> None:
    """A journal that a slow reader let grow gives its room on the disk back."""
    with database.read(soon()) as first, database.read(soon()) as second:
        limits = [session.query("PRAGMA journal_size_limit", {}) for session in (first, second)]

    assert limits == [[{"journal_size_limit": JOURNAL_BYTES}]] * 2


def test_copy_of_the_files_holds_what_was_acknowledged(
    path: Path, repository: SqlImageRepository, tmp_path: Path
) -> None:
    """What a crash leaves, with no connection closed, has every image added before."""
    guids = [add(repository).image.guid for _ in range(3)]
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in path.parent.glob("pixy.db*"):
        shutil.copy(file, crashed)

    with closing(SqliteDatabase(crashed / "pixy.db")) as database:
        found = listed(SqlImageRepository(database))

    assert found == guids[::-1]
