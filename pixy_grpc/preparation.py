"""What comes before a server or a check: database and store, brought up to this version."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pixy_grpc.app import creation_parts, rendition_cache
from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException, StorageUnavailableError
from pixy_grpc.data.adoption import adopt, require_adopted
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
from pixy_grpc.data.mysql import MySQLDatabase, durability_warnings
from pixy_grpc.data.older_files import older_files
from pixy_grpc.databases import open_database
from pixy_grpc.folders import require_folders
from pixy_grpc.generators import check_generator
from pixy_grpc.service.fsck import Fsck, FsckLimits, FsckParts
from pixy_grpc.settings import Settings, SettingsError
from pixy_grpc.stores import open_store

PREPARE_SECONDS = 300.0
"""How long the start may wait for the database and another server's migration."""

CHECK_SECONDS = 30.0
"""How long a check may wait for the database before it begins."""

_LATER = " Try again later."
"""What a call is told, and a start is not: it is the setting that is to be looked at."""

_log = logging.getLogger(__name__)


class OutOfReachError(SettingsError):
    """What a setting names does not answer; the setting may be right."""


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
        with blamed_on("PIXY_DATABASE_URL"):
            migrate(database, deadline)
            _warn(database, deadline)
        with blamed_on("PIXY_IMAGES"):
            found = store.prepare()
        with blamed_on("PIXY_DATABASE_URL"):
            store_id = pair_store(database, found, deadline)
        with blamed_on("PIXY_IMAGES"):
            store.mark(store_id)
        with blamed_on("PIXY_DATABASE_URL"):
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
        with blamed_on("PIXY_DATABASE_URL"):
            require_current(database, deadline)
            require_adopted(database)
        with blamed_on("PIXY_IMAGES"):
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
def blamed_on(setting: str) -> Iterator[None]:
    """Turn what goes wrong at the start into one line: the setting, what, and why.

    It is PIXY_IMAGES for what the store says, which older images are looked for in.
    """
    try:
        yield
    except (SchemaError, StoreMismatchError) as error:
        raise SettingsError(str(error)) from error
    except ImageException as error:
        named = "PIXY_IMAGES" if isinstance(error, StorageUnavailableError) else setting
        what = error.message.removesuffix(_LATER)
        kind = SettingsError if is_misdirected(error) else OutOfReachError
        raise kind(f"{named}: {what}{cause_of(error)}") from error


def cause_of(error: ImageException) -> str:
    """Return why it came to an error, to be put behind its text; nothing where nobody says."""
    why = str(error.__cause__ or "")
    return f" ({why})" if why else ""


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
