"""A database whose writes are counted, and one of them interrupted."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.database import Database, Dialect, Session


class InterruptedDatabase:
    """A database that does something else before its n-th write, counted from 0."""

    def __init__(
        self, database: Database, write: int = -1, happens: Callable[[], object] = lambda: None
    ) -> None:
        self._database = database
        self._write = write
        self._happens = happens
        self.writes = 0

    @property
    def dialect(self) -> Dialect:
        """How to speak to it."""
        return self._database.dialect

    @property
    def connections(self) -> int:
        """The most sessions that are lent at a time."""
        return self._database.connections

    def read(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Lend a session."""
        return self._database.read(deadline)

    @contextmanager
    def write(self, deadline: Deadline) -> Iterator[Session]:
        """Lend a session, after what happens before it."""
        self.writes += 1
        if self.writes == self._write + 1:
            self._happens()
        with self._database.write(deadline) as session:
            yield session

    def close(self) -> None:
        """Close it."""
        self._database.close()
