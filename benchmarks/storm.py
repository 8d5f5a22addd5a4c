"""A thousand creations in flight, and what whoever reads details notices of them."""

import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from rich.table import Table

from benchmarks.provider import BenchProvider, running_provider
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.support.process import ServeProcess, serving, wait_until
from tests.support.server import RunningServer

CREATIONS = 1_000
CHANNELS = 40
"""Connections of the callers: workers that share a port get their calls by connection."""

PROVIDER_SECONDS = 5.0
IDLE_SECONDS = 5.0
PROBES = 4
"""Connections that read details, in turns."""

PROBE_PAUSE_SECONDS = 0.002
MOST_MEMORY_MB = 1_000
MOST_WAITING = 2.0
MOST_FINISHING_MS = 50.0
CALL_SECONDS = 300.0
MEMORY_SECONDS = 1.0
"""Between two looks at the memory, each of which holds the looked-at process up."""


@dataclass
class Probe:
    """Reads details all the time, and notes when each call began and what it took."""

    server: RunningServer
    guid: str
    samples: list[tuple[float, float]] = field(default_factory=list)

    def p99_ms(self, began: float, ended: float) -> float:
        """Return the 99th percentile of the calls that began in a stretch of time."""
        taken = [seconds for at, seconds in self.samples if began <= at < ended]
        return statistics.quantiles(taken, n=100)[-1] * 1000

    @contextmanager
    def running(self) -> Iterator[None]:
        """Probe until the block ends."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._run, args=(stopped,))
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def _run(self, stopped: threading.Event) -> None:
        with ExitStack() as opened:
            stubs = [opened.enter_context(_stub(self.server, n)) for n in range(PROBES)]
            request = pb.GetImageDetailsRequest(guid=self.guid)
            metadata = self.server.metadata("bob")
            while not stopped.is_set():
                for stub in stubs:
                    began = time.perf_counter()
                    stub.GetImageDetails(request, metadata=metadata, timeout=CALL_SECONDS)
                    self.samples.append((began, time.perf_counter() - began))
                    stopped.wait(PROBE_PAUSE_SECONDS)


def provider() -> AbstractContextManager[BenchProvider]:
    """Run a provider that takes its time, and answers all of the storm at once."""
    return running_provider(PROVIDER_SECONDS, CREATIONS)


def table(provider: BenchProvider, mariadb: str) -> Table:
    """Run the storm; return what it showed."""
    settings = {
        "PIXY_GENERATOR": "openai",
        "PIXY_OPENAI_MODEL": "bench",
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": provider.base_url,
        "PIXY_DATABASE_URL": mariadb,
        "PIXY_WORKERS": "2",
        "PIXY_MAX_CREATES": str(2 * CREATIONS),
    }
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), **settings) as process:
        return _observed(process, provider)


def _observed(process: ServeProcess, provider: BenchProvider) -> Table:
    with process.server.client() as client:
        guid = client.create("a lighthouse").image.guid
    probe = Probe(process.server, guid)
    with probe.running(), _peak_memory(process) as peak:
        idle_from = time.perf_counter()
        time.sleep(IDLE_SECONDS)
        storm_from = time.perf_counter()
        with _callers(process.server) as lines:
            wait_until(lambda: provider.asked() > CREATIONS, "every creation is asked for")
            waiting_from = time.perf_counter()
            next(lines)
            finishing_from = time.perf_counter()
            made, seconds = next(lines).split()
        ended = time.perf_counter()
    idle = probe.p99_ms(idle_from, storm_from)
    begins = probe.p99_ms(storm_from, waiting_from)
    waits = probe.p99_ms(waiting_from, finishing_from)
    ends = probe.p99_ms(finishing_from, ended)
    shown = Table(f"{CREATIONS:,} creations in flight, 2 workers, MariaDB", "", "at most")
    shown.add_row("images made", f"{int(made):,} in {float(seconds):.1f} s", "")
    shown.add_row("memory of all processes", f"{peak[0]:.0f} MB", f"{MOST_MEMORY_MB:,} MB")
    shown.add_row("GetImageDetails, 99th percentile, idle", f"{idle:.1f} ms", "")
    shown.add_row("  while they begin", f"{begins:.1f} ms", "")
    shown.add_row("  while they wait", f"{waits:.1f} ms", f"{MOST_WAITING * idle:.1f} ms")
    shown.add_row("  while they finish", f"{ends:.1f} ms", f"{MOST_FINISHING_MS:.0f} ms")
    return shown


@contextmanager
def _stub(server: RunningServer, number: int) -> Iterator[ImageServiceStub]:
    """Lend a stub over a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1), ("pixy.number", number)]
    with grpc.insecure_channel(server.target, options=options) as channel:
        yield ImageServiceStub(channel)


@contextmanager
def _peak_memory(process: ServeProcess) -> Iterator[list[float]]:
    """Measure the most that all processes held together, in MB, what they share once."""
    peak = [0.0]
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(MEMORY_SECONDS):
            peak[0] = max(peak[0], sum(_megabytes(pid) for pid in process.processes()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stopped.set()
        thread.join()


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:"))


@contextmanager
def _callers(server: RunningServer) -> Iterator[Iterator[str]]:
    """Create from a process of its own; yield the lines that it says.

    One when the first image is there, one when the last is: how many, in what time.
    """
    command = [sys.executable, "-m", __name__, server.target]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as callers:
        assert callers.stdout  # noqa: S101 - what PIPE means
        yield iter(callers.stdout)


def _create_all(target: str) -> None:
    server = RunningServer(target, Path())
    began = time.perf_counter()
    answered: queue.SimpleQueue[grpc.Future[pb.CreateImageResponse]] = queue.SimpleQueue()
    with ExitStack() as opened:
        stubs = [opened.enter_context(_stub(server, number)) for number in range(CHANNELS)]
        for number in range(CREATIONS):
            request = pb.CreateImageRequest(prompt="a fox", request_id=str(uuid.uuid4()))
            call = stubs[number % CHANNELS].CreateImage.future(
                request, metadata=server.metadata(), timeout=CALL_SECONDS
            )
            call.add_done_callback(answered.put)
        guids = {_guid(answered.get())}
        print("first", flush=True)  # noqa: T201 - who started it reads it
        guids |= {_guid(answered.get()) for _ in range(CREATIONS - 1)}
    print(len(guids), time.perf_counter() - began, flush=True)  # noqa: T201 - likewise


def _guid(answered: "grpc.Future[pb.CreateImageResponse]") -> str:
    return answered.result().details.guid


if __name__ == "__main__":
    _create_all(sys.argv[1])
