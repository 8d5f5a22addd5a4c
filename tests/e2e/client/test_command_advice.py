"""What `pixy` adds to an error of the server: what only the command knows."""

import json
from pathlib import Path

import grpc
import pytest

from tests.e2e.client.details import GUID
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, refuses

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
