"""A creation that is told of, over the wire: every event, with older and newer servers."""

from uuid import UUID

import grpc
import pytest

from pixy_client import (
    Client,
    Creation,
    CreationAccepted,
    CreationGenerating,
    CreationStored,
    PartialImage,
    SettingsError,
    UnreadableAnswerError,
)
from pixy_grpc.core.exceptions import ContentPolicyError, CreationInProgressError
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.creation_events import ACCEPTED, ANSWER, CREATED, GENERATING, PARTIAL, STORED
from tests.e2e.client.details import GUID
from tests.e2e.client.stand_in import Held, StandIn, answers, refuses, sends


def test_stream_yields_every_event_and_last_the_creation(stand_in: StandIn, client: Client) -> None:
    """Typed, in the order they were told; the request id is known from the first."""
    stand_in.script("CreateImageStream", sends(ACCEPTED, GENERATING, PARTIAL, STORED, CREATED))

    events = list(client.create_stream("A red fox", size="64x32", partial_images=2))

    accepted, *between, creation = events
    assert isinstance(accepted, CreationAccepted)
    assert isinstance(creation, Creation)
    assert between == [
        CreationGenerating("openai"),
        PartialImage(1, "image/webp", b"abc"),
        CreationStored(7),
    ]
    assert (creation.image.guid, creation.replayed) == (GUID, False)
    [request] = stand_in.requests("CreateImageStream")
    assert (request.creation.prompt, request.creation.size) == ("A red fox", "64x32")
    assert request.partial_images == 2
    assert UUID(creation.request_id).version == 4
    assert accepted.request_id == creation.request_id == request.creation.request_id


def test_stream_yields_each_event_as_it_comes(stand_in: StandIn, client: Client) -> None:
    """Nobody waits for the image to hear that it is being made."""
    held = Held()
    stand_in.script(
        "CreateImageStream", sends(ACCEPTED, GENERATING, then=held.then(lambda *_: None))
    )

    events = client.create_stream("A red fox")

    assert next(events) == CreationAccepted(stand_in_id(stand_in), waiting=False)
    assert next(events) == CreationGenerating("openai")
    assert held.arrived.wait(15)
    events.close()
    assert held.gone.wait(15)


def stand_in_id(stand_in: StandIn) -> str:
    return str(stand_in.requests("CreateImageStream")[0].creation.request_id)


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "CONTENT_POLICY", ContentPolicyError),
        (grpc.StatusCode.ABORTED, "CREATION_IN_PROGRESS", CreationInProgressError),
    ],
)
def test_stream_that_is_refused_says_why_and_is_not_repeated(
    stand_in: StandIn,
    client: Client,
    status: grpc.StatusCode,
    reason: str,
    error: type[Exception],
) -> None:
    """What the service says ends it, whatever was told before."""
    stand_in.script("CreateImageStream", sends(ACCEPTED, then=refuses(status, reason)))
    events = client.create_stream("Something", request_id=GUID)
    next(events)

    with pytest.raises(error) as caught:
        next(events)

    assert getattr(caught.value, "request_id", "") == GUID
    assert len(stand_in.received) == 1


def test_stream_at_an_older_server_yields_the_creation_alone(
    stand_in: StandIn, client: Client
) -> None:
    """It has no such method, so CreateImage makes the image, by the same request."""
    stand_in.script("CreateImage", answers(ANSWER))

    [creation] = client.create_stream("A red fox", request_id=GUID)

    assert isinstance(creation, Creation)
    [tried], [sent] = stand_in.requests("CreateImageStream"), stand_in.requests("CreateImage")
    assert sent == tried.creation
    assert creation.request_id == GUID


def test_stream_of_a_newer_server_is_read_as_far_as_it_is_known(
    stand_in: StandIn, client: Client
) -> None:
    """What an older client knows no name for, it passes over."""
    stand_in.script("CreateImageStream", sends(ACCEPTED, pb.CreateImageStreamResponse(), CREATED))

    events = list(client.create_stream("A red fox"))

    assert [type(event) for event in events] == [CreationAccepted, Creation]


def test_stream_that_ends_without_an_image_is_unreadable(stand_in: StandIn, client: Client) -> None:
    """OK without an image is no answer."""
    stand_in.script("CreateImageStream", sends(ACCEPTED))

    with pytest.raises(UnreadableAnswerError) as caught:
        list(client.create_stream("A red fox", request_id=GUID))

    assert caught.value.request_id == GUID


def test_stream_that_cannot_be_sent_names_its_request_id(client: Client) -> None:
    """A timeout of nothing is a setting that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        list(client.create_stream("A fox", request_id=GUID, timeout=-1.0))

    assert caught.value.request_id == GUID


def test_stream_of_another_type_of_argument_is_a_type_error(client: Client) -> None:
    """Said at once, not at the first event."""
    with pytest.raises(TypeError, match="partial_images"):
        client.create_stream("A fox", partial_images="two")  # type: ignore[arg-type]  # refused
