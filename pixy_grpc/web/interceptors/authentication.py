"""Who calls: settled from the metadata, before a room is taken or a message awaited."""

from collections.abc import Sequence

import grpc

from pixy_grpc.core.exceptions import ImageException, InvalidTokenError, MalformedRequestError
from pixy_grpc.core.ports import Authenticator
from pixy_grpc.web.interceptors.base import Continuation, Handler, refusal
from pixy_grpc.web.scope import current_scope

OPEN_SERVICE = "/grpc.health.v1.Health/"
"""Probes carry no token; everything else does, reflection too."""

MAX_METADATA_BYTES = 8 * 1024
"""A token and tracing headers take a tenth of it. grpcio's own limit holds only once the
client has acknowledged it."""

_ENTRY_BYTES = 32
"""What HTTP/2 (RFC 7541, 4.1) adds for each entry."""

_SCHEME = "bearer"


class AuthenticationInterceptor(grpc.ServerInterceptor):
    """Names the caller, or refuses without waiting for a message."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Go on as the caller that the token names."""
        metadata = tuple(details.invocation_metadata or ())
        error = _oversized(metadata) or self._name_caller(details.method, metadata)
        return refusal(error) if error else continuation(details)

    def _name_caller(
        self, method: str, metadata: Sequence[tuple[str, str | bytes]]
    ) -> ImageException | None:
        if method.startswith(OPEN_SERVICE):
            return None
        caller = self._authenticator.authenticate(_bearer_token(metadata))
        scope = current_scope()
        if caller is None or scope is None:
            return InvalidTokenError(
                "The call needs the metadata `authorization: Bearer TOKEN`, once,"
                " with a token that this service knows."
            )
        scope.caller = caller
        return None


def _bearer_token(metadata: Sequence[tuple[str, str | bytes]]) -> str:
    """Return the token, empty where there is not exactly one."""
    values = [value for name, value in metadata if name == "authorization"]
    if len(values) != 1 or not isinstance(values[0], str):
        return ""
    scheme, _, token = values[0].partition(" ")
    return token.strip() if scheme.lower() == _SCHEME else ""


def _oversized(metadata: Sequence[tuple[str, str | bytes]]) -> ImageException | None:
    size = sum(len(name) + len(value) + _ENTRY_BYTES for name, value in metadata)
    if size <= MAX_METADATA_BYTES:
        return None
    return MalformedRequestError(f"The metadata is over {MAX_METADATA_BYTES} bytes.")
