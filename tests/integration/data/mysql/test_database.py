"""What a session of MySQL does, statement by statement."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from pymysql.connections import Connection

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    DeadlineTooShortError,
    TransactionConflictError,
)
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.data.mysql import MySQLDatabase, durability_warnings, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.integration.data.examples import NOON, add, soon
from tests.support.mariadb import MariaDBServer, connect

SETTINGS = """
    SELECT @@time_zone AS zone, @@sql_mode AS mode, @@tx_isolation AS isolation,
        @@autocommit AS autocommit, @@character_set_connection AS characters,
        @@max_statement_time AS seconds, @@wsrep_sync_wait AS sync_wait
"""


def test_session_is_strict_and_in_utc(database: MySQLDatabase) -> None:
    """Whatever the server's own settings are."""
    with database.read(soon()) as session:
        (settings,) = session.query(SETTINGS, {})

    assert "STRICT_ALL_TABLES" in settings.pop("mode")
    assert settings == {
        "zone": "+00:00",
        "isolation": "READ-COMMITTED",
        "autocommit": 1,
        "characters": "utf8mb4",
        "seconds": 10.0,
        "sync_wait": 1,
    }


def test_text_that_is_too_long_is_not_cut(database: MySQLDatabase) -> None:
    with pytest.raises(Exception, match="too long"), database.write(soon()) as session:
        session.execute("INSERT INTO store (id, store_id) VALUES (1, :long)", {"long": "x" * 99})


def test_values_come_back_as_they_were_given(database: MySQLDatabase) -> None:
    """Bytes as bytes, text as text, whatever is in it."""
    values = {"raw": bytes(range(256)), "text": "'; -- %s %(x)s :x \\ \" ` 🦊", "none": None}

    with database.read(soon()) as session:
        rows = session.query("SELECT :raw AS raw, :text AS text, :none AS none", values)

    assert rows == [values]


def test_times_are_text(database: MySQLDatabase) -> None:
    add(SqlImageRepository(database), created_at=NOON)

    with database.read(soon()) as session:
        rows = session.query("SELECT created_at FROM images", {})

    assert rows == [{"created_at": "2026-11-22 12:00:00"}]


def test_insert_returns_the_id(database: MySQLDatabase) -> None:
    sql = "INSERT INTO images (guid, filename, prompt) VALUES (:guid, 'f', 'p')"

    with database.write(soon()) as session:
        ids = [session.insert(sql, {"guid": guid}) for guid in ("a", "b")]
        found = session.query("SELECT id FROM images ORDER BY id", {})

    assert ids == [row["id"] for row in found]


def test_execute_counts_the_rows_it_met(url: str) -> None:
    """Those it did not have to change too."""
    with closing(MySQLDatabase(parse_url(url))) as database, database.write(soon()) as session:
        session.execute("CREATE TEMPORARY TABLE t (id INT, n INT)", {})
        session.execute("INSERT INTO t VALUES (1, 7)", {})
        met = [session.execute("UPDATE t SET n = 7 WHERE id = :id", {"id": id_}) for id_ in (1, 2)]

    assert met == [1, 0]


def test_execute_many_of_more_than_a_packet_stores_each_row(database: MySQLDatabase) -> None:
    """The statements it joins them to fit the smallest max_allowed_packet in use, 1 MiB."""
    rows = [{"term": b"%06d" % number + b"\0" * 150, "image_id": 1} for number in range(6_000)]

    with database.write(soon()) as session:
        session.execute_many(
            "INSERT INTO image_terms (term, image_id) VALUES (:term, :image_id)", rows
        )
        counted = session.query("SELECT COUNT(DISTINCT term) AS n FROM image_terms", {})

    assert counted == [{"n": 6_000}]


def test_execute_many_of_nothing_does_nothing(database: MySQLDatabase) -> None:
    with database.write(soon()) as session:
        session.execute_many("INSERT INTO store (id, store_id) VALUES (:id, 'x')", [])


def test_read_sees_what_was_committed_since_its_last_statement(url: str) -> None:
    """Also what another server committed: no snapshot outlives a statement."""
    with closing(MySQLDatabase(parse_url(url))) as here, closing(connect(url, _name(url))) as there:
        there.query("CREATE TABLE t (n INT)")
        with here.read(soon()) as session:
            before = session.query("SELECT n FROM t", {})
            there.query("INSERT INTO t VALUES (1)")
            after = session.query("SELECT n FROM t", {})

    assert (before, after) == ([], [{"n": 1}])


def test_write_is_seen_by_none_before_its_end(database: MySQLDatabase) -> None:
    with database.write(soon()) as session:
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        during = _stores(database)

    assert (during, _stores(database)) == (0, 1)


def test_write_past_its_deadline_changes_nothing(database: MySQLDatabase) -> None:
    """It ends before COMMIT is sent, so that its outcome is known, and the connection stays."""
    before = _connection_id(database)

    with pytest.raises(DeadlineTooShortError):
        _insert_and_dawdle(database, Deadline.after(1, from_caller=True))

    assert _stores(database) == 0
    assert _connection_id(database) == before


def test_statement_past_its_deadline_is_the_callers(database: MySQLDatabase) -> None:
    deadline = Deadline.after(0.3, from_caller=True)

    with pytest.raises(DeadlineTooShortError), database.read(deadline) as session:
        session.query("SELECT SLEEP(5)", {})


def test_late_answer_reaches_nobody(url: str) -> None:
    """The connection it would come over is gone: the next call has one of its own."""
    with closing(MySQLDatabase(parse_url(f"{url}?pool_size=1"))) as database:
        with pytest.raises(DBConnectionError), database.read(Deadline.after(0.2)) as session:
            session.query("SELECT SLEEP(0.4), 'late' AS answer", {})
        with database.read(soon()) as session:
            rows = session.query("SELECT SLEEP(0.5) AS slept, 'prompt' AS answer", {})

    assert rows == [{"slept": 0, "answer": "prompt"}]


def test_lock_wait_ends_in_a_conflict(database: MySQLDatabase, url: str) -> None:
    """Before the deadline, where that leaves the time; nothing is changed."""
    image = add(SqlImageRepository(database)).image
    with closing(connect(url, _name(url))) as other:
        other.begin()
        other.query("UPDATE images SET filename = 'theirs'")
        with pytest.raises(TransactionConflictError) as caught:
            SqlImageRepository(database).update(
                image.guid, ImageUpdate(filename="ours"), NOON, Deadline.after(8)
            )
        other.rollback()

    assert caught.value.retry_delay_seconds
    assert SqlImageRepository(database).get(image.guid, soon()).image == image


def test_lock_wait_past_the_deadline_is_the_callers(database: MySQLDatabase, url: str) -> None:
    image = add(SqlImageRepository(database)).image
    with closing(connect(url, _name(url))) as other:
        other.begin()
        other.query("UPDATE images SET filename = 'theirs'")
        with pytest.raises(DeadlineTooShortError):
            SqlImageRepository(database).delete(image.guid, Deadline.after(0.3, from_caller=True))
        other.rollback()

    assert SqlImageRepository(database).get(image.guid, soon()).image == image


def test_deadlock_ends_one_transaction_in_a_conflict(database: MySQLDatabase) -> None:
    """And lets the other through; the one that gave way can simply be done again."""
    with database.write(soon()) as session:
        session.execute_many(
            "INSERT INTO image_terms (term, image_id) VALUES (:term, 1)",
            [{"term": b"a"}, {"term": b"b"}],
        )
    both_hold_one = threading.Barrier(2, timeout=10)
    ended: list[str] = []

    def change(first: bytes, second: bytes) -> None:
        sql = "UPDATE image_terms SET image_id = image_id + 1 WHERE term = :term"
        try:
            with database.write(soon()) as session:
                session.execute(sql, {"term": first})
                both_hold_one.wait()
                session.execute(sql, {"term": second})
        except TransactionConflictError:
            ended.append("conflict")
        else:
            ended.append("done")

    threads = [
        threading.Thread(target=change, args=terms) for terms in ((b"a", b"b"), (b"b", b"a"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ended) == ["conflict", "done"]
    with database.read(soon()) as session:
        rows = session.query("SELECT image_id FROM image_terms", {})
    assert [row["image_id"] for row in rows] == [2, 2]


def test_taken_row_leaves_no_lock_behind(database: MySQLDatabase) -> None:
    """1062 holds on to a lock until ROLLBACK, which is ours to send."""
    insert = "INSERT INTO store (id, store_id) VALUES (1, 'x')"
    with database.write(soon()) as session:
        session.execute(insert, {})
    with pytest.raises(ConstraintViolationError), database.write(soon()) as session:
        session.execute(insert, {})

    with database.write(soon()) as session:
        deleted = session.execute("DELETE FROM store", {})

    assert deleted == 1


@pytest.mark.parametrize("act", ["read", "write"])
def test_call_on_a_closed_database_is_unavailable(database: MySQLDatabase, act: str) -> None:
    database.close()

    with pytest.raises(DBConnectionError), getattr(database, act)(soon()):
        pass


def test_close_ends_what_still_waits(url: str) -> None:
    """At once, not at its deadline."""
    database = MySQLDatabase(parse_url(url))
    with ThreadPoolExecutor() as threads, closing(connect(url)) as other:
        waiting = threads.submit(_sleep, database)
        while not _is_asleep(other):
            pass
        database.close()

        assert isinstance(waiting.exception(20), DBConnectionError)


def test_unix_socket_is_used(private_server: MariaDBServer) -> None:
    url = f"mysql://root@/mysql?unix_socket={private_server.socket}"

    with closing(MySQLDatabase(parse_url(url))) as database, database.read(soon()) as session:
        rows = session.query(
            "SELECT host FROM information_schema.processlist WHERE id = CONNECTION_ID()", {}
        )

    assert rows == [{"host": "localhost"}]


def test_host_is_looked_up(private_server: MariaDBServer) -> None:
    """Whichever of its addresses answers."""
    url = f"mysql://root@localhost:{private_server.port}/mysql"

    with closing(MySQLDatabase(parse_url(url))) as database, database.read(soon()) as session:
        assert session.query("SELECT 1 AS one", {}) == [{"one": 1}]


def test_host_that_is_unknown_is_unavailable() -> None:
    url = "mysql://root@no-such-host.invalid/mysql"

    with closing(MySQLDatabase(parse_url(url))) as database:  # noqa: SIM117 - what raises is inside
        with pytest.raises(DBConnectionError), database.read(soon()):
            pass


@pytest.mark.parametrize("rest", ["nobody@{}/mysql", "root@{}/no_such_database"])
def test_refused_login_is_unavailability(private_server: MariaDBServer, rest: str) -> None:
    url = f"mysql://{rest.format(f'127.0.0.1:{private_server.port}')}"

    with closing(MySQLDatabase(parse_url(url))) as database:  # noqa: SIM117 - what raises is inside
        with pytest.raises(DBConnectionError), database.read(soon()):
            pass


def test_server_that_keeps_what_it_commits_is_not_warned_of(
    private_server: MariaDBServer,
) -> None:
    with closing(MySQLDatabase(parse_url(f"{private_server.url}/mysql"))) as database:
        assert durability_warnings(database, soon()) == []


def test_server_that_may_lose_what_it_commits_is_warned_of() -> None:
    """The binary log matters where there is one."""
    server = MariaDBServer("--innodb-flush-log-at-trx-commit=2", "--log-bin", "--sync-binlog=0")
    try:
        server.start()
        with closing(MySQLDatabase(parse_url(f"{server.url}/mysql"))) as database:
            warnings = durability_warnings(database, soon())
    finally:
        server.remove()

    assert len(warnings) == 2
    assert "innodb_flush_log_at_trx_commit=2" in warnings[0]
    assert "sync_binlog=0" in warnings[1]


def _insert_and_dawdle(database: MySQLDatabase, deadline: Deadline) -> None:
    with database.write(deadline) as session:
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        threading.Event().wait(deadline.remaining() + 0.05)


def _connection_id(database: MySQLDatabase) -> object:
    with database.read(soon()) as session:
        return session.query("SELECT CONNECTION_ID() AS id", {})[0]["id"]


def _stores(database: MySQLDatabase) -> int:
    with database.read(soon()) as session:
        return len(session.query("SELECT store_id FROM store", {}))


def _name(url: str) -> str:
    return parse_url(url).database


def _sleep(database: MySQLDatabase) -> None:
    with database.read(soon()) as session:
        session.query("SELECT SLEEP(30)", {})


def _is_asleep(connection: Connection) -> bool:
    cursor = connection.cursor()
    cursor.execute("SELECT 1 FROM information_schema.processlist WHERE info = 'SELECT SLEEP(30)'")
    return bool(cursor.fetchall())
