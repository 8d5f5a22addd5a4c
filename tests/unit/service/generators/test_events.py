"""Server-sent events, however their lines end and their bytes arrive."""

import pytest

from pixy_grpc.service.generators.openai.events import LARGE_BYTES, event_data
from pixy_grpc.service.generators.openai.wire import UnreadableError

STREAM = (
    "retry: 5\n\n: a comment\nevent: one\ndata: {1}\n\n"
    "data:two\ndata: lines\nid: 7\n\nevent: none\n\ndata: last\n\n"
)
DATA = [b"{1}", b"two\nlines", b"last"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_whatever_ends_a_line(end: str, size: int) -> None:
    """A line may end where a part does, and CR and LF may come apart."""
    stream = STREAM.replace("\n", end).encode()
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]

    assert list(event_data(parts, 1000)) == DATA


def test_event_is_there_as_soon_as_it_is_whole() -> None:
    """Nobody waits for what comes behind it."""
    parts = iter([b"data: one\n\n", b"data: two\n\n"])

    events = event_data(parts, 1000)

    assert next(events) == b"one"
    assert next(parts) == b"data: two\n\n"


@pytest.mark.parametrize(
    "parts",
    [
        [b"data: " + b"x" * 40],
        [b"data: ", *[b"x" * 10] * 4],
        [b"data: xxxxxxxxxx\n"] * 4,
        [b"data:\n"] * 200_000,
    ],
)
def test_event_that_is_too_large_is_given_up(parts: list[bytes]) -> None:
    """In one line or in many, in one part or in many."""
    with pytest.raises(UnreadableError):
        list(event_data([*parts, b"\n\n"], 30))


@pytest.mark.parametrize(
    "parts",
    [
        [b"data: ", *[b"x" * 65_536] * (LARGE_BYTES // 65_536 + 1), b"\n\n"],
        [*[b"data: " + b"x" * 65_530 + b"\n"] * (LARGE_BYTES // 65_536 + 2), b"\n\n"],
    ],
    ids=["in a line", "in many"],
)
def test_room_is_asked_for_before_an_event_has_grown_large(parts: list[bytes]) -> None:
    """Whoever waits there has read no more of it, and nothing is waited for with small ones."""
    left = iter([b"data: one\n\n", *parts, b"data: two\n\n"])
    unread: list[int] = []

    events = list(event_data(left, 2 * LARGE_BYTES, lambda: unread.append(len(list(left)))))

    assert events[0] == b"one"
    assert unread
    assert unread[0] > 1
