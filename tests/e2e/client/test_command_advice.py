"""What `pixy` adds to an error of the server: what only the command knows."""

import json
from pathlib import Path

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID, details_of
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, answers, refuses

UNKNOWN = refuses(grpc.StatusCode.UNAUTHENTICATED, "INVALID_TOKEN")


@pytest.mark.parametrize("as_json", [False, True])
def test_token_of_the_environment_that_is_refused_is_said_to_be_from_there(
    stand_in: StandIn, pixy: Pixy, *, as_json: bool
) -> None:
    """The variable is to be set, or unset."""
    stand_in.script("GetImageDetails", UNKNOWN)
    said = (
        "The token is from PIXY_TOKEN: set it to one that the server knows (its PIXY_TOKENS), "
        "or unset it where the server made one in .pixy/token."
    )

    result = pixy("show", GUID, *(["--json"] if as_json else []))

    assert result.exit_code == 5
    if as_json:
        assert json.loads(result.stderr)["error"]["advice"] == said
    else:
        assert result.stderr == f"pixy: INVALID_TOKEN: What happened. {said} (call id call-1)\n"


def test_token_of_the_file_that_is_refused_is_said_to_be_from_there(
    stand_in: StandIn, pixy: Pixy, tmp_path: Path
) -> None:
    """By its path: another server may have left it."""
    (tmp_path / ".pixy").mkdir()
    (tmp_path / ".pixy" / "token").write_text("of-another-server")
    stand_in.script("GetImageDetails", UNKNOWN)

    result = pixy("show", GUID, environment={"PIXY_TOKEN": ""})

    assert f"The token is from {tmp_path}/.pixy/token: run this in" in result.stderr


def test_request_id_of_an_image_that_was_deleted_is_said_to_be_that(
    stand_in: StandIn, pixy: Pixy
) -> None:
    """Nobody asked for the guid that the server names."""
    stand_in.script("CreateImage", refuses(grpc.StatusCode.NOT_FOUND, "IMAGE_NOT_FOUND"))

    result = pixy("create", "A red fox", "--request-id", GUID)

    assert result.exit_code == 3
    assert result.stderr == (
        "pixy: IMAGE_NOT_FOUND: What happened. This request id made that image, and it has been "
        "deleted since: another request id, or none, makes a new one. (call id call-1)\n"
    )


def test_image_that_is_deleted_before_it_is_saved_is_not_said_to_be_an_older_one(
    stand_in: StandIn, pixy: Pixy
) -> None:
    """It was made just now."""
    stand_in.script("CreateImage", answers(pb.CreateImageResponse(details=details_of())))
    stand_in.script("GetImageBytes", refuses(grpc.StatusCode.NOT_FOUND, "IMAGE_NOT_FOUND"))

    result = pixy("create", "A red fox", "-o", "fox.png")

    assert result.exit_code == 3
    assert "request id made" not in result.stderr


@pytest.mark.parametrize(
    ("guid", "shown"),
    [
        (f"{GUID} ", f"'{GUID} '"),
        ("\u202efox", "'\\u202efox'"),
        ("x" * 1000, f"'{'x' * 80}'"),
    ],
)
@pytest.mark.parametrize("command", [("show",), ("get",), ("update", "--prompt", "A"), ("delete",)])
def test_guid_that_is_refused_is_shown(
    stand_in: StandIn, pixy: Pixy, command: tuple[str, ...], guid: str, shown: str
) -> None:
    """In quotes: a blank at its end is seen nowhere else."""
    for method in ("GetImageDetails", "GetImageBytes", "UpdateImage", "DeleteImage"):
        stand_in.script(method, refuses(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_GUID"))

    result = pixy(*command, guid)

    assert result.exit_code == 4
    assert f"INVALID_GUID: What happened. It was {shown}. (" in result.stderr


def test_filename_that_is_no_text_is_said_to_be_none(stand_in: StandIn, pixy: Pixy) -> None:
    """A byte of the command line that is no UTF-8; Python has a stand-in for it."""
    result = pixy("create", "A red fox", "--filename", "bad\udcff.png")

    assert result.exit_code == 4
    assert result.stderr == (
        "pixy: MALFORMED_REQUEST: The request cannot be sent: 'bad\\udcff.png' is no Unicode "
        "text; what is at 3 stands for no character, but perhaps for a byte.\n"
    )
    assert stand_in.received == []
