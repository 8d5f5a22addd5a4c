"""`make bench-db`: what details and lists cost at a million rows, on a real MariaDB.

Every figure is a median over interleaved rounds, beside the figure that it is held
against in the same run.
"""

import statistics
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pymysql
from rich.console import Console
from rich.table import Table

from benchmarks import million
from pixy_grpc.core.call import Deadline
from pixy_grpc.core.ports import PageQuery, Position, StoredImage
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.init import migrate
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.support.mariadb import MariaDBServer, connect

FOLDER = Path(".bench/db").absolute()
DATABASE = "pixy_bench"
ROUNDS = 60
LOOKUPS = 2_000
PAGE = 50
PAGE_BYTES = 1024 * 1024
SECONDS = 60.0

_SERVER_OPTIONS = (
    "--innodb-buffer-pool-size=2G",
    "--innodb-log-file-size=512M",
    "--innodb-flush-log-at-trx-commit=0",
    "--local-infile=1",
)

_console = Console()


def main() -> None:
    """Build what is missing, measure, print."""
    server = _server()
    try:
        with closing(MySQLDatabase(parse_url(f"{server.url}/{DATABASE}"))) as database:
            repository = SqlImageRepository(database)
            _console.print(_pages(repository))
            _console.print(_apart(repository))
            _console.print(_lookups(server, database, repository))
    finally:
        server.stop()
        server.leave()


def _server() -> MariaDBServer:
    built = (FOLDER / "built").exists()
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = MariaDBServer(*_SERVER_OPTIONS, folder=FOLDER)
    server.start()
    if not built:
        with closing(connect(server.url)) as connection:
            connection.cursor().execute(f"DROP DATABASE IF EXISTS {DATABASE}")
            connection.cursor().execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        with closing(MySQLDatabase(parse_url(f"{server.url}/{DATABASE}"))) as database:
            migrate(database, Deadline.after(SECONDS))
        with closing(_loader(server)) as connection:
            million.build(connection, FOLDER)
        (FOLDER / "built").touch()
    return server


def _loader(server: MariaDBServer) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
    return pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user="root",
        database=DATABASE,
        autocommit=True,
        charset="utf8mb4",
        local_infile=True,
        ssl_disabled=True,
    )


@dataclass
class Case:
    """One kind of page; at most so many times the first unfiltered page."""

    name: str
    query: PageQuery
    most: float


def _cases() -> list[Case]:
    deep = million.EPOCH + timedelta(
        seconds=(million.IMAGES - 10_000 * PAGE) * million.SECONDS_BETWEEN
    )
    middle = million.EPOCH + timedelta(seconds=million.IMAGES // 2 * million.SECONDS_BETWEEN)
    window = ImageFilter(created_after=middle, created_before=middle + timedelta(hours=6))
    filters = {
        "time window": window,
        "filename prefix in half": ImageFilter(filename=million.COMMON_PREFIX),
        "filename prefix in ten": ImageFilter(filename=million.RARE_PREFIX),
        "filename prefix in none": ImageFilter(filename=million.ABSENT_PREFIX),
        "word in half": ImageFilter(prompt=million.COMMON_WORD),
        "word in ten": ImageFilter(prompt=million.RARE_WORD),
        "word in none": ImageFilter(prompt=million.ABSENT_WORD),
        "prefix + word + window": replace(
            window, prompt=million.COMMON_WORD, filename=million.COMMON_PREFIX
        ),
    }
    position = Position(deep, million.IMAGES - 10_000 * PAGE)
    return [
        Case("first page", _query(ImageFilter()), 1.0),
        Case("10,000 pages deep", _query(ImageFilter(), position), 1.2),
        *(Case(name, _query(sought), 3.0) for name, sought in filters.items()),
    ]


def _query(sought: ImageFilter, after: Position | None = None) -> PageQuery:
    return PageQuery(sought, after, PAGE, PAGE_BYTES)


def _pages(repository: SqlImageRepository) -> Table:
    cases = _cases()
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    found = {}
    for _ in range(ROUNDS):
        for case in cases:
            start = time.perf_counter()
            page = repository.list_page(case.query, Deadline.after(SECONDS))
            times[case.name].append(time.perf_counter() - start)
            found[case.name] = len(page.images)
    first = statistics.median(times["first page"])
    table = Table("page of 50", "images", "ms", "images/s", "times first page", "at most")
    for case in cases:
        median = statistics.median(times[case.name])
        table.add_row(
            case.name,
            str(found[case.name]),
            f"{median * 1000:.2f}",
            f"{found[case.name] / median:,.0f}",
            f"{median / first:.2f}",
            f"{case.most:.1f}",
        )
    return table


def _apart(repository: SqlImageRepository) -> Table:
    """Measure two common words that meet in ten rows, and lookups beside that search."""
    guid = repository.list_page(_query(ImageFilter()), Deadline.after(SECONDS)).images[0].image.guid
    idle = _timed(lambda: repository.get(guid, Deadline.after(SECONDS)), 2_000)
    calls: list[float] = []
    found: list[StoredImage] = []
    done = threading.Event()

    def search() -> None:
        after: Position | None = None
        while True:
            start = time.perf_counter()
            page = repository.list_page(
                _query(ImageFilter(prompt=" ".join(million.OPPOSITES)), after),
                Deadline.after(SECONDS),
            )
            calls.append(time.perf_counter() - start)
            found.extend(page.images)
            after = page.next
            if after is None:
                done.set()
                return

    searching = threading.Thread(target=search)
    searching.start()
    beside: list[float] = []
    while not done.is_set():
        beside += _timed(lambda: repository.get(guid, Deadline.after(SECONDS)), 20)
    searching.join()
    table = Table("two words in half the rows, together in ten", "")
    table.add_row("images found", str(len(found)))
    table.add_row("calls to the end of the list", str(len(calls)))
    table.add_row("longest call, ms", f"{max(calls) * 1000:.0f}")
    table.add_row("lookup, idle, ms (median, 99th)", _spread(idle))
    table.add_row("lookup, beside the search, ms", _spread(beside))
    return table


def _spread(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"{cuts[49] * 1000:.2f}, {cuts[98] * 1000:.2f}"


def _timed(work: Callable[[], object], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def _lookups(
    server: MariaDBServer, database: MySQLDatabase, repository: SqlImageRepository
) -> Table:
    guid = repository.list_page(_query(ImageFilter()), Deadline.after(SECONDS)).images[0].image.guid
    ours: list[float] = []
    bare: list[float] = []
    borrow: list[float] = []
    with closing(_loader(server)) as connection:
        for _ in range(LOOKUPS // 50):
            ours += _timed(lambda: repository.get(guid, Deadline.after(SECONDS)), 50)
            bare += _timed(lambda: _bare(connection, guid), 50)
            borrow += _timed(_borrow(database), 50)
    table = Table("one thread", "us", "ratio", "at most")
    query, lookup = statistics.median(bare) * 1e6, statistics.median(ours) * 1e6
    table.add_row("bare PyMySQL, the same query", f"{query:.0f}", "1.00", "")
    table.add_row("repository.get", f"{lookup:.0f}", f"{lookup / query:.2f}", "1.3")
    table.add_row("borrow and return", f"{statistics.median(borrow) * 1e6:.1f}", "", "10 us")
    return table


_LOOKUP = """
    SELECT i.id, i.guid, i.filename, i.prompt, i.created_at, i.updated_at,
        c.store_key, c.content_type, c.size_bytes, c.sha256, c.block_digests,
        c.width, c.height, c.generator, c.model
    FROM images i LEFT JOIN image_contents c ON c.image_id = i.id WHERE i.guid = %(guid)s
"""


def _bare(
    connection: "pymysql.connections.Connection[pymysql.cursors.Cursor]", guid: str
) -> object:
    with connection.cursor() as cursor:
        cursor.execute(_LOOKUP, {"guid": guid})
        return cursor.fetchall()


def _borrow(database: MySQLDatabase) -> Callable[[], None]:
    """Return a borrow and return; its deadline is made by whoever calls the service."""
    deadline = Deadline.after(SECONDS)

    def borrow() -> None:
        with database.read(deadline):
            pass

    return borrow


if __name__ == "__main__":
    main()
