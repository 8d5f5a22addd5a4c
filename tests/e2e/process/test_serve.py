"""What `pixy-grpc serve` does with its folder, its settings and its log."""

import re
import stat
from importlib.metadata import version
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2

from pixy_client import Client, ImageException
from pixy_grpc.core.exceptions import InvalidTokenError
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.e2e.process.conftest import Serve
from tests.e2e.rooms.calls import DETAILS
from tests.e2e.rooms.deaf import DeafClient
from tests.support.process import ServeProcess, run_program
from tests.support.server import TOKENS
from tests.support.status import status_of

LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR)"
    r" (?P<call>\S+) \[\d+\] \[[\w<>]+:\d+\] (?P<text>.+)"
)
NO_GUID = "00000000-0000-4000-8000-000000000000"


def worker_that_answers(process: ServeProcess) -> int:
    """Return the pid of the worker that answers one call over a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with (
        grpc.insecure_channel(process.server.target, options) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        ImageServiceStub(channel).GetImageDetails(
            pb.GetImageDetailsRequest(guid=NO_GUID), metadata=process.server.metadata()
        )
    status = status_of(refused.value)
    info = error_details_pb2.ErrorInfo()
    assert status
    status.details[0].Unpack(info)
    thread = info.metadata["call_id"].rpartition("-")[2]
    return next(pid for pid in process.workers() if Path(f"/proc/{pid}/task/{thread}").exists())


def test_serve_reads_dotenv(serve: Serve, tmp_path: Path) -> None:
    """Settings in .env hold; those of the environment come first."""
    (tmp_path / ".env").write_text("PIXY_IMAGES=kept-here\nPIXY_WORKERS=2\n")

    process = serve(PIXY_WORKERS="1")

    assert (tmp_path / "kept-here" / ".pixy-store").exists()
    assert len(process.workers()) == 1


def test_serve_without_tokens_makes_one_and_keeps_it(serve: Serve, tmp_path: Path) -> None:
    """The token is in a file of the owner alone; a restart finds it, so clients go on."""
    token_file = tmp_path / ".pixy" / "token"
    process = serve(PIXY_TOKENS="")
    made = token_file.read_text()
    code = process.stop()

    again = serve(PIXY_TOKENS="")

    assert code == 0
    assert ".pixy/token" in process.lines[0]
    assert made.strip() not in "\n".join(process.lines)
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert [entry.name for entry in token_file.parent.iterdir()] == ["token"]
    with Client(again.server.target, token=made.strip()) as client:
        assert list(client.list()) == []


def test_serve_without_tokens_is_never_open(serve: Serve) -> None:
    """A call without the made token is refused."""
    process = serve(PIXY_TOKENS="")

    with Client(process.server.target, token="a-guess") as client, pytest.raises(InvalidTokenError):
        client.get(NO_GUID)


@pytest.mark.parametrize("content", ["", "short", "caf\u00e9-caf\u00e9-caf\u00e9"])
def test_serve_with_unusable_token_file_says_so(tmp_path: Path, content: str) -> None:
    """What is no token is not taken for one."""
    (tmp_path / ".pixy").mkdir()
    token_file = tmp_path / ".pixy" / "token"
    token_file.write_text(content)
    token_file.chmod(0o600)

    ended = run_program(tmp_path, "serve")

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "pixy-grpc: .pixy/token holds no token: remove it, or set PIXY_TOKENS"
    ]


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602])
def test_serve_with_a_token_file_open_to_others_says_so(tmp_path: Path, mode: int) -> None:
    """Whoever reads the token calls under its name, and whoever writes it has one."""
    (tmp_path / ".pixy").mkdir()
    token_file = tmp_path / ".pixy" / "token"
    token_file.write_text("a-token-of-somebody\n")
    token_file.chmod(mode)

    ended = run_program(tmp_path, "serve")

    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        "pixy-grpc: .pixy/token is open to others: chmod 600 it, or remove it"
    )


def test_workers_share_port_and_images(serve: Serve) -> None:
    """Each worker answers, and each sees what another has stored."""
    process = serve(PIXY_WORKERS="2")
    with process.server.client() as client:
        created = client.create("seen by all", size="64x64").image

    answered = {worker_that_answers(process) for _ in range(40)}

    assert answered == set(process.workers())
    for _ in range(8):
        with process.server.client("bob") as client:
            assert client.get(created.guid) == created


def test_log_lines_parse_and_pair(serve: Serve) -> None:
    """Each call has its start and its end under its call id, and nothing of its content."""
    process = serve(PIXY_LOG_LEVEL="DEBUG")
    with process.server.client() as client:
        client.create("a prompt nobody logs", filename="label-nobody-logs", size="64x64")
        with pytest.raises(ImageException):
            client.get("no\nguid")

    process.stop()

    parsed = [match for line in process.lines if (match := LINE.fullmatch(line))]
    assert len(parsed) == len(process.lines)
    requests = [(match["call"], match["text"][:13]) for match in parsed if match["call"] != "-"]
    calls = {call for call, _ in requests}
    assert len(calls) == 2
    for call in calls:
        texts = [text for other, text in requests if other == call]
        assert texts[0] == "REQUEST START"
        assert texts[-1] == "REQUEST END m"
    assert "nobody" not in "\n".join(process.lines)


def test_version_is_printed(tmp_path: Path) -> None:
    """Of what is installed, whatever the settings are; nothing is made."""
    ended = run_program(tmp_path, "--version", PIXY_LISTEN="nowhere")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"pixy-grpc {version('pixy-grpc')}\n"
    assert list(tmp_path.iterdir()) == []


def test_migrate_prepares_and_may_run_again(serve: Serve, tmp_path: Path) -> None:
    """The command makes database and store; the server then finds them done."""
    first = run_program(tmp_path, "migrate")
    second = run_program(tmp_path, "migrate")
    serve()

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stdout == "The database is up to date.\n"
    assert first.stderr == ""
    assert (tmp_path / "images" / ".pixy-store").exists()


def test_every_line_of_the_log_is_of_one_format(serve: Serve) -> None:
    """GRPC's core has a log of its own, and writes to it what anybody makes it write."""
    process = serve()
    with DeafClient(process.server.target, TOKENS["alice"]) as client:
        client.ask(DETAILS, b"", **{"grpc-timeout": "never"})
        client.ask(DETAILS, b"")
        process.await_line(re.compile("REQUEST END method=/pixy.v1.ImageService/GetImageDetails"))
    process.stop()

    assert [line for line in process.lines if not LINE.fullmatch(line)] == []
