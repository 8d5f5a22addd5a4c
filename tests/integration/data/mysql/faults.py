"""Servers that misbehave, and callers who watch how they fare."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from tests.support.stopwatch import Stopwatch

PAST_DEADLINE_SECONDS = 2.0
"""How far a call may outlive its deadline, on a machine that has time for it."""

RECOVERY_SECONDS = 5.0
"""How soon after a database's return all is as before."""


@dataclass
class Outcome:
    """How one call ended: its error, None where it did well, and by how much it was late.

    `held_up_seconds` is what the machine did about that.
    """

    error: ImageException | None
    late_seconds: float
    held_up_seconds: float = 0.0

    @property
    def in_time(self) -> bool:
        """Whether it ended within its deadline and what it may outlive it."""
        return self.late_seconds - self.held_up_seconds < PAST_DEADLINE_SECONDS


@dataclass
class Outcomes:
    """How many calls ended."""

    each: list[Outcome] = field(default_factory=list)

    @property
    def kinds(self) -> set[type[ImageException]]:
        """The errors there were."""
        return {type(outcome.error) for outcome in self.each if outcome.error}

    def require_in_time(self) -> None:
        """Fail unless every call was in time."""
        late = [outcome for outcome in self.each if not outcome.in_time]
        assert not late, late


def call(act: Callable[[Deadline], object], deadline: Deadline) -> Outcome:
    """Do something with a deadline, and tell how it ended."""
    error, watch = None, Stopwatch()
    try:
        act(deadline)
    except ImageException as raised:
        error = raised
    return Outcome(error, time.monotonic() - deadline.at, watch.held_up_seconds)


def call_at_once(act: Callable[[Deadline], object], times: int, seconds: float) -> Outcomes:
    """Do something that often at once, each with a deadline of its own."""
    together = threading.Barrier(times, timeout=30)

    def run() -> Outcome:
        together.wait()
        return call(act, Deadline.after(seconds))

    with ThreadPoolExecutor(times) as threads:
        running = [threads.submit(run) for _ in range(times)]
        return Outcomes([each.result(60) for each in running])


def require_recovery(act: Callable[[Deadline], object], times: int) -> None:
    """Fail unless, soon enough, that many calls at once all do well and are quick."""
    end = Deadline.after(RECOVERY_SECONDS)
    while True:
        outcomes = call_at_once(act, times, 1.0)
        if not outcomes.kinds:
            return
        assert end.remaining(), outcomes.kinds


class SilentListener:
    """Accepts connections and says nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many came."""
        return len(self._accepted)

    def close(self) -> None:
        """Close all of them, and the door."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for sock in (self._listener, *self._accepted):
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                self._accepted.append(self._listener.accept()[0])
            except OSError:
                return


class Proxy:
    """Stands between a pool and a server, and can lose what passes.

    After `lose_answer_to(text)` the statement that starts with it still reaches the
    server, but its connection is cut before the answer comes back. After `forget()` every
    connection there is stays open and carries nothing any more.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self._forgotten: set[socket.socket] = set()
        self._text: bytes | None = None
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.lost = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def lose_answer_to(self, text: bytes) -> None:
        """Cut the next connection that sends this, once the server has answered it."""
        self.lost.clear()
        self._text = text

    def forget(self) -> None:
        """Carry nothing more over what is open now."""
        self._forgotten |= self._open

    def close(self) -> None:
        """Cut everything."""
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            thread = threading.Thread(target=self._carry, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._server_port))
        with client, server:
            self._open |= {client, server}
            with suppress(OSError):
                while self._carry_once(client, server):
                    pass
            self._open -= {client, server}

    def _carry_once(self, client: socket.socket, server: socket.socket) -> bool:
        for source in select.select([client, server], [], [])[0]:
            data = source.recv(65536)
            if not data:
                return False
            if source in self._forgotten:
                continue
            if source is client and self._text and self._text in data:
                self._text = None
                server.sendall(data)
                server.recv(65536)  # the answer that is lost
                self.lost.set()
                return False
            (server if source is client else client).sendall(data)
        return True


@contextmanager
def silent_listener() -> Iterator[SilentListener]:
    """Listen until the block ends."""
    with closing(SilentListener()) as listener:
        yield listener


@contextmanager
def proxy(server_port: int) -> Iterator[Proxy]:
    """Stand in between until the block ends."""
    with closing(Proxy(server_port)) as standing:
        yield standing
