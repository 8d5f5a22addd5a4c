"""What is known of the RPC that is running: the one place for its method, caller and id."""

import re
import socket
import threading
import time
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field

import grpc

from pixy_grpc.core.call import Call, Deadline, unhindered
from pixy_grpc.core.exceptions import ImageException, InternalError
from pixy_grpc.core.progress import UNWATCHED, Progress
from pixy_grpc.web.rooms import Place

MAX_CALL_SECONDS = 600.0
"""Cap for calls without a deadline; what they wait for has tighter caps of its own."""

ANSWER_MARGIN_SECONDS = 0.05
"""Kept back from the caller's deadline, so that our answer is there before it passes."""

_UUID = re.compile(r"[0-9a-fA-F-]{36}", re.ASCII)
_NANOS = 1_000_000_000
_HOST = socket.gethostname().split(".", maxsplit=1)[0]


def _call_id() -> str:
    seconds, nanos = divmod(time.time_ns(), _NANOS)
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(seconds))
    return f"{_HOST}-{moment}-{nanos // 1000:06}-{threading.get_native_id()}"


@dataclass
class RpcScope:
    """One RPC, from its arrival to its end.

    `caller` is empty until authentication has named it, `request_id` until the message
    of a creation has been read. `refusal` is what the call is refused with, before any
    work. `place` is what it has taken of a room, from its admission on.
    """

    method: str
    call_id: str = field(default_factory=_call_id)
    started: float = field(default_factory=time.monotonic)
    caller: str = ""
    request_id: str = ""
    refusal: ImageException | None = None
    place: Place | None = None

    def take_refusal(self) -> ImageException:
        """Return what the call is refused with, once: an error holds the frames that it was
        raised in, and they this scope. Held by the scope it would keep the call, and the
        stream of its connection, until the garbage is collected.
        """
        error, self.refusal = self.refusal, None
        return error or InternalError("The call was refused twice.")


_current: ContextVar[RpcScope] = ContextVar("pixy_rpc")
"""grpcio runs the interceptors and the handler of an RPC in one context of its own."""


def open_scope(method: str) -> RpcScope:
    """Begin the scope of the RPC that has just arrived."""
    scope = RpcScope(method)
    _current.set(scope)
    return scope


def name_creation(request_id: str) -> None:
    """Note the caller's request id, if it is one: errors and log lines carry it."""
    scope = current_scope()
    if scope and _UUID.fullmatch(request_id):
        scope.request_id = request_id


def open_call() -> RpcScope:
    """Return the scope of the running RPC. Raises LookupError outside of one."""
    return _current.get()


def current_scope() -> RpcScope | None:
    """Return the scope of the running RPC, None outside of one."""
    return _current.get(None)


def current_call(context: grpc.ServicerContext, progress: Progress = UNWATCHED) -> Call:
    """Return the running RPC as the service layer sees it."""
    scope = _current.get()
    place = scope.place
    return Call(
        caller=scope.caller,
        call_id=scope.call_id,
        deadline=_deadline(context),
        is_active=context.is_active,
        waiting=place.waiting if place else nullcontext,
        progress=progress,
        working=place.working if place else unhindered,
    )


def _deadline(context: grpc.ServicerContext) -> Deadline:
    remaining = context.time_remaining()
    if remaining is None or remaining > MAX_CALL_SECONDS:
        return Deadline.after(MAX_CALL_SECONDS)
    margin = min(ANSWER_MARGIN_SECONDS, remaining / 10)
    return Deadline.after(remaining - margin, from_caller=True)
