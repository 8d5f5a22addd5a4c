"""`pixy` as a process: terminals, pipes, signals, and what is not installed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, details_of, sends_image
from tests.e2e.client.pixy import run, run_on_terminal, start
from tests.e2e.client.stand_in import WAIT_SECONDS, Held, StandIn, answers, breaks, refuses

HOSTILE = "[red]fox[/red] \x1b]0;owned\x07\x1b[2J:fox: \u202eend"
HARMLESS = "[red]fox[/red] :fox: end"


def test_help_tells_the_exit_codes(stand_in: StandIn) -> None:
    """What a script may rely on is where people look."""
    finished = run(stand_in, "--help")

    assert finished.returncode == 0
    for line in (b"    0  it worked", b"    8  the bytes", b"  130  interrupted"):
        assert line in finished.stdout


def test_show_in_a_pipe_prints_plain_lines(stand_in: StandIn) -> None:
    """No colours, no boxes, in any locale."""
    details = details_of(prompt=HOSTILE)
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details)))

    finished = run(stand_in, "show", GUID)

    assert (finished.returncode, finished.stderr) == (0, b"")
    assert f"prompt: {HARMLESS}\n".encode() in finished.stdout


def test_show_in_a_locale_without_the_letters_escapes_them(stand_in: StandIn) -> None:
    """A prompt in another script is no reason to fail."""
    details = details_of(prompt="狐")
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details)))

    with start(stand_in, "show", GUID, changes={"PYTHONIOENCODING": "latin-1"}) as process:
        output, _ = process.communicate(timeout=WAIT_SECONDS)

    assert b"prompt: \\u72d0\n" in output


def test_show_on_a_terminal_prints_a_table(stand_in: StandIn) -> None:
    """Text of others is shown, not obeyed: neither as markup nor by the terminal."""
    details = details_of(prompt=HOSTILE)
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details)))

    finished = run_on_terminal(stand_in, "show", GUID)

    assert finished.returncode == 0
    assert "\x1b[1mprompt" in finished.output
    assert HARMLESS in finished.output
    assert "owned" not in finished.output
    assert "\x1b[2J" not in finished.output


def test_list_on_a_terminal_prints_one_header(stand_in: StandIn) -> None:
    """Rows appear as they arrive, batch by batch, below one header."""
    found = [details_of(prompt=f"{HOSTILE} {number}") for number in range(60)]
    stand_in.script("ListImageDetails", answers(pb.ListImageDetailsResponse(details=found)))

    finished = run_on_terminal(stand_in, "list")

    assert finished.output.count("prompt") == 1
    assert finished.output.count(GUID) == 60
    assert "[red]fox[/red]" in finished.output
    assert "owned" not in finished.output


def test_error_on_a_terminal_gives_it_no_orders(stand_in: StandIn) -> None:
    """A message of a server is text of others too."""
    stand_in.script(
        "GetImageDetails", refuses(grpc.StatusCode.NOT_FOUND, "IMAGE_NOT_FOUND", HOSTILE)
    )

    finished = run_on_terminal(stand_in, "show", GUID)

    assert finished.returncode == 3
    assert finished.output == f"pixy: IMAGE_NOT_FOUND: {HARMLESS} (call id call-1)\r\n"


def test_get_on_a_terminal_shows_progress(stand_in: StandIn, tmp_path: Path) -> None:
    """A bar while bytes arrive, and the whole file afterwards."""
    stand_in.script("GetImageBytes", sends_image())

    finished = run_on_terminal(stand_in, "get", GUID, "-o", f"{tmp_path}/fox.png")

    assert finished.returncode == 0
    assert "━" in finished.output
    assert (tmp_path / "fox.png").read_bytes() == DATA


def test_get_to_a_terminal_is_a_usage_error(stand_in: StandIn) -> None:
    """Bytes of others are not for a terminal."""
    finished = run_on_terminal(stand_in, "get", GUID, "-o", "-")

    assert finished.returncode == 2
    assert stand_in.received == []


def test_get_into_a_pipe_writes_the_bytes(stand_in: StandIn) -> None:
    """Byte for byte."""
    stand_in.script("GetImageBytes", sends_image())

    finished = run(stand_in, "get", GUID, "-o", "-")

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, DATA, b"")


def test_list_whose_reader_leaves_is_quiet(stand_in: StandIn) -> None:
    """`pixy list | head` is how one looks at a long list."""
    held = Held()
    first = pb.ListImageDetailsResponse(details=[details_of()], next_page_token="more")
    rest = pb.ListImageDetailsResponse(details=[details_of()])
    stand_in.script("ListImageDetails", answers(first), held.then(answers(rest)))

    with start(stand_in, "list") as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        held.arrived.wait(WAIT_SECONDS)
        process.stdout.close()
        held.released.set()
        complaints = process.stderr.read()
        returncode = process.wait(WAIT_SECONDS)

    assert line.startswith(GUID.encode())
    assert (returncode, complaints) == (0, b"")


def test_create_that_is_interrupted_names_its_request_id(stand_in: StandIn) -> None:
    """Who gives up waiting can still get the image that may have been paid for."""
    held = Held()
    stand_in.script("CreateImage", held.then(breaks()))

    with start(stand_in, "create", "A red fox", "--json") as process:
        held.arrived.wait(WAIT_SECONDS)
        os.kill(process.pid, signal.SIGINT)
        output, complaints = process.communicate(timeout=WAIT_SECONDS)

    assert (process.returncode, output) == (130, b"")
    error = json.loads(complaints)["error"]
    assert error["reason"] == "INTERRUPTED"
    assert error["request_id"] == stand_in.requests("CreateImage")[0].request_id


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS * 2,
        check=False,
    )


_INTERRUPT_AT_IMPORT = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from {package} import main
main()
"""


@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("pixy_client.cli", "typer"),
        ("pixy_client.cli", "pydantic"),
        ("pixy_client.cli", "grpc"),
        ("pixy_grpc.cli", "typer"),
        ("pixy_grpc.cli", "pixy_grpc.app"),
    ],
)
def test_command_interrupted_while_it_starts_is_quiet(package: str, module: str) -> None:
    """Imports take most of a second, and a traceback tells nobody anything."""
    finished = _python(_INTERRUPT_AT_IMPORT.format(package=package, module=module))

    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")


def test_command_whose_interrupts_are_ignored_goes_on() -> None:
    """As a shell has it for what runs in the background."""
    code = _INTERRUPT_AT_IMPORT.format(package="pixy_client.cli", module="typer")
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"

    finished = _python(f"{ignoring}{code}")

    assert "Usage:" in finished.stdout + finished.stderr


def test_import_of_the_client_needs_no_extra() -> None:
    """Who wants the client alone does without the command's dependencies."""
    extras = "{'typer', 'rich', 'openai', 'pymysql', 'pydantic_settings'}"

    finished = _python(
        f"import sys, pixy_client; print(pixy_client.Client.__name__, {extras} & set(sys.modules))"
    )

    assert finished.stdout == "Client set()\n"


@pytest.mark.parametrize("extra", ["typer", "rich"])
def test_command_without_its_extra_says_what_to_install(extra: str) -> None:
    """One line, no traceback."""
    finished = _python(
        f"import sys; sys.modules[{extra!r}] = None; from pixy_client.cli import main; main()"
    )

    assert finished.returncode == 1
    assert finished.stderr == "pixy: the command needs an extra: pip install 'pixy-grpc[cli]'\n"


def test_command_with_a_broken_install_does_not_blame_the_extra() -> None:
    """Another missing module is shown as what it is."""
    finished = _python(
        "import sys; sys.modules['pydantic'] = None; from pixy_client.cli import main; main()"
    )

    assert "ModuleNotFoundError" in finished.stderr
