"""A list goes on until there is no next page."""

import itertools

import pytest

from pixy_client import Client, UnreadableAnswerError
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import details_of
from tests.e2e.client.stand_in import Behaviour, StandIn, answers


def _page(*names: str, next_page_token: str = "") -> Behaviour:
    found = [details_of(filename=name) for name in names]
    answer = pb.ListImageDetailsResponse(details=found, next_page_token=next_page_token)
    return answers(answer)


def test_list_follows_short_and_empty_pages(stand_in: StandIn, client: Client) -> None:
    """Only an empty token ends the list; the filters go with every page."""
    stand_in.script(
        "ListImageDetails",
        _page("a", "b", next_page_token="1"),
        _page(next_page_token="2"),
        _page("c", next_page_token="3"),
        _page(),
    )

    names = [image.filename for image in client.list(prompt="fox", page_size=2)]

    assert names == ["a", "b", "c"]
    sent = stand_in.requests("ListImageDetails")
    assert [request.page_token for request in sent] == ["", "1", "2", "3"]
    assert {(request.prompt, request.page_size) for request in sent} == {("fox", 2)}


def test_list_asks_for_no_more_than_is_read(stand_in: StandIn, client: Client) -> None:
    """A page is fetched when it is needed."""
    stand_in.script("ListImageDetails", _page("a", "b", next_page_token="1"), _page("c"))

    first = list(itertools.islice(client.list(), 2))

    assert len(first) == 2
    assert len(stand_in.received) == 1


def test_list_of_a_page_that_repeats_fails(stand_in: StandIn, client: Client) -> None:
    """A broken server does not keep a client busy for ever."""
    stand_in.script("ListImageDetails", _page("a", next_page_token="1"))

    with pytest.raises(UnreadableAnswerError, match="repeats"):
        list(client.list())

    assert len(stand_in.received) == 2


def test_list_page_returns_one_page(stand_in: StandIn, client: Client) -> None:
    """Who pages by hand gets the token."""
    stand_in.script("ListImageDetails", _page("a", next_page_token="2"))

    page = client.list_page(filename="a", page_token="1")

    assert [image.filename for image in page.images] == ["a"]
    assert page.next_page_token == "2"
    assert stand_in.requests("ListImageDetails")[0].page_token == "1"
