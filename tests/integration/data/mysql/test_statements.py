"""Holds every statement that is sent to what MySQL 8.0 takes: MariaDB takes more."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import sqlglot
from sqlglot import expressions as exp

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Fence, PaidImage, Refusal
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.database import Dialect, Parameters, Row, Session
from pixy_grpc.data.init import migrate, pair_store, require_current, require_pair
from pixy_grpc.data.inventory import SqlInventory
from pixy_grpc.data.listing import ListingLimits
from pixy_grpc.data.mysql import MySQLDatabase, connection, durability_warnings, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.integration.data.examples import (
    NOON,
    add,
    contents,
    listed,
    new_creation,
    new_guid,
    soon,
)

NOT_IN_MYSQL = (exp.Returning, exp.Except, exp.Intersect, exp.OnConflict, exp.Command)
"""What sqlglot reads in its dialect of MySQL, but 8.0.16 does not; Command is what it does
not read at all."""

SESSION_STATEMENTS = (connection.SETTINGS, connection.ISOLATION, connection.SYNC_WAIT)

OF_MARIADB = re.compile(r"/\*M!.*?\*/")
OF_MYSQL = re.compile(r"/\*!80000(.*?)\*/")


class RecordingSession:
    """A session that writes down what is sent over it."""

    def __init__(self, session: Session, seen: set[str]) -> None:
        self._session = session
        self._seen = seen

    def query(self, sql: str, parameters: Parameters) -> list[Row]:
        """Note and query."""
        self._seen.add(sql)
        return self._session.query(sql, parameters)

    def execute(self, sql: str, parameters: Parameters) -> int:
        """Note and execute."""
        self._seen.add(sql)
        return self._session.execute(sql, parameters)

    def insert(self, sql: str, parameters: Parameters) -> int:
        """Note and insert."""
        self._seen.add(sql)
        return self._session.insert(sql, parameters)

    def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """Note and execute."""
        self._seen.add(sql)
        self._session.execute_many(sql, parameters)


class RecordingDatabase:
    """A database that writes down every statement."""

    def __init__(self, database: MySQLDatabase) -> None:
        self._database = database
        self.seen: set[str] = set()

    @property
    def dialect(self) -> Dialect:
        """Speak as the database does."""
        return self._database.dialect

    @property
    def connections(self) -> int:
        """Lend as many sessions as the database does."""
        return self._database.connections

    @contextmanager
    def read(self, deadline: Deadline) -> Iterator[Session]:
        """Read."""
        with self._database.read(deadline) as session:
            yield RecordingSession(session, self.seen)

    @contextmanager
    def write(self, deadline: Deadline) -> Iterator[Session]:
        """Write."""
        with self._database.write(deadline) as session:
            yield RecordingSession(session, self.seen)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


@pytest.fixture
def statements(url: str) -> set[str]:
    """Do all that is ever done, and return what was sent for it."""
    recording = RecordingDatabase(MySQLDatabase(parse_url(url)))
    for act in (_initialise, _change, _list, _check):
        act(recording)
    recording.close()
    return recording.seen


def test_statements_are_of_mysql(statements: set[str]) -> None:
    assert len(statements) > 30
    for statement in (*statements, *SESSION_STATEMENTS):
        _require_mysql(statement)


def test_statements_are_bounded_as_mysql_reads_the_settings() -> None:
    """It passes over MariaDB's comment and reads its own, in milliseconds."""
    read = OF_MYSQL.sub(r"\1", OF_MARIADB.sub("", connection.SETTINGS))

    _require_mysql(read)

    assert f"max_execution_time = {connection.STATEMENT_SECONDS * 1000}" in read
    assert "max_statement_time" not in read


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX IF NOT EXISTS a ON b (c)",
        "INSERT INTO a (b) VALUES (1) RETURNING b",
        "DELETE FROM a WHERE b = 1 RETURNING b",
        "SELECT a FROM b EXCEPT SELECT a FROM c",
        "SELECT FROM",
        "VACUUM",
        "CREATE TABLE a (b UUID)",
        "CREATE TABLE a (b INT) WITHOUT ROWID",
    ],
)
def test_statements_of_others_are_found_out(statement: str) -> None:
    """The test above would see them."""
    with pytest.raises((sqlglot.ParseError, AssertionError)):
        _require_mysql(statement)


def _require_mysql(statement: str) -> None:
    for part in sqlglot.parse(statement, dialect="mysql"):
        assert part is not None
        assert not list(part.find_all(*NOT_IN_MYSQL)), statement
        if isinstance(part, exp.Create) and part.kind == "INDEX":
            assert not part.args.get("exists"), statement
        for kind in part.find_all(exp.DataType):
            assert kind.this not in (exp.DataType.Type.UUID, exp.DataType.Type.INET), statement


def _initialise(database: RecordingDatabase) -> None:
    migrate(database, soon())
    store_id = pair_store(database, None, soon())
    pair_store(database, None, soon())
    require_current(database, soon())
    require_pair(database, store_id, soon())
    durability_warnings(database, soon())


def _change(database: RecordingDatabase) -> None:
    repository = SqlImageRepository(database)
    repository.ping(soon())
    guid = add(repository, fence=_create(database)).image.guid
    repository.update(guid, ImageUpdate(filename="b", prompt="c"), NOON, soon())
    repository.delete(guid, soon())


def _create(database: RecordingDatabase) -> Fence:
    """Come to every state of a creation."""
    creations = SqlCreationRepository(database)
    refused, unknown, done = (creations.claim(new_creation(), soon()) for _ in range(3))
    creations.release(creations.claim(new_creation(), soon()).fence, 0, soon())
    creations.note_asked(done.fence, soon())
    creations.note_kept(PaidImage(done.fence, done.guid, "key"), soon())
    creations.note_refused(refused.fence, Refusal("CONTENT_POLICY", "No."), soon())
    creations.note_unknown(unknown.fence, soon())
    creations.release(unknown.fence, 1, soon())
    creations.retire(refused.fence, new_guid(), soon())
    creations.renew([done.fence], 2_000, soon())
    creations.list_unfinished(9_000, 1, soon())
    taken = creations.take_over(done, 2_000, 9_000, soon())
    assert taken
    return taken.fence


def _list(database: RecordingDatabase) -> None:
    """Come to every kind of page: tiny limits make the search go through all it can do."""
    for limits in (ListingLimits(), ListingLimits(1, 0, 3, 1), ListingLimits(1, 1_000, 3, 1)):
        repository = SqlImageRepository(database, limits)
        for prompt in ("red fox", "red hen", "rare"):
            add(repository, prompt=prompt, guid=new_guid())
        for sought in (
            ImageFilter(),
            ImageFilter("red fo", "a-"),
            ImageFilter("rare", created_after=NOON, created_before=NOON.replace(hour=13)),
        ):
            listed(repository, sought, limit=1)


def _check(database: RecordingDatabase) -> None:
    """Ask all that fsck does, of images with, without and with half of their contents."""
    inventory = SqlInventory(database)
    images = [add(SqlImageRepository(database)) for _ in range(2)]
    with database.write(soon()) as session:
        session.execute("UPDATE image_contents SET sha256 = ''", {})
        session.execute("DELETE FROM image_contents ORDER BY image_id LIMIT 1", {})
    guids = [each.image.guid for each in images]
    inventory.last_number(soon())
    inventory.present(guids, soon())
    inventory.named(["a", "b"], soon())
    inventory.shared(["a", "b"], soon())
    inventory.without_contents(guids, soon())
    inventory.sharing("a-red-fox.png", soon())
    inventory.list_not_done(guids, soon())
    for row in inventory.list_rows(0, 10, soon()):
        assert row.contents is None or not row.contents.sha256
        inventory.set_contents(row, row.contents or contents(), soon())
