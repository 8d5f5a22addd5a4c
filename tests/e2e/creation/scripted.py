"""A real server whose generator counts, and which stops at a step to be killed there.

As a program it says on standard output where it listens, and which step it has come to;
there it waits for a line on standard input.
"""

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from PIL import Image as Picture

from pixy_grpc.app import App, assemble, creation_parts
from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationKey, Fence, NewCreation
from pixy_grpc.core.exceptions import ProviderOutcomeUnknownError
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.core.ports import (
    Audience,
    GeneratedImage,
    ImageGenerator,
    NewImage,
    StoredImage,
)
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.database import Database
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.databases import open_database
from pixy_grpc.preparation import prepare
from pixy_grpc.service.creation import CreationLimits
from pixy_grpc.web.server import ServerLimits
from tests.support.process import unmeasured
from tests.support.server import STOP_SECONDS, RunningServer, settings_for

LIMITS = CreationLimits(
    lease=0.6, skew=0.2, store=5, first_pause=0.05, longest_pause=0.2, round=0.2
)
"""Short, so that a test can sit through a lease."""

STEADY_LEASE_SECONDS = 60.0
"""For an owner who is there: on a busy machine a short lease may end before it is renewed."""

SERVER_LIMITS = ServerLimits(creates=128, waits=128)

STEPS = ("claimed", "asked", "answered", "durable", "committed")

CALLS = "calls"
"""The file to which each process adds a byte for each call of the provider."""

Reach = Callable[[str], None]


def nowhere(_: str) -> None:
    """Stop at no step."""


class CountingGenerator:
    """A generator whose calls are counted over all processes; each image is another."""

    name = "counting"

    def __init__(self, folder: Path, reach: Reach = nowhere) -> None:
        self._calls = folder / CALLS
        self._reach = reach

    def close(self) -> None:
        """Hold nothing."""

    def check(self, options: GenerationOptions) -> None:
        """Make any."""

    def generate(
        self,
        prompt: str,
        options: GenerationOptions,  # noqa: ARG002 - the port's
        deadline: Deadline,  # noqa: ARG002 - the port's
        audience: Audience,
    ) -> GeneratedImage:
        """Count, then make an image of a colour of its own; show what is wanted of it."""
        with self._calls.open("ab", buffering=0) as calls:
            calls.write(b".")
        self._reach("asked")
        if prompt == "lose the answer" and self._calls.stat().st_size == 1:
            raise ProviderOutcomeUnknownError("The connection was cut.")
        buffer = io.BytesIO()
        Picture.new("RGB", (16, 16), tuple(os.urandom(3))).save(buffer, "PNG")
        for index in range(audience.partial_images):
            audience.show(buffer.getvalue())
            self._reach(f"shown {index}")
        self._reach("answered")
        return GeneratedImage(buffer.getvalue(), model="painter-1")


class StoppingStore(FolderStore):
    """A store that stops once bytes are durable."""

    def __init__(self, root: Path, store_id: str, reach: Reach) -> None:
        super().__init__(root, store_id)
        self._reach = reach

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store, then stop."""
        super().put(key, data, deadline)
        self._reach("durable")


class StoppingImages(SqlImageRepository):
    """A repository that stops once an image is committed."""

    def __init__(self, database: Database, reach: Reach) -> None:
        super().__init__(database)
        self._reach = reach

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Add, then stop."""
        stored = super().add(new, deadline)
        self._reach("committed")
        return stored


class StoppingCreations(SqlCreationRepository):
    """A repository that stops once a creation is claimed, looked at, or about to be renewed."""

    def __init__(self, database: Database, reach: Reach) -> None:
        super().__init__(database)
        self._reach = reach

    def find(self, key: CreationKey, deadline: Deadline) -> Creation | None:
        """Look, then stop."""
        found = super().find(key, deadline)
        self._reach("looked")
        return found

    def renew(
        self, fences: Sequence[Fence], lease_until_ms: int, deadline: Deadline
    ) -> list[Fence]:
        """Stop, renew, and stop."""
        self._reach("renewing")
        try:
            return super().renew(fences, lease_until_ms, deadline)
        finally:
            self._reach("renewed")

    def claim(self, new: NewCreation, deadline: Deadline) -> Creation:
        """Claim, then stop."""
        mine = super().claim(new, deadline)
        self._reach("claimed")
        return mine


def scripted_app(
    folder: Path,
    database_url: str = "",
    *,
    reach: Reach = nowhere,
    server_limits: ServerLimits = SERVER_LIMITS,
    generator: ImageGenerator | None = None,
    lease: float = LIMITS.lease,
) -> App:
    """Return a server over what is in a folder, and a database, which may be elsewhere.

    Its generator counts, unless another is given.
    """
    changes = {"database_url": database_url} if database_url else {}
    settings = settings_for(folder, create_grace_seconds=20.0, **changes)
    store_id = prepare(settings)
    database = open_database(settings)
    parts = creation_parts(settings, database, store_id)
    stopping = replace(
        parts,
        images=StoppingImages(database, reach),
        creations=StoppingCreations(database, reach),
        store=StoppingStore(Path(settings.images), store_id, reach),
        generator=generator or CountingGenerator(folder, reach),
    )
    limits = replace(LIMITS, lease=lease)
    return assemble(
        settings, settings.tokens, database, stopping, server_limits, creation_limits=limits
    )


@contextmanager
def scripted_server(
    folder: Path,
    database_url: str = "",
    *,
    reach: Reach = nowhere,
    server_limits: ServerLimits = SERVER_LIMITS,
    generator: ImageGenerator | None = None,
    lease: float = LIMITS.lease,
) -> Iterator[RunningServer]:
    """Serve in this process until the block ends."""
    app = scripted_app(
        folder,
        database_url,
        reach=reach,
        server_limits=server_limits,
        generator=generator,
        lease=lease,
    )
    port = app.start("127.0.0.1:0")
    try:
        yield RunningServer(f"127.0.0.1:{port}", folder)
    finally:
        app.stop(STOP_SECONDS)


def calls(folder: Path) -> int:
    """Return how often any process has called the provider."""
    with suppress(FileNotFoundError):
        return (folder / CALLS).stat().st_size
    return 0


class Gate:
    """Stops whoever reaches a step, until it is opened."""

    def __init__(self, step: str) -> None:
        self._step = step
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, step: str) -> None:
        """Stop at the step."""
        if step == self._step:
            self.reached.set()
            assert self.open.wait(60)


class ScriptedProcess:
    """Such a server in a process of its own, to be killed and stopped."""

    def __init__(
        self,
        folder: Path,
        database_url: str = "",
        step: str = "",
        lease: float = LIMITS.lease,
    ) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(folder), database_url, step, str(lease)],
            env={**os.environ, **unmeasured()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def await_serving(self) -> RunningServer:
        """Wait until it serves."""
        return RunningServer(f"127.0.0.1:{self._line('serving')}", self._folder)

    def await_step(self) -> str:
        """Wait until it has come to its step, where it stays."""
        return self._line("reached")

    def go_on(self) -> None:
        """Let it go on from there."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; a stopped one is waited for."""
        self._process.send_signal(number)
        if number == signal.SIGSTOP:
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def wait(self) -> int:
        """Return its exit code."""
        return self._process.wait(60)

    def close(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.communicate(timeout=60)

    def _line(self, word: str) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().split()
        assert line[:1] == [word], line
        return line[1]


@contextmanager
def scripted_process(
    folder: Path, database_url: str = "", step: str = "", lease: float = LIMITS.lease
) -> Iterator[ScriptedProcess]:
    """Start such a process; it is gone when the block ends."""
    process = ScriptedProcess(folder, database_url, step, lease)
    try:
        yield process
    finally:
        process.close()


class _Stop:
    """Stops at a step until a line comes; nothing is renewed meanwhile.

    A process that is put to sleep within a transaction keeps all others out of the database.
    """

    def __init__(self, step: str) -> None:
        self._step = step
        self._renewal = threading.Lock()

    def __call__(self, step: str) -> None:
        """Stop at the step."""
        if step == "renewing":
            self._renewal.acquire()
        if step == "renewed":
            self._renewal.release()
        if step == self._step:
            with self._renewal:
                print("reached", step, flush=True)  # noqa: T201 - the test reads it
                sys.stdin.readline()


def _serve(folder: str, database_url: str, at: str, lease: str) -> None:
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())

    app = scripted_app(Path(folder), database_url, reach=_Stop(at), lease=float(lease))
    print("serving", app.start("127.0.0.1:0"), flush=True)  # noqa: T201 - likewise
    stopped.wait()
    app.stop(0.1)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
