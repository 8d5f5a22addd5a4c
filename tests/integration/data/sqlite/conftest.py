"""A database file, and what is opened over it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.implementations import new_sqlite_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database file with this version's tables."""
    return new_sqlite_file(tmp_path)


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    """Return a database of two connections."""
    with closing(SqliteDatabase(path, connections=2)) as opened:
        yield opened


@pytest.fixture
def repository(database: SqliteDatabase) -> SqlImageRepository:
    """Return a repository over it."""
    return SqlImageRepository(database)
