"""`make bench-create`: what a creation adds to the provider's own time, and what a thousand
of them at once cost everybody else.

The provider's own time is that of the same exchange over a bare HTTP connection, in
turns with creations in the same run.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import storm
from benchmarks.provider import BenchProvider, running_provider
from pixy_client import Client
from tests.support.mariadb import MariaDBServer, fresh_database
from tests.support.process import serving

ROUNDS = 20
IN_A_ROUND = 10
MOST_ADDED_MS = 25.0

_console = Console()


def main() -> None:
    """Measure, print."""
    with database_server() as mariadb, running_provider(0) as provider:
        _console.print(_added(provider, mariadb))
    with database_server() as mariadb, storm.provider() as provider:
        _console.print(storm.table(provider, mariadb))


@contextmanager
def database_server() -> Iterator[str]:
    """Lend the URL of an empty database of a MariaDB that flushes at every commit."""
    server = MariaDBServer("--innodb-flush-log-at-trx-commit=1")
    server.start()
    try:
        with fresh_database(server.url) as url:
            yield url
    finally:
        server.stop()
        server.remove()


def settings_of(provider: BenchProvider, **settings: str) -> dict[str, str]:
    """Return the settings of a server that asks this provider."""
    return {
        "PIXY_GENERATOR": "openai",
        "PIXY_OPENAI_MODEL": "bench",
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": provider.base_url,
        **settings,
    }


def _added(provider: BenchProvider, mariadb: str) -> Table:
    with ExitStack() as opened:
        creations = {
            name: _creation(opened, settings_of(provider, PIXY_DATABASE_URL=url))
            for name, url in {"SQLite": "sqlite:///pixy.db", "MariaDB": mariadb}.items()
        }
        acts = {"bare": _exchange(opened, provider), **creations}
        for act in acts.values():
            _timed(act, IN_A_ROUND)
        times: dict[str, list[float]] = {name: [] for name in acts}
        for _ in range(ROUNDS):
            for name, act in acts.items():
                times[name] += _timed(act, IN_A_ROUND)
    bare = statistics.median(times.pop("bare"))
    table = Table("a 1.5 MB PNG, one caller", "ms, median", "added", "at most")
    table.add_row("the provider alone, bare HTTP", f"{bare:.1f}", "", "")
    for name, taken in times.items():
        median = statistics.median(taken)
        table.add_row(
            f"a creation on {name} and a folder",
            f"{median:.1f}",
            f"{median - bare:.1f}",
            f"{MOST_ADDED_MS:.0f}",
        )
    return table


def _creation(opened: ExitStack, settings: dict[str, str]) -> Callable[[], object]:
    folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
    process = opened.enter_context(serving(folder, **settings))
    client: Client = opened.enter_context(process.server.client())
    return lambda: client.create("a red fox in the snow")


def _exchange(opened: ExitStack, provider: BenchProvider) -> Callable[[], object]:
    connection = HTTPConnection("127.0.0.1", provider.port)
    opened.callback(connection.close)
    body = json.dumps({"model": "bench", "prompt": "a red fox in the snow", "n": 1})

    def exchange() -> bytes:
        connection.request("POST", "/v1/images/generations", body)
        return connection.getresponse().read()

    return exchange


def _timed(act: Callable[[], object], times: int) -> list[float]:
    """Return milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


if __name__ == "__main__":
    main()
