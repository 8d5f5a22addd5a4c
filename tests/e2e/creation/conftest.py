"""Databases, each test on both kinds, callers and the log."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.rpc.logbook import LogBook, keeping_logs
from tests.support.mariadb import fresh_database, shared_server_url


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of an empty database; an empty one for SQLite in the test's folder."""
    if request.param == "sqlite":
        yield ""
        return
    with fresh_database(shared_server_url()) as url:
        yield url


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Run callers beside the test."""
    with ThreadPoolExecutor(64) as pool:
        yield pool


@pytest.fixture
def log() -> Iterator[LogBook]:
    """Keep what the service logs while the test runs."""
    with keeping_logs() as book:
        yield book
