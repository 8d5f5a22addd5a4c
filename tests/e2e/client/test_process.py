"""`pixy` as a process: terminals, pipes and signals."""

import json
import os
import signal
from pathlib import Path

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, details_of, sends_image
from tests.e2e.client.pixy import run, run_closed, run_on_terminal, start
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


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("show", GUID)])
def test_command_without_standard_output_works_all_the_same(
    stand_in: StandIn, arguments: tuple[str, ...]
) -> None:
    """`>&-` says that nobody reads it."""
    stand_in.script("ListImageDetails", answers(pb.ListImageDetailsResponse()))
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))

    finished = run_closed(stand_in, ">&-", *arguments)

    assert (finished.returncode, finished.stderr) == (0, b"")


def test_get_without_any_stream_saves_the_image(stand_in: StandIn, tmp_path: Path) -> None:
    """No file takes the place of a stream, to be written to by who means that one."""
    stand_in.script("GetImageBytes", sends_image())

    finished = run_closed(stand_in, "<&- >&- 2>&-", "get", GUID, "-o", f"{tmp_path}/fox.png")

    assert finished.returncode == 0
    assert (tmp_path / "fox.png").read_bytes() == DATA


def test_get_to_closed_standard_output_is_a_usage_error(stand_in: StandIn) -> None:
    """Who asks for bytes there would not get them."""
    finished = run_closed(stand_in, ">&-", "get", GUID, "-o", "-")

    assert finished.returncode == 2
    assert b"Standard output is closed" in finished.stderr
    assert stand_in.received == []


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
