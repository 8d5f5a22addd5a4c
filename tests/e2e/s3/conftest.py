"""A service whose images are in a bucket, and the bucket past it."""

from collections.abc import Iterator

import pytest

from tests.support.seaweedfs import Bare, shared_seaweedfs
from tests.support.server import RunningServer, running_server


@pytest.fixture(scope="module")
def bare() -> Bare:
    """Lend a part of the bucket of the module's own."""
    return Bare(shared_seaweedfs())


@pytest.fixture(scope="module")
def service(bare: Bare, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve from it."""
    folder = tmp_path_factory.mktemp("service")
    with running_server(folder, **bare.settings) as running:
        yield running
