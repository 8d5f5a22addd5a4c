"""Stores for the tests of S3: one server, which a test may freeze, each under a prefix."""

from collections.abc import Callable, Iterator

import pytest

from pixy_grpc.data.s3.store import S3Store
from tests.support.lossy_proxy import Proxy, proxy
from tests.support.seaweedfs import Bare, SeaweedFSServer, shared_seaweedfs

STORE_ID = "the-id-of-this-store"

OpenStore = Callable[..., S3Store]


@pytest.fixture
def server() -> Iterator[SeaweedFSServer]:
    """Lend the shared server; it runs again afterwards."""
    shared = shared_seaweedfs()
    yield shared
    shared.thaw()


@pytest.fixture
def bare(server: SeaweedFSServer) -> Bare:
    """Lend a part of the bucket that carries our mark, and nothing else."""
    bare = Bare(server)
    bare.write(".pixy-store", STORE_ID.encode())
    return bare


@pytest.fixture
def store(bare: Bare) -> S3Store:
    """Open it, its mark looked at."""
    return open_store(bare)


@pytest.fixture
def between(bare: Bare) -> Iterator[Proxy]:
    """Stand between the bucket and us."""
    with proxy(bare.server.port) as standing:
        yield standing


def open_store(bare: Bare, endpoint: str = "") -> S3Store:
    """Open what a bare bucket holds; by way of another endpoint, if one is given."""
    store = S3Store(bare.access(endpoint))
    assert store.prepare() == STORE_ID
    return store
