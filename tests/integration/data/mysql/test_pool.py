"""That a borrow ends by its deadline and its place comes back, whatever the server does."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from pymysql.connections import Connection

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DBConnectionError,
    DeadlineTooShortError,
    RecordNotFoundError,
)
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.mysql.database import OPERATION_SECONDS
from pixy_grpc.data.mysql.pool import CONNECT_SECONDS, IDLE_SECONDS
from tests.integration.data.examples import soon
from tests.integration.data.mysql.faults import (
    PAST_DEADLINE_SECONDS,
    RECOVERY_SECONDS,
    Outcome,
    Outcomes,
    call,
    call_at_once,
    proxy,
    require_recovery,
    silent_listener,
)
from tests.support.mariadb import MariaDBServer
from tests.support.stopwatch import Stopwatch

CONNECTIONS = "SELECT 1 FROM information_schema.processlist WHERE db = 'mysql'"
PLACES = 8
THREADS = 64
SECONDS = 1.0
AMPLE_SECONDS = 6.0
"""For calls that end at once, well or not: none of them is cut for being late."""

TRIES = 100


@contextmanager
def _database(port: int, places: int = PLACES) -> Iterator[MySQLDatabase]:
    url = f"mysql://root@127.0.0.1:{port}/mysql?pool_size={places}"
    with closing(MySQLDatabase(parse_url(url))) as database:
        yield database


def _read(database: MySQLDatabase, deadline: Deadline) -> None:
    with database.read(deadline) as session:
        session.query("SELECT 1", {})


def _all_at_once(database: MySQLDatabase, threads: int, seconds: float) -> Outcomes:
    return call_at_once(lambda deadline: _read(database, deadline), threads, seconds)


def _require_every_place(database: MySQLDatabase) -> None:
    """Fail unless as many loans as there are places can be held at one time."""
    together = threading.Barrier(PLACES, timeout=20)

    def hold(deadline: Deadline) -> None:
        with database.read(deadline) as session:
            session.query("SELECT 1", {})
            together.wait()

    assert call_at_once(hold, PLACES, 20.0).kinds == set()


@pytest.mark.parametrize("warm", [False, True])
def test_frozen_server_holds_nobody_past_the_deadline(
    private_server: MariaDBServer, *, warm: bool
) -> None:
    """With connections in the pool and without; and all places come back."""
    with _database(private_server.port) as database:
        if warm:
            _require_every_place(database)
        private_server.freeze()
        try:
            outcomes = _all_at_once(database, THREADS, SECONDS)
        finally:
            private_server.thaw()

        outcomes.require_in_time()
        assert all(outcome.error for outcome in outcomes.each)
        assert outcomes.kinds == {DBConnectionError}
        require_recovery(lambda deadline: _read(database, deadline), PLACES)
        _require_every_place(database)


def test_silent_server_holds_nobody_past_the_deadline() -> None:
    """One that accepts and says nothing."""
    with silent_listener() as listener, _database(listener.port) as database:
        outcomes = _all_at_once(database, THREADS, SECONDS)

    outcomes.require_in_time()
    assert outcomes.kinds == {DBConnectionError}
    assert all(outcome.error for outcome in outcomes.each)


def test_nothing_is_begun_past_the_deadline() -> None:
    """A call that comes late of itself, on a busy machine, is not made later by an attempt."""
    with silent_listener() as listener, _database(listener.port) as database:
        outcome = call(lambda deadline: _read(database, deadline), Deadline.after(0.0))

        assert listener.connections == 0
    assert isinstance(outcome.error, DBConnectionError)


def test_server_that_is_down_is_tried_by_one_at_a_time() -> None:
    """The others do not queue for it: it would count each of them as a broken handshake.

    Nor does the one try for so long that it would not see the server's return in time.
    """
    with silent_listener() as listener, _database(listener.port) as database:
        first = call(lambda deadline: _read(database, deadline), Deadline.after(RECOVERY_SECONDS))
        outcomes = _all_at_once(database, THREADS, AMPLE_SECONDS)

        assert listener.connections == 2
    tried = CONNECT_SECONDS - AMPLE_SECONDS
    assert first.late_seconds < 0
    assert sum(outcome.late_seconds >= tried for outcome in outcomes.each) == 1


def test_caller_in_a_hurry_shuts_out_nobody(private_server: MariaDBServer) -> None:
    """An attempt that was cut short does not tell that the server is down."""
    with _database(private_server.port) as database, ThreadPoolExecutor(PLACES) as threads:
        private_server.freeze()
        try:
            hurried = call(lambda deadline: _read(database, deadline), Deadline.after(0.2))
            waiting = [
                threads.submit(call, lambda deadline: _read(database, deadline), soon())
                for _ in range(PLACES)
            ]
            threading.Event().wait(0.3)
        finally:
            private_server.thaw()
        patient = [each.result(30) for each in waiting]

    assert isinstance(hurried.error, DBConnectionError)
    assert [outcome.error for outcome in patient] == [None] * PLACES


@pytest.mark.parametrize("act", ["read", "write"])
def test_caller_in_a_hurry_leaves_a_connection_behind(
    private_server: MariaDBServer, act: str
) -> None:
    """A deadline too short to connect is none for connecting: the next one finds it done."""

    def hurry(deadline: Deadline) -> None:
        with getattr(database, act)(deadline):
            pass

    with _database(private_server.port) as database, closing(private_server.connect()) as other:
        _require_connections(other, 0)
        outcomes = [call(hurry, Deadline.after(0.000_2))]
        while not other.query(CONNECTIONS) and len(outcomes) < TRIES:  # it came late of itself
            outcomes.append(call(hurry, Deadline.after(0.000_2)))
        _require_connections(other, 1)

    assert {type(outcome.error) for outcome in outcomes} == {DBConnectionError}


def test_call_that_is_late_tries_nothing() -> None:
    with silent_listener() as listener, _database(listener.port) as database:
        outcome = call(lambda deadline: _read(database, deadline), Deadline.after(-1))

        assert listener.connections == 0
    assert isinstance(outcome.error, DBConnectionError)


def test_connections_stay_and_cost_nothing_between_calls(private_server: MariaDBServer) -> None:
    """As many as there are places; none is asked or rolled back when it comes and goes."""
    with _database(private_server.port) as database, closing(private_server.connect()) as other:
        _require_every_place(database)
        before = _commands(other)
        for _ in range(PLACES):
            _read(database, soon())
        after = _commands(other)

        _require_connections(other, PLACES)
    assert after == before


def _require_connections(connection: Connection, count: int) -> None:
    """Fail unless so many are there, once those of the tests before have gone."""
    end = Deadline.after(20)
    while (found := connection.query(CONNECTIONS)) != count:
        assert end.remaining(), found


def _commands(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Return how many pings and transactions the server has had."""
    cursor = connection.cursor()
    cursor.execute(
        "SHOW GLOBAL STATUS WHERE Variable_name IN"
        " ('Com_admin_commands', 'Com_begin', 'Com_commit', 'Com_rollback')"
    )
    return cursor.fetchall()


def test_deadline_of_the_caller_is_told_from_a_cap(private_server: MariaDBServer) -> None:
    with _database(private_server.port, places=1) as database:
        _read(database, soon())
        private_server.freeze()
        try:
            ours = call(lambda deadline: _read(database, deadline), Deadline.after(0.2))
            theirs = call(
                lambda deadline: _read(database, deadline), Deadline.after(1.5, from_caller=True)
            )
        finally:
            private_server.thaw()

    assert [type(ours.error), type(theirs.error)] == [DBConnectionError, DeadlineTooShortError]


def test_call_without_a_near_deadline_has_a_cap_of_ours(private_server: MariaDBServer) -> None:
    """A read, and the ROLLBACK of a write; and others get their own late answer in time."""
    with _database(private_server.port, places=3) as database, ThreadPoolExecutor() as threads:
        with database.read(soon()):
            _read(database, soon())  # two are connected: connecting has a cap of its own
        capped, watch = Deadline.after(OPERATION_SECONDS), Stopwatch()
        try:
            writing = threads.submit(_freeze_in_a_write, database, private_server)
            reading = threads.submit(call, lambda at: _sleep_on(database, at), soon())
            outcomes = []
            while not (writing.done() and reading.done()) and time.monotonic() < capped.at + 5:
                outcomes.append(call(lambda at: _read(database, at), Deadline.after(0.1)))
            took_seconds = watch.seconds
        finally:
            private_server.thaw()

        assert isinstance(writing.exception(), RecordNotFoundError)
        assert isinstance(reading.result().error, DBConnectionError)
    assert took_seconds < OPERATION_SECONDS + PAST_DEADLINE_SECONDS
    assert Outcomes(outcomes).kinds == {DBConnectionError}
    Outcomes(outcomes[:-1]).require_in_time()


def _sleep_on(database: MySQLDatabase, deadline: Deadline) -> None:
    with database.read(deadline) as session:
        session.query("SELECT SLEEP(60)", {})


def _freeze_in_a_write(database: MySQLDatabase, server: MariaDBServer) -> None:
    with database.write(soon()) as session:
        session.query("SELECT 1", {})
        server.freeze()
        raise RecordNotFoundError("there is none")


def test_place_is_waited_for_by_the_deadline(private_server: MariaDBServer) -> None:
    with _database(private_server.port, places=1) as database, database.read(soon()):
        outcome = call(lambda deadline: _read(database, deadline), Deadline.after(0.2))

    assert isinstance(outcome.error, DBConnectionError)
    assert outcome.in_time


def test_restarted_server_is_used_by_the_first_call(private_server: MariaDBServer) -> None:
    """Connections of the one before are known for dead without being tried."""
    with _database(private_server.port) as database:
        for end in (private_server.stop, private_server.kill):
            _require_every_place(database)
            end()
            private_server.start()

            assert _all_at_once(database, PLACES, AMPLE_SECONDS).kinds == set()


def test_server_that_was_gone_is_used_by_the_first_call(private_server: MariaDBServer) -> None:
    """Without a pause after the failures before; and then by all at once."""
    with _database(private_server.port) as database:
        private_server.stop()
        failed = _all_at_once(database, THREADS, AMPLE_SECONDS)
        private_server.start()
        outcome = call(lambda deadline: _read(database, deadline), Deadline.after(AMPLE_SECONDS))
        _require_every_place(database)

    assert failed.kinds == {DBConnectionError}
    assert all(each.late_seconds < 0 for each in failed.each)
    assert outcome.error is None


def test_connections_that_were_forgotten_cost_one_call(private_server: MariaDBServer) -> None:
    """A firewall says nothing: after one loss the others are asked before they are used."""
    with proxy(private_server.port) as standing, _database(standing.port) as database:
        _require_every_place(database)
        standing.forget()
        first = call(lambda deadline: _read(database, deadline), Deadline.after(1.2))
        outcomes = _all_at_once(database, PLACES - 1, AMPLE_SECONDS)

    assert isinstance(first.error, DBConnectionError)
    assert outcomes.kinds == set()


def test_server_that_refused_is_tried_by_all_at_once(private_server: MariaDBServer) -> None:
    """It is there: nobody has to find out first whether it is back."""
    url = f"mysql://late@127.0.0.1:{private_server.port}/mysql?pool_size={PLACES}"
    with (
        closing(MySQLDatabase(parse_url(url))) as database,
        closing(private_server.connect()) as other,
    ):
        refused = call(lambda deadline: _read(database, deadline), soon())
        other.query("CREATE USER late@'%'")
        try:
            other.query("GRANT ALL ON *.* TO late@'%'")
            _require_every_place(database)
        finally:
            other.query("DROP USER late@'%'")

    assert isinstance(refused.error, DBConnectionError)


@pytest.mark.parametrize(
    ("connecting", "connected"),
    [(b"SET SESSION", b""), (b"", b"SELECT 1"), (b"", b"COMMIT")],
    ids=["connecting", "statement", "commit"],
)
def test_loss_has_the_others_asked_before_they_are_used(
    private_server: MariaDBServer, connecting: bytes, connected: bytes
) -> None:
    """Wherever it happened: the connections that were open then may be gone as well."""

    def lose(deadline: Deadline) -> None:
        standing.lose_answer_to(connecting)
        with database.write(deadline) as session:
            standing.lose_answer_to(connected)
            session.query("SELECT 1", {})

    with proxy(private_server.port) as standing, _database(standing.port, places=2) as database:
        with database.read(soon()) as session:
            session.query("SELECT 2", {})
            lost = call(lose, soon())
        standing.forget()
        outcomes = _all_at_once(database, 2, AMPLE_SECONDS)

    assert isinstance(lost.error, DBConnectionError)
    assert outcomes.kinds == set()


def _jump(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let that much time pass at once."""
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + seconds)


def test_connections_that_were_quiet_for_long_are_asked_first(
    private_server: MariaDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall has forgotten them: no call is lost for that."""
    with proxy(private_server.port) as standing, _database(standing.port) as database:
        _require_every_place(database)
        standing.forget()
        _jump(monkeypatch, IDLE_SECONDS + 1)

        outcomes = _all_at_once(database, PLACES, AMPLE_SECONDS)

    assert outcomes.kinds == set()


def test_connection_that_was_quiet_and_answers_is_kept(
    private_server: MariaDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And asked once, not each time."""
    with _database(private_server.port, places=1) as database:
        before = _numbers(database)
        _jump(monkeypatch, IDLE_SECONDS + 1)

        after = [_numbers(database) for _ in range(2)]

    assert [connection for connection, _ in after] == [before[0]] * 2
    assert [pings - before[1] for _, pings in after] == [1, 1]


def _numbers(database: MySQLDatabase) -> tuple[object, int]:
    """Return which connection it is, and how many pings the server has had."""
    with database.read(soon()) as session:
        (row,) = session.query("SELECT CONNECTION_ID() AS id", {})
        (status,) = session.query("SHOW GLOBAL STATUS LIKE 'Com_admin_commands'", {})
    return row["id"], int(status["Value"])


def test_statement_that_is_not_taken_holds_nobody(private_server: MariaDBServer) -> None:
    """More of it than fits into what lies between us and a frozen server."""
    long = "x" * 15_000_000

    def send(deadline: Deadline) -> None:
        with database.read(deadline) as session:
            private_server.freeze()
            session.query("SELECT :long", {"long": long})

    with _database(private_server.port, places=1) as database:
        _read(database, soon())
        try:
            outcome = call(send, Deadline.after(0.5))
        finally:
            private_server.thaw()

    assert isinstance(outcome.error, DBConnectionError)
    assert outcome.in_time


def test_late_caller_casts_no_suspicion(private_server: MariaDBServer) -> None:
    """Who allowed too little time shows nothing of the server: no connection is asked."""
    with _database(private_server.port) as database:
        _require_every_place(database)
        outcomes = [_hurried(database) for _ in range(3)]
        with database.read(soon()) as session:
            pings = session.query("SHOW GLOBAL STATUS LIKE 'Com_admin_commands'", {})
            again = session.query("SHOW GLOBAL STATUS LIKE 'Com_admin_commands'", {})
        _require_every_place(database)
        with database.read(soon()) as session:
            after = session.query("SHOW GLOBAL STATUS LIKE 'Com_admin_commands'", {})

    assert all(isinstance(outcome.error, DBConnectionError) for outcome in outcomes)
    assert pings == again == after


def _hurried(database: MySQLDatabase) -> Outcome:
    def sleep(deadline: Deadline) -> None:
        with database.read(deadline) as session:
            session.query("SELECT SLEEP(0.3)", {})

    return call(sleep, Deadline.after(0.05))
