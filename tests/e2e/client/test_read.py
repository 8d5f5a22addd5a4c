"""Bytes in memory arrive whole and right, or not at all."""

import grpc
import pytest

from pixy_client import AnswerTooLargeError, Client, UnreadableAnswerError
from pixy_grpc.core.exceptions import ImageException, InvalidOffsetError
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, chunks, details_of, sends_image
from tests.e2e.client.stand_in import (
    WAIT_SECONDS,
    Behaviour,
    Held,
    StandIn,
    breaks,
    refuses,
    sends,
)


def test_read_returns_verified_bytes(stand_in: StandIn, client: Client) -> None:
    """The whole image, compared with its SHA-256."""
    stand_in.script("GetImageBytes", sends_image())

    read = client.read(GUID)

    assert (read.data, read.verified, read.image.guid) == (DATA, True, GUID)


def test_read_of_a_range_returns_it(stand_in: StandIn, client: Client) -> None:
    """A part is checked by its size; the service has checked its digests."""
    stand_in.script("GetImageBytes", sends_image(DATA[5:8], details_of()))

    read = client.read(GUID, 5, 3)

    assert (read.data, read.offset, read.verified) == (DATA[5:8], 5, False)
    [request] = stand_in.requests("GetImageBytes")
    assert (request.read_offset, request.read_limit) == (5, 3)


def test_read_of_an_older_image_is_not_verified(stand_in: StandIn, client: Client) -> None:
    """Where no digest is known, the client claims nothing."""
    older = pb.ImageDetails(guid=GUID, filename="old.png", prompt="Old")
    stand_in.script("GetImageBytes", sends_image(DATA, older))

    read = client.read(GUID)

    assert (read.data, read.verified) == (DATA, False)


def test_read_of_more_than_is_taken_fails(stand_in: StandIn, client: Client) -> None:
    """The caller says how much, of a known size and of an unknown one."""
    older = pb.ImageDetails(guid=GUID, filename="old.png", prompt="Old")
    stand_in.script("GetImageBytes", sends_image(DATA, older), sends_image())

    with pytest.raises(AnswerTooLargeError):
        client.read(GUID, max_bytes=len(DATA) - 1)
    with pytest.raises(AnswerTooLargeError):
        client.read(GUID, max_bytes=len(DATA) - 1)

    assert client.read(GUID, max_bytes=len(DATA)).data == DATA


def test_read_past_the_end_fails(stand_in: StandIn, client: Client) -> None:
    """A stream that is refused before its first message is refused as any call."""
    stand_in.script("GetImageBytes", refuses(grpc.StatusCode.OUT_OF_RANGE, "INVALID_OFFSET"))

    with pytest.raises(InvalidOffsetError):
        client.read(GUID, 10**9)


def test_read_is_sent_again_before_its_first_message(stand_in: StandIn, client: Client) -> None:
    """Nothing has been read yet that would have to be read again."""
    stand_in.script("GetImageBytes", breaks(), sends_image())

    read = client.read(GUID)

    assert read.verified
    assert len(stand_in.received) == 2


def test_read_of_an_offset_no_field_holds_fails(client: Client) -> None:
    """What cannot be sent is refused here."""
    with pytest.raises(ImageException, match="cannot be sent"):
        client.read(GUID, 2**70)


@pytest.mark.parametrize(
    "script",
    [
        sends(),
        sends(*chunks(DATA)),
        sends(pb.GetImageBytesResponse(details=pb.ImageDetails(filename="nameless"))),
        sends(pb.GetImageBytesResponse(details=details_of(), data=DATA)),
        sends_image(details=details_of(guid="11111111-7a39-4e6b-9f4e-3f1f6c8f2a11")),
    ],
)
def test_read_of_an_unreadable_stream_fails(
    stand_in: StandIn, client: Client, script: Behaviour
) -> None:
    """Bytes nobody described are not handed out."""
    stand_in.script("GetImageBytes", script)

    with pytest.raises(UnreadableAnswerError):
        client.read(GUID)


def test_stream_left_early_ends_the_call(stand_in: StandIn, client: Client) -> None:
    """Who has seen enough keeps no room of the server."""
    held = Held()
    stand_in.script("GetImageBytes", sends_image(then=held.then(breaks())))

    with client.stream(GUID) as stream:
        first = next(iter(stream))
        held.arrived.wait(WAIT_SECONDS)

    assert first == DATA[: len(first)]
    assert held.gone.wait(WAIT_SECONDS)
