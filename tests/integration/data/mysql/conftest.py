"""Databases and servers for the tests of MySQL."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from pixy_grpc.data.init import migrate
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.integration.data.examples import soon
from tests.support.mariadb import MariaDBServer, fresh_database, shared_server_url


@pytest.fixture
def url() -> Iterator[str]:
    """Name a new, empty database on the server that all tests share."""
    with fresh_database(shared_server_url()) as fresh:
        yield fresh


@pytest.fixture
def database(url: str) -> Iterator[MySQLDatabase]:
    """Open a database with this version's tables."""
    with closing(MySQLDatabase(parse_url(url))) as opened:
        migrate(opened, soon())
        yield opened


@pytest.fixture
def repository(database: MySQLDatabase) -> SqlImageRepository:
    """Keep images in it."""
    return SqlImageRepository(database)


@pytest.fixture(scope="session")
def private_server() -> Iterator[MariaDBServer]:
    """Start a server that a test may do anything to and undo; it flushes at each commit."""
    server = MariaDBServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
