"""Request ids: one creation for each, however often and by how many it is asked for."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

import pytest

from pixy_client import Client
from pixy_grpc.core.exceptions import (
    InvalidPromptError,
    RecordNotFoundError,
    RequestIdReusedError,
)
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.e2e.rpc.wire import holdings
from tests.support.server import RunningServer, StartServer

SMALL = "64x64"


class Content(TypedDict, total=False):
    """What a creation is made of."""

    prompt: str
    filename: str
    size: str
    quality: str
    format: str


BADGER: Content = {"prompt": "a badger", "filename": "badger.png", "size": SMALL}


def new_id() -> str:
    return str(uuid.uuid4())


def test_create_again_with_the_same_request_id_replays(client: Client) -> None:
    """The second answer describes the first image, and says so."""
    request_id = new_id()

    first = client.create("a badger", size=SMALL, request_id=request_id)
    second = client.create("a badger", size=SMALL, request_id=request_id)

    assert (first.replayed, second.replayed) == (False, True)
    assert second.image == first.image
    assert second.request_id == request_id


@pytest.mark.parametrize(
    "same",
    [
        {"prompt": "  a badger\n"},
        {"filename": " badger.png "},
        {"size": "64x64", "quality": "auto"},
    ],
    ids=["untrimmed prompt", "untrimmed filename", "quality by name"],
)
def test_create_again_with_the_same_normalised_content_replays(
    client: Client, same: Content
) -> None:
    """Same content is what is left once the fields are normalised."""
    request_id = new_id()
    again: Content = {**BADGER, **same}
    first = client.create(**BADGER, request_id=request_id)

    second = client.create(**again, request_id=request_id)

    assert second.replayed
    assert second.image.guid == first.image.guid


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "A badger"},
        {"filename": "other.png"},
        {"size": "64x65"},
        {"quality": "low"},
        {"format": "png"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_create_with_other_content_under_a_used_request_id_is_refused(
    client: Client, other: Content
) -> None:
    """An id names one creation: an answer with another image would be a wrong one."""
    request_id = new_id()
    changed: Content = {**BADGER, **other}
    client.create(**BADGER, request_id=request_id)

    with pytest.raises(RequestIdReusedError) as caught:
        client.create(**changed, request_id=request_id)

    assert caught.value.request_id == request_id
    assert [each.field for each in caught.value.violations] == ["request_id"]


def test_create_with_a_request_id_in_upper_case_is_the_same(client: Client) -> None:
    """A UUID is a number: its letters' case does not make it another one."""
    request_id = new_id()
    first = client.create("an otter", size=SMALL, request_id=request_id)

    second = client.create("an otter", size=SMALL, request_id=request_id.upper())

    assert second.replayed
    assert second.image == first.image


def test_create_with_another_callers_request_id_makes_another_image(
    client: Client, server: RunningServer
) -> None:
    """Callers cannot meet in each other's ids, nor learn what they were used for."""
    request_id = new_id()
    first = client.create("an otter", size=SMALL, request_id=request_id)

    with server.client("bob") as bob:
        second = bob.create("a different otter", size=SMALL, request_id=request_id)

    assert not second.replayed
    assert second.image.guid != first.image.guid


def test_create_without_request_id_makes_an_image_each_time(
    stub: ImageServiceStub, server: RunningServer
) -> None:
    """Empty means unprotected: two calls, two images."""
    request = pb.CreateImageRequest(prompt="a vole", size=SMALL)

    guids = {stub.CreateImage(request, metadata=server.metadata()).details.guid for _ in range(2)}

    assert len(guids) == 2


def test_create_after_a_refusal_may_use_the_request_id(client: Client) -> None:
    """What was refused before anything was made does not use the id up."""
    request_id = new_id()
    with pytest.raises(InvalidPromptError):
        client.create(" ", size=SMALL, request_id=request_id)

    creation = client.create("a marten", size=SMALL, request_id=request_id)

    assert not creation.replayed


def test_replay_after_an_update_shows_the_image_as_it_is(client: Client) -> None:
    """A replay returns the image, not what it looked like once."""
    request_id = new_id()
    image = client.create("a lynx", size=SMALL, request_id=request_id).image
    updated = client.update(image.guid, prompt="a lynx, seen")

    replay = client.create("a lynx", size=SMALL, request_id=request_id)

    assert replay.replayed
    assert replay.image == updated


def test_replay_after_delete_is_not_found(client: Client) -> None:
    """A deleted image does not come back, and its id makes no second one."""
    request_id = new_id()
    image = client.create("a lynx", size=SMALL, request_id=request_id).image
    client.delete(image.guid)

    with pytest.raises(RecordNotFoundError) as caught:
        client.create("a lynx", size=SMALL, request_id=request_id)

    assert caught.value.request_id == request_id


def test_sixteen_identical_creations_at_once_make_one_image(start_server: StartServer) -> None:
    """Whoever loses the race gets the winner's image, and leaves no row and no file."""
    server = start_server()
    before = holdings(server)
    request_id = new_id()

    with server.client() as client, ThreadPoolExecutor(16) as threads:
        running = [
            threads.submit(client.create, "a storm", size=SMALL, request_id=request_id)
            for _ in range(16)
        ]
        creations = [each.result() for each in running]

    after = holdings(server)
    assert len({creation.image.guid for creation in creations}) == 1
    assert [creation.replayed for creation in creations].count(False) == 1
    assert len(after.files - before.files) == 1
    assert after.rows[0] == after.rows[1] == after.rows[3] == 1
