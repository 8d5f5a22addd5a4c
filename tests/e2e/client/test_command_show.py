"""`pixy show`, and what every command does where it fails."""

import json
from importlib.metadata import version

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID, PLAIN_IMAGE, details_of
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, answers, refuses


def test_show_prints_the_image(stand_in: StandIn, pixy: Pixy) -> None:
    """A line for each thing that is known."""
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))

    result = pixy("show", GUID)

    assert (result.exit_code, result.stdout) == (0, PLAIN_IMAGE)


def test_show_with_json_prints_one_document(stand_in: StandIn, pixy: Pixy) -> None:
    """Whatever the text is: a document is one line of ASCII."""
    details = details_of(prompt="🦊 [bold]\x1b[31m\n")
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details)))

    result = pixy("show", GUID, "--json")

    assert json.loads(result.stdout)["prompt"] == "🦊 [bold]\x1b[31m\n"
    assert result.stdout.isascii()
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (grpc.StatusCode.NOT_FOUND, "IMAGE_NOT_FOUND", 3),
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PROMPT", 4),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_READS", 6),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_TOO_SHORT", 7),
        (grpc.StatusCode.INTERNAL, "INTERNAL", 1),
    ],
)
def test_show_that_is_refused_exits_with_its_code(
    stand_in: StandIn, pixy: Pixy, status: grpc.StatusCode, reason: str, code: int
) -> None:
    """A script can tell them apart; a person gets one line."""
    stand_in.script("GetImageDetails", refuses(status, reason))

    result = pixy("show", GUID)

    assert result.exit_code == code
    assert result.stderr == f"pixy: {reason}: What happened. (call id call-1)\n"


def test_show_that_fails_with_json_says_so_in_json(stand_in: StandIn, pixy: Pixy) -> None:
    """On standard error, so that standard output stays a document or nothing."""
    stand_in.script(
        "GetImageDetails",
        refuses(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_GUID", violations={"guid": "Not one."}),
    )

    result = pixy("show", "x", "--json")

    assert result.stdout == ""
    assert json.loads(result.stderr) == {
        "error": {
            "exit_code": 4,
            "reason": "INVALID_GUID",
            "message": "What happened.",
            "advice": "It was 'x'.",
            "violations": [{"field": "guid", "description": "Not one."}],
            "call_id": "call-1",
            "request_id": "",
            "retry_delay_seconds": None,
        }
    }


def test_show_without_a_server_exits_as_unavailable(pixy: Pixy) -> None:
    """The target is named; so is what to check."""
    result = pixy("--target", "127.0.0.1:1", "show", GUID)

    assert result.exit_code == 7
    assert "pixy: UNAVAILABLE: 127.0.0.1:1 cannot be reached" in result.stderr


def test_show_with_a_timeout_sends_it(stand_in: StandIn, pixy: Pixy) -> None:
    """The deadline is the call's."""
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))

    pixy("--timeout", "7", "show", GUID)

    assert stand_in.received[0].seconds_left < 10


@pytest.mark.parametrize(
    "arguments",
    [
        ("--timeout", "0", "show", GUID),
        ("--timeout", "soon", "show", GUID),
        ("--target", "pixy.example:1", "show", GUID),
        ("--target", "127.0.0.1", "show", GUID),
        ("--target", "localhost:99999", "show", GUID),
        ("--target", "http://127.0.0.1:50051", "show", GUID),
        ("show",),
        ("list", "--after", "yesterday"),
        ("list", "--before", "2026-02-30"),
        ("list", "--limit", "0"),
        ("list", "--page-size", "-1"),
        ("create", "A fox", "--format", "gif"),
        ("create", "A fox", "--request-id", "7"),
        ("create", "A fox", "-o", "-", "--json"),
        ("get", GUID, "-o", "-", "--json"),
        ("update", GUID),
        ("paint",),
    ],
)
def test_command_that_makes_no_sense_asks_for_nothing(
    stand_in: StandIn, pixy: Pixy, arguments: tuple[str, ...]
) -> None:
    """A usage error is told from a refusal."""
    result = pixy(*arguments)

    assert result.exit_code == 2
    assert result.stderr
    assert stand_in.received == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--timeout", "0"), "pixy: A timeout is a number of seconds above 0"),
        (("--target", "localhost:0"), "pixy: --target takes HOST:PORT, such as 127.0.0.1:50051"),
        (("--target", "http://127.0.0.1:1"), "pixy: --target takes HOST:PORT"),
    ],
)
def test_setting_that_cannot_be_used_is_said_in_plain_words(
    pixy: Pixy, arguments: tuple[str, ...], said: str
) -> None:
    """No status of gRPC, no name of Python's."""
    result = pixy(*arguments, "show", GUID)

    assert result.stderr.startswith(said)


def test_version_is_printed(stand_in: StandIn, pixy: Pixy) -> None:
    """Without a command, a server or a token."""
    result = pixy("--version")

    assert (result.exit_code, result.stdout) == (0, f"pixy {version('pixy-grpc')}\n")
    assert stand_in.received == []
