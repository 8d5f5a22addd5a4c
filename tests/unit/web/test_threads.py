"""Threads of one kind of work, on a machine that allowed no more of them for a while."""

import threading

from pixy_grpc.web.threads import Threads
from tests.support.threads import no_more_threads

COUNT = 4

BOUND_SECONDS = 10.0
"""How long a test waits for what comes at once."""


def test_work_has_threads_again_once_more_can_begin() -> None:
    """Work that waited for a thread leaves none behind that would be taken for idle."""
    with Threads(COUNT, "tested") as pool:
        pool.begin()
        held = threading.Event()
        with no_more_threads():
            waiting = [pool.submit(held.wait, BOUND_SECONDS) for _ in range(COUNT)]
            held.set()
            assert all(work.result() for work in waiting)

        together = threading.Barrier(COUNT, timeout=BOUND_SECONDS)
        meeting = [pool.submit(together.wait) for _ in range(COUNT)]

        assert sorted(work.result() for work in meeting) == list(range(COUNT))
