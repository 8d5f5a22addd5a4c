"""Page tokens and page sizes: what is ours, what is not, and what a page holds."""

import base64
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypedDict

import pytest

from pixy_client import Client
from pixy_grpc.core.exceptions import InvalidPageSizeError, InvalidPageTokenError
from tests.e2e.rpc.stocking import NOON, stock
from tests.support.server import RunningServer

IMAGES = 1_003
LATER = datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def guids(lone_server: RunningServer) -> list[str]:
    """Store more images than the largest page holds, all but one of one second."""
    with stock(lone_server) as add:
        added = [add(prompt=f"a dune, number {n}") for n in range(IMAGES - 1)]
        return [add(prompt="a late dune", created_at=LATER), *reversed(added)]


@pytest.fixture
def caller(lone_server: RunningServer) -> Iterator[Client]:
    """Connect to the module's server."""
    with lone_server.client() as connected:
        yield connected


@pytest.mark.parametrize(
    ("page_size", "images"), [(0, 50), (1, 1), (50, 50), (1_000, 1_000), (1_001, 1_000)]
)
def test_page_size_is_at_most_a_thousand_and_fifty_by_default(
    caller: Client, guids: list[str], page_size: int, images: int
) -> None:
    """A page holds as many as asked for, within the limits, newest first."""
    page = caller.list_page(page_size=page_size)

    assert [image.guid for image in page.images] == guids[:images]
    assert page.next_page_token


def test_page_size_of_the_largest_number_is_a_thousand(caller: Client) -> None:
    """More than the limit means the limit, however much more."""
    assert len(caller.list_page(page_size=2**31 - 1).images) == 1_000


def test_page_size_below_zero_is_refused(caller: Client) -> None:
    """A negative number of images is none that could be meant."""
    with pytest.raises(InvalidPageSizeError):
        caller.list_page(page_size=-1)


@pytest.mark.parametrize("page_size", [1, 334, 1_000])
def test_following_tokens_shows_every_image_once(
    caller: Client, guids: list[str], page_size: int
) -> None:
    """Images of the same second are neither skipped nor repeated where pages meet."""
    listed = caller.list(page_size=page_size, prompt="dune" if page_size > 1 else "late dune")

    assert [image.guid for image in listed] == (guids if page_size > 1 else guids[:1])


def test_page_that_ends_the_list_has_no_token(caller: Client) -> None:
    """A list that ends where its page is full ends there, without an empty page."""
    page = caller.list_page(created_after=LATER, page_size=1)

    assert len(page.images) == 1
    assert page.next_page_token == ""


def test_token_may_be_used_with_another_page_size(caller: Client, guids: list[str]) -> None:
    """The token is bound to filters; how much is wanted next may change."""
    token = caller.list_page(page_size=3).next_page_token

    page = caller.list_page(page_size=5, page_token=token)

    assert [image.guid for image in page.images] == guids[3:8]


class Filter(TypedDict, total=False):
    """What a list can be asked for."""

    prompt: str
    filename: str
    created_after: datetime
    created_before: datetime


FILTERS: list[Filter] = [
    {},
    {"prompt": "dune"},
    {"prompt": "Dune"},
    {"filename": "stock"},
    {"created_after": NOON},
    {"created_before": LATER},
]


@pytest.mark.parametrize("first", FILTERS, ids=str)
@pytest.mark.parametrize("second", FILTERS, ids=str)
def test_token_of_other_filters_is_refused(caller: Client, first: Filter, second: Filter) -> None:
    """A token goes on with the list it came from, and no other."""
    token = caller.list_page(page_size=2, **first).next_page_token
    assert token

    if first == second:
        assert caller.list_page(page_size=2, page_token=token, **second).images
        return

    with pytest.raises(InvalidPageTokenError) as caught:
        caller.list_page(page_token=token, **second)

    assert [each.field for each in caught.value.violations] == ["page_token"]


def forged(token: str, **changes: int) -> str:
    """Return a token with parts of it replaced."""
    layout = struct.Struct(">B8sqq")
    packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    version, digest, seconds, row = layout.unpack(packed)
    version = changes.get("version", version)
    seconds, row = changes.get("seconds", seconds), changes.get("row", row)
    return base64.urlsafe_b64encode(layout.pack(version, digest, seconds, row)).decode().rstrip("=")


@pytest.mark.parametrize(
    "bad",
    ["x", "not a token", "=", "AAAA", "\n", "é", "\0", "A" * 10_000, "-" * 34, "../../etc/passwd"],
    ids=ascii,
)
def test_token_that_is_not_ours_is_refused(caller: Client, bad: str) -> None:
    """Garbage is told apart from the end of a list, and from its beginning."""
    with pytest.raises(InvalidPageTokenError):
        caller.list_page(page_token=bad)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token[1:],
        lambda token: token[:-4],
        lambda token: token + "AAAA",
        lambda token: token + " ",
        lambda token: token.swapcase(),
        lambda token: forged(token, version=0),
        lambda token: forged(token, version=2),
        lambda token: forged(token, seconds=2**63 - 1),
        lambda token: forged(token, seconds=-(2**63)),
        lambda token: forged(token, seconds=-1),
    ],
    ids=[
        "cut",
        "headless",
        "shorter",
        "longer",
        "space",
        "case",
        "v0",
        "v2",
        "never",
        "before time",
        "before 1970",
    ],
)
def test_token_that_was_changed_is_refused(caller: Client, change: Callable[[str], str]) -> None:
    """Cut, grown, of another version or of no time there is: not one of ours."""
    token = caller.list_page(page_size=1).next_page_token

    with pytest.raises(InvalidPageTokenError):
        caller.list_page(page_token=change(token))


@pytest.mark.parametrize("row", [-(2**63), -1, 0, 2**63 - 1])
def test_forged_position_grants_nothing(caller: Client, guids: list[str], row: int) -> None:
    """Whoever makes up a place in the list sees a part of the list, in order."""
    token = caller.list_page(page_size=1).next_page_token

    page = caller.list_page(page_size=1_000, page_token=forged(token, row=row))

    listed = [image.guid for image in page.images]
    assert listed == [guid for guid in guids if guid in set(listed)]
