"""Worker processes that share a port, and the parent that keeps them running."""

import gc
import logging
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from types import FrameType

from pixy_grpc.app import build
from pixy_grpc.listening import reserve
from pixy_grpc.logs import configure_logs
from pixy_grpc.settings import Settings

START_SECONDS = 60.0
"""How long a worker may take to serve: imports, and the first look at the database."""

EXIT_SECONDS = 10.0
"""What a worker may take to exit beyond the grace, before it is killed."""

RESTART_SECONDS = 1.0
"""The least time between two starts of one worker, so that a crash at start is no storm."""

SWITCH_SECONDS = 0.0005
"""How long a thread may keep Python to itself while others wait for it. Python's own 5 ms
are met several times in a call, where images are read and decoded beside it."""

GRPC_CORE_LOG = ("GRPC_VERBOSITY", "NONE")
"""What gRPC's core reads when a worker loads it. Its lines are in a format of its own, and
anybody makes it write them, by a header that does not parse."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assignment:
    """What a worker is to serve, and where."""

    settings: Settings
    tokens: Mapping[str, str]
    store_id: str
    addresses: Sequence[str]


def serve(settings: Settings, tokens: Mapping[str, str], store_id: str) -> int:
    """Serve what `prepare` has prepared until SIGTERM or SIGINT; return the exit code.

    Raises SettingsError where the port is taken.
    """
    os.environ.setdefault(*GRPC_CORE_LOG)
    with ExitStack() as reserved:
        addresses = reserve(settings, reserved)
        parent = _Parent(Assignment(settings, dict(tokens), store_id, addresses))
        for number in _SIGNALS:
            signal.signal(number, parent.on_signal)
        return parent.run()


class _Parent:
    """Starts workers, starts them again when they die, stops them when asked."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._settings = assignment.settings
        self._address = ",".join(assignment.addresses)
        self._workers: dict[BaseProcess, float] = {}
        self._stopping = False
        self._wake_reader, self._wake_writer = socket.socketpair()

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Ask the parent to stop."""
        self._stopping = True
        self._wake_writer.send(b"!")

    def run(self) -> int:
        """Return 0 after a stop, 1 where the first worker never served."""
        served = self._start()
        if served:
            self._keep_serving()
        elif not self._stopping:
            _log.error("no worker could serve address=%s", self._address)
        self._stop()
        return 0 if served or self._stopping else 1

    def _keep_serving(self) -> None:
        while len(self._workers) < self._settings.workers and not self._stopping:
            self._start()
        _log.info("serving address=%s workers=%d", self._address, self._settings.workers)
        while not self._stopping:
            self._await_change()
            self._replace_dead()

    def _start(self) -> bool:
        """Start a worker; return once it serves, or has failed to."""
        context = multiprocessing.get_context("spawn")
        ready, told = context.Pipe(duplex=False)
        worker = context.Process(target=run_worker, args=(self._assignment, told))
        with _interrupts_held():
            worker.start()
        told.close()
        self._workers[worker] = time.monotonic()
        with ready:
            multiprocessing.connection.wait([ready, self._wake_reader], START_SECONDS)
            serves = ready.poll() and _received(ready)
        if not serves and not self._stopping:
            worker.kill()
        return serves

    def _await_change(self) -> None:
        sentinels = [worker.sentinel for worker in self._workers]
        multiprocessing.connection.wait([*sentinels, self._wake_reader])

    def _replace_dead(self) -> None:
        for worker in [worker for worker in self._workers if not worker.is_alive()]:
            started = self._workers.pop(worker)
            _log.error("worker died pid=%s exitcode=%s", worker.pid, worker.exitcode)
            wait = started + RESTART_SECONDS - time.monotonic()
            if wait > 0:
                multiprocessing.connection.wait([self._wake_reader], wait)
            if not self._stopping:
                self._start()

    def _stop(self) -> None:
        """End every worker: by its own grace, or by force past it."""
        for worker in self._workers:
            worker.terminate()
        grace = max(self._settings.grace_seconds, self._settings.create_grace_seconds)
        until = time.monotonic() + grace + EXIT_SECONDS
        for worker in self._workers:
            worker.join(max(until - time.monotonic(), 0))
            if worker.is_alive():
                _log.error("worker killed pid=%s: it did not stop in time", worker.pid)
                worker.kill()
                worker.join()
        _log.info("stopped")


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let SIGINT wait: a process that is started meanwhile has it wait as well.

    Ctrl-C goes to every process, and in the middle of an import it is a traceback.
    """
    resource_tracker.ensure_running()  # which would let it in, were it started with a worker
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _received(ready: "multiprocessing.connection.Connection") -> bool:
    try:
        return bool(ready.recv())
    except EOFError:
        return False


def run_worker(assignment: Assignment, told: "multiprocessing.connection.Connection") -> None:
    """Serve in this process until a signal, or until the parent is gone."""
    settings = assignment.settings
    signalled = _await_signals()
    configure_logs(settings.log_level)
    _raise_descriptor_limit()
    sys.setswitchinterval(SWITCH_SECONDS)
    app = build(settings, assignment.tokens, assignment.store_id, share_port=True)
    gc.freeze()  # what is there now stays: to look through it takes 50 ms that calls wait for
    app.start(*assignment.addresses)
    with suppress(BrokenPipeError), told:  # the parent may have been told to stop meanwhile
        told.send(True)  # noqa: FBT003 - what the parent waits for
    parent = multiprocessing.parent_process()
    multiprocessing.connection.wait([signalled, *([parent.sentinel] if parent else [])])
    if not app.stop(settings.grace_seconds):
        _log.warning("calls were still running at the end of the grace")
    sys.exit(0)


def _raise_descriptor_limit() -> None:
    """Take the descriptors that the machine allows: services often start with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _await_signals() -> int:
    """Return a descriptor that can be read once a signal to stop has come.

    The kernel hands a signal to any thread; Python's handlers run in the main one, which
    may be waiting meanwhile and never wake. What is written here wakes it. It is never
    closed: one more signal, while the process ends, would be told as a traceback.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)  # noqa: FBT003 - as set_wakeup_fd asks
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # it has waited so far
    return reader.detach()
