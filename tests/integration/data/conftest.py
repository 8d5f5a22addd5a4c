"""Runs a test of a port once for each of its implementations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixy_grpc.core.ports import ImageRepository, ImageStore
from tests.integration.data.implementations import (
    IMAGE_REPOSITORIES,
    IMAGE_STORES,
    OpenRepository,
    OpenStore,
)


@pytest.fixture(params=IMAGE_REPOSITORIES)
def open_repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenRepository]:
    """Return what opens one empty repository, as often as it is called."""
    with IMAGE_REPOSITORIES[request.param](tmp_path) as opener:
        yield opener


@pytest.fixture
def repository(open_repository: OpenRepository) -> ImageRepository:
    """Return an empty repository."""
    return open_repository()


@pytest.fixture(scope="module", params=IMAGE_REPOSITORIES)
def open_module_repository(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenRepository]:
    """Return what opens one repository that the tests of a module fill and share."""
    with IMAGE_REPOSITORIES[request.param](tmp_path_factory.mktemp("shared")) as opener:
        yield opener


@pytest.fixture(params=IMAGE_STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return what opens one empty store, as often as it is called."""
    with IMAGE_STORES[request.param](tmp_path) as opener:
        yield opener


@pytest.fixture
def store(open_store: OpenStore) -> ImageStore:
    """Return an empty store."""
    return open_store()
