"""How a session is prepared, and that none is lent that is not."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.mysql.connection import Connection, Server
from tests.integration.data.examples import soon
from tests.support.mariadb import MariaDBServer

SYNC_WAIT = "SELECT 1 FROM (SELECT @@wsrep_sync_wait AS waits) asked WHERE waits = 1"

UP_TO_THE_SETTINGS = 2
"""Statements of a new connection before its isolation level: the character set, SETTINGS."""


@contextmanager
def _user_of_few_statements(server: MariaDBServer) -> Iterator[str]:
    """Yield the URL for a user whom the server refuses in the middle of the preparation."""
    with closing(server.connect()) as other:
        other.query(f"CREATE USER few@'%' WITH MAX_QUERIES_PER_HOUR {UP_TO_THE_SETTINGS}")
        other.query("GRANT ALL ON *.* TO few@'%'")
        try:
            yield f"mysql://few@127.0.0.1:{server.port}/mysql"
        finally:
            other.query("DROP USER few@'%'")


def test_session_that_could_not_be_prepared_is_not_lent(private_server: MariaDBServer) -> None:
    """Else the next one would read an old snapshot over it."""
    with (
        _user_of_few_statements(private_server) as url,
        closing(MySQLDatabase(parse_url(url))) as database,
        closing(private_server.connect()) as other,
    ):
        with pytest.raises(DBConnectionError), database.read(soon()):
            pass
        other.query("ALTER USER few@'%' WITH MAX_QUERIES_PER_HOUR 0")
        other.query("FLUSH USER_RESOURCES")
        with database.read(soon()) as session:
            rows = session.query("SELECT @@tx_isolation AS isolation", {})

    assert rows == [{"isolation": "READ-COMMITTED"}]


@pytest.mark.parametrize("has_sync_wait", [False, True])
def test_server_without_galera_is_sent_nothing_of_it(
    private_server: MariaDBServer, *, has_sync_wait: bool
) -> None:
    """MySQL does not know the variable: it is set where the first connection has found it."""
    server = Server(parse_url(f"{private_server.url}/mysql"))
    server.has_sync_wait = has_sync_wait
    connection = Connection(server)
    connection.connect_by(soon())

    with closing(connection):
        assert bool(connection.query(SYNC_WAIT)) is has_sync_wait
