"""A read that is cut goes on where it was; one that is refused does not."""

import random
import time

import grpc
import pytest

from pixy_client import (
    Client,
    DeadlineExceededError,
    ImageCorruptError,
    InvalidTokenError,
    RecordNotFoundError,
    TooManyDownloadsError,
    UnreachableError,
    UnreadableAnswerError,
)
from pixy_client.errors import CallCancelledError, UnexpectedStatusError
from tests.e2e.client.details import CHUNK_BYTES, DATA, GUID, details_of, sends_image, sends_range
from tests.e2e.client.stand_in import Behaviour, Held, StandIn, breaks, refuses, sends

SHA256 = details_of().sha256
CUT = sends_range(messages=1, then=breaks())
"""One message, and the connection is gone."""


def _asked(stand_in: StandIn) -> list[tuple[int, int, str]]:
    """Return offset, limit and expected digest of each call."""
    return [
        (request.read_offset, request.read_limit, request.expected_sha256)
        for request in stand_in.requests("GetImageBytes")
    ]


def test_read_that_is_cut_asks_for_the_rest(stand_in: StandIn, client: Client) -> None:
    """From the next byte on, of the same bytes, as often as there is progress."""
    stand_in.script("GetImageBytes", CUT, CUT, sends_range())

    read = client.read(GUID)

    assert (read.data, read.verified) == (DATA, True)
    assert _asked(stand_in) == [(0, 0, ""), (CHUNK_BYTES, 0, SHA256), (2 * CHUNK_BYTES, 0, SHA256)]


def test_read_of_a_range_that_is_cut_asks_for_its_rest(stand_in: StandIn, client: Client) -> None:
    """The limit is less by what has arrived."""
    stand_in.script("GetImageBytes", CUT, sends_range())

    read = client.read(GUID, 5, CHUNK_BYTES + 7)

    assert read.data == DATA[5 : CHUNK_BYTES + 12]
    assert _asked(stand_in) == [(5, CHUNK_BYTES + 7, ""), (CHUNK_BYTES + 5, 7, SHA256)]


def test_read_of_an_image_without_a_sum_begins_anew(stand_in: StandIn, client: Client) -> None:
    """Nobody could tell whether what follows belongs to what has arrived."""
    older = details_of()
    older.ClearField("sha256")
    stand_in.script(
        "GetImageBytes",
        sends_range(details=older, messages=1, then=breaks()),
        sends_range(details=older),
    )

    read = client.read(GUID)

    assert (read.data, read.verified) == (DATA, False)
    assert _asked(stand_in) == [(0, 0, ""), (0, 0, "")]


@pytest.mark.parametrize("limit", [0, CHUNK_BYTES])
def test_read_that_is_cut_behind_its_last_byte_asks_for_nothing(
    stand_in: StandIn, client: Client, limit: int
) -> None:
    """A limit of nothing would mean everything."""
    stand_in.script("GetImageBytes", sends_range(then=breaks()))

    read = client.read(GUID, 0, limit)

    assert read.data == DATA[: limit or None]
    assert len(stand_in.received) == 1


def test_stream_that_is_cut_goes_on(stand_in: StandIn, client: Client) -> None:
    """Who iterates it sees no seam."""
    stand_in.script("GetImageBytes", CUT, sends_range())

    with client.stream(GUID) as stream:
        chunks = list(stream)

    assert b"".join(chunks) == DATA
    assert (stream.verified, stream.received_bytes) == (True, len(DATA))


@pytest.mark.parametrize(
    "cut",
    [
        breaks(grpc.StatusCode.INTERNAL),
        breaks(grpc.StatusCode.UNKNOWN),
        breaks(grpc.StatusCode.CANCELLED),
        refuses(grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE"),
    ],
)
def test_read_goes_on_after_any_cut(stand_in: StandIn, client: Client, cut: Behaviour) -> None:
    """A reset, a stall limit, a store that is out of reach for a moment."""
    stand_in.script("GetImageBytes", sends_range(messages=1, then=cut), sends_range())

    read = client.read(GUID)

    assert read.verified


def test_read_goes_on_once_there_is_room(stand_in: StandIn, client: Client) -> None:
    """The place of the call that was cut may count for a while."""
    full = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_DOWNLOADS", delay_seconds=1)
    stand_in.script("GetImageBytes", CUT, full, sends_range())
    began = time.monotonic()

    read = client.read(GUID)

    assert read.verified
    assert time.monotonic() - began >= 1.0


def test_read_that_has_not_begun_does_not_wait_for_room(stand_in: StandIn, client: Client) -> None:
    """Whether to come back is the caller's to say."""
    full = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_DOWNLOADS", delay_seconds=1)
    stand_in.script("GetImageBytes", full)

    with pytest.raises(TooManyDownloadsError):
        client.read(GUID)

    assert len(stand_in.received) == 1


REFUSALS = {
    "deleted": (refuses(grpc.StatusCode.NOT_FOUND, "IMAGE_NOT_FOUND"), RecordNotFoundError),
    "damaged": (refuses(grpc.StatusCode.DATA_LOSS, "IMAGE_CORRUPT"), ImageCorruptError),
    "token": (refuses(grpc.StatusCode.UNAUTHENTICATED, "INVALID_TOKEN"), InvalidTokenError),
    "new reason": (refuses(grpc.StatusCode.INTERNAL, "NEWER"), UnexpectedStatusError),
    "another": (
        sends_image(details=details_of(guid="11111111-7a39-4e6b-9f4e-3f1f6c8f2a11")),
        UnreadableAnswerError,
    ),
    "nothing": (sends(), UnreadableAnswerError),
    "short": (sends_range(DATA[:-1], details_of()), ImageCorruptError),
    "changed": (sends_range(DATA[::-1], details_of()), ImageCorruptError),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_read_that_is_refused_does_not_go_on(stand_in: StandIn, client: Client, how: str) -> None:
    """A refusal is an answer, in a resume as well; bytes of two calls have one digest."""
    refusal, error = REFUSALS[how]
    stand_in.script("GetImageBytes", CUT, refusal)

    with pytest.raises(error):
        client.read(GUID)

    assert len(stand_in.received) == 2


def test_read_without_progress_ends_within_its_time(
    stand_in: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what cut it, as soon as there is no time for another try."""
    monkeypatch.setattr(random, "uniform", lambda _, most: most)  # 0.2, 0.4, 0.8, 1.6 s
    stand_in.script("GetImageBytes", CUT, sends_range(messages=0, then=breaks()))

    with pytest.raises(UnreachableError):
        client.read(GUID, timeout=2.9)

    assert len(stand_in.received) > 2


def test_read_is_told_the_time_it_had_in_all(stand_in: StandIn, client: Client) -> None:
    """Not what was left of it for the last call."""
    stand_in.script("GetImageBytes", CUT, sends_range(then=Held().then(breaks())))

    with pytest.raises(DeadlineExceededError, match=r"within 1\.5 seconds"):
        client.read(GUID, 0, len(DATA) + 1, timeout=1.5)


def test_client_that_is_closed_ends_a_read_at_once(stand_in: StandIn, client: Client) -> None:
    """It waits for no further try."""
    stand_in.script("GetImageBytes", CUT)

    with client.stream(GUID) as stream:
        chunks = iter(stream)
        next(chunks)
        client.close()
        with pytest.raises(CallCancelledError, match="while it read"):
            next(chunks)

    assert len(stand_in.received) == 1
