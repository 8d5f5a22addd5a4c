"""Every place comes back, however a call ends."""

from collections.abc import Callable

import grpc
import pytest

from tests.e2e.rooms.calls import BYTES, CREATE, DETAILS, call_raw, half_open, refusal_of
from tests.e2e.rooms.conftest import PLACES, StartLimited
from tests.support.process import wait_until
from tests.support.server import RunningServer

SHARE = PLACES // 2
METHODS = {"reads": DETAILS, "creations": CREATE, "downloads": BYTES}
BLANK = b"\x0a\x01 "  # field 1, " ": neither a guid nor a prompt
UNPARSABLE = b"\x0a\xff"
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def cancelled(server: RunningServer, method: str) -> set[grpc.StatusCode | None]:
    """Give calls up while the server waits for their message."""
    with half_open(server, method, PLACES, server.metadata()) as calls:
        wait_until(lambda: any(not call.goes_on for call in calls), "some are refused")
    return {grpc.StatusCode.CANCELLED}


def cut(server: RunningServer, method: str) -> set[grpc.StatusCode | None]:
    """Wait until the server gives the calls up; those past the share are refused."""
    with half_open(server, method, PLACES, server.metadata()) as calls:
        return {call.code() for call in calls} - {grpc.StatusCode.RESOURCE_EXHAUSTED}


def late(server: RunningServer, method: str) -> set[grpc.StatusCode | None]:
    """Let a deadline pass while the server waits for the message."""
    with half_open(server, method, SHARE, server.metadata(), timeout=0.5) as calls:
        return {call.code() for call in calls}


def ended_by(*messages: bytes) -> Callable[[RunningServer, str], set[grpc.StatusCode | None]]:
    """Return what makes calls, one after the other, that end in an error."""

    def call(server: RunningServer, method: str) -> set[grpc.StatusCode | None]:
        return {call_raw(server, method, list(messages)) for _ in range(PLACES + 1)}

    return call


ENDS = {
    "cancelled": (cancelled, grpc.StatusCode.CANCELLED),
    "cut": (cut, grpc.StatusCode.CANCELLED),
    "late": (late, grpc.StatusCode.DEADLINE_EXCEEDED),
    "no message": (ended_by(), INVALID),
    "two messages": (ended_by(BLANK, BLANK), INVALID),
    "no parsable message": (ended_by(UNPARSABLE), INVALID),
    "an invalid message": (ended_by(BLANK), INVALID),
}


def places(server: RunningServer, method: str) -> int:
    """Count how many calls of one caller are let in: the first that is not, is told."""
    with half_open(server, method, SHARE + 1, server.metadata()) as calls:
        wait_until(lambda: any(not call.goes_on for call in calls), "one is refused")
        refusal_of(server, "bob")
        return sum(call.goes_on for call in calls)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize(("end", "code"), ENDS.values(), ids=ENDS)
def test_call_that_ended_gives_place_back(
    start_limited: StartLimited,
    method: str,
    end: Callable[[RunningServer, str], set[grpc.StatusCode | None]],
    code: grpc.StatusCode,
) -> None:
    """Afterwards as many calls are let in as ever."""
    server = start_limited(message_seconds=2.0)

    ended = end(server, method)

    assert ended == {code}
    wait_until(lambda: places(server, method) == SHARE, "every place is back")
