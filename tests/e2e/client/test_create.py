"""A creation, over the wire: asked for once, or known by its request id."""

from datetime import UTC, datetime
from uuid import UUID

import grpc
import pytest

from pixy_client import (
    Client,
    DeadlineExceededError,
    ImageFormat,
    SettingsError,
)
from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    CreationInProgressError,
    FieldViolation,
    MalformedRequestError,
)
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID, details_of
from tests.e2e.client.stand_in import Held, StandIn, answers, breaks, refuses


def test_create_returns_the_image(stand_in: StandIn, client: Client) -> None:
    """The image, its request id, and whether it had been made before."""
    stand_in.script("CreateImage", answers(pb.CreateImageResponse(details=details_of())))

    creation = client.create("A red fox", size="64x32", format=ImageFormat.PNG)

    assert (creation.image.guid, creation.replayed) == (GUID, False)
    assert creation.image.created_at == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    [request] = stand_in.requests("CreateImage")
    assert (request.prompt, request.size, request.format) == ("A red fox", "64x32", 1)
    assert UUID(creation.request_id).version == 4
    assert request.request_id == creation.request_id


def test_create_with_a_request_id_sends_it(stand_in: StandIn, client: Client) -> None:
    """What was made by an earlier try is told from what is new."""
    answer = pb.CreateImageResponse(details=details_of(), replayed=True)
    stand_in.script("CreateImage", answers(answer))

    creation = client.create("A red fox", request_id=GUID)

    assert creation.replayed
    assert stand_in.requests("CreateImage")[0].request_id == creation.request_id == GUID


def test_create_refused_says_why(stand_in: StandIn, client: Client) -> None:
    """The exception is the condition's, with all that the service said."""
    stand_in.script(
        "CreateImage",
        refuses(
            grpc.StatusCode.INVALID_ARGUMENT, "CONTENT_POLICY", "No.", violations={"prompt": "Bad."}
        ),
    )

    with pytest.raises(ContentPolicyError, match="No") as caught:
        client.create("Something", request_id=GUID)

    assert (caught.value.call_id, caught.value.request_id) == ("call-1", GUID)
    assert caught.value.violations == (FieldViolation("prompt", "Bad."),)
    assert isinstance(caught.value.__cause__, grpc.RpcError)


def test_create_under_way_says_when_to_come_back(stand_in: StandIn, client: Client) -> None:
    """The request id that was made here is the way to ask again."""
    stand_in.script(
        "CreateImage",
        refuses(grpc.StatusCode.ABORTED, "CREATION_IN_PROGRESS", delay_seconds=3),
    )

    with pytest.raises(CreationInProgressError) as caught:
        client.create("A red fox")

    assert caught.value.retry_delay_seconds == 3.0
    assert caught.value.request_id == stand_in.requests("CreateImage")[0].request_id


def test_create_after_lost_answers_sends_the_same_request(
    stand_in: StandIn, client: Client
) -> None:
    """A retry is for the same creation, so nothing is paid for twice."""
    answer = answers(pb.CreateImageResponse(details=details_of()))
    stand_in.script("CreateImage", breaks(), breaks(), breaks(), answer)

    client.create("A red fox")

    sent = stand_in.requests("CreateImage")
    assert len(sent) == 4
    assert len({request.request_id for request in sent}) == 1


def test_create_past_its_deadline_names_its_request_id(stand_in: StandIn, client: Client) -> None:
    """Nobody knows whether the image was made; its id finds out."""
    held = Held()
    stand_in.script("CreateImage", held.then(breaks()))

    with pytest.raises(DeadlineExceededError, match="same request id") as caught:
        client.create("A red fox", request_id=GUID, timeout=0.3)

    assert caught.value.request_id == GUID


@pytest.mark.parametrize(
    ("prompt", "timeout", "error"),
    [
        ("\ud800", None, MalformedRequestError),
        ("A fox", -1.0, SettingsError),
    ],
)
def test_create_that_cannot_be_sent_names_its_request_id(
    client: Client, prompt: str, timeout: float | None, error: type[Exception]
) -> None:
    """Every exception of a creation does, whoever raised it."""
    with pytest.raises(error) as caught:
        client.create(prompt, request_id=GUID, timeout=timeout)

    assert getattr(caught.value, "request_id", "") == GUID


def test_create_waits_longer_than_other_calls(stand_in: StandIn, client: Client) -> None:
    """A provider takes its time: a creation has a deadline of its own."""
    stand_in.script("CreateImage", answers(pb.CreateImageResponse(details=details_of())))
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))

    client.create("A red fox")
    client.get(GUID)
    client.get(GUID, timeout=300)

    created, usual, given = (each.seconds_left for each in stand_in.received)
    assert 100 < created < 190
    assert usual < 20
    assert 200 < given < 310
