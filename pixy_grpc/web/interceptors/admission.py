"""A place in the room for this kind of work, or a refusal at once."""

from collections.abc import Callable

import grpc

from pixy_grpc.core.exceptions import ResourceExhaustedError
from pixy_grpc.web.interceptors.base import Continuation, Handler, in_pool, refusal, within
from pixy_grpc.web.rooms import Room
from pixy_grpc.web.scope import current_scope

RoomOf = Callable[[str], Room]


class AdmissionInterceptor(grpc.ServerInterceptor):
    """Runs each RPC in a thread of its room."""

    def __init__(self, room_of: RoomOf, waits: Room) -> None:
        """Take the room of each method, and that of calls which wait for another call."""
        self._room_of = room_of
        self._waits = waits

    def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Take a place; the behaviour that grpcio now calls, whatever happens, leaves it."""
        handler = continuation(details)
        if handler is None:
            return None
        room = self._room_of(details.method)
        scope = current_scope()
        caller = scope.caller if scope else ""
        try:
            room.enter(caller)
        except ResourceExhaustedError as error:
            return refusal(error)
        if scope:
            scope.waiting = lambda: room.waiting_in(self._waits, caller)
        return in_pool(within(handler, lambda _context: room.place(caller)), room.pool)
