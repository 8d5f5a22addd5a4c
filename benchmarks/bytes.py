"""`make bench-bytes`: how fast GetImageBytes is beside bare grpcio, FastAPI and nginx.

All are read in turns, in the same run, by the same process, from one server process each,
over loopback. A ratio is the median of those of every round, like against like.
"""

import statistics
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import contestants, stalled
from benchmarks.contestants import Contestant
from tests.e2e.rooms.large import MEBIBYTE, add_image
from tests.support.process import serving

LARGE_BYTES = 64 * MEBIBYTE
SMALL_BYTES = 3 * MEBIBYTE // 2
ROUNDS = 24
SMALL_IN_A_ROUND = 20
LEAST_OF_BARE = 0.85
LEAST_OF_FASTAPI = 1.5

_console = Console()


def main() -> None:
    """Measure, print."""
    with ExitStack() as opened, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = opened.enter_context(serving(folder, PIXY_STALL_SECONDS="3600"))
        plain = folder / "plain"
        plain.mkdir()
        guids = {size: _image(folder, plain, size) for size in (LARGE_BYTES, SMALL_BYTES)}
        files = {size: f"{size}.png" for size in guids}
        all_of_them = [
            *contestants.ours(opened, process, guids),
            *contestants.bare(opened),
            contestants.fastapi(opened, plain, files),
            contestants.nginx(opened, plain, files, folder / "nginx"),
        ]
        for number in range(ROUNDS):
            _run(all_of_them if number % 2 else reversed(all_of_them))
        _console.print(_figures(all_of_them))
        _console.print(_ratios(all_of_them))
        _console.print(stalled.table(process, guids[LARGE_BYTES]))


def _image(folder: Path, plain: Path, size: int) -> str:
    """Return a new image's guid; put a copy of its file where others serve it from."""
    guid, data = add_image(folder, size / MEBIBYTE)
    (plain / f"{size}.png").write_bytes(data)
    return guid


def _run(in_turn: Iterable[Contestant]) -> None:
    for contestant in in_turn:
        contestant.run(LARGE_BYTES, 1)
        contestant.run(SMALL_BYTES, SMALL_IN_A_ROUND)


def _figures(all_of_them: list[Contestant]) -> Table:
    table = Table("one process, one reader", "64 MB", "1.5 MB", "CPU s a GB", "first byte")
    for each in all_of_them:
        table.add_row(
            each.name,
            f"{statistics.median(each.rates[LARGE_BYTES]):,.0f} MB/s",
            f"{statistics.median(each.rates[SMALL_BYTES]):,.0f} MB/s",
            f"{each.cpu_seconds / each.read_bytes * 1e9:.2f}",
            f"{statistics.median(each.first_ms[SMALL_BYTES]):.2f} ms",
        )
    return table


def _ratios(all_of_them: list[Contestant]) -> Table:
    ours, by_stub, hashed, hashed_by_stub, plain, fastapi, _ = all_of_them
    table = Table("times the rate of", "64 MB", "1.5 MB", "")
    for one, other, least in (
        (ours, hashed, f"at least {LEAST_OF_BARE} on 64 MB"),
        (by_stub, hashed_by_stub, ""),
        (by_stub, hashed, ""),
        (ours, plain, ""),
        (ours, fastapi, f"at least {LEAST_OF_FASTAPI}"),
        (by_stub, fastapi, ""),
    ):
        ratios = [f"{_ratio(one, other, size):.2f}" for size in (LARGE_BYTES, SMALL_BYTES)]
        table.add_row(f"{one.name} / {other.name}", *ratios, least)
    return table


def _ratio(one: Contestant, other: Contestant, size: int) -> float:
    rounds = zip(one.rates[size], other.rates[size], strict=True)
    return statistics.median(mine / theirs for mine, theirs in rounds)


if __name__ == "__main__":
    main()
