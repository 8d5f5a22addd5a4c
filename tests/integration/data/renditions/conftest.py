"""Empty caches: one of each kind, or a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pixy_grpc.core.ports import RenditionCache
from pixy_grpc.data.rendition_cache import FolderRenditionCache
from tests.fakes import InMemoryRenditionCache
from tests.integration.data.renditions.keeping import folder_cache

CACHES: dict[str, Callable[[Path], RenditionCache]] = {
    "fake": lambda _: InMemoryRenditionCache(),
    "folder": folder_cache,
}


@pytest.fixture(params=CACHES)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> RenditionCache:
    """Return an empty cache."""
    return CACHES[request.param](tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> FolderRenditionCache:
    """Return an empty folder."""
    return folder_cache(tmp_path)
