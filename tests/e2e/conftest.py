"""Servers and clients for the tests over the wire."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pixy_client import Client
from tests.support.server import RunningServer, StartServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Lend a server that many tests share: each looks only at the images it made."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers of a test's own, with settings of its own, stopped at its end."""
    with ExitStack() as servers:

        def start(**changes: object) -> RunningServer:
            return servers.enter_context(running_server(tmp_path, **changes))

        yield start


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    """Lend a client of the shared server."""
    with server.client() as connected:
        yield connected
