"""How the databases come to the creations of a guid: by an index, however many there are."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.database import Database, Dialect, Parameters, Row, Session
from pixy_grpc.data.init import migrate
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import new_creation, new_guid, soon
from tests.integration.data.implementations import new_sqlite_file
from tests.support.mariadb import fresh_database, shared_server_url

CREATIONS = 200
"""Enough for MariaDB to take an index for shorter than the table."""

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "mysql": "EXPLAIN"}


class ExplainedSession:
    """A session that tells how it would come to its answers, in their place."""

    def __init__(self, session: Session, explain: str, plans: list[str]) -> None:
        self._session = session
        self._explain = explain
        self._plans = plans

    def query(self, sql: str, parameters: Parameters) -> list[Row]:
        """Explain, and find nothing."""
        rows = self._session.query(f"{self._explain} {sql}", parameters)
        self._plans += [str(row.get("key") or row.get("detail")) for row in rows]
        return []

    def execute(self, sql: str, parameters: Parameters) -> int:
        """Change."""
        return self._session.execute(sql, parameters)

    def insert(self, sql: str, parameters: Parameters) -> int:
        """Insert."""
        return self._session.insert(sql, parameters)

    def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """Change several times."""
        self._session.execute_many(sql, parameters)


class ExplainedDatabase:
    """A database of such sessions; `plans` names what each query would take."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.plans: list[str] = []

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
        """Read no more than the plan."""
        with self._database.read(deadline) as session:
            yield ExplainedSession(session, EXPLAIN[self.dialect.name], self.plans)

    def write(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Write."""
        return self._database.write(deadline)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    with closing(SqliteDatabase(new_sqlite_file(folder))) as database:
        yield database


@contextmanager
def mysql(_folder: Path) -> Iterator[Database]:
    with (
        fresh_database(shared_server_url()) as url,
        closing(MySQLDatabase(parse_url(url))) as database,
    ):
        migrate(database, soon())
        yield database


@pytest.fixture(params=[sqlite, mysql], ids=["sqlite", "mysql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Lend a database with creations, on each engine."""
    with request.param(tmp_path) as opened:
        creations = SqlCreationRepository(opened)
        for _ in range(CREATIONS):
            creations.claim(new_creation(), soon())
        with opened.write(soon()) as session:
            session.query(
                "ANALYZE TABLE creations" if opened.dialect.name == "mysql" else "ANALYZE", {}
            )
        yield opened


def test_creations_of_guids_are_found_by_an_index(database: Database) -> None:
    """A row of each is there for ever: a walk over all of them would end no call in time."""
    explained = ExplainedDatabase(database)

    SqlCreationRepository(explained).list_by_guid([new_guid(), new_guid()], soon())

    (plan,) = explained.plans
    assert "creations_by_guid" in plan
