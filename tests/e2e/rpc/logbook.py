"""The log as it would be written, kept in memory and read by its format."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pixy_grpc.logs import CallFormatter

LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})"
    r" (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)"
    r" (?P<call_id>\S+)"
    r" \[(?P<thread>\d+)\]"
    r" \[(?P<method>\w+|<\w+>):(?P<line>\d+)\]"
    r" (?P<message>.+)"
)
"""DESIGN.md, section 5."""

CALL_ID = re.compile(r"(?P<host>[\w-]+)-\d{8}-\d{6}-\d{6}-(?P<thread>\d+)")
"""Host, date and time to the microsecond, thread id."""


WAIT_SECONDS = 60.0
"""Nothing in these tests is expected to take so long."""


@dataclass(frozen=True)
class Entry:
    """One event of the log: its line, and the lines of a traceback behind it."""

    text: str

    @property
    def line(self) -> str:
        """The line itself."""
        return self.text.split("\n", 1)[0]

    @property
    def traceback(self) -> str:
        """What follows it; empty for most."""
        return self.text.partition("\n")[2]

    def __getitem__(self, part: str) -> str:
        match = LINE.fullmatch(self.line)
        assert match, f"not in the format: {self.line}"
        return match[part]

    @property
    def pairs(self) -> dict[str, str]:
        """The key=value pairs of the message."""
        found = [word.partition("=") for word in self["message"].split(" ") if "=" in word]
        assert len({key for key, _, _ in found}) == len(found), f"keys repeat: {self.line}"
        return {key: value for key, _, value in found}


class LogBook(logging.Handler):
    """Keeps every event, formatted as the server formats it.

    `entries` are those of calls that began since: a stream that an earlier test gave up
    may end late.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(CallFormatter())
        self.entries: list[Entry] = []
        self._begun: set[str] = set()
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one event."""
        entry = Entry(self.format(record))
        with self._changed:
            if entry["message"] == "REQUEST START":
                self._begun.add(entry["call_id"])
            if entry["call_id"] in self._begun:
                self.entries.append(entry)
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """All of it, as a file would hold it."""
        return "\n".join(entry.text for entry in self.entries)

    def of(self, call_id: str) -> list[Entry]:
        """Return the events of one call."""
        return [entry for entry in self.entries if entry["call_id"] == call_id]

    def ended(self) -> list[Entry]:
        """Return the end of every call, in order."""
        return [entry for entry in self.entries if entry["message"].startswith("REQUEST END")]

    def await_end(self, method: str) -> Entry:
        """Wait for the end of a call whose client does not."""
        with self._changed:
            ends = self._changed.wait_for(
                lambda: [entry for entry in self.ended() if entry.pairs["method"] == method],
                WAIT_SECONDS,
            )
        return ends[0]


@contextmanager
def keeping_logs() -> Iterator[LogBook]:
    """Log as a server does, into a book, until the block ends."""
    ours, book = logging.getLogger("pixy_grpc"), LogBook()
    level = ours.level
    logging.getLogger().addHandler(book)
    ours.setLevel(logging.DEBUG)
    try:
        yield book
    finally:
        ours.setLevel(level)
        logging.getLogger().removeHandler(book)
