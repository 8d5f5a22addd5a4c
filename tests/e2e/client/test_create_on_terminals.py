"""`pixy create` on a terminal: each step as it happens, and nothing of it elsewhere."""

import re
from pathlib import Path

import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.creation_events import (
    ACCEPTED,
    CREATED,
    GENERATING,
    PARTIAL,
    STORED,
    WAITING,
)
from tests.e2e.client.details import GUID, PLAIN_IMAGE
from tests.e2e.client.pixy import Pixy, run_on_terminal
from tests.e2e.client.stand_in import StandIn, sends

FORGED = pb.CreateImageStreamResponse(
    generating=pb.CreationGenerating(generator="x\x1b[2Jy [bold]z")
)


@pytest.fixture
def told(stand_in: StandIn) -> None:
    """Have the stand-in tell every step."""
    stand_in.script("CreateImageStream", sends(ACCEPTED, GENERATING, PARTIAL, STORED, CREATED))


@pytest.mark.usefixtures("told")
def test_create_on_a_terminal_shows_each_step(stand_in: StandIn) -> None:
    """With the time it has taken; the image follows."""
    ended = run_on_terminal(stand_in, "create", "A red fox")

    assert ended.returncode == 0
    steps = ["accepted", "generating by openai", "partial image 2", "stored, 7 bytes", GUID]
    places = [ended.output.index(step) for step in steps]
    assert places == sorted(places)
    assert re.search(r"\d:\d\d:\d\d", ended.output)


def test_create_that_waits_on_a_terminal_says_so_and_shows_text_of_others_as_text(
    stand_in: StandIn,
) -> None:
    """The same command twice: the second waits. A generator's name clears no screen."""
    stand_in.script("CreateImageStream", sends(WAITING, FORGED, CREATED))

    ended = run_on_terminal(stand_in, "create", "A red fox")

    assert "waiting for the call that makes it" in ended.output
    assert "generating by xy [bold]z" in ended.output


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_create_in_a_pipe_shows_the_image_alone(pixy: Pixy, flags: tuple[str, ...]) -> None:
    """No spinner in a log."""
    result = pixy("create", "A red fox", "--request-id", GUID, *flags)

    assert result.stderr == ""
    assert flags or result.stdout == f"{PLAIN_IMAGE}request_id: {GUID}\n"
    assert not flags or result.stdout.startswith('{"image": {"guid"')


@pytest.mark.usefixtures("told")
def test_create_with_json_on_a_terminal_shows_the_document_alone(stand_in: StandIn) -> None:
    """Whoever asks for JSON gets nothing else."""
    ended = run_on_terminal(stand_in, "create", "A red fox", "--json")

    assert ended.output.startswith('{"image": {"guid"')


@pytest.mark.usefixtures("told")
def test_create_with_a_folder_for_unfinished_images_saves_them(
    stand_in: StandIn, pixy: Pixy, tmp_path: Path
) -> None:
    """Each in a file of its own, named after the request; they are asked for only then."""
    pixy("create", "A red fox", "--request-id", GUID)
    (tmp_path / "unfinished").mkdir()

    result = pixy("create", "A red fox", "--request-id", GUID, "--partials", "unfinished")

    assert result.exit_code == 0
    assert (tmp_path / "unfinished" / f"{GUID}-1.webp").read_bytes() == b"abc"
    sent = stand_in.requests("CreateImageStream")
    assert [request.partial_images for request in sent] == [0, 3]


def test_create_with_a_folder_that_is_not_there_asks_for_nothing(
    stand_in: StandIn, pixy: Pixy
) -> None:
    """What cannot be saved is not paid for."""
    result = pixy("create", "A red fox", "--partials", "missing")

    assert result.exit_code == 2
    assert result.stderr == "pixy: There is no such folder: missing\n"
    assert stand_in.received == []
