"""The composition root: picks implementations, with `stores` and `generators`, and wires
them up.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.data.adoption import adopt, require_adopted
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.database import Database
from pixy_grpc.data.init import (
    SchemaError,
    StoreMismatchError,
    migrate,
    pair_store,
    require_current,
    require_pair,
)
from pixy_grpc.data.inventory import SqlInventory
from pixy_grpc.data.misdirection import is_misdirected
from pixy_grpc.data.mysql import MySQLDatabase, durability_warnings, parse_url
from pixy_grpc.data.older_files import older_files
from pixy_grpc.data.rendition_cache import FolderRenditionCache
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.spool import FolderSpool
from pixy_grpc.data.sqlite import SqliteDatabase
from pixy_grpc.folders import require_folders
from pixy_grpc.generators import check_generator, open_generator
from pixy_grpc.service.catalogue import ImageCatalogue
from pixy_grpc.service.clock import SystemClock
from pixy_grpc.service.creation import CreationLimits, CreationParts, ImageCreation
from pixy_grpc.service.delivery import ImageDelivery
from pixy_grpc.service.fsck import Fsck, FsckLimits, FsckParts
from pixy_grpc.service.originals import Originals
from pixy_grpc.service.renditions import RenditionLimits, Renditions
from pixy_grpc.service.tokens import TokenAuthenticator
from pixy_grpc.settings import Settings, SettingsError
from pixy_grpc.stores import open_store
from pixy_grpc.web.health import Health
from pixy_grpc.web.server import GrpcServer, ServerLimits
from pixy_grpc.web.servicer import UseCases

PREPARE_SECONDS = 300.0
"""How long the start may wait for the database and another server's migration."""

CHECK_SECONDS = 30.0
"""How long a check may wait for the database before it begins."""

WAITS_A_CREATE = 4
"""Duplicates that may wait for each creation that may run: they sleep."""

JOIN_SECONDS = 1.0
"""How long the stop waits for the look through the renditions: it may end at any point."""

_LATER = " Try again later."
"""What a call is told, and a start is not: it is the setting that is to be looked at."""

_log = logging.getLogger(__name__)


class OutOfReachError(SettingsError):
    """What a setting names does not answer; the setting may be right."""


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


def prepare(settings: Settings) -> str:
    """Bring database and store up to this version, once, before any worker starts.

    Return the store id that both carry. Raises SettingsError with one line on what is
    wrong.
    """
    check_generator(settings)
    require_folders(settings)
    if settings.database_file:
        _make_database_file(settings.database_file)
    deadline = Deadline.after(PREPARE_SECONDS)
    store = open_store(settings)
    with closing(open_database(settings)) as database:
        with _blamed_on("PIXY_DATABASE_URL"):
            migrate(database, deadline)
            _warn(database, deadline)
        with _blamed_on("PIXY_IMAGES"):
            found = store.prepare()
        with _blamed_on("PIXY_DATABASE_URL"):
            store_id = pair_store(database, found, deadline)
        with _blamed_on("PIXY_IMAGES"):
            store.mark(store_id)
        with _blamed_on("PIXY_DATABASE_URL"):
            adopt(database, store, deadline)
    return store_id


@contextmanager
def checking(settings: Settings, limits: FsckLimits | None = None) -> Iterator[Fsck]:
    """Lend a check of what is stored; it makes nothing that is not there.

    The limits are those of the service unless given.

    Raises SettingsError, OutOfReachError where what it names does not answer, and
    StoreMismatchError where database and store are not a pair.
    """
    deadline = Deadline.after(CHECK_SECONDS)
    store = open_store(settings)
    with closing(open_database(settings)) as database:
        with _blamed_on("PIXY_DATABASE_URL"):
            require_current(database, deadline)
            require_adopted(database)
        with _blamed_on("PIXY_IMAGES"):
            found = store.found_id()
        store_id = require_pair(database, found, deadline)
        parts = creation_parts(_asking_nobody(settings), database, store_id)
        cache = rendition_cache(settings)
        inventory = SqlInventory(database)
        all_parts = FsckParts(parts, inventory, cache, lambda: older_files(store))
        yield Fsck(all_parts, limits or FsckLimits())


def _asking_nobody(settings: Settings) -> Settings:
    """Return settings that need no key of a provider: what is made is made."""
    return settings.model_copy(update={"generator": "sketch"})


@contextmanager
def _blamed_on(setting: str) -> Iterator[None]:
    """Turn what goes wrong at the start into one line: the setting, what, and why."""
    try:
        yield
    except (SchemaError, StoreMismatchError) as error:
        raise SettingsError(str(error)) from error
    except ImageException as error:
        why = f" ({error.__cause__})" if error.__cause__ else ""
        what = error.message.removesuffix(_LATER)
        kind = SettingsError if is_misdirected(error) else OutOfReachError
        raise kind(f"{setting}: {what}{why}") from error


def _warn(database: Database, deadline: Deadline) -> None:
    if isinstance(database, MySQLDatabase):
        for warning in durability_warnings(database, deadline):
            _log.warning(warning)


def _make_database_file(path: Path) -> None:
    try:
        path.touch()
    except OSError as error:
        raise SettingsError(
            f"PIXY_DATABASE_URL: {path} cannot be used: {error.strerror}"
        ) from error


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


def open_database(settings: Settings, *, for_creations: bool = False) -> Database:
    """Return the database that the settings name; nothing is connected yet.

    Creations have half as many connections as reads.
    """
    if settings.database_file:
        return SqliteDatabase(settings.database_file)
    try:
        address = parse_url(settings.database_url)
        if for_creations:
            address = replace(address, pool_size=max(1, address.pool_size // 2))
        return MySQLDatabase(address)
    except (ValueError, OSError) as error:
        raise SettingsError(f"PIXY_DATABASE_URL: {error}") from error


def _limits(settings: Settings) -> ServerLimits:
    return ServerLimits(
        reads=settings.max_reads,
        creates=settings.max_creates,
        waits=WAITS_A_CREATE * settings.max_creates,
        downloads=settings.max_downloads,
        stall_seconds=settings.stall_seconds,
    )
