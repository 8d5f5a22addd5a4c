"""The kinds of RPC, handled once for every interceptor.

A method's handler is wrapped once, not for every call: interceptors run on the server's one
event thread. What belongs to one call is in its scope.
"""

import functools
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import grpc

from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.web.scope import open_call

# Messages are of any type here, before and after they are parsed.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour = Callable[[Any, grpc.ServicerContext], Any]
Continuation = Callable[[grpc.HandlerCallDetails], "Handler | None"]
Scope = Callable[[grpc.ServicerContext], AbstractContextManager[None]]

MAX_HANDLERS = 256
"""Handlers that are kept wrapped: some twenty are served, and none is made for a call."""

_POOL = "experimental_thread_pool"

_MAKERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def behaviour_of(handler: Handler) -> Behaviour:
    """Return the one behaviour that a handler has."""
    kinds = (
        handler.unary_unary,
        handler.unary_stream,
        handler.stream_unary,
        handler.stream_stream,
    )
    return next(behaviour for behaviour in kinds if behaviour)


def within(handler: Handler, scope: Scope) -> Handler:
    """Return the handler with all it does inside a scope.

    A stream fails while it is iterated, so the scope is around the iteration; closing
    the stream closes what it iterates, then the scope.
    """
    behaviour = behaviour_of(handler)

    def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        with scope(context):
            yield from behaviour(request, context)

    def unary(request: Any, context: grpc.ServicerContext) -> Any:
        with scope(context):
            return behaviour(request, context)

    return rebuilt(handler, stream if handler.response_streaming else unary)


def rebuilt(handler: Handler, behaviour: Behaviour) -> Handler:
    """Return the handler with another behaviour of the same kind, to run in the same pool."""
    pool = getattr(behaviour_of(handler), _POOL, None)
    if pool:
        setattr(behaviour, _POOL, pool)
    make: Any = _MAKERS[handler.request_streaming, handler.response_streaming]
    made: Handler = make(behaviour, handler.request_deserializer, handler.response_serializer)
    return made


def in_pool(handler: Handler, pool: object) -> Handler:
    """Mark the handler to run in a pool of its own; `rebuilt` keeps the mark."""
    setattr(behaviour_of(handler), _POOL, pool)
    return handler


def refusal(error: ImageException) -> Handler:
    """Return a handler that raises what this call is refused with, whatever the RPC's kind:
    as a stream of requests it never waits for a message.
    """
    open_call().refusal = error
    return _REFUSAL


def _refuse(_requests: object, _context: grpc.ServicerContext) -> Iterator[bytes]:
    raise open_call().take_refusal()


def _answer_unknown(_requests: object, context: grpc.ServicerContext) -> Iterator[bytes]:
    context.set_code(grpc.StatusCode.UNIMPLEMENTED)
    context.set_details("Method not found!")
    return iter(())


_REFUSAL: Handler = grpc.stream_stream_rpc_method_handler(_refuse)

UNKNOWN_METHOD: Handler = grpc.stream_stream_rpc_method_handler(_answer_unknown)
"""Answers as grpcio does to a method that is not served."""


class Interceptor(grpc.ServerInterceptor):
    """Puts a scope around every RPC.

    `intercept_service` runs on the server's one event thread, and what it raises passes
    every other interceptor by: work and errors belong into the scope.
    """

    def __init__(self) -> None:
        self._scoped = functools.lru_cache(MAX_HANDLERS)(self._within)

    def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Return the RPC's handler, inside the scope."""
        handler = continuation(details)
        return handler and self._scoped(handler)

    def _within(self, handler: Handler) -> Handler:
        return within(handler, self.scope)

    @abstractmethod
    def scope(self, context: grpc.ServicerContext) -> AbstractContextManager[None]:
        """Return what surrounds one RPC."""
