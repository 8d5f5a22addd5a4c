"""Reads the messages of a request, one or a stream: within a limit, and in our terms.

grpcio would wait for it in a thread, before any code of ours, for as long as the client
likes, and answer a message that does not parse without a reason. A request of one
message and a stream of one message are the same on the wire, so unary methods are
registered as streams, and what grpcio checks is checked here.
"""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from pixy_grpc.core.exceptions import MalformedRequestError
from pixy_grpc.web.encoding import serializer
from pixy_grpc.web.interceptors.base import MAX_HANDLERS, Continuation, Handler, behaviour_of
from pixy_grpc.web.scope import name_creation
from pixy_grpc.web.watchdog import Watchdog

Parser = Callable[[bytes], Any]


class MessageInterceptor(grpc.ServerInterceptor):
    """Innermost: hands the servicer a message that has arrived and parses."""

    def __init__(
        self, watchdog: Watchdog, message_seconds: Callable[[str], float], stream_seconds: float
    ) -> None:
        """Take how long a method's message may take to arrive, and a stream of requests."""
        self._watchdog = watchdog
        self._message_seconds = message_seconds
        self._stream_seconds = stream_seconds
        self._bounded = functools.lru_cache(MAX_HANDLERS)(self._bounded_anew)

    def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Return a handler that reads under a limit."""
        handler = continuation(details)
        return handler and self._bounded(handler, details.method)

    def _bounded_anew(self, handler: Handler, method: str) -> Handler:
        if handler.request_streaming:
            return self._limited(handler)
        return self._reading(handler, self._message_seconds(method))

    def _reading(self, handler: Handler, seconds: float) -> Handler:
        behaviour = behaviour_of(handler)
        parse: Parser = handler.request_deserializer or bytes

        def stream(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
            yield from behaviour(_parsed(parse, self._read(requests, context, seconds)), context)

        def unary(requests: Iterator[bytes], context: grpc.ServicerContext) -> Any:
            return behaviour(_parsed(parse, self._read(requests, context, seconds)), context)

        encode = serializer(handler.response_serializer)
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(stream, None, encode)
        return grpc.stream_unary_rpc_method_handler(unary, None, encode)

    def _read(
        self, requests: Iterator[bytes], context: grpc.ServicerContext, seconds: float
    ) -> bytes:
        with self._watchdog.limit(seconds, context.cancel):
            messages = list(itertools.islice(requests, 2))
        if len(messages) != 1:
            raise MalformedRequestError("The request is exactly one message.")
        return messages[0]

    def _limited(self, handler: Handler) -> Handler:
        behaviour = behaviour_of(handler)
        parse: Parser = handler.request_deserializer or bytes

        def stream(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
            with self._watchdog.limit(self._stream_seconds, context.cancel):
                yield from behaviour((_parsed(parse, each) for each in requests), context)

        return grpc.stream_stream_rpc_method_handler(stream, None, handler.response_serializer)


def _parsed(parse: Parser, data: bytes) -> Any:
    try:
        request = parse(data)
    except DecodeError as error:
        raise MalformedRequestError("The request message does not parse.") from error
    name_creation(getattr(getattr(request, "creation", request), "request_id", ""))
    return request
