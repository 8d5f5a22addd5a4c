"""Two log lines for each RPC, under its call id."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import grpc

from pixy_grpc.web.interceptors.base import UNKNOWN_METHOD, Continuation, Handler, Interceptor
from pixy_grpc.web.scope import current_scope, open_scope

MAX_METHOD_CHARACTERS = 200
"""The longest of ours has 40; what is not ours is of any length."""

_log = logging.getLogger("pixy_grpc.requests")


class LoggingInterceptor(Interceptor):
    """Outermost: opens the RPC's scope, and logs its start and its end."""

    def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Open the scope that everything further in fills."""
        open_scope(details.method)
        return self._scoped(continuation(details) or UNKNOWN_METHOD)

    @contextmanager
    def scope(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Log the start, and the end with the code that the caller gets."""
        _log.info("REQUEST START")
        code = grpc.StatusCode.CANCELLED
        try:
            yield
            code = grpc.StatusCode.OK
        finally:
            _log_end(_final(context, code))


def _final(context: grpc.ServicerContext, code: grpc.StatusCode) -> grpc.StatusCode:
    if not context.is_active():
        return grpc.StatusCode.CANCELLED
    set_code = getattr(context, "code")()  # noqa: B009 - missing in the stubs
    return set_code if isinstance(set_code, grpc.StatusCode) else code


def _log_end(code: grpc.StatusCode) -> None:
    scope = current_scope()
    if scope:
        _log.info(
            "REQUEST END method=%s caller=%s code=%s ms=%.1f",
            _word(scope.method),
            scope.caller or "-",
            code.name,
            (time.monotonic() - scope.started) * 1000,
        )


def _word(text: str) -> str:
    """Return client text as one word: it adds no pairs of its own to the line."""
    return quote(text[:MAX_METHOD_CHARACTERS], safe="/.", errors="backslashreplace")
