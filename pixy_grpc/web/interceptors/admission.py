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
    Scope,
    in_pool,
    refusal,
    within,
)
from pixy_grpc.web.rooms import Place, Room
from pixy_grpc.web.scope import current_scope
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
        room = self._room_of(details.method)
        caller = _caller()
        try:
            room.enter(caller)
        except ResourceExhaustedError as error:
            return self._outside.get(details.method) or refusal(error)
        scope = current_scope()
        if scope:
            place = Place(room, self._waits, caller)
            scope.waiting, scope.working = place.waiting, place.working
        return self._placed(handler, room)

    def _within_place(self, handler: Handler, room: Room) -> Handler:
        """Return a handler that leaves the place which its caller has taken in the room."""
        place = _streamed(room) if handler.response_streaming else self._held(room)
        return in_pool(within(handler, place), room.pool)

    def _held(self, room: Room) -> Scope:
        """Hold the place of a unary call until its work has ended and its answer been taken.

        What is answered waits in memory for its reader, who has as long as a download may
        stall. A creation goes on when its caller has gone.
        """

        @contextmanager
        def held(context: grpc.ServicerContext) -> Iterator[None]:
            caller = _caller()
            limit = self._watchdog.begin(math.inf, context.cancel)

            ends = itertools.count(1)  # of the call and of its work, in either order

            def end_one() -> None:
                if next(ends) == _BOTH:
                    self._watchdog.end(limit)
                    room.leave(caller)

            is_called_back = context.add_callback(end_one)
            try:
                yield
            finally:
                limit.at = time.monotonic() + self._stall_seconds
                end_one()
                if not is_called_back:  # the call had ended before it began
                    end_one()

        return held


def _streamed(room: Room) -> Scope:
    """Hold the place of a stream while it is sent: its messages are taken one by one.

    A creation that is told of is such a stream: it ends no sooner than its work.
    """
    return lambda _context: room.place(_caller())


def _caller() -> str:
    scope = current_scope()
    return scope.caller if scope else ""
