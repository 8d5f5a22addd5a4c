"""Watches of health have a room of their own, and an end."""

from contextlib import ExitStack

import grpc

from tests.e2e.process.watching import SERVING, watching
from tests.e2e.rooms.conftest import PLACES, StartLimited


def test_watches_that_fill_their_room_leave_checks_alone(start_limited: StartLimited) -> None:
    """One more is refused at once; Check answers; a place that is left is free."""
    server = start_limited()
    with ExitStack() as watches:
        open_ones = [watches.enter_context(watching(server.target)) for _ in range(PLACES)]
        said = [watch.await_said(SERVING) for watch in open_ones]

        with watching(server.target) as refused:
            ended = refused.await_end()
            checked = refused.check()

        assert all(said)
        assert ended is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert checked == SERVING


def test_watch_ends_after_its_time(start_limited: StartLimited) -> None:
    """Nobody keeps a place for ever; a client that is left watches anew."""
    server = start_limited(watch_seconds=1.0)

    with watching(server.target) as watch:
        assert watch.await_end() is grpc.StatusCode.OK
        assert watch.said == [SERVING]
