"""Calls that send headers and no message hold nobody up, and not for long."""

from collections.abc import Callable
from contextlib import ExitStack

import grpc
import pytest
from grpc_health.v1 import health_pb2

from pixy_grpc.web.server import HEALTH_PLACES
from tests.e2e.rooms.calls import (
    BOUND_SECONDS,
    CHECK,
    CREATE,
    DETAILS,
    REFLECTION,
    HalfOpen,
    half_open,
    refusal_of,
)
from tests.e2e.rooms.conftest import PLACES, StartLimited
from tests.support.health import HealthStub
from tests.support.process import wait_until
from tests.support.server import RunningServer

MESSAGE_SECONDS = 5.0
FREE = "IMAGE_NOT_FOUND"
FULL = "TOO_MANY_READS"


@pytest.fixture
def await_begun(caplog: pytest.LogCaptureFixture) -> Callable[[int], None]:
    """Return what waits until so many calls have begun: each that is let in has its place."""
    caplog.set_level("INFO", "pixy_grpc.requests")
    return lambda count: wait_until(
        lambda: caplog.text.count("REQUEST START") >= count, "they have begun"
    )


def await_free(server: RunningServer, *callers: str) -> None:
    """Wait until the places are back: a call that is cut ends for its caller a moment before."""
    for caller in callers:
        wait_until(lambda: refusal_of(server, caller) == FREE, "a place is free")  # noqa: B023


def codes(calls: list[HalfOpen]) -> set[grpc.StatusCode | None]:
    """Wait for the end of calls; return their codes."""
    return {call.code() for call in calls}


def works(server: RunningServer, caller: str) -> bool:
    """Tell whether a caller's creation, download and health check go through."""
    with server.client(caller) as client, server.channel() as channel:
        image = client.create("goes on", size="64x64").image
        checked = HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        return client.read(image.guid).verified and checked.status == 1


def test_half_open_calls_of_one_leave_others_their_half(
    start_limited: StartLimited, await_begun: Callable[[int], None]
) -> None:
    """One caller fills its half of the reads; everybody else and everything else goes on."""
    server = start_limited(message_seconds=MESSAGE_SECONDS)
    with half_open(server, DETAILS, PLACES, server.metadata()) as calls:
        await_begun(PLACES)

        own, others = refusal_of(server), refusal_of(server, "bob")
        going_on = works(server, "alice") and works(server, "bob")

        assert (own, others) == (FULL, FREE)
        assert going_on
        assert codes(calls) == {grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED}
        await_free(server, "alice")


def test_half_open_calls_that_fill_room_are_cut(
    start_limited: StartLimited, await_begun: Callable[[int], None]
) -> None:
    """All reads taken: other rooms go on, and reads again once the limit has passed."""
    server = start_limited(message_seconds=MESSAGE_SECONDS)
    half = PLACES // 2
    with (
        half_open(server, DETAILS, half, server.metadata("alice")) as of_alice,
        half_open(server, DETAILS, half, server.metadata("bob")) as of_bob,
    ):
        await_begun(PLACES)

        refusals = [refusal_of(server, caller) for caller in ("alice", "bob")]
        going_on = works(server, "alice")

        assert refusals == [FULL, FULL]
        assert going_on
        assert codes(of_alice + of_bob) == {grpc.StatusCode.CANCELLED}
        await_free(server, "alice", "bob")


def test_half_open_creations_store_nothing(start_limited: StartLimited) -> None:
    """Creations that never came are cut; reads go on, and nothing is stored."""
    server = start_limited(message_seconds=1.0)
    with half_open(server, CREATE, PLACES // 2, server.metadata()) as calls:
        others = refusal_of(server)

        assert others == FREE
        assert codes(calls) == {grpc.StatusCode.CANCELLED}
    with server.client() as client:
        assert list(client.list()) == []


def test_message_without_end_is_cut(start_limited: StartLimited) -> None:
    """A request is one message and its end: one that stays open is not carried out."""
    server = start_limited(message_seconds=1.0)
    message = b"\x0a\x01x"  # field 1, "x": a prompt
    with half_open(server, CREATE, 1, server.metadata(), message) as calls:
        assert codes(calls) == {grpc.StatusCode.CANCELLED}
    with server.client() as client:
        assert list(client.list()) == []


def test_half_open_calls_without_token_take_no_place(start_limited: StartLimited) -> None:
    """Refused from their headers: hundreds of them stop nobody."""
    server = start_limited()
    with half_open(server, DETAILS, 200) as calls:
        going_on = works(server, "alice")

        assert going_on
        assert refusal_of(server) == FREE
        assert codes(calls) == {grpc.StatusCode.UNAUTHENTICATED}


def test_half_open_health_checks_are_cut(start_limited: StartLimited) -> None:
    """Checks need no token: as many as the room has hold up nobody."""
    server = start_limited(message_seconds=1.0)
    with half_open(server, CHECK, HEALTH_PLACES) as calls:
        others = refusal_of(server)

        assert others == FREE
        assert codes(calls) == {grpc.StatusCode.CANCELLED}
        assert works(server, "alice")


def test_health_is_told_past_a_full_room(start_limited: StartLimited) -> None:
    """Whoever holds all of its places cannot have a server taken for dead: a check that
    finds none is answered for the server as a whole, before its message.
    """
    server = start_limited(probe_seconds=BOUND_SECONDS, message_seconds=BOUND_SECONDS)
    asked = health_pb2.HealthCheckRequest(service="nobody's")
    with server.channel() as channel, ExitStack() as closing:
        for _ in range(HEALTH_PLACES):
            closing.callback(HalfOpen(channel, CHECK).cancel)

        answer = HealthStub(channel).Check(asked, timeout=BOUND_SECONDS)

        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_held_open_is_cut(start_limited: StartLimited) -> None:
    """A stream of questions ends after its limit."""
    server = start_limited(stream_seconds=1.0)
    with half_open(server, REFLECTION, PLACES // 2, server.metadata()) as calls:
        others = refusal_of(server, "bob")

        assert others == FREE
        assert codes(calls) == {grpc.StatusCode.CANCELLED}
        await_free(server, "alice")
