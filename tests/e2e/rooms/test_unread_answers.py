"""Answers that nobody takes: they wait in memory, so they hold a place, and not for long."""

import re
from collections.abc import Callable

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rooms.deaf import DeafClient
from tests.support.process import wait_until
from tests.support.server import TOKENS, RunningServer

LIST = "/pixy.v1.ImageService/ListImageDetails"
ENDED = re.compile(r"REQUEST END method=/pixy.v1.ImageService/ListImageDetails caller=alice")
PLACES = 4


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
    server = start_limited(reads=PLACES, stall_seconds=3.0)
    with DeafClient(server.target, TOKENS["alice"]) as deaf:
        for _ in range(PLACES // 2):
            deaf.ask(LIST, b"")
        wait_until(lambda: len(ENDED.findall(caplog.text)) == PLACES // 2, "both are answered")

        refused, other = not lists(server, "alice"), lists(server, "bob")

        assert refused
        assert other
        wait_until(lambda: lists(server, "alice"), "the unread are cut")
