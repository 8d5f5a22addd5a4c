"""`make bench-bytes`: how fast GetImageBytes is beside a bare grpcio stream, FastAPI and nginx.

All are read in turns, in the same run, by the same process, from one server process each,
over loopback.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import grpc
from rich.console import Console
from rich.table import Table

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.e2e.rooms.large import MEBIBYTE, add_image
from tests.support.process import ServeProcess, serving, wait_until

LARGE_BYTES = 64 * MEBIBYTE
SMALL_BYTES = 3 * MEBIBYTE // 2
ROUNDS = 12
SMALL_IN_A_ROUND = 40
LEAST_OF_BARE = 0.85
LEAST_OF_FASTAPI = 1.5
STALLED = 64
SETTLE_SECONDS = 3.0
_TICKS = os.sysconf("SC_CLK_TCK")
_READ_BYTES = MEBIBYTE

_console = Console()

Read = Callable[[int], int]
"""Reads an image of that size to its end; returns the nanoseconds to its first bytes."""


@dataclass
class Contestant:
    """One server, how it is read, and what came of it by size."""

    name: str
    pid: int
    read: Read
    rates: dict[int, list[float]] = field(default_factory=dict)
    first_ms: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    read_bytes: int = 0

    def run(self, size: int, times: int) -> None:
        """Read that often; note the rate of all, the time to the first byte, the CPU."""
        cpu, began = _cpu_seconds(self.pid), time.perf_counter()
        firsts = [self.read(size) / 1e6 for _ in range(times)]
        taken = time.perf_counter() - began
        self.cpu_seconds += _cpu_seconds(self.pid) - cpu
        self.read_bytes += size * times
        self.rates.setdefault(size, []).append(size * times / taken / 1e6)
        if size == SMALL_BYTES:
            self.first_ms += firsts

    def rate(self, size: int) -> float:
        """Return the median MB/s."""
        return statistics.median(self.rates[size])


def main() -> None:
    """Measure, print."""
    with ExitStack() as opened, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = opened.enter_context(serving(folder, PIXY_STALL_SECONDS="3600"))
        images = {size: _image(folder, size) for size in (LARGE_BYTES, SMALL_BYTES)}
        contestants = [
            _ours(opened, process, {size: guid for size, (guid, _) in images.items()}),
            *_bare(opened),
            _fastapi(opened, folder, {size: path.name for size, (_, path) in images.items()}),
            _nginx(opened, folder, {size: path.name for size, (_, path) in images.items()}),
        ]
        for _ in range(ROUNDS):
            for contestant in contestants:
                contestant.run(LARGE_BYTES, 1)
                contestant.run(SMALL_BYTES, SMALL_IN_A_ROUND)
        _console.print(_table(contestants))
        _console.print(_stalled(process, images[LARGE_BYTES][0]))


def _image(folder: Path, size: int) -> tuple[str, Path]:
    """Return an image's guid, and a plain copy of its file."""
    guid, data = add_image(folder, size / MEBIBYTE)
    (folder / "plain").mkdir(exist_ok=True)
    path = folder / "plain" / f"{size}.png"
    path.write_bytes(data)
    return guid, path


def _table(contestants: list[Contestant]) -> Table:
    ours, hashed, plain, fastapi, _ = contestants
    table = Table("one process, one reader", "64 MB", "1.5 MB", "CPU s a GB", "first byte")
    for each in contestants:
        table.add_row(
            each.name,
            f"{each.rate(LARGE_BYTES):,.0f} MB/s",
            f"{each.rate(SMALL_BYTES):,.0f} MB/s",
            f"{each.cpu_seconds / each.read_bytes * 1e9:.2f}",
            f"{statistics.median(each.first_ms):.2f} ms",
        )
    table.add_section()
    for other, least in ((hashed, LEAST_OF_BARE), (plain, None), (fastapi, LEAST_OF_FASTAPI)):
        table.add_row(
            f"ours, times {other.name}",
            f"{ours.rate(LARGE_BYTES) / other.rate(LARGE_BYTES):.2f}",
            f"{ours.rate(SMALL_BYTES) / other.rate(SMALL_BYTES):.2f}",
            f"at least {least}" if least else "",
            "",
        )
    return table


def _ours(opened: ExitStack, process: ServeProcess, guids: dict[int, str]) -> Contestant:
    stub = opened.enter_context(process.server.stub())
    metadata = process.server.metadata()

    def read(size: int) -> int:
        began = time.perf_counter_ns()
        answers = stub.GetImageBytes(pb.GetImageBytesRequest(guid=guids[size]), metadata=metadata)
        next(answers)
        left = size - len(next(answers).data)
        first = time.perf_counter_ns() - began
        for answer in answers:
            left -= len(answer.data)
        return _whole(left, first)

    return Contestant("GetImageBytes", process.workers()[0], read)


def _bare(opened: ExitStack) -> list[Contestant]:
    command = [sys.executable, "-m", "benchmarks.bare"]
    server = opened.enter_context(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )
    opened.callback(server.communicate)
    port = int(server.stdout.readline()) if server.stdout else 0
    channel = opened.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def reader(method: str) -> Read:
        call = channel.unary_stream(f"/bare/{method}")

        def read(size: int) -> int:
            began = time.perf_counter_ns()
            answers = call(str(size).encode())
            left = size - len(next(answers))
            first = time.perf_counter_ns() - began
            for answer in answers:
                left -= len(answer)
            return _whole(left, first)

        return read

    return [
        Contestant("bare grpcio that hashes", server.pid, reader("hashed")),
        Contestant("bare grpcio that does not", server.pid, reader("plain")),
    ]


def _fastapi(opened: ExitStack, folder: Path, names: dict[int, str]) -> Contestant:
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.web", str(folder / "plain"), str(port)]
    return _over_http(opened, "FastAPI's FileResponse", command, port, names)


def _nginx(opened: ExitStack, folder: Path, names: dict[int, str]) -> Contestant:
    port = _free_port()
    (folder / "nginx").mkdir()
    configuration = folder / "nginx" / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; user root; pid {folder}/nginx/pid;"
        f"error_log {folder}/nginx/log; events {{}}"
        f"http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port};"
        f" root {folder}/plain; }} }}"
    )
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    command = [program, "-c", str(configuration), "-p", str(folder / "nginx")]
    return _over_http(opened, "nginx", command, port, names)


def _over_http(
    opened: ExitStack, name: str, command: list[str], port: int, names: dict[int, str]
) -> Contestant:
    server = opened.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL))
    opened.callback(server.terminate)
    wait_until(lambda: _listens(port), f"{name} listens")
    connection = HTTPConnection("127.0.0.1", port)
    opened.callback(connection.close)
    buffer = memoryview(bytearray(_READ_BYTES))

    def read(size: int) -> int:
        began = time.perf_counter_ns()
        connection.request("GET", f"/{names[size]}")
        answer = connection.getresponse()
        left = size - answer.readinto(buffer)
        first = time.perf_counter_ns() - began
        while taken := answer.readinto(buffer):
            left -= taken
        return _whole(left, first)

    return Contestant(name, server.pid, read)


def _whole(left: int, first: int) -> int:
    if left:
        raise ValueError(f"{left} bytes are missing")
    return first


def _stalled(process: ServeProcess, guid: str) -> Table:
    """Measure what readers cost that take the first message and no more."""
    pid = process.workers()[0]
    before = _resident_mb(pid)
    with ExitStack() as opened:
        for number in range(STALLED):
            options = [("grpc.use_local_subchannel_pool", 1), ("pixy.number", number)]
            channel = opened.enter_context(
                grpc.insecure_channel(process.server.target, options=options)
            )
            caller = ("alice", "bob")[number % 2]
            answers = ImageServiceStub(channel).GetImageBytes(
                pb.GetImageBytesRequest(guid=guid), metadata=process.server.metadata(caller)
            )
            opened.callback(answers.cancel)
            next(answers)
        threading.Event().wait(SETTLE_SECONDS)
        held = _resident_mb(pid) - before
    table = Table(f"{STALLED} stalled readers", "")
    table.add_row("memory of the worker before", f"{before:.0f} MB")
    table.add_row("memory for them", f"{held:.0f} MB")
    table.add_row("memory for each", f"{held / STALLED:.1f} MB")
    return table


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
