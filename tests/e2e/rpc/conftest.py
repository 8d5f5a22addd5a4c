"""Servers and stubs of the tests over the wire."""

from collections.abc import Iterator

import grpc
import pytest

from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.e2e.rpc.logbook import LogBook, keeping_logs
from tests.support.server import RunningServer, running_server


@pytest.fixture(scope="module")
def lone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve for one module: what the server holds is what its tests have stored."""
    with running_server(tmp_path_factory.mktemp("lone")) as running:
        yield running


@pytest.fixture
def channel(lone_server: RunningServer) -> Iterator[grpc.Channel]:
    """Open a bare channel to the module's server."""
    with lone_server.channel() as connected:
        yield connected


@pytest.fixture
def stub(server: RunningServer) -> Iterator[ImageServiceStub]:
    """Open the generated stub of the shared server."""
    with server.stub() as connected:
        yield connected


@pytest.fixture
def log() -> Iterator[LogBook]:
    """Keep what the service logs while the test runs, as it is written."""
    with keeping_logs() as book:
        yield book
