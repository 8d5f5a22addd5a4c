"""A depot over each database."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.integration.fsck.depot import Depot
from tests.support.mariadb import fresh_database, shared_server_url


@pytest.fixture(params=["sqlite", "mysql"])
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Depot]:
    """Lend an empty service's database and folder."""
    with ExitStack() as resources:
        settings = {}
        if request.param == "mysql":
            url = resources.enter_context(fresh_database(shared_server_url()))
            settings["database_url"] = url
        yield resources.enter_context(closing(Depot(tmp_path, **settings)))


@pytest.fixture
def small_depot(tmp_path: Path) -> Iterator[Depot]:
    """Lend one over SQLite, for what has nothing to do with the database."""
    with closing(Depot(tmp_path)) as depot:
        yield depot
