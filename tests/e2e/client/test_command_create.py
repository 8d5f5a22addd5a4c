"""`pixy create`: what it asks for, prints and exits with."""

import json
from pathlib import Path

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, PLAIN_IMAGE, details_of, sends_image
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, answers, refuses


@pytest.fixture
def created(stand_in: StandIn) -> pb.CreateImageResponse:
    """Have the stand-in make an image."""
    answer = pb.CreateImageResponse(details=details_of())
    stand_in.script("CreateImage", answers(answer))
    stand_in.script("GetImageBytes", sends_image())
    return answer


@pytest.mark.usefixtures("created")
def test_create_prints_the_image(stand_in: StandIn, pixy: Pixy) -> None:
    """And the request id, with every option sent as it was given."""
    options = ("--filename", "f.png", "--size", "64x32", "--quality", "high", "--format", "webp")

    result = pixy("create", "A red fox", *options, "--request-id", GUID.upper())

    assert result.exit_code == 0
    assert result.stdout == f"{PLAIN_IMAGE}request_id: {GUID}\n"
    assert stand_in.requests("CreateImage") == [
        pb.CreateImageRequest(
            prompt="A red fox",
            filename="f.png",
            size="64x32",
            quality="high",
            format=pb.IMAGE_FORMAT_WEBP,
            request_id=GUID,
        )
    ]


def test_create_again_says_that_it_is_a_replay(created: pb.CreateImageResponse, pixy: Pixy) -> None:
    """Nobody wonders why the image is an old one."""
    created.replayed = True

    result = pixy("create", "A red fox", "--request-id", GUID)

    assert "replayed: yes\n" in result.stdout


@pytest.mark.usefixtures("created")
def test_create_with_json_prints_one_document(stand_in: StandIn, pixy: Pixy) -> None:
    """The image, whether it was made before, and the request id that was made here."""
    result = pixy("create", "A red fox", "--json")

    document = json.loads(result.stdout)
    assert document["image"]["guid"] == GUID
    assert document["replayed"] is False
    assert document["request_id"] == stand_in.requests("CreateImage")[0].request_id


@pytest.mark.usefixtures("created")
def test_create_with_an_output_saves_the_image(pixy: Pixy, tmp_path: Path) -> None:
    """One command from a prompt to a file."""
    result = pixy("create", "A red fox", "-o", "fox.png")

    assert (tmp_path / "fox.png").read_bytes() == DATA
    assert f"saved_to: {tmp_path}/fox.png\nverified: yes\n" in result.stdout


@pytest.mark.usefixtures("created")
def test_create_with_json_and_an_output_says_where(pixy: Pixy, tmp_path: Path) -> None:
    """Still one document."""
    result = pixy("create", "A red fox", "--json", "-o", "fox.png")

    document = json.loads(result.stdout)
    assert document["path"] == str(tmp_path / "fox.png")
    assert (document["size_bytes"], document["verified"]) == (len(DATA), True)


@pytest.mark.usefixtures("created")
def test_create_to_standard_output_prints_the_bytes_alone(pixy: Pixy) -> None:
    """What is piped on is the image."""
    result = pixy("create", "A red fox", "-o", "-")

    assert result.stdout_bytes == DATA


def test_create_to_a_missing_folder_asks_for_nothing(
    stand_in: StandIn, pixy: Pixy, tmp_path: Path
) -> None:
    """What cannot be saved is not paid for."""
    result = pixy("create", "A red fox", "-o", "missing/fox.png")

    assert result.exit_code == 2
    assert result.stderr == f"pixy: There is no such folder: {tmp_path}/missing\n"
    assert stand_in.received == []


def test_create_that_fails_names_the_request_id(stand_in: StandIn, pixy: Pixy) -> None:
    """One line: the reason, the message, and how to ask again."""
    stand_in.script(
        "CreateImage",
        refuses(grpc.StatusCode.ABORTED, "CREATION_IN_PROGRESS", "Wait.", delay_seconds=2),
    )

    result = pixy("create", "A red fox")

    request_id = stand_in.requests("CreateImage")[0].request_id
    assert result.exit_code == 6
    assert result.stdout == ""
    assert result.stderr == (
        "pixy: CREATION_IN_PROGRESS: Wait. (try again in 2 s; call id call-1; "
        f"ask for the same image again with --request-id {request_id})\n"
    )


@pytest.mark.usefixtures("created")
def test_create_that_cannot_be_fetched_names_the_request_id(stand_in: StandIn, pixy: Pixy) -> None:
    """The image is there; the same command gets it."""
    stand_in.script("GetImageBytes", refuses(grpc.StatusCode.DATA_LOSS, "IMAGE_CORRUPT"))

    result = pixy("create", "A red fox", "-o", "fox.png", "--request-id", GUID)

    assert result.exit_code == 8
    assert f"--request-id {GUID}" in result.stderr


def test_create_that_is_refused_does_not_say_to_ask_again(stand_in: StandIn, pixy: Pixy) -> None:
    """The same again would be refused the same."""
    stand_in.script("CreateImage", refuses(grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED"))

    result = pixy("create", "A red fox", "--request-id", GUID)

    assert result.stderr == "pixy: REQUEST_ID_REUSED: What happened. (call id call-1)\n"


@pytest.mark.usefixtures("created")
def test_create_whose_saving_is_refused_names_the_request_id(stand_in: StandIn, pixy: Pixy) -> None:
    """Whatever the status: the image is there."""
    busy = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_DOWNLOADS")
    stand_in.script("GetImageBytes", busy)

    result = pixy("create", "A red fox", "-o", "fox.png", "--request-id", GUID)

    assert result.stderr.count(f"--request-id {GUID}") == 1


def test_create_of_several_words_says_to_quote_them(stand_in: StandIn, pixy: Pixy) -> None:
    """It is what everybody types first."""
    result = pixy("create", "a", "red", "fox", "--size", "64x64")

    assert result.exit_code == 2
    assert 'pixy create "a red fox"' in result.stderr
    assert stand_in.received == []
