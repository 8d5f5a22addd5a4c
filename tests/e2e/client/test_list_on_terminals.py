"""`pixy list` on terminals of every width: a guid is there to be copied."""

import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID, details_of
from tests.e2e.client.pixy import run, run_on_terminal
from tests.e2e.client.stand_in import StandIn, answers

PROMPT = "A red fox in the snow at sunset " * 4


@pytest.fixture
def images(stand_in: StandIn) -> None:
    """Have the stand-in list two images."""
    found = [details_of(prompt=PROMPT), details_of(prompt=PROMPT)]
    stand_in.script("ListImageDetails", answers(pb.ListImageDetailsResponse(details=found)))


@pytest.mark.usefixtures("images")
def test_list_on_a_wide_terminal_shows_every_column(stand_in: StandIn) -> None:
    """There is room for it."""
    lines = run_on_terminal(stand_in, "list", columns=120).output.splitlines()

    assert "2026-11-22T08:30:00Z" in lines[1]
    assert "10240  a-red-fox" in lines[1]


@pytest.mark.usefixtures("images")
def test_list_on_an_ordinary_terminal_keeps_guid_and_prompt(stand_in: StandIn) -> None:
    """Bytes, filename and seconds go first; each image has its line."""
    lines = run_on_terminal(stand_in, "list", columns=80).output.splitlines()

    assert len(lines) == 3
    assert all(len(line) <= 80 for line in lines[1:])
    assert all(f"{GUID}  2026-11-22T08:30Z  A red fox in the " in line for line in lines[1:])


@pytest.mark.parametrize("columns", [60, 79])
@pytest.mark.usefixtures("images")
def test_list_on_a_narrow_terminal_takes_two_lines(stand_in: StandIn, columns: int) -> None:
    """The guid is whole, the prompt is cut where the line ends."""
    lines = run_on_terminal(stand_in, "list", columns=columns).output.splitlines()

    assert [line.rstrip() for line in lines[::2]] == [f"{GUID}  2026-11-22T08:30Z"] * 2
    assert all(line.startswith("  A red fox in the snow") for line in lines[1::2])
    assert all(len(line.rstrip()) <= columns and "…" in line for line in lines[1::2])


@pytest.mark.usefixtures("images")
def test_list_on_a_tiny_terminal_never_cuts_a_guid(stand_in: StandIn) -> None:
    """The terminal may wrap it, which a copy does not see."""
    output = run_on_terminal(stand_in, "list", columns=20).output

    assert output.count(GUID) == 2


def test_list_of_nothing_says_so_to_people(stand_in: StandIn) -> None:
    """In a pipe nothing is nothing."""
    stand_in.script("ListImageDetails", answers(pb.ListImageDetailsResponse()))

    person, program = run_on_terminal(stand_in, "list"), run(stand_in, "list")

    assert person.output == "No images.\r\n"
    assert (program.stdout, program.stderr, program.returncode) == (b"", b"", 0)
