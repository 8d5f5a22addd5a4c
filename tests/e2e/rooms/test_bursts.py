"""Calls that come all at once: they pass one event thread, and wait for it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pixy_grpc.web.transport import MAX_STREAMS
from tests.e2e.rooms.conftest import StartLimited
from tests.e2e.rooms.deaf import DeafClient
from tests.support.process import wait_until

CONNECTIONS = 20
CALLS = CONNECTIONS * MAX_STREAMS
LIST = "/pixy.v1.ImageService/ListImageDetails"


class EndsOfCalls(logging.Handler):
    """Counts the calls that have ended in a refusal of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        self.count += "UNAUTHENTICATED" in record.args if isinstance(record.args, tuple) else 0


@pytest.fixture
def ends(caplog: pytest.LogCaptureFixture) -> Iterator[EndsOfCalls]:
    """Count while the test runs."""
    caplog.set_level("INFO", "pixy_grpc.requests")
    requests, counting = logging.getLogger("pixy_grpc.requests"), EndsOfCalls()
    requests.addHandler(counting)
    yield counting
    requests.removeHandler(counting)


def test_burst_is_answered_by_us(start_limited: StartLimited, ends: EndsOfCalls) -> None:
    """The core of gRPC would end some of them, whoever's, as if somebody had given them up."""
    server = start_limited()
    with ExitStack() as closing:
        clients = [
            closing.enter_context(DeafClient(server.target, "nobody's")) for _ in range(CONNECTIONS)
        ]
        senders = [
            threading.Thread(target=client.ask_often, args=(MAX_STREAMS, LIST))
            for client in clients
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

        wait_until(lambda: ends.count == CALLS, "every call is answered")
