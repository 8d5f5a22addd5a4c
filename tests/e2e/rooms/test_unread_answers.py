"""Answers that nobody takes: they wait in memory, so they hold a place, and not for long."""

import re
import uuid
from collections.abc import Callable

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web.server import HEALTH_PLACES
from tests.e2e.rooms.calls import CHECK, CREATE
from tests.e2e.rooms.deaf import DeafClient
from tests.support.process import wait_until
from tests.support.server import TOKENS, RunningServer

LIST = "/pixy.v1.ImageService/ListImageDetails"
ENDED = re.compile(r"REQUEST END method=/pixy.v1.ImageService/ListImageDetails caller=alice")
PLACES = 4
WAIT_SECONDS = 60.0
BEGUN = re.compile(r"REQUEST START")
ENDED_CREATION = re.compile(r"REQUEST END method=/pixy.v1.ImageService/CreateImage caller=alice")
ANSWERED = re.compile(f"{ENDED_CREATION.pattern} code=OK")


def lists(server: RunningServer, caller: str) -> bool:
    """Tell whether a caller's list is admitted."""
    with server.stub() as stub:
        try:
            stub.ListImageDetails(
                pb.ListImageDetailsRequest(), metadata=server.metadata(caller), timeout=30
            )
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # noqa: PT017 - both are right
            return False
        return True


def test_unread_answer_holds_a_place_until_it_is_cut(
    start_limited: Callable[..., RunningServer], caplog: pytest.LogCaptureFixture
) -> None:
    """Its caller has no more of them than places; others go on; the places come back."""
    caplog.set_level("INFO", "pixy_grpc.requests")
    server = start_limited(reads=PLACES, stall_seconds=5.0)
    with DeafClient(server.target, TOKENS["alice"]) as deaf:
        for _ in range(PLACES // 2):
            deaf.ask(LIST, b"")
        wait_until(lambda: len(ENDED.findall(caplog.text)) == PLACES // 2, "both are answered")

        refused, other = not lists(server, "alice"), lists(server, "bob")

        assert refused
        assert other
        wait_until(lambda: lists(server, "alice"), "the unread are cut")


def test_unread_duplicates_of_a_creation_leave_others_their_half(
    start_limited: Callable[..., RunningServer], caplog: pytest.LogCaptureFixture
) -> None:
    """They have waited for the one that runs, and stay where they did: as many answers as
    one caller likes would fill the room of those who create.
    """
    caplog.set_level("INFO", "pixy_grpc.requests")
    server = start_limited(creates=PLACES, waits=8 * PLACES, stall_seconds=WAIT_SECONDS)
    again = pb.CreateImageRequest(prompt="slow", size="4096x4096", request_id=str(uuid.uuid4()))
    with DeafClient(server.target, TOKENS["alice"]) as deaf:
        for number in range(8 * PLACES):  # some come before the one in front of them waits
            deaf.ask(CREATE, again.SerializeToString())
            wait_until(lambda: len(BEGUN.findall(caplog.text)) > number, "it has come")  # noqa: B023 - waited for here
        wait_until(lambda: len(ENDED_CREATION.findall(caplog.text)) == 8 * PLACES, "all end")

        answered = len(ANSWERED.findall(caplog.text))
        with server.client("bob") as bob:
            image = bob.create("not held up", size="64x64").image

        assert answered > PLACES
        assert image.guid


def test_unread_check_without_a_place_is_cut(start_limited: Callable[..., RunningServer]) -> None:
    """No room bounds how many there are, and each holds memory: those in the room wait on."""
    server = start_limited(message_seconds=3.0, probe_seconds=3.0, stall_seconds=WAIT_SECONDS)
    with DeafClient(server.target, TOKENS["alice"]) as deaf:
        for _ in range(HEALTH_PLACES + 2):
            deaf.ask(CHECK, b"")

        cut = {deaf.await_cut(), deaf.await_cut()}

        assert cut == {HEALTH_PLACES, HEALTH_PLACES + 1}
