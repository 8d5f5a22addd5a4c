"""A creation that is told of, over cuts: it goes on, or ends with the request id that finds it."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from pixy_client import (
    CallCancelledError,
    Client,
    Creation,
    DeadlineExceededError,
    UnreachableError,
)
from pixy_client.creating import RESUME_PAUSES_SECONDS
from pixy_grpc.core.exceptions import TooManyCreatesError
from tests.e2e.client.creation_events import ACCEPTED, CREATED, GENERATING, STORED, WAITING
from tests.e2e.client.details import GUID
from tests.e2e.client.stand_in import WAIT_SECONDS, Held, StandIn, breaks, refuses, sends
from tests.support.stopwatch import Stopwatch


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

    with pytest.raises(CallCancelledError, match="same request id") as caught:
        list(client.create_stream("A red fox", request_id=GUID))

    assert caught.value.request_id == GUID
    assert len(stand_in.requests("CreateImageStream")) == 1 + len(RESUME_PAUSES_SECONDS)


@pytest.mark.parametrize("status", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
def test_stream_that_is_reset_goes_on_with_the_same_request(
    stand_in: StandIn, client: Client, status: grpc.StatusCode
) -> None:
    """So gRPC has it where something in between cuts one stream, and not the connection."""
    stand_in.script(
        "CreateImageStream",
        sends(ACCEPTED, then=breaks(status)),
        sends(WAITING, STORED, CREATED),
    )

    *_, creation = client.create_stream("A red fox", request_id=GUID)

    assert isinstance(creation, Creation)
    assert len(stand_in.received) == 2


def test_stream_waits_as_long_as_it_is_asked_to(stand_in: StandIn, client: Client) -> None:
    """A room that is full says when to come back; who has no such time hears so at once."""
    full = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CREATES", delay_seconds=3600)
    stand_in.script("CreateImageStream", sends(ACCEPTED, then=breaks()), full)

    with pytest.raises(TooManyCreatesError) as caught:
        list(client.create_stream("A red fox", request_id=GUID))

    assert caught.value.retry_delay_seconds == 3600
    assert len(stand_in.received) == 2


def test_stream_that_is_late_tells_the_time_it_had_in_all(
    stand_in: StandIn, client: Client
) -> None:
    """And not what was left of it for the last call."""
    held = Held()
    stand_in.script(
        "CreateImageStream",
        sends(ACCEPTED, then=breaks()),
        sends(WAITING, then=held.then(breaks())),
    )

    with pytest.raises(DeadlineExceededError, match="within 5 seconds"):
        list(client.create_stream("A red fox", timeout=5.0))

    assert held.arrived.is_set()


def test_stream_does_not_go_on_past_its_deadline(stand_in: StandIn, client: Client) -> None:
    """The timeout is that of all calls together."""
    stand_in.script("CreateImageStream", sends(ACCEPTED, then=breaks()))

    with pytest.raises((UnreachableError, DeadlineExceededError)) as caught:
        list(client.create_stream("A red fox", timeout=1.0))

    assert caught.value.request_id
    left = [each.seconds_left for each in stand_in.received]
    assert left == sorted(left, reverse=True)
    assert all(seconds <= 1.0 for seconds in left)


def test_stream_of_a_closed_client_ends_at_once(stand_in: StandIn, client: Client) -> None:
    """A cut that was made here is no reason to try again."""
    held = Held()
    stand_in.script("CreateImageStream", sends(ACCEPTED, then=held.then(lambda *_: None)))
    events = client.create_stream("A red fox", request_id=GUID)
    next(events)
    watch = Stopwatch()

    client.close()
    with pytest.raises(CallCancelledError) as caught:
        next(events)

    assert caught.value.request_id == GUID
    assert watch.seconds < RESUME_PAUSES_SECONDS[-1]
    assert len(stand_in.received) == 1


def test_stream_that_waits_to_go_on_ends_with_its_client(stand_in: StandIn, client: Client) -> None:
    """Within the wait; the image may have been made, and can be had by another client."""
    full = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CREATES", delay_seconds=60)
    refused = Held()
    refused.released.set()
    stand_in.script("CreateImageStream", sends(ACCEPTED, then=breaks()), refused.then(full))
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(list, client.create_stream("A red fox", request_id=GUID))
        assert refused.gone.wait(WAIT_SECONDS)
        client.close()

        with pytest.raises(CallCancelledError, match="same request id") as caught:
            ended.result(WAIT_SECONDS)

    assert caught.value.request_id == GUID


def test_stream_that_is_not_let_in_is_not_repeated(stand_in: StandIn, client: Client) -> None:
    """Before anything has begun a full room is the caller's to come back to."""
    full = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CREATES", delay_seconds=1)
    stand_in.script("CreateImageStream", full)

    with pytest.raises(TooManyCreatesError) as caught:
        list(client.create_stream("A red fox"))

    assert caught.value.retry_delay_seconds == 1
    assert len(stand_in.received) == 1
