"""The composition root: the one place that picks implementations and wires them up."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.data.adoption import adopt
from pixy_grpc.data.database import Database
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.init import SchemaError, StoreMismatchError, migrate, pair_store
from pixy_grpc.data.mysql import MySQLDatabase, durability_warnings, parse_url
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

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class App:
    """One process's server and what it closes behind itself."""

    server: GrpcServer
    databases: Sequence[Database]

    def stop(self, grace_seconds: float) -> bool:
        """Stop the server, then its pools; return whether every call had ended."""
        ended = self.server.stop(grace_seconds)
        for database in self.databases:
            database.close()
        return ended


def prepare(settings: Settings) -> str:
    """Bring database and store up to this version, once, before any worker starts.

    Return the store id that both carry. Raises SettingsError with one line on what is
    wrong.
    """
    if settings.database_file:
        _make_database_file(settings.database_file)
    deadline = Deadline.after(PREPARE_SECONDS)
    store = FolderStore(Path(settings.images))
    with closing(_database(settings)) as database:
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
def _blamed_on(setting: str) -> Iterator[None]:
    """Turn what goes wrong at the start into one line: the setting, what, and why."""
    try:
        yield
    except (SchemaError, StoreMismatchError) as error:
        raise SettingsError(str(error)) from error
    except ImageException as error:
        why = f" ({error.__cause__})" if error.__cause__ else ""
        raise SettingsError(f"{setting}: {error.message}{why}") from error


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
    """Wire up one process; nothing is started. The limits are the settings' unless given.

    Health asks over a database of its own: one whose connections are all lent is busy,
    not gone.
    """
    database, probed = _database(settings), _database(settings)
    repository = SqlImageRepository(database)
    store = FolderStore(Path(settings.images), store_id)
    clock = SystemClock()
    use_cases = UseCases(
        creation=ImageCreation(repository, store, SketchGenerator(), clock),
        catalogue=ImageCatalogue(repository, store, clock),
        delivery=ImageDelivery(repository, store),
    )
    server = GrpcServer(
        use_cases,
        TokenAuthenticator(tokens),
        Health({"database": SqlImageRepository(probed).ping, "store": store.ping}),
        limits or _limits(settings),
        reflect=settings.reflection,
        share_port=share_port,
    )
    return App(server, (database, probed))


def _database(settings: Settings) -> Database:
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
        downloads=settings.max_downloads,
        stall_seconds=settings.stall_seconds,
    )
