"""`pixy list`: what it asks for and prints."""

import json

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID, details_of
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, answers


def _pages(stand_in: StandIn) -> None:
    first = pb.ListImageDetailsResponse(
        details=[details_of(), details_of(prompt="two\tcells\nand \x1b[31mred")],
        next_page_token="more",
    )
    second = pb.ListImageDetailsResponse(details=[pb.ImageDetails(guid=GUID, prompt="old")])
    stand_in.script("ListImageDetails", answers(first), answers(second))


def test_list_prints_a_line_for_each_image(stand_in: StandIn, pixy: Pixy) -> None:
    """Tab-separated, whatever the text holds."""
    _pages(stand_in)

    result = pixy("list")

    start = f"{GUID}\t2026-11-22T08:30:00Z\t10240\ta-red-fox.png\t"
    assert result.stdout.splitlines() == [
        f"{start}A red fox",
        f"{start}two cells and red",
        f"{GUID}\t1970-01-01T00:00:00Z\t\t\told",
    ]


def test_list_with_json_prints_lines_of_json(stand_in: StandIn, pixy: Pixy) -> None:
    """A document for each image, as it arrives."""
    _pages(stand_in)

    result = pixy("list", "--json")

    prompts = [json.loads(line)["prompt"] for line in result.stdout.splitlines()]
    assert prompts == ["A red fox", "two\tcells\nand \x1b[31mred", "old"]


def test_list_sends_its_filters(stand_in: StandIn, pixy: Pixy) -> None:
    """A date is its midnight in UTC; a limit is no larger page."""
    _pages(stand_in)
    filters = ("--prompt", "fox", "--filename", "a", "--after", "2026-01-01")

    result = pixy("list", *filters, "--before", "2026-01-02T03:04:05+01:00", "--limit", "1")

    assert len(result.stdout.splitlines()) == 1
    [request] = stand_in.requests("ListImageDetails")
    assert (request.prompt, request.filename, request.page_size) == ("fox", "a", 1)
    assert request.created_after.ToJsonString() == "2026-01-01T00:00:00Z"
    assert request.created_before.ToJsonString() == "2026-01-02T02:04:05Z"


def test_list_with_a_page_size_sends_it(stand_in: StandIn, pixy: Pixy) -> None:
    """Who says how many at once gets as many."""
    _pages(stand_in)

    pixy("list", "--page-size", "7", "--limit", "2")

    assert stand_in.requests("ListImageDetails")[0].page_size == 7
