"""What is closed, and stays closed."""

from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import soon
from tests.support.descriptors import open_below


def test_call_on_a_closed_database_is_unavailable(
    database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    database.close()

    for _ in range(3):
        with pytest.raises(DBConnectionError):
            repository.ping(Deadline.after(1))


def test_close_twice_does_nothing(database: SqliteDatabase) -> None:
    database.close()
    database.close()


def test_close_leaves_nothing_open(path: Path, database: SqliteDatabase) -> None:
    """What is lent is closed once it comes back: no file of the database stays open."""
    with database.read(soon()), database.read(soon()):
        pass

    with database.read(soon()) as lent:
        database.close()
        assert lent.query("SELECT 1 AS one", {}) == [{"one": 1}]

    assert open_below(path.parent) == []
