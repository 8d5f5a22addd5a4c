"""Runs a test of a port once for each of its implementations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixy_grpc.core.ports import CreationRepository, ImageRepository, ImageStore
from pixy_grpc.data.listing import ListingLimits
from tests.integration.data.implementations import (
    IMAGE_STORES,
    LIMITS,
    REPOSITORIES,
    OpenRepositories,
    OpenRepository,
    OpenStore,
    Repositories,
)


@pytest.fixture(params=REPOSITORIES)
def open_repositories(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenRepositories]:
    """Return what opens one empty database, as often as it is called."""
    with REPOSITORIES[request.param](tmp_path) as opener:
        yield opener


@pytest.fixture
def repositories(open_repositories: OpenRepositories) -> Repositories:
    """Return empty repositories."""
    return open_repositories()


@pytest.fixture
def creations(repositories: Repositories) -> CreationRepository:
    """Return an empty repository."""
    return repositories.creations


@pytest.fixture
def open_repository(open_repositories: OpenRepositories) -> OpenRepository:
    """Return what opens one empty repository of images, as often as it is called."""
    return _images_of(open_repositories)


@pytest.fixture
def repository(open_repository: OpenRepository) -> ImageRepository:
    """Return an empty repository."""
    return open_repository()


@pytest.fixture(scope="module", params=REPOSITORIES)
def open_module_repository(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenRepository]:
    """Return what opens one repository that the tests of a module fill and share."""
    with REPOSITORIES[request.param](tmp_path_factory.mktemp("shared")) as opener:
        yield _images_of(opener)


@pytest.fixture(params=IMAGE_STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return what opens one empty store, as often as it is called."""
    with IMAGE_STORES[request.param](tmp_path) as opener:
        yield opener


@pytest.fixture
def store(open_store: OpenStore) -> ImageStore:
    """Return an empty store."""
    return open_store()


def _images_of(open_again: OpenRepositories) -> OpenRepository:
    def open_images(limits: ListingLimits = LIMITS) -> ImageRepository:
        return open_again(limits).images

    return open_images
