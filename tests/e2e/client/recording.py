"""A real server that remembers which bytes each download asked its store for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pixy_grpc.app import assemble, creation_parts
from pixy_grpc.core.call import Deadline
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.open_file import OpenFile
from pixy_grpc.databases import open_database
from pixy_grpc.preparation import prepare
from pixy_grpc.web.server import ServerLimits
from tests.support.server import STOP_SECONDS, RunningServer, settings_for

Asked = list[list[int]]
"""The offsets of the blocks that were read, a list for each download."""


class RecordedFile(OpenFile):
    """A file that another one has open, and that tells where it is read."""

    def __init__(self, opened: OpenFile) -> None:
        self._opened = opened
        self.size_bytes = opened.size_bytes
        self.offsets: list[int] = []

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        """Read, and remember from where."""
        self.offsets.append(offset)
        return self._opened.read(offset, length, head)


class RecordingStore(FolderStore):
    """A folder that remembers what was read of it."""

    def __init__(self, root: Path, store_id: str) -> None:
        super().__init__(root, store_id)
        self.asked: Asked = []

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[OpenFile]:
        """Open what is kept under a key."""
        with super().open(key, deadline) as opened:
            recorded = RecordedFile(opened)
            self.asked.append(recorded.offsets)
            yield recorded


@contextmanager
def recording_server(folder: Path) -> Iterator[tuple[RunningServer, Asked]]:
    """Serve from a folder until the block ends; give what its downloads have asked for."""
    settings = settings_for(folder)
    store_id = prepare(settings)
    database = open_database(settings)
    store = RecordingStore(folder / "images", store_id)
    parts = replace(creation_parts(settings, database, store_id), store=store)
    app = assemble(settings, settings.tokens, database, parts, ServerLimits())
    port = app.start("127.0.0.1:0")
    try:
        yield RunningServer(f"127.0.0.1:{port}", folder), store.asked
    finally:
        app.stop(STOP_SECONDS)
