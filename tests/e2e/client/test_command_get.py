"""`pixy get`, `update` and `delete`: what they ask for, print and exit with."""

import json
from pathlib import Path

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, PLAIN_IMAGE, details_of, sends_image
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, answers, breaks


def test_get_saves_the_image_here(stand_in: StandIn, pixy: Pixy, tmp_path: Path) -> None:
    """Under the name of its label, in the working folder."""
    stand_in.script("GetImageBytes", sends_image())

    result = pixy("get", GUID)

    assert result.exit_code == 0
    assert (tmp_path / "a-red-fox.png").read_bytes() == DATA
    assert f"saved_to: {tmp_path}/a-red-fox.png" in result.stdout


def test_get_of_an_older_image_says_that_it_was_not_verified(stand_in: StandIn, pixy: Pixy) -> None:
    """Nothing is claimed that was not checked."""
    older = pb.ImageDetails(guid=GUID, filename="old.png", prompt="Old")
    stand_in.script("GetImageBytes", sends_image(b"old", older))

    result = pixy("get", GUID, "--json")

    assert json.loads(result.stdout)["verified"] is False


def test_get_to_standard_output_prints_the_bytes(stand_in: StandIn, pixy: Pixy) -> None:
    """And nothing else."""
    stand_in.script("GetImageBytes", sends_image())

    result = pixy("get", GUID, "-o", "-")

    assert (result.exit_code, result.stdout_bytes) == (0, DATA)


def test_get_of_damaged_bytes_prints_none(stand_in: StandIn, pixy: Pixy, tmp_path: Path) -> None:
    """Not even those that had arrived."""
    stand_in.script("GetImageBytes", sends_image(DATA[::-1], details_of()))

    results = [pixy("get", GUID, "-o", output) for output in ("-", "fox.png")]

    assert [result.exit_code for result in results] == [8, 8]
    assert [result.stdout for result in results] == ["", ""]
    assert list(tmp_path.iterdir()) == []


def test_get_to_a_missing_folder_asks_for_nothing(
    stand_in: StandIn, pixy: Pixy, tmp_path: Path
) -> None:
    """The folder is named, not the file."""
    result = pixy("get", GUID, "-o", "missing/fox.png")

    assert result.exit_code == 2
    assert result.stderr == f"pixy: There is no such folder: {tmp_path}/missing\n"
    assert stand_in.received == []


def test_update_prints_the_image_as_it_is_now(stand_in: StandIn, pixy: Pixy) -> None:
    """Only what is named is sent."""
    stand_in.script("UpdateImage", answers(pb.UpdateImageResponse(details=details_of())))

    result = pixy("update", GUID, "--prompt", "A red fox")

    assert result.stdout == PLAIN_IMAGE
    [request] = stand_in.requests("UpdateImage")
    assert request == pb.UpdateImageRequest(guid=GUID, prompt="A red fox")


def test_delete_is_silent(stand_in: StandIn, pixy: Pixy) -> None:
    """No news is good news; programs get a document."""
    stand_in.script("DeleteImage", answers(pb.DeleteImageResponse()))

    person, program = pixy("delete", GUID), pixy("delete", GUID, "--json")

    assert (person.exit_code, person.stdout) == (0, "")
    assert json.loads(program.stdout) == {"guid": GUID, "deleted": True}


def test_delete_of_what_may_be_missing_does_not_say_that_it_was_there(
    stand_in: StandIn, pixy: Pixy
) -> None:
    """The answer does not tell, so nothing is claimed."""
    stand_in.script("DeleteImage", answers(pb.DeleteImageResponse()))

    result = pixy("delete", GUID, "--allow-missing", "--json")

    assert json.loads(result.stdout) == {"guid": GUID, "missing_allowed": True}
    assert stand_in.requests("DeleteImage")[0].allow_missing


def test_delete_with_a_lost_answer_says_that_it_is_not_known(stand_in: StandIn, pixy: Pixy) -> None:
    """It is not tried again behind the user's back."""
    stand_in.script("DeleteImage", breaks())

    result = pixy("delete", GUID)

    assert result.exit_code == 7
    assert len(stand_in.received) == 1
