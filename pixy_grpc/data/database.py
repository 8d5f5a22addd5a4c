"""What the repository needs of a database, so that it is written once for all of them.

SQL keeps to what SQLite, MySQL 8.0 and MariaDB 10.6 all accept, with named parameters
(`:name`) only. Times are text, `YYYY-MM-DD HH:MM:SS` in UTC.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError, ImageException

Row = dict[str, Any]
Parameters = Mapping[str, object]

_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for the zero date: no TIMESTAMP of MySQL is so early."""

_ZERO_DATE = "0000-00-00"
"""What an older MySQL kept for a time that did not parse."""


def time_text(moment: datetime) -> str:
    """Return an aware time as the databases keep it."""
    return moment.astimezone(UTC).strftime(_TIME_FORMAT)


def time_value(text: str) -> datetime:
    """Return the aware time that a database keeps, EPOCH for the zero date."""
    if text.startswith(_ZERO_DATE):
        return EPOCH
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def late(deadline: Deadline) -> ImageException:
    """Return the error for a cap of ours that has passed.

    Raises DeadlineTooShortError where it was the caller's own deadline.
    """
    if deadline.from_caller:
        deadline.check()
    return DBConnectionError("The database did not answer in time. Try again later.")


@dataclass(frozen=True)
class Dialect:
    """Where SQL cannot be the same for all.

    `name` is the folder of its migrations. `before` and `until` are conditions on
    `i.created_at` and `i.id`, in the form the engine answers from its index: behind
    (:after_time, :after_row) in the order of the list, and not behind (:end_time,
    :end_row). `for_update` ends a SELECT that locks what it read.
    """

    name: str
    before: str
    until: str
    for_update: str


class Session(Protocol):
    """One borrowed connection."""

    def query(self, sql: str, parameters: Parameters) -> list[Row]:
        """Return every row, its values by column name."""

    def execute(self, sql: str, parameters: Parameters) -> int:
        """Run a statement; return the number of rows it met."""

    def insert(self, sql: str, parameters: Parameters) -> int:
        """Insert one row; return the id it was given."""

    def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """Run a statement once for each set of parameters."""


class Database(Protocol):
    """Lends sessions, and turns every error of the driver into one of ours.

    Both contexts raise DBConnectionError, DeadlineTooShortError; `write` further
    ConstraintViolationError, TransactionConflictError and StorageFullError, and has then
    changed nothing.
    """

    @property
    def dialect(self) -> Dialect:
        """How to speak to it."""

    @property
    def connections(self) -> int:
        """The most sessions that are lent at a time."""

    def read(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Lend a session whose statements each see what was committed before them."""

    def write(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Lend a session in a transaction, committed durably where the block ends well."""

    def close(self) -> None:
        """Close every connection; what is still lent is cut, or closed when it comes back."""


def among(
    database: Database, statement: str, values: Collection[str], deadline: Deadline
) -> list[Row]:
    """Query with a list of values in place of the braces; nothing is asked for none."""
    if not values:
        return []
    parameters = {f"value{number}": value for number, value in enumerate(values)}
    names = ", ".join(f":{name}" for name in parameters)
    with database.read(deadline) as session:
        return session.query(statement.format(names), parameters)
