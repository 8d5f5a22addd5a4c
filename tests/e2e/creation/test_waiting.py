"""Duplicates of a creation that runs: a room of their own, and an end in time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pixy_grpc.web.server import ServerLimits
from tests.e2e.creation.callers import CALL_SECONDS, create, refusal, request
from tests.e2e.creation.scripted import Gate, calls, scripted_server
from tests.support.process import wait_until

LIMITS = ServerLimits(creates=8, waits=6)
"""A caller has half of each: four creations, three waits."""


class NthGate:
    """Stops the provider, for prompts that say so, until it is opened."""

    def __init__(self) -> None:
        self.count = 0
        self.open = threading.Event()

    def __call__(self, step: str) -> None:
        """Stop whoever asks first."""
        if step == "asked":
            self.count += 1
            if self.count == 1:
                assert self.open.wait(CALL_SECONDS)


def test_waiting_duplicates_hold_no_place_of_those_who_create(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    """Three wait, a fourth is refused at once with when to come back; others create."""
    gate = NthGate()
    with scripted_server(tmp_path, reach=gate, server_limits=LIMITS) as server:
        slow = request()
        first = threads.submit(create, server, slow)
        wait_until(lambda: calls(tmp_path) == 1, "the provider is asked")
        waiting = []
        for _ in range(3):
            waiting.append(threads.submit(create, server, slow))
            time.sleep(0.1)

        refused_one = refusal(server, slow)
        others = [create(server, request()) for _ in range(4)]

        gate.open.set()
        guids = {each.result(CALL_SECONDS).details.guid for each in (first, *waiting)}
        after = [create(server, request()) for _ in range(2)]
    assert (refused_one.status, refused_one.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CREATES")
    assert refused_one.retry_seconds
    assert len(guids) == 1
    assert len({each.details.guid for each in (*others, *after)}) == 6


def test_duplicate_is_told_before_its_deadline(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    """ABORTED with its reason, the request id and when to come back; not the transport's word."""
    gate = NthGate()
    with scripted_server(tmp_path, reach=gate) as server:
        slow = request()
        first = threads.submit(create, server, slow)
        wait_until(lambda: calls(tmp_path) == 1, "the provider is asked")

        told = refusal(server, slow, seconds=1.0)

        gate.open.set()
        assert first.result(CALL_SECONDS)
    assert (told.status, told.reason) == ("ABORTED", "CREATION_IN_PROGRESS")
    assert told.retry_seconds
    assert told.metadata["request_id"] == slow.request_id


def test_creation_without_its_caller_keeps_its_place(tmp_path: Path) -> None:
    """What runs on is counted: callers who give up and come again are no way past the limit."""
    gate = Gate("asked")
    limits = ServerLimits(creates=4, waits=4)
    with scripted_server(tmp_path, reach=gate, server_limits=limits) as server:
        for _ in range(2):
            assert refusal(server, request(), seconds=0.3).status == "DEADLINE_EXCEEDED"
        wait_until(lambda: calls(tmp_path) == 2, "both are asked for")

        told = refusal(server, request())

        gate.open.set()
        with server.client() as client:
            wait_until(lambda: len(client.list_page().images) == 2, "both are stored")
        assert create(server, request()).details.guid
    assert (told.status, told.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CREATES")
    assert calls(tmp_path) == 3
