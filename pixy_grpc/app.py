"""The composition root: the one place that picks implementations and wires them up."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.data.database import Database
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.init import SchemaError, StoreMismatchError, migrate, pair_store
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from pixy_grpc.service.catalogue import ImageCatalogue
from pixy_grpc.service.clock import SystemClock
from pixy_grpc.service.creation import ImageCreation
from pixy_grpc.service.delivery import ImageDelivery
from pixy_grpc.service.generators.sketch import SketchGenerator
from pixy_grpc.service.tokens import TokenAuthenticator
from pixy_grpc.settings import Settings, SettingsError
from pixy_grpc.web.health import Health
from pixy_grpc.web.server import GrpcServer, ServerLimits
from pixy_grpc.web.servicer import UseCases

PREPARE_SECONDS = 300.0
"""How long the start may wait for the database and another server's migration."""

TOKEN_FILE = Path(".pixy/token")
"""Where the token is that a server without PIXY_TOKENS makes for itself."""

LOCAL_CALLER = "local"
"""The caller that this token names."""


@dataclass(frozen=True)
class App:
    """One process's server and what it closes behind itself."""

    server: GrpcServer
    database: Database

    def stop(self, grace_seconds: float) -> bool:
        """Stop the server, then its pool; return whether every call had ended."""
        ended = self.server.stop(grace_seconds)
        self.database.close()
        return ended


def prepare(settings: Settings) -> None:
    """Bring database and store up to this version, once, before any worker starts.

    Raises SettingsError with one line on what is wrong.
    """
    deadline = Deadline.after(PREPARE_SECONDS)
    settings.database_file.touch()
    database = _database(settings)
    store = FolderStore(Path(settings.images))
    try:
        migrate(database, deadline)
        store.mark(pair_store(database, store.prepare(), deadline))
    except (SchemaError, StoreMismatchError) as error:
        raise SettingsError(str(error)) from error
    except ImageException as error:
        raise SettingsError(f"cannot start: {error.message}") from error
    finally:
        database.close()


def build(settings: Settings, tokens: Mapping[str, str], *, share_port: bool = False) -> App:
    """Wire up one process; nothing is started."""
    database = _database(settings)
    repository = SqlImageRepository(database)
    store = FolderStore(Path(settings.images))
    clock = SystemClock()
    use_cases = UseCases(
        creation=ImageCreation(repository, store, SketchGenerator(), clock),
        catalogue=ImageCatalogue(repository, store, clock),
        delivery=ImageDelivery(repository, store),
    )
    server = GrpcServer(
        use_cases,
        TokenAuthenticator(tokens),
        Health({"database": repository.ping, "store": store.ping}),
        _limits(settings),
        reflect=settings.reflection,
        share_port=share_port,
    )
    return App(server, database)


def ensure_tokens(settings: Settings) -> Mapping[str, str]:
    """Return the tokens by caller; without any, those of a token file, made if missing."""
    if settings.tokens:
        return settings.tokens
    try:
        return {LOCAL_CALLER: _token_file()}
    except OSError as error:
        raise SettingsError(f"cannot write {TOKEN_FILE}: set PIXY_TOKENS instead") from error


def _token_file() -> str:
    TOKEN_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(TOKEN_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = TOKEN_FILE.read_text(encoding="ascii").strip()
        if token:
            return token
        TOKEN_FILE.unlink()
        return _token_file()
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token


def _database(settings: Settings) -> Database:
    return SqliteDatabase(settings.database_file)


def _limits(settings: Settings) -> ServerLimits:
    return ServerLimits(
        reads=settings.max_reads,
        creates=settings.max_creates,
        downloads=settings.max_downloads,
        stall_seconds=settings.stall_seconds,
    )
