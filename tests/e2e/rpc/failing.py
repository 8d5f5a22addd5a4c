"""A real server over stores in memory that fail as they are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.service.catalogue import ImageCatalogue
from pixy_grpc.service.creation import CreationParts, ImageCreation
from pixy_grpc.service.delivery import ImageDelivery
from pixy_grpc.service.generators.sketch import SketchGenerator
from pixy_grpc.service.originals import Originals
from pixy_grpc.service.renditions import RenditionLimits, Renditions
from pixy_grpc.service.tokens import TokenAuthenticator
from pixy_grpc.web.health import Health
from pixy_grpc.web.server import GrpcServer, ServerLimits
from pixy_grpc.web.servicer import UseCases
from tests.fakes import (
    FixedClock,
    InMemoryBytes,
    InMemoryCreationRepository,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemoryRenditionCache,
    InMemorySpool,
)
from tests.support.server import STOP_SECONDS, TOKENS, RunningServer


@dataclass(frozen=True)
class TornBytes(InMemoryBytes):
    """Bytes that can be read up to the second block."""

    failure: BaseException

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        """Read, or fail past the first block."""
        if offset >= BLOCK_BYTES:
            raise self.failure
        return super().read(offset, length, head)


class TearingStore(InMemoryImageStore):
    """A store whose bytes cannot be read past the first block while `tear` is set."""

    tear: BaseException | None = None

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Open what is kept under a key."""
        with super().open(key, deadline) as opened:
            yield TornBytes(opened.data, self.tear) if self.tear else opened


@dataclass(frozen=True)
class FailingServer:
    """A running server, and what it runs on: set `failure` or `tear` there."""

    running: RunningServer
    repository: InMemoryImageRepository
    store: TearingStore


@contextmanager
def failing_server(
    repository: InMemoryImageRepository | None = None,
) -> Iterator[FailingServer]:
    """Serve the real use cases over stores in memory until the block ends."""
    repository = repository or InMemoryImageRepository()
    store, clock = TearingStore(), FixedClock()
    parts = CreationParts(
        images=repository,
        creations=InMemoryCreationRepository(repository),
        store=store,
        spool=InMemorySpool(),
        generator=SketchGenerator(),
        clock=clock,
    )
    cache, originals = InMemoryRenditionCache(), Originals(repository, store)
    renditions = Renditions(originals, cache, RenditionLimits())
    use_cases = UseCases(
        creation=ImageCreation(parts),
        catalogue=ImageCatalogue(repository, store, clock, cache),
        delivery=ImageDelivery(repository, originals, renditions),
    )
    pings = {"database": repository.ping}
    server = GrpcServer(use_cases, TokenAuthenticator(TOKENS), Health(pings), ServerLimits())
    port = server.start("127.0.0.1:0")
    try:
        yield FailingServer(RunningServer(f"127.0.0.1:{port}", Path()), repository, store)
    finally:
        server.stop(STOP_SECONDS)
