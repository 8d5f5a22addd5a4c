"""What is in the way of SQLite: other programs at the file, and work without end."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ENDLESS = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
    SELECT COUNT(*) AS n FROM numbers
"""


@contextmanager
def other_connection(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file without any code of ours, as another program would."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        yield connection


@contextmanager
def other_writer(path: Path) -> Iterator[None]:
    """Hold the write lock."""
    with other_connection(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
