"""`pixy-grpc` in processes of its own, as people run it, to be stopped and killed."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.support.children import bound_to_us
from tests.support.server import TOKENS, RunningServer

PROGRAM = Path(sys.executable).with_name("pixy-grpc")
WAIT_SECONDS = 60.0
"""Bound on everything waited for here: processes start slowly on a busy machine."""

TOKENS_SETTING = ",".join(f"{name}={token}" for name, token in TOKENS.items())

QUIET = "ignore:::coverage.inorout"
"""Where coverage is measured, it says on standard error what it did not measure."""

_OURS = ("PIXY_", "AWS_", "OPENAI_")
_SERVING = re.compile(r" serving address=\S+:(\d+) ")
_ZOMBIE = "Z"


def unmeasured() -> dict[str, str]:
    """Return settings of a process that is to be killed: what it measured would be lost."""
    return {name: "" for name in os.environ if name.startswith("COVERAGE_")}


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without its settings, with others, the empty left out."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    named = {**plain, "PYTHONWARNINGS": QUIET, "PIXY_LISTEN": "127.0.0.1:0", **settings}
    return {name: value for name, value in named.items() if value}


def run_program(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `pixy-grpc` in a folder to its end."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


def wait_until(condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait for a state of another process, which tells nobody of it."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        threading.Event().wait(0.02)


class ServeProcess:
    """A running `pixy-grpc serve`: a parent, its workers, and what they log."""

    def __init__(self, folder: Path, *, within: Sequence[str] = (), **settings: str) -> None:
        """Start it in a folder, `within` a command that runs another."""
        self.folder = folder
        self._settings = {"PIXY_TOKENS": TOKENS_SETTING, **settings}
        self._lines: list[str] = []
        self._ended = False
        self._port = 0
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            bound_to_us([*within, str(PROGRAM), "serve"]),
            cwd=folder,
            env=environment(**self._settings),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def await_serving(self) -> Self:
        """Wait until it says that it serves."""
        self._port = int(self.await_line(_SERVING)[1])
        return self

    def await_start(self) -> int | None:
        """Wait until it serves or has ended; return the exit code if it has."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._find(_SERVING), WAIT_SECONDS)
            serves = self._find(_SERVING)
        return None if serves else self.wait()

    def await_worker(self) -> None:
        """Wait until the first worker is there; it does not serve yet."""
        wait_until(self.workers, "a worker starts")

    def await_file(self, path: Path) -> None:
        """Wait until it has made a file."""
        wait_until(path.exists, f"{path} is there")

    @property
    def pid(self) -> int:
        """The parent."""
        return self._process.pid

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def server(self) -> RunningServer:
        """How to call it."""
        return RunningServer(f"127.0.0.1:{self._port}", self.folder)

    @property
    def lines(self) -> list[str]:
        """What it has written to standard error."""
        with self._changed:
            return list(self._lines)

    def await_line(self, pattern: re.Pattern[str], count: int = 1) -> re.Match[str]:
        """Wait for a line, or for the nth of its kind."""

        def enough() -> bool:
            return self._ended or len(self._find(pattern)) >= count

        with self._changed:
            self._changed.wait_for(enough, WAIT_SECONDS)
            matches = self._find(pattern)
        assert len(matches) >= count, f"no {pattern.pattern!r} in {self.lines}"
        return matches[count - 1]

    def workers(self) -> list[int]:
        """Return the worker processes that are alive now."""
        return [pid for pid in self.processes() if _is_worker(pid)]

    def processes(self) -> list[int]:
        """Every process of the session that it began, zombies aside."""
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in pids if _session(pid) == self.pid]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the parent alone."""
        self._process.send_signal(number)

    def kill_tree(self) -> None:
        """Kill -9 parent and workers at once, as a crash of the machine would."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait for the parent's exit code, and for the end of everything it started."""
        code = self._process.wait(WAIT_SECONDS)
        wait_until(lambda: not self.processes(), "every process ends")
        self._reader.join(WAIT_SECONDS)
        return code

    def stop(self) -> int:
        """Stop it as an operator would; return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        try:
            if self._process.poll() is None:
                self.signal(signal.SIGTERM)
                self._process.wait(WAIT_SECONDS)
            wait_until(lambda: not self.processes(), "every process ends")
        finally:
            if self.processes():
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
            self._reader.join(WAIT_SECONDS)
            assert self._process.stderr
            self._process.stderr.close()

    def _find(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        return [match for line in self._lines if (match := pattern.search(line))]

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextmanager
def serving(folder: Path, *, within: Sequence[str] = (), **settings: str) -> Iterator[ServeProcess]:
    """Serve from a folder until the block ends; no process is left then."""
    process = ServeProcess(folder, within=within, **settings)
    try:
        yield process.await_serving()
    finally:
        process.close()


def _is_worker(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _session(pid: int) -> int | None:
    """Return the session of a process; None where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == _ZOMBIE else int(fields[3])
