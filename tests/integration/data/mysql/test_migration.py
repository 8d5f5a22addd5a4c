"""How a database of MySQL gets its tables, whoever else is at it and whatever was there."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TypeVar

import pytest
from pymysql.connections import Connection

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.database import Dialect, Row, Session
from pixy_grpc.data.init import migrate, migrations, pair_store
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.integration.data.examples import add, listed, new_guid, soon
from tests.support.mariadb import connect

STEPS = migrations("mysql")
WRITES = 4 + 2 * len(STEPS)
"""Of a first start: two tables, the lease, each step and before it the lease, its end."""

T = TypeVar("T")

# Name for name what DESIGN.md fixes, as an earlier PixyProxy made it.
EARLIER_TABLE = """
CREATE TABLE `images` (
  `id` INT NOT NULL AUTO_INCREMENT,
  `guid` VARCHAR(36) NOT NULL,
  `filename` VARCHAR(255) NOT NULL,
  `prompt` TEXT NOT NULL,
  `created_at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  UNIQUE KEY `Images_U1` (`guid`),
  KEY `Images_I1` (`filename`),
  KEY `Images_I2` (`created_at`),
  KEY `Images_I3` (`updated_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
"""


class CrashError(Exception):
    """Stands for the end of a process."""


class CrashingDatabase:
    """A database whose server crashes in its n-th write, before or behind the last word."""

    def __init__(self, database: MySQLDatabase, write: int, *, committed: bool) -> None:
        self._database = database
        self._writes_left = write
        self._committed = committed

    @property
    def dialect(self) -> Dialect:
        """Speak as the database does."""
        return self._database.dialect

    @property
    def connections(self) -> int:
        """Lend as many sessions as the database does."""
        return self._database.connections

    def read(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Read."""
        return self._database.read(deadline)

    @contextmanager
    def write(self, deadline: Deadline) -> Iterator[Session]:
        """Write, or crash."""
        self._writes_left -= 1
        if self._writes_left < -1:
            raise CrashError  # it is dead already
        with self._database.write(deadline) as session:
            yield session
            if self._writes_left < 0 and not self._committed:
                raise CrashError
        if self._writes_left < 0:
            raise CrashError

    def close(self) -> None:
        """Close the database."""
        self._database.close()


@pytest.fixture
def empty(url: str) -> Iterator[MySQLDatabase]:
    """Open a database with no tables."""
    with closing(MySQLDatabase(parse_url(url))) as opened:
        yield opened


def test_migrate_makes_every_table(empty: MySQLDatabase) -> None:
    """It records its steps and gives the lease back."""
    done = migrate(empty, soon())

    assert done == STEPS
    assert migrate(empty, soon()) == []
    assert _rows(empty, "SELECT * FROM schema_lease") == []
    _require_working(empty)


def test_images_table_is_the_one_that_was_agreed(empty: MySQLDatabase, url: str) -> None:
    migrate(empty, soon())
    ours = _rows(empty, "SHOW CREATE TABLE images")
    with closing(connect(url, parse_url(url).database)) as other:
        other.query("DROP TABLE images")
        other.query(EARLIER_TABLE)

    assert _rows(empty, "SHOW CREATE TABLE images") == ours


def test_table_of_an_earlier_version_is_used_as_it_is(empty: MySQLDatabase, url: str) -> None:
    guid = new_guid()
    with closing(connect(url, parse_url(url).database)) as other:
        other.query(EARLIER_TABLE)
        other.cursor().execute(
            "INSERT INTO images (guid, filename, prompt) VALUES (%s, 'f', 'p')", [guid]
        )

    migrate(empty, soon())

    assert SqlImageRepository(empty).get(guid, soon()).image.guid == guid


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_step_is_one_statement_that_may_run_again(empty: MySQLDatabase, step: object) -> None:
    """MySQL keeps each step, so that a crash may come between it and its record."""
    migrate(empty, soon())
    assert isinstance(step, type(STEPS[0]))

    with empty.write(soon()) as session:
        session.execute(step.statement, {})

    assert ";" not in step.statement
    _require_working(empty)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("write", range(WRITES))
def test_crash_at_any_write_is_made_up_for(
    empty: MySQLDatabase, write: int, *, committed: bool
) -> None:
    """The next start, after the lease has run out, goes on from there."""
    with pytest.raises(CrashError):
        migrate(CrashingDatabase(empty, write, committed=committed), soon())
    _expire_lease(empty)

    migrate(empty, soon())

    versions = _rows(empty, "SELECT version FROM schema_migrations ORDER BY version")
    assert [row["version"] for row in versions] == [step.version for step in STEPS]
    _require_working(empty)


def test_ten_servers_at_once_run_each_step_once(url: str) -> None:
    """And agree on the id of the store; each is ready when its start returns."""
    together = threading.Barrier(10, timeout=30)

    def start() -> tuple[int, str]:
        with closing(MySQLDatabase(parse_url(url))) as database:
            together.wait()
            done = migrate(database, soon())
            SqlImageRepository(database).ping(soon())
            return len(done), pair_store(database, None, soon())

    outcomes = _all_at_once(start, 10)

    assert sorted(done for done, _ in outcomes) == [0] * 9 + [len(STEPS)]
    assert len({store_id for _, store_id in outcomes}) == 1


def test_pair_behind_another_server_takes_its_id(database: MySQLDatabase, url: str) -> None:
    """Where each found none and began to insert its own."""
    with closing(connect(url, parse_url(url).database)) as other, ThreadPoolExecutor() as threads:
        other.begin()
        other.query("INSERT INTO store (id, store_id) VALUES (1, 'theirs')")
        pairing = threads.submit(pair_store, database, None, soon())
        with closing(connect(url)) as watcher:
            _poll_until(lambda: _inserts(watcher, parse_url(url).database) == 1)
        other.commit()

        assert pairing.result(10) == "theirs"


def test_tables_that_are_held_are_waited_for(empty: MySQLDatabase, url: str) -> None:
    """A backup holds them for longer than a statement waits for a lock."""
    migrate(empty, soon())
    with empty.write(soon()) as session:
        session.execute("DELETE FROM schema_migrations WHERE version = 5", {})
    with closing(connect(url, parse_url(url).database)) as other, ThreadPoolExecutor() as threads:
        other.query("LOCK TABLES schema_migrations READ")
        migrating = threads.submit(migrate, empty, soon())
        with closing(connect(url)) as watcher:
            _poll_until(lambda: _waiters(watcher, parse_url(url).database) == 1)
            _poll_until(lambda: _waiters(watcher, parse_url(url).database) == 0)
        other.query("UNLOCK TABLES")

        assert [step.version for step in migrating.result(20)] == [5]


def _all_at_once(act: Callable[[], T], times: int) -> list[T]:
    with ThreadPoolExecutor(times) as threads:
        running = [threads.submit(act) for _ in range(times)]
        return [each.result(60) for each in running]


def _waiters(connection: Connection, name: str) -> int:
    """Count who waits for a table."""
    return connection.query(
        "SELECT 1 FROM information_schema.processlist"  # noqa: S608 - a name of ours
        f" WHERE db = '{name}' AND state LIKE 'Waiting for table%'"
    )


def _inserts(connection: Connection, name: str) -> int:
    """Count who is inserting."""
    return connection.query(
        "SELECT 1 FROM information_schema.processlist"  # noqa: S608 - a name of ours
        f" WHERE db = '{name}' AND info LIKE 'INSERT%'"
    )


def _poll_until(condition: Callable[[], bool]) -> None:
    end = Deadline.after(10)
    while not condition():
        assert end.remaining(), "it did not come to pass"


def _rows(database: MySQLDatabase, sql: str) -> list[Row]:
    with database.read(soon()) as session:
        return session.query(sql, {})


def _expire_lease(database: MySQLDatabase) -> None:
    tables = _rows(database, "SHOW TABLES LIKE 'schema_lease'")
    if tables:
        with database.write(soon()) as session:
            session.execute("UPDATE schema_lease SET expires_at = '2000-01-01 00:00:00'", {})


def _require_working(database: MySQLDatabase) -> None:
    repository = SqlImageRepository(database)
    added = add(repository)
    assert added.image.guid in listed(repository)
