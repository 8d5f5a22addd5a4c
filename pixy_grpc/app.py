"""The composition root: picks implementations, with `databases`, `stores` and `generators`,
and wires them up.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.database import Database
from pixy_grpc.data.rendition_cache import FolderRenditionCache
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.spool import FolderSpool
from pixy_grpc.databases import open_database
from pixy_grpc.generators import open_generator
from pixy_grpc.service.catalogue import ImageCatalogue
from pixy_grpc.service.clock import SystemClock
from pixy_grpc.service.creation import CreationLimits, CreationParts, ImageCreation
from pixy_grpc.service.delivery import ImageDelivery
from pixy_grpc.service.originals import Originals
from pixy_grpc.service.renditions import RenditionLimits, Renditions
from pixy_grpc.service.tokens import TokenAuthenticator
from pixy_grpc.settings import Settings
from pixy_grpc.stores import open_store
from pixy_grpc.web.health import Health
from pixy_grpc.web.server import GrpcServer, ServerLimits
from pixy_grpc.web.servicer import UseCases

WAITS_A_CREATE = 4
"""Duplicates that may wait for each creation that may run: they sleep."""

JOIN_SECONDS = 1.0
"""How long the stop waits for the look through the renditions: it may end at any point."""


class Closable(Protocol):
    """What holds connections."""

    def close(self) -> None:
        """Let go of them."""


@dataclass(frozen=True)
class App:
    """One process's server and what it closes behind itself."""

    server: GrpcServer
    creation: ImageCreation
    renditions: Renditions
    closables: Sequence[Closable]
    create_grace_seconds: float

    def start(self, *addresses: str) -> int:
        """Serve on each host:port, and go on with what earlier processes left; return the port.

        Raises OSError where a port is taken.
        """
        port = self.server.start(*addresses)
        self.creation.start()
        self.renditions.start()
        return port

    def stop(self, grace_seconds: float) -> bool:
        """Stop the server, then what it uses; return whether every call had ended.

        What the provider was asked for has a longer grace: it is stored, though its call
        has been cut.
        """
        began = time.monotonic()
        self.creation.drain()
        ended = self.server.stop(grace_seconds)
        spent = time.monotonic() - began
        ended &= self.creation.stop(max(self.create_grace_seconds, grace_seconds) - spent)
        self.renditions.stop(JOIN_SECONDS)
        for closable in self.closables:
            closable.close()
        return ended


def build(
    settings: Settings,
    tokens: Mapping[str, str],
    store_id: str,
    *,
    limits: ServerLimits | None = None,
    share_port: bool = False,
) -> App:
    """Wire up one process; nothing is started. The limits are the settings' unless given."""
    database = open_database(settings, for_creations=True)
    server_limits = limits or _limits(settings)
    parts = creation_parts(settings, database, store_id)
    return assemble(
        settings,
        tokens,
        database,
        parts,
        server_limits,
        creation_limits=CreationLimits(generate=settings.openai_seconds),
        share_port=share_port,
    )


def creation_parts(settings: Settings, database: Database, store_id: str) -> CreationParts:
    """Pick what creations meet."""
    return CreationParts(
        images=SqlImageRepository(database),
        creations=SqlCreationRepository(database),
        store=open_store(settings, store_id),
        spool=FolderSpool(Path(settings.spool)),
        generator=open_generator(settings),
        clock=SystemClock(),
    )


def assemble(  # noqa: PLR0913 - what a test of it picks
    settings: Settings,
    tokens: Mapping[str, str],
    database: Database,
    parts: CreationParts,
    limits: ServerLimits,
    *,
    creation_limits: CreationLimits | None = None,
    share_port: bool = False,
) -> App:
    """Make a server of parts that are picked, over the database of its creations.

    Reads have a database of their own: a thousand creations that begin or end together
    keep none of them waiting. So has health: one whose connections are all lent is busy,
    not gone.
    """
    read, probed = open_database(settings), open_database(settings)
    images = SqlImageRepository(read)
    cache = rendition_cache(settings)
    originals = Originals(images, parts.store)
    renditions = Renditions(originals, cache, RenditionLimits(crowd=limits.downloads // 2))
    use_cases = UseCases(
        creation=ImageCreation(parts, creation_limits or CreationLimits()),
        catalogue=ImageCatalogue(images, parts.store, parts.clock, cache),
        delivery=ImageDelivery(images, originals, renditions),
    )
    server = GrpcServer(
        use_cases,
        TokenAuthenticator(tokens),
        Health({"database": SqlImageRepository(probed).ping, "store": parts.store.ping}),
        limits,
        reflect=settings.reflection,
        share_port=share_port,
    )
    closables = (parts.generator, database, read, probed)
    grace = settings.create_grace_seconds
    return App(server, use_cases.creation, renditions, closables, grace)


def rendition_cache(settings: Settings) -> FolderRenditionCache:
    """Return the cache of this machine, which its workers share."""
    cap = settings.renditions_mb * 1024 * 1024
    return FolderRenditionCache(Path(settings.renditions), cap, sharers=settings.workers)


def _limits(settings: Settings) -> ServerLimits:
    return ServerLimits(
        reads=settings.max_reads,
        creates=settings.max_creates,
        waits=WAITS_A_CREATE * settings.max_creates,
        downloads=settings.max_downloads,
        stall_seconds=settings.stall_seconds,
    )
