"""What is known about an image, over the wire: looked up, changed, removed."""

import threading

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from pixy_client import (
    CallCancelledError,
    Client,
    ClientSettings,
    UnreachableError,
    UnreadableAnswerError,
)
from pixy_grpc.core.exceptions import (
    RecordNotFoundError,
)
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID, details_of
from tests.e2e.client.stand_in import WAIT_SECONDS, Held, StandIn, answers, breaks, refuses


def test_get_returns_every_field(stand_in: StandIn, client: Client) -> None:
    """What the service says of an image is what the client shows."""
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))

    image = client.get(GUID)

    assert image.model_dump(mode="json") == {
        "guid": GUID,
        "filename": "a-red-fox.png",
        "prompt": "A red fox",
        "created_at": "2026-11-22T08:30:00Z",
        "updated_at": "2026-11-22T08:31:00Z",
        "content_type": "image/png",
        "size_bytes": 10_240,
        "sha256": details_of().sha256,
        "width": 64,
        "height": 32,
        "generator": "sketch",
        "model": "",
    }


def test_get_sends_the_token(stand_in: StandIn, client: Client) -> None:
    """Once, as the contract has it."""
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))

    client.get(GUID)

    assert stand_in.received[0].metadata["authorization"] == "Bearer secret"


def test_get_of_no_image_fails(stand_in: StandIn, client: Client) -> None:
    """There is an exception for it."""
    stand_in.script("GetImageDetails", refuses(grpc.StatusCode.NOT_FOUND, "IMAGE_NOT_FOUND"))

    with pytest.raises(RecordNotFoundError) as caught:
        client.get(GUID)

    assert caught.value.request_id == ""


@pytest.mark.parametrize(
    "details",
    [
        pb.ImageDetails(),
        details_of(width=-1),
        pb.ImageDetails(guid=GUID, created_at=Timestamp(nanos=-1)),
    ],
)
def test_get_of_an_unreadable_answer_fails(
    stand_in: StandIn, client: Client, details: pb.ImageDetails
) -> None:
    """What says OK and describes no image is not taken for one."""
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details)))

    with pytest.raises(UnreadableAnswerError):
        client.get(GUID)


def test_get_from_nowhere_says_so() -> None:
    """The text names the target."""
    with (
        Client("127.0.0.1:1", token="t") as lost,
        pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 cannot be reached"),
    ):
        lost.get(GUID)


def test_get_past_the_last_attempt_fails(stand_in: StandIn, client: Client) -> None:
    """Four attempts, no more."""
    stand_in.script("GetImageDetails", breaks())

    with pytest.raises(UnreachableError):
        client.get(GUID)

    assert len(stand_in.received) == 4


def test_get_with_a_proxy_in_the_environment_goes_straight(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token for this machine does not leave it."""
    for name in ("http_proxy", "grpc_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))

    with Client(stand_in.target, token="t") as client:
        image = client.get(GUID)

    assert image.guid == GUID


def test_get_while_the_client_closes_is_cancelled(stand_in: StandIn, client: Client) -> None:
    """Closing ends what runs, and says so."""
    held = Held()
    stand_in.script("GetImageDetails", held.then(breaks()))
    errors: list[BaseException] = []

    def ask() -> None:
        with pytest.raises(CallCancelledError) as caught:
            client.get(GUID)
        errors.append(caught.value)

    thread = threading.Thread(target=ask)
    thread.start()
    held.arrived.wait(WAIT_SECONDS)
    client.close()
    thread.join(WAIT_SECONDS)

    assert len(errors) == 1


def test_call_of_a_closed_client_says_so(client: Client) -> None:
    """An error of the client's as any other; closing twice is none."""
    client.close()
    client.close()

    with pytest.raises(CallCancelledError, match="client is closed"):
        client.get(GUID)
    with pytest.raises(CallCancelledError, match="client is closed") as caught:
        client.create("A fox", request_id=GUID)
    with pytest.raises(CallCancelledError, match="client is closed"):
        client.read(GUID)

    assert caught.value.request_id == GUID


def test_update_sends_what_changes(stand_in: StandIn, client: Client) -> None:
    """What is not named stays as it is."""
    details = details_of(filename="b.png")
    stand_in.script("UpdateImage", answers(pb.UpdateImageResponse(details=details)))

    image = client.update(GUID, filename="b.png")

    assert image.filename == "b.png"
    assert stand_in.requests("UpdateImage") == [pb.UpdateImageRequest(guid=GUID, filename="b.png")]


def test_update_after_a_lost_answer_is_sent_again(stand_in: StandIn, client: Client) -> None:
    """The same change twice is the same change."""
    answer = answers(pb.UpdateImageResponse(details=details_of()))
    stand_in.script("UpdateImage", breaks(), answer)

    client.update(GUID, prompt="A red fox")

    assert len(stand_in.received) == 2


@pytest.mark.parametrize("allow_missing", [False, True])
def test_delete_sends_whether_it_may_be_missing(
    stand_in: StandIn, client: Client, *, allow_missing: bool
) -> None:
    """The service decides what a missing image means."""
    stand_in.script("DeleteImage", answers(pb.DeleteImageResponse()))

    client.delete(GUID, allow_missing=allow_missing)

    [request] = stand_in.requests("DeleteImage")
    assert request == pb.DeleteImageRequest(guid=GUID, allow_missing=allow_missing)


def test_delete_after_a_lost_answer_is_not_sent_again(stand_in: StandIn, client: Client) -> None:
    """The second one would be told that there is no such image."""
    stand_in.script("DeleteImage", breaks(), answers(pb.DeleteImageResponse()))

    with pytest.raises(UnreachableError):
        client.delete(GUID)

    assert len(stand_in.received) == 1


def test_client_from_settings_uses_them(stand_in: StandIn) -> None:
    """Settings may be made elsewhere and handed down."""
    settings = ClientSettings(
        stand_in.target,
        "t",
        timeout_seconds=5.0,
        create_timeout_seconds=6.0,
        download_timeout_seconds=7.0,
        token_source="a vault",
    )

    with Client.from_settings(settings) as client:
        found = client.settings

    assert found == settings
