"""A private MariaDB server for tests, thrown away afterwards.

`PIXY_TEST_MYSQL_URL` names a server to use instead, by a user who may create databases.
Tests that stop, freeze or fill a server always start one of their own.
"""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pymysql

from tests.support.children import bound_to_us, free_ports

URL_VARIABLE = "PIXY_TEST_MYSQL_URL"

START_SECONDS = 60.0
"""Cap on a start or stop: a fraction of a second as a rule, more where disks are slow."""

POLL_SECONDS = 0.02
"""How often a start is looked at: the server has no way to tell us."""

_INSTALL = "apt-get install --no-install-recommends mariadb-server-core mariadb-client-core"
_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/usr/local/mysql/bin"


class MariaDBServer:
    """One server on loopback, in a folder of its own. `options` go to mariadbd.

    In a folder that is given, what an earlier server has stored there is used.
    """

    def __init__(self, *options: str, folder: Path | None = None) -> None:
        self._options = options
        self._folder = folder or Path(tempfile.mkdtemp(prefix="pxm-"))  # a socket's path is short
        (self.port,) = free_ports(1)
        self.socket = self._folder / "s"
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.remove)
        if not (self._folder / "data").exists():
            _run_install(self._folder)

    @property
    def url(self) -> str:
        """The server's URL, without a database."""
        return f"mysql://root@127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self, *options: str) -> None:
        """Start the server, on the same port each time, and wait until it answers."""
        command = bound_to_us(self._command(options))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=_environment(self._folder)
            )
        self._wait_until_answers()

    def stop(self) -> None:
        """Shut the server down in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Make the server do nothing at all; the kernel still accepts connections for it."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)  # each of its threads

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def remove(self) -> None:
        """End the server, if it runs, and delete all it has stored."""
        atexit.unregister(self.remove)
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def leave(self) -> None:
        """Keep what is stored."""
        atexit.unregister(self.remove)

    def connect(self, database: str | None = None) -> "pymysql.connections.Connection":
        """Open a bare connection, for arranging what a test needs and looking at the outcome."""
        return connect(self.url, database)

    def _command(self, options: Sequence[str]) -> list[str]:
        return [
            _program("mariadbd"),
            "--no-defaults",
            *_as_root(),
            f"--datadir={self._folder / 'data'}",
            f"--socket={self.socket}",
            f"--pid-file={self._folder / 'pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=16M",
            "--performance-schema=OFF",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            *self._options,
            *options,
        ]

    def _wait_until_answers(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
            except pymysql.OperationalError as error:
                if error.args[0] not in (2003, 2013):  # it answers, be it with an error
                    return
                if self._process is None or self._process.poll() is not None:
                    raise RuntimeError(f"mariadbd has ended:\n{self.log()}") from error
                if time.monotonic() > end:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return

    def log(self) -> str:
        """Return what the server has written to its error log."""
        return (self._folder / "log").read_text(errors="replace")

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the server is not running")
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)  # a frozen one does not end otherwise
        self._process.wait(START_SECONDS)
        self._process = None


def connect(url: str, database: str | None = None) -> "pymysql.connections.Connection":
    """Open a bare connection to the server of a URL."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=database,
        autocommit=True,
        charset="utf8mb4",
        ssl_disabled=True,
        read_timeout=START_SECONDS,
    )


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Yield the URL of a new, empty database on a server; drop it afterwards."""
    name = f"pixy_test_{uuid.uuid4().hex[:16]}"
    _execute(server_url, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{quote(name)}"))
    finally:
        _execute(server_url, f"DROP DATABASE {name}")


@cache
def shared_server_url() -> str:
    """Return the URL of the server that all tests of this process share.

    It does not flush at commit: tests of what a crash leaves start their own.
    """
    given = os.environ.get(URL_VARIABLE)
    if given:
        return given
    server = MariaDBServer("--innodb-flush-log-at-trx-commit=0")
    server.start()
    return server.url


def _execute(url: str, statement: str) -> None:
    connection = connect(url)
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()


def _run_install(folder: Path) -> None:
    command = [
        _program("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={folder / 'data'}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        *_as_root(),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=_environment(folder)
    )
    if done.returncode:
        raise RuntimeError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")


def _environment(folder: Path) -> dict[str, str]:
    """Keep temporary tables apart too: two servers may have one process id in two containers."""
    return {**os.environ, "TMPDIR": str(folder)}


def _program(name: str) -> str:
    found = shutil.which(name, path=_PLACES)
    if found is None:
        raise RuntimeError(f"{name} is not installed: {_INSTALL}, or set {URL_VARIABLE}.")
    return found


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []
