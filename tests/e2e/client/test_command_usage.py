"""What `pixy` says to a command line that makes no sense."""

import json

import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, answers


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("get", GUID, "--format", "gif", "--json"), "--format"),
        (("get", GUID, "--json", "--max-side", "x"), "--max-side"),
        (("get", GUID, "--json", "-o", "-"), "standard output"),
        (("create", "--json"), "prompt"),
        (("list", "--after", "foo", "--json"), "ISO 8601"),
        (("update", GUID, "--json"), "Say what to change"),
        (("paint", "--json"), "paint"),
        (("--json", "list"), "--json"),
    ],
)
def test_usage_error_with_json_says_so_in_json(
    stand_in: StandIn, pixy: Pixy, arguments: tuple[str, ...], said: str
) -> None:
    """A program reads one document, whoever found the error."""
    result = pixy(*arguments)

    error = json.loads(result.stderr)["error"]
    assert (result.exit_code, result.stdout) == (2, "")
    assert (error["exit_code"], error["reason"]) == (2, "USAGE_ERROR")
    assert said in error["message"]
    assert stand_in.received == []


def test_usage_error_beside_text_that_looks_like_the_option_is_for_people(pixy: Pixy) -> None:
    """Behind `--` nothing is an option."""
    result = pixy("show", "--", "--json", "more")

    assert result.exit_code == 2
    assert "Usage: " in result.stderr


def test_help_with_json_is_help(pixy: Pixy) -> None:
    """No error, no document."""
    result = pixy("list", "--json", "--help")

    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_command_with_json_that_works_exits_with_0(stand_in: StandIn, pixy: Pixy) -> None:
    """As without."""
    stand_in.script("ListImageDetails", answers(pb.ListImageDetailsResponse()))

    result = pixy("list", "--json")

    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("option", "value", "example"),
    [
        ("--target", "127.0.0.1:1", "pixy --target HOST:PORT list ..."),
        ("--timeout", "3", "pixy --timeout SECONDS list ..."),
    ],
)
def test_option_behind_its_command_is_said_to_belong_before(
    pixy: Pixy, option: str, value: str, example: str
) -> None:
    """It is no option of the command, and yet one."""
    person, program = pixy("list", option, value), pixy("list", "--json", option, value)

    said = f"No such option: {option}. It belongs before the command: {example}"
    assert (person.exit_code, program.exit_code) == (2, 2)
    assert said in person.stderr
    assert json.loads(program.stderr)["error"]["message"] == said


def test_help_of_get_names_no_side_that_is_none(pixy: Pixy) -> None:
    """No side is the default, and 0 is not in the list."""
    result = pixy("get", "--help")

    assert "default: 0" not in result.stdout
