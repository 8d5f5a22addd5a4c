"""A service on a MariaDB of its own, which a test may stop, freeze and kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mariadb import MariaDBServer, fresh_database
from tests.support.server import RunningServer, running_server


@pytest.fixture(scope="package")
def mariadb() -> Iterator[MariaDBServer]:
    """Start a MariaDB that flushes at commit. Tests of it are of one group: it starts once."""
    server = MariaDBServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def service(mariadb: MariaDBServer, tmp_path: Path) -> Iterator[RunningServer]:
    """Serve from a database of the test's own."""
    with (
        fresh_database(mariadb.url) as url,
        running_server(tmp_path, database_url=url) as running,
    ):
        yield running
