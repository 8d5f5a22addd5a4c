"""A real server of this service in the test's own process, on a free port."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from pixy_client import Client
from pixy_grpc.app import build
from pixy_grpc.preparation import prepare
from pixy_grpc.settings import Settings
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.support.settings import OwnSettings

TOKENS = {"alice": "alice-token-of-the-tests", "bob": "bob-token-of-the-tests"}
"""Callers of every test server."""

STOP_SECONDS = 5.0
"""Grace for what a test has left running."""


@dataclass(frozen=True)
class RunningServer:
    """Where a server listens, and where it keeps its images."""

    target: str
    folder: Path

    @property
    def images(self) -> Path:
        """The root of the folder store."""
        return self.folder / "images"

    def metadata(self, caller: str = "alice") -> tuple[tuple[str, str], ...]:
        """Return the metadata that names a caller."""
        return (("authorization", f"Bearer {TOKENS[caller]}"),)

    def client(self, caller: str = "alice") -> Client:
        """Return a client of the service, to be closed."""
        return Client(self.target, token=TOKENS[caller])

    def file_of(self, guid: str) -> Path:
        """Return the file that holds an image's bytes."""
        (path,) = self.images.glob(f"*/*/{guid}.*")
        return path

    @contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        """Lend a bare channel, without retries."""
        with grpc.insecure_channel(self.target, options=[("grpc.enable_retries", 0)]) as channel:
            yield channel

    @contextmanager
    def stub(self) -> Iterator[ImageServiceStub]:
        """Lend the generated stub over a bare channel."""
        with self.channel() as channel:
            yield ImageServiceStub(channel)


def settings_for(folder: Path, **changes: object) -> Settings:
    """Return settings of a server that keeps everything in a folder of the test's own."""
    fields: dict[str, object] = {
        "listen": "127.0.0.1:0",
        "database_url": f"sqlite:///{folder / 'pixy.db'}",
        "images": str(folder / "images"),
        "spool": str(folder / "spool"),
        "renditions": str(folder / "renditions"),
        "tokens": TOKENS,
        **changes,
    }
    return OwnSettings.model_validate(fields)


@contextmanager
def running_server(folder: Path, **changes: object) -> Iterator[RunningServer]:
    """Serve from a folder until the block ends."""
    settings = settings_for(folder, **changes)
    store_id = prepare(settings)
    app = build(settings, settings.tokens, store_id)
    port = app.start("127.0.0.1:0")
    try:
        yield RunningServer(f"127.0.0.1:{port}", folder)
    finally:
        app.stop(STOP_SECONDS)


StartServer = Callable[..., RunningServer]
