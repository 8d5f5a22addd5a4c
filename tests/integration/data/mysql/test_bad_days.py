"""What callers see of a database that is killed, frozen, full, locked or cut off.

Each call ends by its deadline, with the error that says what to do; nothing that was
acknowledged is lost, nothing is stored twice, and soon after the database's return all is
as before.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from pymysql import OperationalError
from pymysql.connections import Connection

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    StorageFullError,
)
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import NewImage
from pixy_grpc.data.init import migrate
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.integration.data.examples import (
    NOON,
    add,
    listed,
    new_guid,
    new_image,
    soon,
)
from tests.integration.data.mysql.faults import (
    Outcomes,
    Proxy,
    call,
    call_at_once,
    proxy,
    require_recovery,
)
from tests.support.mariadb import MariaDBServer, connect, fresh_database

FREEZE_SECONDS = 20.0
"""How long the database is frozen: longer than every call waits."""

BACKOFF_SECONDS = 0.05
"""What a caller waits before it asks again: while the database is down it is refused at
once, and would do nothing else."""

AT_ONCE_SECONDS = 10.0
"""How much of its time is left to who is refused at once."""

CON_COUNT_ERROR = 1040

CALLERS = 12
CALL_SECONDS = 2.0


@pytest.fixture
def url(private_server: MariaDBServer) -> Iterator[str]:
    """Name a new, empty database on a server that may be done anything to."""
    with fresh_database(private_server.url) as fresh:
        yield fresh


class Callers:
    """Threads that add images for as long as it takes, and go on after what fails."""

    def __init__(self, repository: SqlImageRepository) -> None:
        self._repository = repository
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CALLERS)]
        self.outcomes = Outcomes()
        self.acknowledged: set[str] = set()
        self.kept = threading.Semaphore(0)

    def stop(self) -> None:
        """Let each end with what it is at, and fail if one was late."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self.outcomes.require_in_time()

    def start(self) -> None:
        """Start, and return when a good many images are kept."""
        for thread in self._threads:
            thread.start()
        self.await_kept()

    def await_kept(self) -> None:
        """Return when a good many more images are kept."""
        while self.kept.acquire(blocking=False):
            pass
        for _ in range(CALLERS * 3):
            assert self.kept.acquire(timeout=30)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._keep(new_image())

    def _keep(self, new: NewImage) -> None:
        """Add an image, as a client does that asks again with the same request id."""
        while not self._stopped.is_set():
            outcome = call(lambda deadline: self._repository.add(new, deadline), _deadline())
            self.outcomes.each.append(outcome)
            if outcome.error is None or isinstance(outcome.error, ConstraintViolationError):
                self.acknowledged.add(new.guid)
                self.kept.release()
                return
            self._stopped.wait(BACKOFF_SECONDS)


@contextmanager
def _callers(repository: SqlImageRepository) -> Iterator[Callers]:
    callers = Callers(repository)
    callers.start()
    try:
        yield callers
    finally:
        callers.stop()


def _deadline() -> Deadline:
    return Deadline.after(CALL_SECONDS)


def _require_kept(repository: SqlImageRepository, callers: Callers) -> None:
    """Fail unless each acknowledged image is there, and each request's once."""
    stored = Counter(listed(repository, limit=1_000))
    assert callers.acknowledged <= stored.keys()
    assert set(stored.values()) == {1}


def _require_recovery(repository: SqlImageRepository) -> None:
    require_recovery(repository.ping, CALLERS)


def test_kill_under_load_loses_nothing(
    private_server: MariaDBServer, repository: SqlImageRepository
) -> None:
    """It keeps what it acknowledged; callers that ask again have one image each."""
    with _callers(repository) as callers:
        private_server.kill()
        private_server.start()
        _require_recovery(repository)
        callers.await_kept()

    assert callers.outcomes.kinds <= {DBConnectionError, ConstraintViolationError}
    assert DBConnectionError in callers.outcomes.kinds
    _require_kept(repository, callers)


@pytest.mark.timeout(600)
def test_freeze_under_load_loses_nothing(
    private_server: MariaDBServer, repository: SqlImageRepository
) -> None:
    """What was sent before may still be done after: asking again finds it."""
    with _callers(repository) as callers:
        private_server.freeze()
        try:
            threading.Event().wait(FREEZE_SECONDS)
        finally:
            private_server.thaw()
        _require_recovery(repository)
        callers.await_kept()

    assert callers.outcomes.kinds <= {DBConnectionError, ConstraintViolationError}
    assert DBConnectionError in callers.outcomes.kinds
    _require_kept(repository, callers)


def test_connections_used_up_are_waited_out(
    private_server: MariaDBServer, database: MySQLDatabase, url: str
) -> None:
    """Who needs a new one is told at once, and has it as soon as there is one."""
    assert database.dialect.name == "mysql"  # its tables are what is asked for
    with (
        _as_plain_user(private_server, url) as plain,
        closing(MySQLDatabase(parse_url(plain))) as another,
    ):
        others = _use_up_connections(plain)
        outcome = call(SqlImageRepository(another).ping, soon())
        for other in others:
            other.close()
        require_recovery(SqlImageRepository(another).ping, 4)

    assert isinstance(outcome.error, DBConnectionError)
    assert outcome.late_seconds < -AT_ONCE_SECONDS


def test_connection_killed_between_two_statements_changes_nothing(
    database: MySQLDatabase, private_server: MariaDBServer
) -> None:
    """The second is not sent over another connection, as a transaction of its own."""
    with pytest.raises(DBConnectionError):
        _insert_around_a_kill(database, private_server)

    repository = SqlImageRepository(database)
    assert listed(repository) == []
    add(repository)


def test_connection_killed_while_idle_is_not_noticed(
    repository: SqlImageRepository, private_server: MariaDBServer
) -> None:
    repository.ping(soon())
    with closing(private_server.connect()) as other:
        _kill_all_but(other)

    repository.ping(soon())


@pytest.mark.parametrize("where", ["before", "behind"])
def test_lost_commit_is_told_and_found(
    private_server: MariaDBServer, url: str, repository: SqlImageRepository, where: str
) -> None:
    """Whichever way it went, reading again tells; the same call again makes no second one."""
    with proxy(private_server.port) as standing, _through(standing, url) as cut_off:
        cut_off.ping(soon())
        new = new_image()
        standing.lose_answer_to(b"COMMIT" if where == "behind" else b"INSERT INTO images")
        first = call(lambda deadline: cut_off.add(new, deadline), _deadline())
        kept = listed(repository)
        again = call(lambda deadline: cut_off.add(new, deadline), _deadline())

        assert standing.lost.is_set()

    assert isinstance(first.error, DBConnectionError)
    assert kept == ([new.guid] if where == "behind" else [])
    assert isinstance(again.error, ConstraintViolationError) is (where == "behind")
    assert listed(repository) == [new.guid]


@pytest.mark.parametrize("act", ["read", "write"])
def test_statement_whose_answer_is_lost_is_not_run_again(
    private_server: MariaDBServer, url: str, act: str
) -> None:
    """On its own it was done, once; in a transaction it was not done."""
    with (
        closing(MySQLDatabase(parse_url(url))) as database,
        proxy(private_server.port) as standing,
        closing(MySQLDatabase(replace(parse_url(url), port=standing.port))) as cut_off,
    ):
        with database.write(soon()) as session:
            session.execute("CREATE TABLE counted (n INT)", {})
        standing.lose_answer_to(b"INSERT INTO counted")
        with pytest.raises(DBConnectionError), getattr(cut_off, act)(soon()) as session:
            session.execute("INSERT INTO counted VALUES (1)", {})
        with database.read(soon()) as session:
            rows = session.query("SELECT n FROM counted", {})

    assert len(rows) == (1 if act == "read" else 0)


def test_commit_that_is_not_answered_is_unavailability(
    private_server: MariaDBServer, repository: SqlImageRepository, database: MySQLDatabase
) -> None:
    """Also past the caller's own deadline, which would say that nothing was changed."""
    deadline = Deadline.after(0.5, from_caller=True)
    try:
        outcome = call(lambda at: _add_and_freeze(database, private_server, at), deadline)
    finally:
        private_server.thaw()

    assert isinstance(outcome.error, DBConnectionError)
    assert "commit" in outcome.error.message
    assert outcome.late_seconds > 0
    assert outcome.in_time
    assert len(listed(repository)) <= 1


def test_read_only_server_refuses_changes_and_serves_reads(
    private_server: MariaDBServer, repository: SqlImageRepository, url: str
) -> None:
    image = add(repository).image
    with (
        _as_plain_user(private_server, url) as plain,
        closing(MySQLDatabase(parse_url(plain))) as database,
        closing(private_server.connect()) as other,
    ):
        ours = SqlImageRepository(database)
        other.query("SET GLOBAL read_only = 1")
        errors = [
            call(lambda deadline: _add(ours, deadline), _deadline()).error,
            call(lambda deadline: _rename(ours, image.guid, deadline), _deadline()).error,
            call(lambda deadline: ours.delete(image.guid, deadline), _deadline()).error,
        ]
        found = ours.get(image.guid, soon()).image
        other.query("SET GLOBAL read_only = 0")
        add(ours)

    assert [type(error) for error in errors] == [DBConnectionError] * 3
    assert found == image


def test_full_server_changes_nothing_and_serves_reads() -> None:
    """A disk that is full looks like a table space that may not grow."""
    server = MariaDBServer(
        "--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M;ibdata2:8M"
    )
    try:
        server.start()
        with fresh_database(server.url) as url, closing(MySQLDatabase(parse_url(url))) as database:
            migrate(database, soon())
            _require_full(SqlImageRepository(database))
    finally:
        server.remove()


def _require_full(repository: SqlImageRepository) -> None:
    new, kept = new_image("x" * 30_000), set[str]()
    while not (error := call(lambda at: repository.add(new, at), soon()).error):  # noqa: B023
        kept.add(new.guid)
        new = new_image("x" * 30_000)

    assert isinstance(error, StorageFullError)
    assert kept
    assert set(listed(repository)) == kept
    repository.delete(kept.pop(), soon())


def test_lock_wait_under_load_delays_nobody_else(repository: SqlImageRepository, url: str) -> None:
    """Callers that wait for a row end in time, and places are left for the others."""
    image = add(repository).image
    with closing(connect(url, parse_url(url).database)) as other:
        other.begin()
        other.query("UPDATE images SET filename = 'theirs'")
        outcomes = call_at_once(
            lambda deadline: _rename(repository, image.guid, deadline), CALLERS, 1.0
        )
        other.rollback()

    outcomes.require_in_time()
    assert outcomes.kinds == {DBConnectionError}
    assert repository.get(image.guid, soon()).image == image
    _rename(repository, image.guid, soon())


def _add(repository: SqlImageRepository, deadline: Deadline) -> None:
    repository.add(new_image(), deadline)


def _rename(repository: SqlImageRepository, guid: str, deadline: Deadline) -> None:
    repository.update(guid, ImageUpdate(filename="ours"), NOON, deadline)


def _insert_around_a_kill(database: MySQLDatabase, server: MariaDBServer) -> None:
    sql = "INSERT INTO images (guid, filename, prompt) VALUES (:guid, 'f', 'p')"
    with database.write(soon()) as session, closing(server.connect()) as other:
        session.insert(sql, {"guid": new_guid()})
        _kill_all_but(other)
        session.insert(sql, {"guid": new_guid()})


def _add_and_freeze(database: MySQLDatabase, server: MariaDBServer, deadline: Deadline) -> None:
    sql = "INSERT INTO images (guid, filename, prompt) VALUES (:guid, 'f', 'p')"
    with database.write(deadline) as session:
        session.insert(sql, {"guid": new_guid()})
        server.freeze()


def _kill_all_but(connection: Connection) -> None:
    """End every connection of the pool, as an operator would."""
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM information_schema.processlist WHERE db LIKE 'pixy_test_%'")
    for (number,) in cursor.fetchall():
        cursor.execute(f"KILL {number}")


@contextmanager
def _through(standing: Proxy, url: str) -> Iterator[SqlImageRepository]:
    """Keep images in the same database, by way of the proxy."""
    address = replace(parse_url(url), port=standing.port)
    with closing(MySQLDatabase(address)) as database:
        yield SqlImageRepository(database)


@contextmanager
def _as_plain_user(server: MariaDBServer, url: str) -> Iterator[str]:
    """Yield the URL for a user whom limits and read_only hold for, as they do not for root."""
    with closing(server.connect()) as other:
        other.query("CREATE USER plain@'%'")
        other.query("GRANT ALL ON *.* TO plain@'%'")
        other.query("REVOKE SUPER, READ_ONLY ADMIN, CONNECTION ADMIN ON *.* FROM plain@'%'")
        other.query("SET GLOBAL max_connections = 20")
        try:
            yield url.replace("root@", "plain@")
        finally:
            other.query("SET GLOBAL max_connections = 151, GLOBAL read_only = 0")
            other.query("DROP USER plain@'%'")


def _use_up_connections(url: str) -> list[Connection]:
    others: list[Connection] = []
    while True:
        try:
            others.append(connect(url))
        except OperationalError as error:
            if error.args[0] != CON_COUNT_ERROR:
                raise
            return others
