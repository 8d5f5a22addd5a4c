"""An image in a folder, and what is to be seen of it there."""

from pathlib import Path

from pixy_grpc.data.folder import FolderStore
from tests.integration.data.examples import soon

KEY = "0a1b2c3d-0000-4000-8000-000000000000.1.png"
DATA = b"bytes of an image"


def file_of(root: Path) -> Path:
    return root / KEY[:2] / KEY[2:4] / KEY


def read_all(store: FolderStore, key: str = KEY) -> bytes:
    with store.open(key, soon()) as opened:
        return opened.read(0, opened.size_bytes)


def names_in(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}
