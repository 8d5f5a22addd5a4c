"""Duplicates of a creation that runs: a room of their own, and an end in time."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from pixy_grpc.web.server import ServerLimits
from tests.e2e.creation.callers import CALL_SECONDS, create, refusal, request
from tests.e2e.creation.scripted import STEADY_LEASE_SECONDS, Gate, calls, scripted_server
from tests.support.process import wait_until
from tests.support.server import RunningServer

LIMITS = ServerLimits(creates=8, waits=6)
"""A caller has half of each: four creations, three waits."""

TRIES = 10


class NthGate:
    """Stops the provider when it is asked first, until it is opened."""

    def __init__(self) -> None:
        self.count = 0
        self.open = threading.Event()
        self._looks: Counter[int] = Counter()

    @property
    def waiting(self) -> int:
        """How many calls wait for another: they look at the creation again and again."""
        return sum(looks > 1 for looks in list(self._looks.values()))

    def __call__(self, step: str) -> None:
        """Stop whoever asks first; count the looks of each call, which has a thread."""
        if step == "looked":
            self._looks[threading.get_ident()] += 1
        if step == "asked":
            self.count += 1
            if self.count == 1:
                assert self.open.wait(CALL_SECONDS)


def test_waiting_duplicates_hold_no_place_of_those_who_create(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    """Three wait, a fourth is refused at once with when to come back; others create."""
    gate = NthGate()
    with scripted_server(
        tmp_path, reach=gate, server_limits=LIMITS, lease=STEADY_LEASE_SECONDS
    ) as server:
        slow = request()
        first = threads.submit(create, server, slow)
        wait_until(lambda: calls(tmp_path) == 1, "the provider is asked")
        waiting = []
        for number in range(3):
            waiting.append(threads.submit(create, server, slow))
            wait_until(lambda: gate.waiting > number, "it waits")  # noqa: B023 - waited for here

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
    """ABORTED with its reason, the request id and when to come back; not the transport's word.

    On a busy machine the answer may come later than it was meant to; not each one does.
    """
    gate = NthGate()
    with scripted_server(tmp_path, reach=gate, lease=STEADY_LEASE_SECONDS) as server:
        slow = request()
        first = threads.submit(create, server, slow)
        wait_until(lambda: calls(tmp_path) == 1, "the provider is asked")

        for _ in range(TRIES):
            told = refusal(server, slow, seconds=0.7)
            if told.status == "ABORTED":
                break

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
        for number in range(2):
            _give_up(server, lambda: calls(tmp_path) > number)  # noqa: B023 - waited for there

        told = refusal(server, request())

        gate.open.set()
        with server.client() as client:
            wait_until(lambda: len(client.list_page().images) == 2, "both are stored")
        wait_until(lambda: _creates(server), "a place is free")
    assert (told.status, told.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CREATES")
    assert calls(tmp_path) == 3


def _creates(server: RunningServer) -> bool:
    """Create, unless what was stored just now still has its place."""
    try:
        return bool(create(server, request()).details.guid)
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # noqa: PT017 - both are right
        return False


def _give_up(server: RunningServer, once: Callable[[], bool]) -> None:
    """Ask for an image, and wait for it no longer once something has come to pass."""
    with server.stub() as stub:
        call = stub.CreateImage.future(request(), metadata=server.metadata(), timeout=CALL_SECONDS)
        wait_until(once, "it is asked for")
        call.cancel()
