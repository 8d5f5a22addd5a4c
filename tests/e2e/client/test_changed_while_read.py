"""Bytes that became others while they were read are never mixed with the first ones."""

import grpc
import pytest

from pixy_client import Client, ImageChangedError
from tests.e2e.client.details import DATA, GUID, sends_range
from tests.e2e.client.stand_in import StandIn, breaks, refuses

CUT = sends_range(messages=1, then=breaks())

CHANGES = {
    "refused": refuses(grpc.StatusCode.ABORTED, "IMAGE_CHANGED"),
    "unnoticed": sends_range(DATA[::-1]),
}
"""What a server answers to a resume whose bytes have become others: an old one notices nothing."""


@pytest.mark.parametrize("how", CHANGES)
def test_read_of_what_has_changed_begins_anew(stand_in: StandIn, client: Client, how: str) -> None:
    """Renditions may be made anew: nothing of the first one is kept."""
    stand_in.script("GetImageBytes", CUT, CHANGES[how], sends_range(DATA[::-1]))

    read = client.read(GUID)

    assert (read.data, read.verified) == (DATA[::-1], True)
    anew = stand_in.requests("GetImageBytes")[2]
    assert (anew.read_offset, anew.expected_sha256) == (0, "")


def test_read_of_what_keeps_changing_fails(stand_in: StandIn, client: Client) -> None:
    """It begins anew once."""
    stand_in.script("GetImageBytes", CUT, CHANGES["refused"], CUT, CHANGES["refused"])

    with pytest.raises(ImageChangedError):
        client.read(GUID)

    assert len(stand_in.received) == 4


def test_stream_of_what_has_changed_fails(stand_in: StandIn, client: Client) -> None:
    """What was handed out cannot be taken back."""
    stand_in.script("GetImageBytes", CUT, CHANGES["unnoticed"])

    with client.stream(GUID) as stream, pytest.raises(ImageChangedError, match="begin anew"):
        list(stream)
