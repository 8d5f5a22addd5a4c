"""Bringing databases to this version, whoever else does so and wherever it stops."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    ImageException,
    ServiceUnavailableError,
    TransactionConflictError,
)
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.database import time_text
from pixy_grpc.data.init import (
    LEASE_SECONDS,
    Migration,
    SchemaError,
    StoreMismatchError,
    migrate,
    migrations,
    pair_store,
)
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import add, listed, new_guid, soon
from tests.integration.data.interrupted import InterruptedDatabase

STEPS = migrations("sqlite")

LATE_SECONDS = 5.0
"""How long a wait of less than a second may take on a machine that others keep busy: a
fraction of what a lease lasts."""


class CrashError(Exception):
    """Stands for the end of a process."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an empty database file."""
    path = tmp_path / "pixy.db"
    path.touch()
    return path


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    """Return a database with no tables."""
    with closing(SqliteDatabase(path)) as opened:
        yield opened


def _rows(database: SqliteDatabase, sql: str) -> list[dict[str, object]]:
    with database.read(soon()) as session:
        return session.query(sql, {})


def _run(database: SqliteDatabase, sql: str, **parameters: object) -> None:
    with database.write(soon()) as session:
        session.execute(sql, parameters)


def _schema(database: SqliteDatabase) -> list[dict[str, object]]:
    return _rows(database, "SELECT type, name, sql FROM sqlite_master ORDER BY type, name")


def _versions(database: SqliteDatabase) -> list[object]:
    rows = _rows(database, "SELECT version FROM schema_migrations ORDER BY version")
    return [row["version"] for row in rows]


def _lend_lease(database: SqliteDatabase, seconds: int) -> None:
    """Let another server hold the lease, for that many seconds from now."""
    _run(
        database,
        "INSERT INTO schema_lease (id, owner, expires_at) VALUES (1, 'another', :expires_at)",
        expires_at=time_text(datetime.now(UTC) + timedelta(seconds=seconds)),
    )


# steps


def test_steps_are_numbered_without_gap() -> None:
    assert [step.version for step in STEPS] == list(range(1, len(STEPS) + 1))
    assert all(";" not in step.statement for step in STEPS)


def test_migrate_makes_every_table(database: SqliteDatabase) -> None:
    """It returns the steps it ran, records them, and gives the lease back."""
    done = migrate(database, soon())

    assert done == STEPS
    assert _versions(database) == [step.version for step in STEPS]
    assert _rows(database, "SELECT * FROM schema_lease") == []
    repository = SqlImageRepository(database)
    added = add(repository)
    assert listed(repository, ImageFilter("fox", "a-red")) == [added.image.guid]


def test_migrate_again_does_nothing(database: SqliteDatabase) -> None:
    migrate(database, soon())
    added = add(SqlImageRepository(database))
    schema = _schema(database)

    done = migrate(database, soon())

    assert done == []
    assert _schema(database) == schema
    assert listed(SqlImageRepository(database)) == [added.image.guid]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_step_is_safe_to_run_again(database: SqliteDatabase, step: Migration) -> None:
    """A crash between a step and its record leaves the step to be run once more."""
    migrate(database, soon())
    added = add(SqlImageRepository(database))
    schema = _schema(database)
    _run(database, "DELETE FROM schema_migrations WHERE version = :version", version=step.version)

    done = migrate(database, soon())

    assert done == [step]
    assert _schema(database) == schema
    assert listed(SqlImageRepository(database)) == [added.image.guid]


@pytest.mark.parametrize("write", range(2 * len(STEPS) + 4))
def test_crash_at_any_write_is_made_up_for(database: SqliteDatabase, write: int) -> None:
    """Whatever a crash left, the next start ends with the same tables."""

    def crash() -> None:
        raise CrashError

    with pytest.raises(CrashError):
        migrate(InterruptedDatabase(database, write, crash), soon())
    _expire_lease(database)

    migrate(database, soon())

    assert _versions(database) == [step.version for step in STEPS]
    add(SqlImageRepository(database))


def _expire_lease(database: SqliteDatabase) -> None:
    if _rows(database, "SELECT name FROM sqlite_master WHERE name = 'schema_lease'"):
        _run(database, "UPDATE schema_lease SET expires_at = '2000-01-01 00:00:00'")


# other versions


def test_migrate_of_a_changed_step_is_refused(database: SqliteDatabase) -> None:
    """Nothing is changed in a database whose tables are not the ones known here."""
    migrate(database, soon())
    _run(database, "UPDATE schema_migrations SET checksum = 'changed' WHERE version = 3")
    _run(database, "DELETE FROM schema_migrations WHERE version = 5")

    with pytest.raises(SchemaError, match="Step 3"):
        migrate(database, soon())

    assert 5 not in _versions(database)


def test_migrate_of_a_later_version_is_refused(database: SqliteDatabase) -> None:
    migrate(database, soon())
    _run(
        database,
        "INSERT INTO schema_migrations (version, name, checksum, applied_at)"
        " VALUES (9999, '9999_later.sql', 'x', '2030-01-01 00:00:00')",
    )

    with pytest.raises(SchemaError, match="Step 9999"):
        migrate(database, soon())


# the lease


def _forget_steps(database: SqliteDatabase) -> None:
    """Leave the database with work to do."""
    migrate(database, soon())
    _run(database, "DELETE FROM schema_migrations")


def test_living_lease_is_waited_for_by_the_deadline(database: SqliteDatabase) -> None:
    """Nothing is done meanwhile, and the lease stays the other's."""
    _forget_steps(database)
    _lend_lease(database, LEASE_SECONDS)
    began = time.monotonic()

    with pytest.raises(DBConnectionError, match="still migrating"):
        migrate(database, Deadline.after(0.3))

    assert time.monotonic() - began < LATE_SECONDS
    assert _versions(database) == []
    assert _rows(database, "SELECT owner FROM schema_lease") == [{"owner": "another"}]


def test_wait_for_the_lease_is_logged_once(
    database: SqliteDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever starts a server sees why it does not, and for how long at most."""
    _forget_steps(database)
    _lend_lease(database, LEASE_SECONDS)

    with pytest.raises(DBConnectionError):
        migrate(database, Deadline.after(1.4))

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            (
                "waits for another server to migrate the database, at most 1 s;"
                " for one that has been killed 60 s"
            ),
        )
    ]


def test_lease_given_back_is_taken(database: SqliteDatabase) -> None:
    """Whoever waits goes on as soon as the other is done."""
    _forget_steps(database)
    _lend_lease(database, LEASE_SECONDS)

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(migrate, database, soon())
        while not waiting.running():
            threading.Event().wait(0.001)
        _run(database, "DELETE FROM schema_lease")

        assert waiting.result(20) == STEPS


def test_expired_lease_is_taken_over(database: SqliteDatabase) -> None:
    """A server that crashed does not keep the others out."""
    _forget_steps(database)
    _lend_lease(database, -2)

    done = migrate(database, soon())

    assert done == STEPS
    assert _rows(database, "SELECT * FROM schema_lease") == []


def test_lease_is_not_needed_where_nothing_is_to_do(database: SqliteDatabase) -> None:
    migrate(database, soon())
    _lend_lease(database, LEASE_SECONDS)

    assert migrate(database, soon()) == []


FIRST_RENEWAL = 3
"""Writes before it: two tables, and taking the lease."""


@pytest.mark.parametrize("write", [FIRST_RENEWAL, FIRST_RENEWAL + 1, FIRST_RENEWAL + 6])
def test_paused_server_that_was_taken_over_stops(
    path: Path, database: SqliteDatabase, write: int
) -> None:
    """It says so, and what the other has done stays."""

    def take_over() -> None:
        with closing(SqliteDatabase(path)) as another:
            _run(another, "DELETE FROM schema_lease")
            migrate(another, soon())

    with pytest.raises(DBConnectionError, match="took the migration over"):
        migrate(InterruptedDatabase(database, write, take_over), soon())

    assert _versions(database) == [step.version for step in STEPS]


def test_server_that_was_taken_over_leaves_the_lease_to_the_other(
    database: SqliteDatabase,
) -> None:
    """A third one would go on beside it."""

    def take_over() -> None:
        _run(database, "DELETE FROM schema_lease")
        _lend_lease(database, LEASE_SECONDS)

    with pytest.raises(DBConnectionError, match="took the migration over"):
        migrate(InterruptedDatabase(database, FIRST_RENEWAL, take_over), soon())

    assert _versions(database) == []
    assert _rows(database, "SELECT owner FROM schema_lease") == [{"owner": "another"}]


def test_deadline_in_the_middle_gives_the_lease_back(database: SqliteDatabase) -> None:
    """Nobody waits for a lease that nobody uses."""
    deadline = Deadline.after(1.5)

    def wait() -> None:
        while deadline.remaining():
            threading.Event().wait(0.01)

    with pytest.raises(ServiceUnavailableError):
        migrate(InterruptedDatabase(database, FIRST_RENEWAL + 4, wait), deadline)

    assert _rows(database, "SELECT * FROM schema_lease") == []
    assert migrate(database, soon()) == STEPS[2:]


@pytest.mark.parametrize("write", [0, FIRST_RENEWAL - 1, FIRST_RENEWAL + 1, 2 * len(STEPS) + 3])
def test_conflict_that_passes_is_waited_for(database: SqliteDatabase, write: int) -> None:
    """Another transaction in the way of one write does not end the start."""

    def conflict() -> None:
        raise TransactionConflictError("another transaction")

    done = migrate(InterruptedDatabase(database, write, conflict), soon())

    assert done == STEPS
    assert _rows(database, "SELECT * FROM schema_lease") == []


def test_conflict_at_the_deadline_is_raised(database: SqliteDatabase) -> None:
    """It says more than that time was up."""
    deadline = Deadline.after(0.5)

    def conflict() -> None:
        while deadline.remaining():
            threading.Event().wait(0.01)
        raise TransactionConflictError("another transaction")

    with pytest.raises(TransactionConflictError):
        migrate(InterruptedDatabase(database, 0, conflict), deadline)


def test_conflict_that_stays_ends_by_the_deadline(path: Path, database: SqliteDatabase) -> None:
    began = time.monotonic()

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ImageException):
            migrate(database, Deadline.after(0.3))

    assert time.monotonic() - began < LATE_SECONDS


# many at once

_MIGRATE = """
import sys
from pathlib import Path
from pixy_grpc.core.call import Deadline
from pixy_grpc.data.init import migrate
from pixy_grpc.data.sqlite import SqliteDatabase

database = SqliteDatabase(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(len(migrate(database, Deadline.after(50))))
database.close()
"""


def test_ten_processes_at_once_run_each_step_once(path: Path, database: SqliteDatabase) -> None:
    """All of them start, on tables that one of them has made."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATE, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(10)
    ]

    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        ends = [process.communicate(timeout=60) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()

    assert [errors for _, errors in ends if "Error" in errors] == []
    assert [process.returncode for process in processes] == [0] * 10
    assert sorted(int(output) for output, _ in ends) == [0] * 9 + [len(STEPS)]
    assert _versions(database) == [step.version for step in STEPS]


def test_ten_threads_at_once_run_each_step_once(path: Path) -> None:
    """Likewise with a connection that each of them opens at the same moment."""
    barrier = threading.Barrier(10)

    def start(_: int) -> int:
        with closing(SqliteDatabase(path)) as database:
            barrier.wait(10)
            return len(migrate(database, soon()))

    with ThreadPoolExecutor(10) as threads:
        done = list(threads.map(start, range(10)))

    assert sorted(done) == [0] * 9 + [len(STEPS)]


# database and store


@pytest.fixture
def migrated(database: SqliteDatabase) -> SqliteDatabase:
    """Return a database with this version's tables, paired with no store yet."""
    migrate(database, soon())
    return database


def test_pair_of_new_with_new_makes_an_id(migrated: SqliteDatabase) -> None:
    """The same one from then on."""
    store_id = pair_store(migrated, None, soon())

    assert len(store_id) == 36
    assert pair_store(migrated, None, soon()) == store_id
    assert pair_store(migrated, store_id, soon()) == store_id


def test_pair_of_a_new_database_takes_the_id_of_the_store(migrated: SqliteDatabase) -> None:
    store_id = new_guid()

    assert pair_store(migrated, store_id, soon()) == store_id
    assert pair_store(migrated, None, soon()) == store_id


def test_pair_with_another_store_is_refused(migrated: SqliteDatabase) -> None:
    """Whether the database names bytes or not; its id stays."""
    kept = pair_store(migrated, None, soon())

    with pytest.raises(StoreMismatchError, match="different services"):
        pair_store(migrated, new_guid(), soon())

    add(SqlImageRepository(migrated))
    with pytest.raises(StoreMismatchError, match="different services"):
        pair_store(migrated, new_guid(), soon())
    assert pair_store(migrated, kept, soon()) == kept


def test_pair_with_an_empty_store_is_refused_once_there_are_images(
    migrated: SqliteDatabase,
) -> None:
    """A folder where a disk should have been mounted is not to be taken for the store."""
    kept = pair_store(migrated, None, soon())
    repository = SqlImageRepository(migrated)
    added = add(repository)

    with pytest.raises(StoreMismatchError, match="mounted"):
        pair_store(migrated, None, soon())

    assert pair_store(migrated, kept, soon()) == kept
    repository.delete(added.image.guid, soon())
    assert pair_store(migrated, None, soon()) == kept


@pytest.mark.parametrize("error", [ConstraintViolationError, TransactionConflictError])
def test_pair_behind_another_server_takes_its_id(
    path: Path, migrated: SqliteDatabase, error: type[ImageException]
) -> None:
    """A database that finds both only at the end refuses one: it asks once more."""
    made = []

    def be_first() -> None:
        with closing(SqliteDatabase(path)) as another:
            made.append(pair_store(another, None, soon()))
        raise error("another server was first")

    store_id = pair_store(InterruptedDatabase(migrated, 0, be_first), None, soon())

    assert made == [store_id]


def test_pair_at_once_makes_one_id(path: Path, migrated: SqliteDatabase) -> None:
    """However many start together on a new database, they agree."""
    barrier = threading.Barrier(6)

    def start(_: int) -> str:
        with closing(SqliteDatabase(path)) as database:
            barrier.wait(10)
            return pair_store(database, None, soon())

    with ThreadPoolExecutor(6) as threads:
        made = set(threads.map(start, range(6)))

    assert made == {pair_store(migrated, None, soon())}
