"""The composition root: the one place that picks implementations and wires them up."""

import logging
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException, StorageUnavailableError
from pixy_grpc.data.adoption import adopt
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.database import Database
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.init import SchemaError, StoreMismatchError, migrate, pair_store
from pixy_grpc.data.mysql import MySQLDatabase, durability_warnings, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.spool import FolderSpool
from pixy_grpc.data.sqlite import SqliteDatabase
from pixy_grpc.service.catalogue import ImageCatalogue
from pixy_grpc.service.clock import SystemClock
from pixy_grpc.service.creation import CreationLimits, CreationParts, ImageCreation
from pixy_grpc.service.delivery import ImageDelivery
from pixy_grpc.service.generators.sketch import SketchGenerator
from pixy_grpc.service.tokens import TokenAuthenticator
from pixy_grpc.settings import TOKEN, Settings, SettingsError
from pixy_grpc.web.health import Health
from pixy_grpc.web.server import GrpcServer, ServerLimits
from pixy_grpc.web.servicer import UseCases

PREPARE_SECONDS = 300.0
"""How long the start may wait for the database and another server's migration."""

TOKEN_FILE = Path(".pixy/token")
"""Where the token is that a server without PIXY_TOKENS makes for itself."""

WAITS_A_CREATE = 4
"""Duplicates that may wait for each creation that may run: they sleep."""

_log = logging.getLogger(__name__)

LOCAL_CALLER = "local"
"""The caller that this token names."""


@dataclass(frozen=True)
class App:
    """One process's server and what it closes behind itself."""

    server: GrpcServer
    creation: ImageCreation
    database: Database
    create_grace_seconds: float

    def start(self, address: str) -> int:
        """Serve on host:port, and go on with what earlier processes left; return the port.

        Raises OSError where the port is taken.
        """
        port = self.server.start(address)
        self.creation.start()
        return port

    def stop(self, grace_seconds: float) -> bool:
        """Stop the server, then its pool; return whether every call had ended.

        What the provider was asked for has a longer grace: it is stored, though its call
        has been cut.
        """
        began = time.monotonic()
        ended = self.server.stop(grace_seconds)
        spent = time.monotonic() - began
        ended &= self.creation.stop(max(self.create_grace_seconds, grace_seconds) - spent)
        self.database.close()
        return ended


def prepare(settings: Settings) -> None:
    """Bring database and store up to this version, once, before any worker starts.

    Raises SettingsError with one line on what is wrong.
    """
    if settings.database_file:
        _make_database_file(settings.database_file)
    database = open_database(settings)
    try:
        _prepare(database, FolderStore(Path(settings.images)), Deadline.after(PREPARE_SECONDS))
    except (SchemaError, StoreMismatchError) as error:
        raise SettingsError(str(error)) from error
    except StorageUnavailableError as error:
        raise SettingsError(f"PIXY_IMAGES: {error.message}") from error
    except ImageException as error:
        raise SettingsError(f"PIXY_DATABASE_URL: {error.message}") from error
    finally:
        database.close()


def _prepare(database: Database, store: FolderStore, deadline: Deadline) -> None:
    migrate(database, deadline)
    store.mark(pair_store(database, store.prepare(), deadline))
    adopt(database, store, deadline)
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
    *,
    limits: ServerLimits | None = None,
    share_port: bool = False,
) -> App:
    """Wire up one process; nothing is started. The limits are the settings' unless given."""
    database = open_database(settings)
    server_limits = limits or _limits(settings)
    parts = creation_parts(settings, database)
    return assemble(settings, tokens, database, parts, server_limits, share_port=share_port)


def creation_parts(settings: Settings, database: Database) -> CreationParts:
    """Pick what creations meet."""
    return CreationParts(
        images=SqlImageRepository(database),
        creations=SqlCreationRepository(database),
        store=FolderStore(Path(settings.images)),
        spool=FolderSpool(Path(settings.spool)),
        generator=SketchGenerator(),
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
    """Make a server of parts that are picked."""
    use_cases = UseCases(
        creation=ImageCreation(parts, creation_limits or CreationLimits()),
        catalogue=ImageCatalogue(parts.images, parts.store, parts.clock),
        delivery=ImageDelivery(parts.images, parts.store),
    )
    server = GrpcServer(
        use_cases,
        TokenAuthenticator(tokens),
        Health({"database": parts.images.ping, "store": parts.store.ping}),
        limits,
        reflect=settings.reflection,
        share_port=share_port,
    )
    return App(server, use_cases.creation, database, settings.create_grace_seconds)


def ensure_tokens(settings: Settings) -> Mapping[str, str]:
    """Return the tokens by caller; without any, those of a token file, made if missing."""
    if settings.tokens:
        return settings.tokens
    try:
        return {LOCAL_CALLER: _token_file()}
    except OSError as error:
        raise SettingsError(f"cannot write {TOKEN_FILE}: set PIXY_TOKENS instead") from error


def _token_file() -> str:
    if not TOKEN_FILE.exists():
        _make_token_file()
    token = TOKEN_FILE.read_text(encoding="ascii", errors="replace").strip()
    if not TOKEN.fullmatch(token):
        raise SettingsError(f"{TOKEN_FILE} holds no token: remove it, or set PIXY_TOKENS")
    return token


def _make_token_file() -> None:
    """Give the file its name once it is whole: another server may be starting here, and
    whichever comes first makes the token of both.
    """
    TOKEN_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=TOKEN_FILE.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with suppress(FileExistsError):
            os.link(temporary, TOKEN_FILE)
    finally:
        Path(temporary).unlink()


def open_database(settings: Settings) -> Database:
    """Return the database that the settings name; nothing is connected yet."""
    if settings.database_file:
        return SqliteDatabase(settings.database_file)
    try:
        return MySQLDatabase(parse_url(settings.database_url))
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
