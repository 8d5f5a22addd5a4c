"""A folder, and the store in it."""

from pathlib import Path

import pytest

from pixy_grpc.data.folder import FolderStore
from tests.integration.data.examples import new_guid


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "images"


@pytest.fixture
def store(root: Path) -> FolderStore:
    """Return a store that has been paired."""
    store = FolderStore(root)
    store.prepare()
    store.mark(new_guid())
    return store
