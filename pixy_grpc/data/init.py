"""Initialisation: brings a database to this version's tables, and pairs it with a store."""

import hashlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    TransactionConflictError,
)
from pixy_grpc.data.database import Database, Parameters, Session, time_text

LEASE_SECONDS = 60
"""How long a server may take over one step before another takes the migration over."""

POLL_SECONDS = 0.2
"""How often a server looks whether another has finished the migration."""

RELEASE_SECONDS = 5.0
"""Cap on giving the lease back, also once the deadline has passed: others wait for it."""

RENEWAL_SECONDS = 10.0
"""Cap on renewing the lease: the deadline is for getting it."""

_MIGRATIONS_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL,
        checksum CHAR(64) NOT NULL, applied_at CHAR(19) NOT NULL)
"""

_LEASE_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_lease (
        id INTEGER NOT NULL PRIMARY KEY, owner CHAR(36) NOT NULL, expires_at CHAR(19) NOT NULL)
"""

_RECORD_STEP = """
    INSERT INTO schema_migrations (version, name, checksum, applied_at)
    VALUES (:version, :name, :checksum, :applied_at)
"""

_log = logging.getLogger(__name__)

_TAKEN_OVER = "Another server took the migration over; start again."


class SchemaError(Exception):
    """The database was migrated by another version, in a way this one does not know."""


class StoreMismatchError(Exception):
    """The database and the store of bytes belong to different services."""


@dataclass(frozen=True)
class Migration:
    """One numbered step: one statement that is safe to run again."""

    version: int
    name: str
    statement: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the statement, hexadecimal."""
        return hashlib.sha256(self.statement.encode()).hexdigest()


def migrations(dialect: str) -> list[Migration]:
    """Return the steps of a dialect in their order."""
    folder = resources.files("pixy_grpc.data.migrations") / dialect
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [
        Migration(int(name[:4]), name, (folder / name).read_text(encoding="utf-8").strip())
        for name in names
    ]


def migrate(database: Database, deadline: Deadline) -> list[Migration]:
    """Run the steps this database has not seen; return them.

    Any number of servers may do so at once, and any may crash at any point: one holds
    the lease, a row that expires, and each step is recorded only once it is done.
    Raises SchemaError, and DBConnectionError where the deadline passes first.
    """
    steps = migrations(database.dialect.name)
    for statement in (_MIGRATIONS_TABLE, _LEASE_TABLE):
        _write(database, {statement: {}}, deadline)
    if not _missing(database, steps, deadline):
        return []
    with lease(database, deadline) as renew:
        done = _missing(database, steps, deadline)
        for step in done:
            renew()
            _apply(database, step, deadline)
        return done


def require_current(database: Database, deadline: Deadline) -> None:
    """Raise SchemaError unless the database is at this version; change nothing."""
    if _missing(database, migrations(database.dialect.name), deadline):
        raise SchemaError(
            "The database is not up to date: serve from it, or run `pixy-grpc migrate`, first."
        )


def _missing(database: Database, steps: Sequence[Migration], deadline: Deadline) -> list[Migration]:
    with database.read(deadline) as session:
        rows = session.query("SELECT version, checksum FROM schema_migrations", {})
    recorded = {row["version"]: row["checksum"] for row in rows}
    known = {step.version: step.checksum for step in steps}
    for version, checksum in sorted(recorded.items()):
        if known.get(version) != checksum:
            raise SchemaError(
                f"Step {version} of the database is not the one this version knows:"
                " run the version of PixyProxy that made it, or a later one."
            )
    return [step for step in steps if step.version not in recorded]


def _apply(database: Database, step: Migration, deadline: Deadline) -> None:
    try:
        _write(database, {step.statement: {}, _RECORD_STEP: _record(step)}, deadline)
    except ConstraintViolationError as error:
        raise DBConnectionError(_TAKEN_OVER) from error


def _write(database: Database, statements: Mapping[str, Parameters], deadline: Deadline) -> None:
    """Run statements that are safe to run again, until nothing is in their way.

    A backup that holds the tables of MySQL, or a cluster that changes them elsewhere,
    ends a transaction of ours with a conflict.
    """
    while True:
        try:
            with database.write(deadline) as session:
                for statement, parameters in statements.items():
                    session.execute(statement, parameters)
        except TransactionConflictError:
            if not deadline.remaining():
                raise
            threading.Event().wait(POLL_SECONDS)
        else:
            return


def _record(step: Migration) -> dict[str, object]:
    return {
        "version": step.version,
        "name": step.name,
        "checksum": step.checksum,
        "applied_at": time_text(datetime.now(UTC)),
    }


@contextmanager
def lease(database: Database, deadline: Deadline) -> Iterator[Callable[[], None]]:
    """Hold the lease of the migration; yield what renews it."""
    owner = str(uuid.uuid4())
    _wait_for_lease(database, owner, deadline)
    try:
        yield lambda: _renew(database, owner, Deadline.after(RENEWAL_SECONDS))
    finally:
        release = {"DELETE FROM schema_lease WHERE owner = :owner": {"owner": owner}}
        _write(database, release, Deadline.after(RELEASE_SECONDS))


def _wait_for_lease(database: Database, owner: str, deadline: Deadline) -> None:
    is_told = False
    while not _take(database, owner, deadline):
        seconds = deadline.remaining()
        if seconds <= POLL_SECONDS:
            raise DBConnectionError("Another server is still migrating the database.")
        if not is_told:
            _log.warning(
                "waits for another server to migrate the database, at most %.0f s;"
                " for one that has been killed %.0f s",
                seconds,
                LEASE_SECONDS,
            )
            is_told = True
        threading.Event().wait(POLL_SECONDS)


def _take(database: Database, owner: str, deadline: Deadline) -> bool:
    """Insert the lease, or take it over once it has expired."""
    try:
        with database.write(deadline) as session:
            session.execute(
                "DELETE FROM schema_lease WHERE expires_at < :now",
                {"now": time_text(datetime.now(UTC))},
            )
            session.execute(
                "INSERT INTO schema_lease (id, owner, expires_at) VALUES (1, :owner, :expires_at)",
                {"owner": owner, "expires_at": _expiry()},
            )
    except (ConstraintViolationError, TransactionConflictError):
        return False
    return True


def _renew(database: Database, owner: str, deadline: Deadline) -> None:
    with database.write(deadline) as session:
        held = session.execute(
            "UPDATE schema_lease SET expires_at = :expires_at WHERE owner = :owner",
            {"expires_at": _expiry(), "owner": owner},
        )
    if not held:
        raise DBConnectionError(_TAKEN_OVER)


def _expiry() -> str:
    return time_text(datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS))


def pair_store(database: Database, found: str | None, deadline: Deadline) -> str:
    """Return the id that database and store carry both; made where neither has one.

    `found` is the id in the store. A store that carries none is given the database's
    only while the database names no bytes: an empty folder where a disk should have
    been mounted is not to be taken for the store. Raises StoreMismatchError.
    """
    try:
        return _pair(database, found, deadline)
    except (ConstraintViolationError, TransactionConflictError):  # another server was first
        return _pair(database, found, deadline)


def require_pair(database: Database, found: str | None, deadline: Deadline) -> str:
    """Return the id that database and store carry both; raise StoreMismatchError."""
    with database.read(deadline) as session:
        rows = session.query("SELECT store_id FROM store", {})
    kept = str(rows[0]["store_id"]) if rows else None
    if kept is None or kept != found:
        raise StoreMismatchError(
            "PIXY_IMAGES and PIXY_DATABASE_URL do not belong together: the store id of the"
            f" database is {kept or 'not there'}, that of the store is {found or 'not there'}."
        )
    return kept


def _pair(database: Database, found: str | None, deadline: Deadline) -> str:
    with database.write(deadline) as session:
        rows = session.query("SELECT store_id FROM store", {})
        if not rows:
            return _keep(session, found or _new_store_id())
        kept = str(rows[0]["store_id"])
        if found is None and session.query("SELECT image_id FROM image_contents LIMIT 1", {}):
            raise StoreMismatchError(
                "PIXY_IMAGES names an empty store, but the database has images:"
                " is the right folder mounted?"
            )
        if found not in (None, kept):
            raise StoreMismatchError(
                "PIXY_IMAGES and PIXY_DATABASE_URL belong to different services:"
                " their store ids differ."
            )
        return kept


def _keep(session: Session, store_id: str) -> str:
    session.execute(
        "INSERT INTO store (id, store_id) VALUES (1, :store_id)", {"store_id": store_id}
    )
    return store_id


def _new_store_id() -> str:
    return str(uuid.uuid4())
