"""The terms of an image: made before anybody is held up, and written only where they change."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.repository import TERMS_A_STATEMENT, SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import NOON, add, listed, new_image, soon
from tests.integration.data.implementations import new_sqlite_file
from tests.integration.data.interrupted import InterruptedDatabase

NOT_UNICODE = "\ud800"
"""What no term can be made of."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database file with this version's tables."""
    return new_sqlite_file(tmp_path)


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    """Return it, open."""
    with closing(SqliteDatabase(path)) as opened:
        yield opened


def _note_changes(path: Path) -> None:
    """Have the database keep each term that is written or removed."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            CREATE TABLE changes (what TEXT, term BLOB);
            CREATE TRIGGER added AFTER INSERT ON image_terms
            BEGIN INSERT INTO changes VALUES ('+', new.term); END;
            CREATE TRIGGER removed AFTER DELETE ON image_terms
            BEGIN INSERT INTO changes VALUES ('-', old.term); END;
        """)


def _changes(path: Path) -> set[tuple[str, bytes]]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT what, term FROM changes"))


def test_update_writes_the_terms_that_differ(path: Path, database: SqliteDatabase) -> None:
    """The others stay, however many they are: others wait for the file meanwhile."""
    repository = SqlImageRepository(database)
    guid = add(repository, prompt="a red fox", filename="fox.png").image.guid
    _note_changes(path)

    repository.update(guid, ImageUpdate(prompt="a red cat"), NOON, soon())

    assert _changes(path) == {("-", b"pfox"), ("+", b"pcat")}


def test_update_removes_more_terms_than_a_statement_names(database: SqliteDatabase) -> None:
    repository = SqlImageRepository(database)
    words = [f"word{number}" for number in range(TERMS_A_STATEMENT * 2 + 1)]
    guid = add(repository, prompt=" ".join(words)).image.guid

    repository.update(guid, ImageUpdate(prompt=words[0]), NOON, soon())

    assert [word for word in words if listed(repository, ImageFilter(word))] == words[:1]


def test_update_sees_what_changed_before_its_turn(database: SqliteDatabase) -> None:
    """Terms made of what was read before are not written for what is there now."""
    repository = SqlImageRepository(database)
    guid = add(repository, prompt="a fox", filename="fox.png").image.guid
    meanwhile = ImageUpdate(prompt="a cat")
    interrupted = SqlImageRepository(
        InterruptedDatabase(database, 0, lambda: repository.update(guid, meanwhile, NOON, soon()))
    )

    interrupted.update(guid, ImageUpdate(filename="dog.png"), NOON, soon())

    assert listed(repository, ImageFilter("cat", "dog")) == [guid]
    assert listed(repository, ImageFilter("fox")) == []


def test_terms_are_made_before_the_transaction(database: SqliteDatabase) -> None:
    """A long prompt takes a while, and whoever writes has the file for themselves."""
    counting = InterruptedDatabase(database)
    repository = SqlImageRepository(counting)
    guid = add(SqlImageRepository(database)).image.guid

    with pytest.raises(UnicodeEncodeError):
        repository.add(new_image(NOT_UNICODE), soon())
    with pytest.raises(UnicodeEncodeError):
        repository.update(guid, ImageUpdate.model_construct(prompt=NOT_UNICODE), NOON, soon())

    assert counting.writes == 0
