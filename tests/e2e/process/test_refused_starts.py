"""A start with a bad setting ends with exit code 2 and one line that says what to mend."""

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pixy_grpc.cli import main
from tests.e2e.process.conftest import Serve
from tests.support.children import free_ports
from tests.support.process import ServeProcess, run_program

SECRET = "secret-token-1234"

REFUSED = {
    "misspelt name": ({"PIXY_IMAGE": "elsewhere"}, "did you mean PIXY_IMAGES?"),
    "no port": ({"PIXY_LISTEN": "localhost"}, "PIXY_LISTEN"),
    "off loopback": ({"PIXY_LISTEN": "0.0.0.0:0"}, "PIXY_LISTEN"),
    "unknown generator": ({"PIXY_GENERATOR": "painter"}, "PIXY_GENERATOR"),
    "openai without a model": ({"PIXY_GENERATOR": "openai"}, "PIXY_OPENAI_MODEL"),
    "openai without a key": (
        {"PIXY_GENERATOR": "openai", "PIXY_OPENAI_MODEL": "m"},
        "OPENAI_API_KEY",
    ),
    "a key under our prefix": (
        {"PIXY_OPENAI_API_KEY": SECRET},
        "did you mean OPENAI_API_KEY?",
    ),
    "a token without name": ({"PIXY_TOKENS": SECRET}, "PIXY_TOKENS"),
    "a token twice": ({"PIXY_TOKENS": f"a={SECRET},b={SECRET}"}, "PIXY_TOKENS"),
    "no workers": ({"PIXY_WORKERS": "0"}, "PIXY_WORKERS"),
    "a setting of later": ({"PIXY_TLS_KEY": SECRET}, "PIXY_TLS_KEY"),
    "an unknown database": ({"PIXY_DATABASE_URL": f"oracle://u:{SECRET}@h/x"}, "PIXY_DATABASE_URL"),
    "a bucket with a slash missing": ({"PIXY_IMAGES": "s3:/bucket"}, "PIXY_IMAGES"),
    "an unknown store": ({"PIXY_IMAGES": f"ftp://u:{SECRET}@h/x"}, "PIXY_IMAGES"),
}

UNUSABLE = {
    "nothing listens there": (
        {"PIXY_DATABASE_URL": f"mysql://me:{SECRET}@127.0.0.1:1/pixy"},
        "refused",
    ),
    "no database": ({"PIXY_DATABASE_URL": "sqlite:///file"}, "PIXY_DATABASE_URL"),
    "no such host": (
        {"PIXY_LISTEN": "no.such.host.invalid:1", "PIXY_INSECURE": "1"},
        "PIXY_LISTEN",
    ),
    "no folder for the database": ({"PIXY_DATABASE_URL": "sqlite:///no/x.db"}, "PIXY_DATABASE_URL"),
    "a folder as the database": ({"PIXY_DATABASE_URL": "sqlite:///."}, "PIXY_DATABASE_URL"),
    "a file as the store": ({"PIXY_IMAGES": "file/images"}, "PIXY_IMAGES"),
    "a file as the spool": ({"PIXY_SPOOL": "file"}, "PIXY_SPOOL"),
    "a spool below a file": ({"PIXY_SPOOL": "file/spool"}, "PIXY_SPOOL"),
    "a link to nothing as the spool": ({"PIXY_SPOOL": "link/spool"}, "PIXY_SPOOL"),
    "a file for renditions": ({"PIXY_RENDITIONS": "file"}, "PIXY_RENDITIONS"),
    "a store nobody may write": ({"PIXY_IMAGES": "/proc/images"}, "PIXY_IMAGES"),
}

# A mount that only the server's own processes see, and that ends with them.
WITH_HOSTS_OF_OUR_OWN = (
    *("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"),
    'mount --bind hosts /etc/hosts; exec "$@"',
    "sh",
)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Listen on a port, as another program would."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def log_kept_apart() -> Iterator[None]:
    """Have the log written where it was once the test has ended: a command sets its own."""
    root, ours = logging.getLogger(), logging.getLogger("pixy_grpc")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    root.handlers[:] = []  # what a command finds there it closes
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def refusal(folder: Path, *arguments: str, **settings: str) -> str:
    """Return the one line of a start that is refused."""
    ended = run_program(folder, *(arguments or ["serve"]), **settings)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


@pytest.mark.usefixtures("log_kept_apart")
@pytest.mark.parametrize(("settings", "name"), REFUSED.values(), ids=REFUSED)
def test_start_with_bad_setting_ends_with_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    settings: dict[str, str],
    name: str,
) -> None:
    """The line names the setting, and never a secret; nothing has been touched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pixy-grpc", "serve"])
    for variable, value in {"PIXY_TOKENS": f"alice={SECRET}", **settings}.items():
        monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as ended:
        main()

    (line,) = capfd.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert name in line
    assert SECRET not in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("settings", "name"), UNUSABLE.values(), ids=UNUSABLE)
def test_start_with_unusable_setting_ends_with_one_line(
    tmp_path: Path, settings: dict[str, str], name: str
) -> None:
    """What is well written, but cannot be used, is told the same way."""
    (tmp_path / "file").write_text("neither a folder nor a database")
    (tmp_path / "link").symlink_to("nowhere")

    line = refusal(tmp_path, **{"PIXY_TOKENS": f"alice={SECRET}", **settings})

    assert name in line
    assert SECRET not in line
    assert "Try again later" not in line


def test_start_on_taken_port_names_listen(tmp_path: Path, taken_port: int) -> None:
    """Whoever holds the port, nobody shares it."""
    line = refusal(tmp_path, PIXY_LISTEN=f"127.0.0.1:{taken_port}", PIXY_TOKENS=f"alice={SECRET}")

    assert "PIXY_LISTEN" in line
    assert "in use" in line


def test_second_server_on_port_is_refused(serve: Serve, tmp_path: Path) -> None:
    """Workers share the port among themselves, never with another server."""
    first = serve(PIXY_WORKERS="2")

    line = refusal(tmp_path, PIXY_LISTEN=f"127.0.0.1:{first.port}", PIXY_TOKENS=f"a={SECRET}")

    assert "PIXY_LISTEN" in line


def test_second_server_on_another_address_of_the_host_is_refused(
    serve: Serve, tmp_path: Path
) -> None:
    """A name may stand for several addresses, and gRPC listens on each of them."""
    (tmp_path / "hosts").write_text("::1 localhost\n127.0.0.1 localhost\n")
    first = serve(PIXY_LISTEN="127.0.0.1:0")
    second = ServeProcess(
        tmp_path, within=WITH_HOSTS_OF_OUR_OWN, PIXY_LISTEN=f"localhost:{first.port}"
    )
    try:
        code = second.await_start()

        assert code == 2
        assert any("PIXY_LISTEN" in line and "in use" in line for line in second.lines)
    finally:
        second.close()


def test_servers_started_at_once_never_share_port(tmp_path: Path) -> None:
    """Also while neither listens yet, one has the port and the other is told."""
    (free,) = free_ports(1)
    with ExitStack() as closing:
        started = [ServeProcess(tmp_path, PIXY_LISTEN=f"127.0.0.1:{free}") for _ in range(2)]
        for process in started:
            closing.callback(process.close)

        codes = [process.await_start() for process in started]

    assert sorted(codes, key=str) == [2, None]


def test_start_with_unreadable_dotenv_says_so(tmp_path: Path) -> None:
    """A .env in another encoding is told, not traced back."""
    (tmp_path / ".env").write_bytes(b"PIXY_IMAGES=caf\xe9\n")

    line = refusal(tmp_path)

    assert ".env" in line


def test_start_with_a_line_of_dotenv_that_says_nothing_says_so(tmp_path: Path) -> None:
    """A setting that was not understood is not made, and nobody would know."""
    (tmp_path / ".env").write_text("# ours\nPIXY_WORKERS=1\ngarbage line\n")

    assert refusal(tmp_path) == "pixy-grpc: .env: line 3 is no NAME=value"


def test_start_with_a_folder_as_dotenv_says_so(tmp_path: Path) -> None:
    """It would be passed over."""
    (tmp_path / ".env").mkdir()

    assert ".env is a folder" in refusal(tmp_path)


def test_start_with_a_folder_as_token_file_says_so(tmp_path: Path) -> None:
    """It is there and cannot be read, and nobody has tried to write it."""
    (tmp_path / ".pixy" / "token").mkdir(mode=0o700, parents=True)

    line = refusal(tmp_path)

    assert line == (
        "pixy-grpc: .pixy/token cannot be used: Is a directory; set PIXY_TOKENS instead"
    )


def test_start_without_room_for_renditions_needs_no_folder(serve: Serve, tmp_path: Path) -> None:
    """None is kept then."""
    (tmp_path / "file").touch()

    process = serve(PIXY_RENDITIONS="file", PIXY_RENDITIONS_MB="0")

    with process.server.client() as client:
        assert client.create("a fox", size="64x64").image.guid


def test_start_with_empty_store_for_full_database_is_refused(serve: Serve, tmp_path: Path) -> None:
    """An empty folder where a disk should have been mounted is not taken for the store."""
    first = serve()
    with first.server.client() as client:
        client.create("kept", size="64x64")
    first.stop()

    line = refusal(tmp_path, PIXY_IMAGES="elsewhere")

    assert "PIXY_IMAGES" in line


def test_start_with_another_stores_database_is_refused(tmp_path: Path) -> None:
    """Database and store carry one id: a wrong pair does not start, nor migrate."""
    assert run_program(tmp_path, "migrate").returncode == 0
    assert (
        run_program(
            tmp_path, "migrate", PIXY_IMAGES="b", PIXY_DATABASE_URL="sqlite:///b.db"
        ).returncode
        == 0
    )

    line = refusal(tmp_path, "migrate", PIXY_IMAGES="b")

    assert "PIXY_IMAGES" in line
    assert "PIXY_DATABASE_URL" in line
