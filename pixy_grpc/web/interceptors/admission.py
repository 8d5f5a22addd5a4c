"""A place in the room for this kind of work, or a refusal at once."""

import functools
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import grpc

from pixy_grpc.core.exceptions import ResourceExhaustedError
from pixy_grpc.web.interceptors.base import (
    MAX_HANDLERS,
    Continuation,
    Handler,
    in_pool,
    refusal,
    within,
)
from pixy_grpc.web.rooms import Place, Room
from pixy_grpc.web.scope import open_call
from pixy_grpc.web.watchdog import Watchdog

RoomOf = Callable[[str], Room]

_BOTH = 2


class AdmissionInterceptor(grpc.ServerInterceptor):
    """Runs each RPC in a thread of its room."""

    def __init__(
        self,
        room_of: RoomOf,
        waits: Room,
        watchdog: Watchdog,
        stall_seconds: float,
        outside: Mapping[str, Handler],
    ) -> None:
        """Take the room of each method, and that of calls which wait for another call.

        `outside` answers methods, by name, that are never refused: it waits for nothing.
        """
        self._room_of = room_of
        self._waits = waits
        self._watchdog = watchdog
        self._stall_seconds = stall_seconds
        self._outside = outside
        self._placed = functools.lru_cache(MAX_HANDLERS)(self._within_place)

    def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Take a place; the behaviour that grpcio now calls, whatever happens, leaves it."""
        handler = continuation(details)
        if handler is None:
            return None
        scope, room = open_call(), self._room_of(details.method)
        try:
            scope.place = Place(room, self._waits, scope.caller)
        except ResourceExhaustedError as error:
            return self._outside.get(details.method) or refusal(error)
        return self._placed(handler, room)

    def _within_place(self, handler: Handler, room: Room) -> Handler:
        """Return a handler that runs in the room's threads and leaves its call's place."""
        held = _streamed if handler.response_streaming else self._held
        return in_pool(within(handler, held), room.pool)

    @contextmanager
    def _held(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Hold the place of a unary call until its work has ended and its answer been taken.

        What is answered waits in memory for its reader, who has as long as a download may
        stall. A creation goes on when its caller has gone.
        """
        place = _place()
        limit = self._watchdog.begin(math.inf, context.cancel)

        ends = itertools.count(1)  # of the call and of its work, in either order

        def end_one() -> None:
            if next(ends) == _BOTH:
                self._watchdog.end(limit)
                place.leave()

        is_called_back = context.add_callback(end_one)
        try:
            yield
        finally:
            limit.at = time.monotonic() + self._stall_seconds
            end_one()
            if not is_called_back:  # the call had ended before it began
                end_one()


@contextmanager
def _streamed(_context: grpc.ServicerContext) -> Iterator[None]:
    """Hold the place of a stream while it is sent: its messages are taken one by one.

    A creation that is told of is such a stream: it ends no sooner than its work.
    """
    place = _place()
    try:
        yield
    finally:
        place.leave()


def _place() -> Place:
    place = open_call().place
    if place is None:
        raise LookupError("A call runs that was not admitted.")
    return place
