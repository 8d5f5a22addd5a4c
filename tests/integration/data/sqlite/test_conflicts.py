"""Reads and writes in each other's way: who waits for what, and with what in hand."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DBConnectionError,
    DeadlineTooShortError,
    TransactionConflictError,
)
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import PageQuery
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.database import Session
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import NOON, add, listed, new_image, soon
from tests.integration.data.sqlite.intruding import other_writer
from tests.support.stopwatch import Stopwatch


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


@pytest.mark.parametrize("from_caller", [True, False])
def test_write_behind_another_writer_ends_by_its_deadline(
    path: Path, repository: SqlImageRepository, *, from_caller: bool
) -> None:
    """It says that nothing was changed, and when to come back."""
    watch = Stopwatch()

    with other_writer(path), pytest.raises(TransactionConflictError) as raised:
        repository.add(new_image(), Deadline.after(0.2, from_caller=from_caller))

    assert watch.seconds < 1.2
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

    with ThreadPoolExecutor(3) as threads, other_writer(path):
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
        with other_writer(path):
            waiting = threads.submit(add, repository)
            while not waiting.running():
                threading.Event().wait(0.001)
        added = waiting.result(10)

    assert listed(repository) == [added.image.guid]


def test_read_does_not_wait_for_a_writer(path: Path, repository: SqlImageRepository) -> None:
    """It sees what was committed."""
    added = add(repository)

    with other_writer(path):
        found = repository.get(added.image.guid, Deadline.after(0.2))

    assert found == added


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
