"""What SQLite has to be made to do, and what it does when something is in the way."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    DeadlineTooShortError,
    ImageException,
    RecordNotFoundError,
    StorageFullError,
    TransactionConflictError,
)
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import PageQuery
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.database import Session
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import JOURNAL_BYTES, SqliteDatabase
from tests.integration.data.examples import NOON, add, listed, new_image, soon
from tests.integration.data.implementations import new_sqlite_file

ENDLESS = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
    SELECT COUNT(*) AS n FROM numbers
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database file with this version's tables."""
    return new_sqlite_file(tmp_path)


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    """Return a database of two connections."""
    with closing(SqliteDatabase(path, connections=2)) as opened:
        yield opened


@pytest.fixture
def repository(database: SqliteDatabase) -> SqlImageRepository:
    """Return a repository over it."""
    return SqlImageRepository(database)


@contextmanager
def _other_connection(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file without any code of ours, as another program would."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        yield connection


@contextmanager
def _other_writer(path: Path) -> Iterator[None]:
    """Hold the write lock."""
    with _other_connection(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


class SlowDatabase:
    """A database whose reads stop, with their connection, until they may go on."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self.dialect = database.dialect
        self.connections = database.connections
        self.reached = threading.Event()
        self.go_on = threading.Event()

    @contextmanager
    def read(self, deadline: Deadline) -> Iterator[Session]:
        """Lend a session, and stop."""
        with self._database.read(deadline) as session:
            self.reached.set()
            self.go_on.wait(deadline.remaining())
            yield session

    def write(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Lend a session."""
        return self._database.write(deadline)

    def close(self) -> None:
        """Close it."""
        self._database.close()


# durability


def test_every_connection_is_durable(database: SqliteDatabase) -> None:
    """A commit reaches the disk before it returns, on each connection of the pool."""
    with database.read(soon()) as first, database.read(soon()) as second:
        settings = [
            session.query(f"PRAGMA {name}", {})[0][name]
            for session in (first, second)
            for name in ("journal_mode", "synchronous")
        ]

    assert first is not second
    assert settings == ["wal", 2, "wal", 2]


def test_durability_holds_for_a_file_of_another_mode(tmp_path: Path) -> None:
    """Whatever made the file, commits are as durable."""
    path = tmp_path / "old.db"
    with _other_connection(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("CREATE TABLE t (x)")

    with closing(SqliteDatabase(path)) as database, database.write(soon()) as session:
        modes = session.query("PRAGMA journal_mode", {}) + session.query("PRAGMA synchronous", {})

    assert modes == [{"journal_mode": "wal"}, {"synchronous": 2}]


def test_journal_of_every_connection_is_cut(database: SqliteDatabase) -> None:
    """A journal that a slow reader let grow gives its room on the disk back."""
    with database.read(soon()) as first, database.read(soon()) as second:
        limits = [session.query("PRAGMA journal_size_limit", {}) for session in (first, second)]

    assert limits == [[{"journal_size_limit": JOURNAL_BYTES}]] * 2


# conflicts and deadlines


@pytest.mark.parametrize("from_caller", [True, False])
def test_write_behind_another_writer_ends_by_its_deadline(
    path: Path, repository: SqlImageRepository, *, from_caller: bool
) -> None:
    """It says that nothing was changed, and when to come back."""
    began = time.monotonic()

    with _other_writer(path), pytest.raises(TransactionConflictError) as raised:
        repository.add(new_image(), Deadline.after(0.2, from_caller=from_caller))

    assert time.monotonic() - began < 1.2
    assert raised.value.retry_delay_seconds
    assert listed(repository) == []


def test_waiting_writers_leave_connections_to_readers(
    path: Path, database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    """One waits for the file with a connection, the others for that one without."""
    added = add(repository)
    writing = threading.Barrier(4, timeout=10)

    def write() -> object:
        writing.wait()
        return repository.add(new_image(), Deadline.after(2))

    with ThreadPoolExecutor(3) as threads, _other_writer(path):
        waiting = [threads.submit(write) for _ in range(3)]
        writing.wait()
        threading.Event().wait(0.3)  # until each has what it waits with
        found = repository.get(added.image.guid, Deadline.after(0.5))
        errors = [each.exception(10) for each in waiting]

    assert found == added
    assert [type(error) for error in errors] == [TransactionConflictError] * 3
    assert database.connections == 2


def test_lists_leave_connections_to_lookups(
    database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    """Pages take half of the connections at most, and wait for one no longer than they may."""
    added = add(repository)
    query = PageQuery(ImageFilter(), None, 10, 1_000_000)
    slow = SlowDatabase(database)
    slow_repository = SqlImageRepository(slow)

    with ThreadPoolExecutor(2) as threads:
        listing = [threads.submit(slow_repository.list_page, query, soon()) for _ in range(2)]
        assert slow.reached.wait(10)
        threading.Event().wait(0.2)  # until the other has what it waits with
        found = repository.get(added.image.guid, Deadline.after(0.5))
        with pytest.raises(DeadlineTooShortError):
            slow_repository.list_page(query, Deadline.after(0.1, from_caller=True))
        with pytest.raises(DBConnectionError):
            slow_repository.list_page(query, Deadline.after(0.1))
        slow.go_on.set()
        listed_at_last = [list(each.result(10).images) for each in listing]

    assert found == added
    assert listed_at_last == [[added], [added]]


def test_write_waits_for_another_writer(path: Path, repository: SqlImageRepository) -> None:
    """A conflict that ends in time is none."""
    with ThreadPoolExecutor(1) as threads:
        with _other_writer(path):
            waiting = threads.submit(add, repository)
            while not waiting.running():
                threading.Event().wait(0.001)
        added = waiting.result(10)

    assert listed(repository) == [added.image.guid]


def test_read_does_not_wait_for_a_writer(path: Path, repository: SqlImageRepository) -> None:
    """It sees what was committed."""
    added = add(repository)

    with _other_writer(path):
        found = repository.get(added.image.guid, Deadline.after(0.2))

    assert found == added


def test_connect_to_a_locked_file_ends_by_its_deadline(tmp_path: Path) -> None:
    """Opening waits no longer than the call that needs the connection."""
    path = tmp_path / "locked.db"
    with (
        _other_connection(path) as other,
        closing(SqliteDatabase(path)) as database,
    ):
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()

        with pytest.raises(TransactionConflictError), database.read(Deadline.after(0.2)):
            pass

        assert time.monotonic() - began < 1.2
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, DBConnectionError)]
)
def test_statement_past_its_deadline_is_interrupted(
    database: SqliteDatabase, expected: type[ImageException], *, from_caller: bool
) -> None:
    began = time.monotonic()

    with (
        pytest.raises(expected),
        database.read(Deadline.after(0.2, from_caller=from_caller)) as session,
    ):
        session.query(ENDLESS, {})

    assert time.monotonic() - began < 1.2


def test_interrupted_write_changes_nothing(
    database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    """What came before in the transaction is undone, and the lock given up."""
    with (  # noqa: PT012 - the block is the transaction
        pytest.raises(DBConnectionError),
        database.write(Deadline.after(0.2)) as session,
    ):
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        session.query(ENDLESS, {})

    with database.read(soon()) as session:
        assert session.query("SELECT * FROM store", {}) == []
    add(repository)


def test_deadline_of_one_call_does_not_reach_the_next(database: SqliteDatabase) -> None:
    """A connection is as good after a short deadline as before."""
    short = Deadline.after(0.05)
    with database.read(short) as first:
        pass
    while short.remaining():
        threading.Event().wait(0.01)

    with database.read(soon()) as second:
        rows = second.query(ENDLESS.replace("FROM numbers)", "FROM numbers LIMIT 300000)"), {})

    assert first is second
    assert rows == [{"n": 300_000}]


@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, DBConnectionError)]
)
def test_borrow_from_an_exhausted_pool_ends_by_its_deadline(
    database: SqliteDatabase, expected: type[ImageException], *, from_caller: bool
) -> None:
    """And the next one, once a connection is back, works."""
    with database.read(soon()), database.read(soon()):
        began = time.monotonic()
        with (
            pytest.raises(expected),
            database.read(Deadline.after(0.2, from_caller=from_caller)),
        ):
            pass
        assert time.monotonic() - began < 1.2

    with database.read(Deadline.after(1)):
        pass


def test_failed_calls_give_their_place_back(
    path: Path, database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    """However calls end, both connections can be lent afterwards."""
    added = add(repository)
    for _ in range(3):
        with pytest.raises(ConstraintViolationError):
            add(repository, guid=added.image.guid)
        with pytest.raises(sqlite3.OperationalError), database.write(soon()) as session:
            session.execute("INSERT INTO images (nothing) VALUES (1)", {})
        with pytest.raises(KeyError), database.read(soon()):
            raise KeyError
        with _other_writer(path), pytest.raises(TransactionConflictError):
            repository.delete(added.image.guid, Deadline.after(0.01))

    with database.read(soon()) as first, database.read(soon()) as second:
        assert first.query("SELECT 1 AS one", {}) == second.query("SELECT 1 AS one", {})


# the file


def _forget(path: Path) -> None:
    """Remove the files that SQLite keeps beside a database."""
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


@pytest.mark.parametrize("operation", ["ping", "add", "list"])
def test_call_on_a_deleted_file_is_unavailable(
    path: Path, repository: SqlImageRepository, operation: str
) -> None:
    """Nothing goes on with the deleted file, and no empty one is made in its place."""
    add(repository)
    path.unlink()

    with pytest.raises(DBConnectionError):
        _call(repository, operation)

    assert not path.exists()


def _call(repository: SqlImageRepository, operation: str) -> object:
    match operation:
        case "ping":
            repository.ping(soon())
            return None
        case "add":
            return add(repository)
        case _:
            return listed(repository)


@pytest.mark.parametrize("operation", ["ping", "add", "list"])
def test_call_where_the_path_leads_nowhere_is_unavailable(tmp_path: Path, operation: str) -> None:
    """As where a disk is not mounted, or fails; once it is back, all is as before."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with closing(SqliteDatabase(new_sqlite_file(folder))) as database:
        repository = SqlImageRepository(database)
        added = add(repository)
        away = folder.rename(tmp_path / "away")
        folder.write_bytes(b"in the way")

        with pytest.raises(DBConnectionError):
            _call(repository, operation)

        folder.unlink()
        away.rename(folder)
        assert listed(repository) == [added.image.guid]


def test_file_that_comes_back_is_used_again(path: Path, repository: SqlImageRepository) -> None:
    added = add(repository)
    away = path.rename(path.with_suffix(".away"))
    with pytest.raises(DBConnectionError):
        repository.ping(soon())

    away.rename(path)

    assert listed(repository) == [added.image.guid]
    add(repository)


def test_restored_file_is_used_at_once(path: Path, repository: SqlImageRepository) -> None:
    """What is written goes to the file that is there, not to the one it replaced."""
    kept = add(repository)
    backup = path.with_suffix(".backup")
    with _other_connection(path) as other, closing(sqlite3.connect(backup)) as copy:
        other.backup(copy)
    add(repository)

    backup.replace(path)
    _forget(path)
    added = add(repository)

    with closing(SqliteDatabase(path)) as another:
        assert set(listed(SqlImageRepository(another))) == {kept.image.guid, added.image.guid}


@pytest.mark.parametrize("damage", ["garbage", "folder", "torn"])
def test_call_on_a_damaged_file_is_unavailable(
    path: Path, repository: SqlImageRepository, damage: str
) -> None:
    add(repository)
    kept = path.rename(path.with_suffix(".kept"))
    _forget(path)
    if damage == "folder":
        path.mkdir()
    else:
        header = kept.read_bytes()[:100] if damage == "torn" else b""
        path.write_bytes(header + b"no database at all" * 1_000)

    with pytest.raises(DBConnectionError):
        listed(repository)


def test_empty_file_is_not_taken_for_ours(path: Path, repository: SqlImageRepository) -> None:
    """An empty file is an empty database to SQLite; to us it is an error, not a list."""
    add(repository)
    path.unlink()
    _forget(path)
    path.touch()

    with pytest.raises(DBConnectionError):
        repository.ping(soon())


# a full disk


def _fill(path: Path) -> tuple[SqliteDatabase, SqlImageRepository]:
    """Open the file with no page to spare on the one connection of the pool."""
    database = SqliteDatabase(path, connections=1)
    with database.read(soon()) as session:
        session.query("PRAGMA max_page_count = 1", {})
    return database, SqlImageRepository(database)


def test_add_without_room_changes_nothing(path: Path, repository: SqlImageRepository) -> None:
    kept = add(repository)
    database, full = _fill(path)

    with closing(database), pytest.raises(StorageFullError):
        add(full, prompt=" ".join(f"word{n}" for n in range(2_000)))

    assert listed(repository) == [kept.image.guid]
    assert listed(repository, ImageFilter("word1")) == []


def test_update_without_room_changes_nothing(path: Path, repository: SqlImageRepository) -> None:
    kept = add(repository)
    database, full = _fill(path)
    update = ImageUpdate(prompt=" ".join(f"word{n}" for n in range(2_000)))

    with closing(database), pytest.raises(StorageFullError):
        full.update(kept.image.guid, update, NOON, soon())

    assert repository.get(kept.image.guid, soon()) == kept
    assert listed(repository, ImageFilter("fox")) == [kept.image.guid]


def test_read_and_delete_need_no_room(path: Path, repository: SqlImageRepository) -> None:
    """A full disk can still be looked at and cleaned up."""
    kept = add(repository)
    database, full = _fill(path)

    with closing(database):
        assert listed(full) == [kept.image.guid]
        full.delete(kept.image.guid, soon())

    assert listed(repository) == []


# closing


def test_call_on_a_closed_database_is_unavailable(
    database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    database.close()

    for _ in range(3):
        with pytest.raises(DBConnectionError):
            repository.ping(Deadline.after(1))


def test_close_twice_does_nothing(database: SqliteDatabase) -> None:
    database.close()
    database.close()


def test_close_leaves_nothing_open(path: Path, database: SqliteDatabase) -> None:
    """What is lent is closed once it comes back: no file of the database stays open."""
    with database.read(soon()), database.read(soon()):
        pass

    with database.read(soon()) as lent:
        database.close()
        assert lent.query("SELECT 1 AS one", {}) == [{"one": 1}]

    assert _open_files(path) == []


def _open_files(path: Path) -> list[Path]:
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link.readlink() for link in links if link.readlink().is_relative_to(path.parent)]


# errors


def _raise(code: int) -> sqlite3.OperationalError:
    """Return the error that sqlite3 raises for a result code."""
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["CONSTRAINT", "CONSTRAINT_UNIQUE", "CONSTRAINT_PRIMARYKEY"], ConstraintViolationError),
        (["FULL"], StorageFullError),
        (["BUSY", "BUSY_SNAPSHOT", "BUSY_RECOVERY", "LOCKED"], TransactionConflictError),
        (["CANTOPEN", "CORRUPT", "IOERR", "IOERR_FSYNC", "NOTADB"], DBConnectionError),
        (["PERM", "READONLY", "READONLY_DBMOVED", "PROTOCOL", "INTERRUPT"], DBConnectionError),
    ],
)
def test_error_of_sqlite_becomes_ours(
    database: SqliteDatabase, codes: list[str], expected: type[ImageException]
) -> None:
    """By its primary code, with the cause kept and without its text."""
    for code in codes:
        cause = _raise(getattr(sqlite3, f"SQLITE_{code}"))

        with pytest.raises(expected) as raised, database.read(soon()):
            raise cause

        assert raised.value.__cause__ is cause
        assert "SQLite" not in raised.value.message


@pytest.mark.parametrize("code", ["ERROR", "MISMATCH", "RANGE", "TOOBIG", "MISUSE"])
def test_fault_of_ours_is_not_translated(database: SqliteDatabase, code: str) -> None:
    """It is no outage: whoever reads the log has to see what it was."""
    cause = _raise(getattr(sqlite3, f"SQLITE_{code}"))

    with pytest.raises(sqlite3.OperationalError) as raised, database.read(soon()):
        raise cause

    assert raised.value is cause


@pytest.mark.parametrize(
    "sql",
    ["SELECT nothing FROM images", "SELEKT 1", "SELECT :missing"],
)
def test_mistake_in_sql_is_not_swallowed(database: SqliteDatabase, sql: str) -> None:
    with pytest.raises(sqlite3.Error), database.read(soon()) as session:
        session.query(sql, {})


def test_error_behind_a_change_undoes_it(database: SqliteDatabase) -> None:
    """Whatever ends the block, if it is no error of SQLite too."""
    with (  # noqa: PT012 - the block is the transaction
        pytest.raises(RecordNotFoundError),
        database.write(soon()) as session,
    ):
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        raise RecordNotFoundError("no such image")

    with database.read(soon()) as session:
        assert session.query("SELECT * FROM store", {}) == []


# threads


def test_threads_leave_what_they_did(path: Path) -> None:
    """Eight threads read and write over fewer connections; each finds its own images."""
    barrier = threading.Barrier(8)

    with closing(SqliteDatabase(path, connections=3)) as database:
        repository = SqlImageRepository(database)

        def work(number: int) -> list[str]:
            barrier.wait(10)
            kept = []
            for turn in range(12):
                image = add(repository, prompt=f"thread{number} turn{turn}").image
                update = ImageUpdate(filename=f"t{number}-{turn}.png")
                repository.update(image.guid, update, NOON, soon())
                assert listed(repository, ImageFilter(f"thread{number} turn{turn}")) == [image.guid]
                if turn % 3:
                    repository.delete(image.guid, soon())
                else:
                    kept.append(image.guid)
            return kept

        with ThreadPoolExecutor(8) as threads:
            kept = [guid for guids in threads.map(work, range(8)) for guid in guids]

        assert sorted(listed(repository, limit=7)) == sorted(kept)
        assert len(listed(repository, ImageFilter("", "t"))) == len(kept) == 32


def test_copy_of_the_files_holds_what_was_acknowledged(
    path: Path, repository: SqlImageRepository, tmp_path: Path
) -> None:
    """What a crash leaves, with no connection closed, has every image added before."""
    guids = [add(repository).image.guid for _ in range(3)]
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in path.parent.glob("pixy.db*"):
        shutil.copy(file, crashed)

    with closing(SqliteDatabase(crashed / "pixy.db")) as database:
        found = listed(SqlImageRepository(database))

    assert found == guids[::-1]
