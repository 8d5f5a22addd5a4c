"""The servers that `make bench-bytes` reads images from, and how each is read.

Every reader takes bytes as they come over the wire; what protobuf's generated code adds
for whoever reads through a stub is a contestant of its own, here and with bare grpcio.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web.encoding import data_head
from tests.e2e.rooms.large import MEBIBYTE
from tests.support.process import ServeProcess, wait_until

GET_IMAGE_BYTES = "/pixy.v1.ImageService/GetImageBytes"
_READ_BYTES = MEBIBYTE
_TICKS = os.sysconf("SC_CLK_TCK")

Read = Callable[[int], int]
"""Reads an image of that size to its end; returns the nanoseconds to its first bytes."""

Names = dict[int, str]
"""What an image of that size is called: a guid or the name of a file."""


@dataclass
class Contestant:
    """One server, how it is read, and what came of it by size."""

    name: str
    pid: int
    read: Read
    rates: dict[int, list[float]] = field(default_factory=dict)
    first_ms: dict[int, list[float]] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    read_bytes: int = 0

    def run(self, size: int, times: int) -> None:
        """Read that often; note the rate of all, the times to the first byte, the CPU."""
        cpu, began = _cpu_seconds(self.pid), time.perf_counter()
        firsts = [self.read(size) / 1e6 for _ in range(times)]
        taken = time.perf_counter() - began
        self.cpu_seconds += _cpu_seconds(self.pid) - cpu
        self.read_bytes += size * times
        self.rates.setdefault(size, []).append(size * times / taken / 1e6)
        self.first_ms.setdefault(size, []).extend(firsts)


def ours(opened: ExitStack, process: ServeProcess, guids: Names) -> list[Contestant]:
    """Return GetImageBytes as it comes, and through the generated code."""
    pid = process.workers()[0]
    channel = opened.enter_context(process.server.channel())
    metadata = process.server.metadata()

    def reader(parse: Callable[[bytes], Any] | None, data_of: Callable[[Any], int]) -> Read:
        call = channel.unary_stream(
            GET_IMAGE_BYTES, pb.GetImageBytesRequest.SerializeToString, parse
        )

        def begin(size: int) -> Iterator[Any]:
            answers = call(pb.GetImageBytesRequest(guid=guids[size]), metadata=metadata)
            next(answers)  # the details
            return answers

        return _reading(begin, data_of)

    return [
        Contestant("GetImageBytes", pid, reader(None, _encoded_length)),
        Contestant(
            "GetImageBytes, by the stub",
            pid,
            reader(pb.GetImageBytesResponse.FromString, _parsed_length),
        ),
    ]


def bare(opened: ExitStack) -> list[Contestant]:
    """Return bare grpcio: bytes that are hashed, the same as messages, bytes that are not."""
    command = [sys.executable, "-m", "benchmarks.bare"]
    server = opened.enter_context(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )
    opened.callback(server.communicate)
    port = int(server.stdout.readline()) if server.stdout else 0
    channel = opened.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def reader(
        method: str, parse: Callable[[bytes], Any] | None, data_of: Callable[[Any], int]
    ) -> Read:
        call: grpc.UnaryStreamMultiCallable[bytes, Any]
        call = channel.unary_stream(f"/bare/{method}", None, parse)
        return _reading(lambda size: call(str(size).encode()), data_of)

    messages = reader("generated", pb.GetImageBytesResponse.FromString, _parsed_length)
    return [
        Contestant("bare grpcio that hashes", server.pid, reader("hashed", None, len)),
        Contestant("the same, by the stub", server.pid, messages),
        Contestant("bare grpcio that does not", server.pid, reader("plain", None, len)),
    ]


def fastapi(opened: ExitStack, folder: Path, names: Names) -> Contestant:
    """Return FastAPI's FileResponse under uvicorn, over a folder."""
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.web", str(folder), str(port)]
    return _over_http(opened, "FastAPI's FileResponse", command, port, names)


def nginx(opened: ExitStack, folder: Path, names: Names, own: Path) -> Contestant:
    """Return nginx over a folder; `own` is a folder for what it writes."""
    port = _free_port()
    own.mkdir()
    configuration = own / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; user root; pid {own}/pid;"
        f"error_log {own}/log; events {{}}"
        f"http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port};"
        f" root {folder}; }} }}"
    )
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    command = [program, "-c", str(configuration), "-p", str(own)]
    return _over_http(opened, "nginx", command, port, names)


def _reading(begin: Callable[[int], Iterator[Any]], data_of: Callable[[Any], int]) -> Read:
    def read(size: int) -> int:
        began = time.perf_counter_ns()
        answers = begin(size)
        left = size - data_of(next(answers))
        first = time.perf_counter_ns() - began
        for answer in answers:
            left -= data_of(answer)
        return _whole(left, first)

    return read


def _encoded_length(message: bytes) -> int:
    """Return how many bytes of an image a message carries, without parsing it."""
    length = len(message)
    while length + len(data_head(length)) > len(message):
        length -= 1
    return length


def _parsed_length(message: pb.GetImageBytesResponse) -> int:
    return len(message.data)


def _over_http(
    opened: ExitStack, name: str, command: list[str], port: int, names: Names
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


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


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
