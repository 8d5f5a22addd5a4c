"""A creation that is told of, over the wire: every event, over cuts, with older servers."""

import time
from uuid import UUID

import grpc
import pytest

from pixy_client import (
    CallCancelledError,
    Client,
    Creation,
    CreationAccepted,
    CreationGenerating,
    CreationStored,
    DeadlineExceededError,
    PartialImage,
    SettingsError,
    UnreachableError,
    UnreadableAnswerError,
)
from pixy_client.creating import RESUME_PAUSES_SECONDS
from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    CreationInProgressError,
    TooManyCreatesError,
)
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import GUID, details_of
from tests.e2e.client.stand_in import Held, StandIn, answers, breaks, refuses, sends

ACCEPTED = pb.CreateImageStreamResponse(accepted=pb.CreationAccepted())
WAITING = pb.CreateImageStreamResponse(accepted=pb.CreationAccepted(waiting=True))
GENERATING = pb.CreateImageStreamResponse(generating=pb.CreationGenerating(generator="openai"))
PARTIAL = pb.CreateImageStreamResponse(
    partial_image=pb.PartialImage(index=1, content_type="image/webp", data=b"abc")
)
STORED = pb.CreateImageStreamResponse(stored=pb.CreationStored(size_bytes=7))
ANSWER = pb.CreateImageResponse(details=details_of())
CREATED = pb.CreateImageStreamResponse(created=ANSWER)


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


def test_stream_that_is_cut_goes_on_with_the_same_request(
    stand_in: StandIn, client: Client
) -> None:
    """The image is paid for: its request id finds it. It is accepted once."""
    stand_in.script(
        "CreateImageStream",
        sends(ACCEPTED, GENERATING, then=breaks()),
        breaks(),
        refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CREATES", delay_seconds=1),
        sends(WAITING, then=breaks(grpc.StatusCode.CANCELLED)),
        sends(WAITING, STORED, CREATED),
    )

    events = list(client.create_stream("A red fox", partial_images=1))

    kinds = [type(event).__name__ for event in events]
    assert kinds == ["CreationAccepted", "CreationGenerating", "CreationStored", "Creation"]
    sent = stand_in.requests("CreateImageStream")
    assert len(sent) == 5
    assert all(request == sent[0] for request in sent)


def test_stream_before_its_first_event_is_retried_by_the_transport(
    stand_in: StandIn, client: Client
) -> None:
    """As every call that may be repeated: a few times, and no more."""
    stand_in.script("CreateImageStream", breaks())

    with pytest.raises(UnreachableError) as caught:
        list(client.create_stream("A red fox"))

    sent = stand_in.requests("CreateImageStream")
    assert len(sent) == 4
    assert caught.value.request_id == sent[0].creation.request_id


def test_stream_that_is_cut_again_and_again_ends_with_its_request_id(
    stand_in: StandIn, client: Client
) -> None:
    """Where nothing is told any more it is given up, after a few seconds."""
    stand_in.script(
        "CreateImageStream",
        sends(ACCEPTED, then=breaks(grpc.StatusCode.CANCELLED)),
        breaks(grpc.StatusCode.CANCELLED),
    )
    began = time.monotonic()

    with pytest.raises(CallCancelledError, match="same request id") as caught:
        list(client.create_stream("A red fox", request_id=GUID))

    assert caught.value.request_id == GUID
    assert time.monotonic() - began < sum(RESUME_PAUSES_SECONDS) + 5
    assert len(stand_in.requests("CreateImageStream")) == 1 + len(RESUME_PAUSES_SECONDS)


def test_stream_does_not_go_on_past_its_deadline(stand_in: StandIn, client: Client) -> None:
    """The timeout is that of all calls together."""
    stand_in.script("CreateImageStream", sends(ACCEPTED, then=breaks()))

    with pytest.raises((UnreachableError, DeadlineExceededError)) as caught:
        list(client.create_stream("A red fox", timeout=1.0))

    assert caught.value.request_id
    first, *others = (each.seconds_left for each in stand_in.received)
    assert first <= 1.0
    assert all(seconds < first for seconds in others)


def test_stream_of_a_closed_client_ends_at_once(stand_in: StandIn, client: Client) -> None:
    """A cut that was made here is no reason to try again."""
    held = Held()
    stand_in.script("CreateImageStream", sends(ACCEPTED, then=held.then(lambda *_: None)))
    events = client.create_stream("A red fox", request_id=GUID)
    next(events)
    began = time.monotonic()

    client.close()
    with pytest.raises(CallCancelledError) as caught:
        next(events)

    assert caught.value.request_id == GUID
    assert time.monotonic() - began < RESUME_PAUSES_SECONDS[-1]
    assert len(stand_in.received) == 1


def test_stream_that_is_not_let_in_is_not_repeated(stand_in: StandIn, client: Client) -> None:
    """Before anything has begun a full room is the caller's to come back to."""
    full = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CREATES", delay_seconds=1)
    stand_in.script("CreateImageStream", full)

    with pytest.raises(TooManyCreatesError) as caught:
        list(client.create_stream("A red fox"))

    assert caught.value.retry_delay_seconds == 1
    assert len(stand_in.received) == 1


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
