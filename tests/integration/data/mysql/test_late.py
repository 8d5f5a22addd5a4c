"""What is begun and what is waited for when the deadline is near, or has passed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DeadlineTooShortError
from pixy_grpc.data.database import Session
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.mysql.database import END_SECONDS
from tests.integration.data.examples import soon
from tests.support.mariadb import MariaDBServer

ACTS: dict[str, Callable[[Session], object]] = {
    "query": lambda session: session.query("SELECT 1", {}),
    "execute": lambda session: session.execute("DO 1", {}),
    "insert": lambda session: session.insert("DO 1", {}),
    "execute_many": lambda session: session.execute_many("DO :one", [{"one": 1}]),
}


@pytest.mark.parametrize("name", ACTS)
def test_statement_that_is_late_is_not_sent(database: MySQLDatabase, name: str) -> None:
    """Cut off in the middle it would cost the connection."""
    before = _connection_id(database)

    with pytest.raises(DeadlineTooShortError):
        _act_late(database, ACTS[name])

    assert _connection_id(database) == before


@pytest.mark.parametrize(
    ("deadline_seconds", "frozen_seconds"),
    [(0.4, 0.45), (END_SECONDS + 5, END_SECONDS + 0.2)],
    ids=["past the deadline", "before it"],
)
def test_commit_that_is_answered_late_is_acknowledged(
    private_server: MariaDBServer, deadline_seconds: float, frozen_seconds: float
) -> None:
    """To know how a transaction ended is worth a second, and all the time there is."""
    url = f"{private_server.url}/mysql"
    with closing(MySQLDatabase(parse_url(url))) as database, ThreadPoolExecutor(1) as threads:
        with database.write(soon()) as session:
            session.execute("CREATE OR REPLACE TABLE late (n INT) ENGINE=InnoDB", {})
        thaw = Deadline.after(frozen_seconds)

        with database.write(Deadline.after(deadline_seconds, from_caller=True)) as session:
            session.execute("INSERT INTO late VALUES (1)", {})
            private_server.freeze()
            threads.submit(_thaw_at, private_server, thaw)

        with database.read(soon()) as session:
            assert session.query("SELECT n FROM late", {}) == [{"n": 1}]


def _act_late(database: MySQLDatabase, act: Callable[[Session], object]) -> None:
    deadline = Deadline.after(0.1, from_caller=True)
    with database.read(deadline) as session:
        _let_pass(deadline)
        act(session)


def _thaw_at(server: MariaDBServer, moment: Deadline) -> None:
    _let_pass(moment)
    server.thaw()


def _let_pass(deadline: Deadline) -> None:
    threading.Event().wait(deadline.remaining() + 0.02)


def _connection_id(database: MySQLDatabase) -> object:
    with database.read(soon()) as session:
        return session.query("SELECT CONNECTION_ID() AS id", {})[0]["id"]
