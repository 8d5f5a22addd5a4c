"""Turns every error of gRPC into one of ours: one total function, so no caller knows grpc."""

from dataclasses import dataclass

import grpc

from pixy_client.details import ErrorDetails, read_details
from pixy_client.errors import (
    RESET_STATUSES,
    CallCancelledError,
    DeadlineExceededError,
    UnexpectedStatusError,
    UnreachableError,
)
from pixy_grpc.core.exceptions import (
    ConcurrencyError,
    ImageException,
    InvalidArgumentError,
    ResourceExhaustedError,
    ServiceUnavailableError,
    conditions,
)

MAX_TRANSPORT_TEXT = 200
"""Characters kept of what the transport says: past that it repeats itself per address."""

ASK_AGAIN = " The image may have been made: ask again with the same request id."
"""Ends the message of a creation whose outcome the transport lost."""

_CONDITIONS = conditions()

_FAMILIES = {
    family.status: family
    for family in (
        ConcurrencyError,
        InvalidArgumentError,
        ResourceExhaustedError,
        ServiceUnavailableError,
    )
}

_TRANSPORT: dict[str, tuple[type[ImageException], str]] = {
    "UNAVAILABLE": (
        UnreachableError,
        "{target} cannot be reached ({text}). Check the target, and that a server runs there.",
    ),
    "DEADLINE_EXCEEDED": (
        DeadlineExceededError,
        "{target} did not answer within {timeout:g} seconds. Allow the call more time.",
    ),
    "CANCELLED": (
        CallCancelledError,
        "The call was cancelled ({text}): it was closed here, or read too slowly.",
    ),
}


@dataclass(frozen=True)
class CallContext:
    """What an error has to say about the call it ended."""

    target: str
    timeout_seconds: float
    request_id: str = ""


def from_rpc(error: Exception, context: CallContext) -> ImageException:
    """Return the exception of ours that a gRPC error stands for."""
    if not isinstance(error, grpc.Call):
        return _unexpected("UNKNOWN", str(error), context)
    status = error.code().name
    details = read_details(error.trailing_metadata() or ())
    text = error.details() or ""
    if details is None:
        return _from_transport(status, text, context)
    return _from_service(status, text, details, context)


def _from_service(
    status: str, text: str, details: ErrorDetails, context: CallContext
) -> ImageException:
    kind = _CONDITIONS.get(details.reason)
    message = text if kind else f"{details.reason}: {text}"
    family = kind or _FAMILIES.get(status)
    request_id = context.request_id or details.request_id
    if family is None:
        return UnexpectedStatusError(
            message, status_name=status, call_id=details.call_id, request_id=request_id
        )
    return family(
        message,
        violations=details.violations,
        retry_delay_seconds=details.retry_delay_seconds,
        call_id=details.call_id,
        request_id=request_id,
    )


def _from_transport(status: str, text: str, context: CallContext) -> ImageException:
    known = _TRANSPORT.get(status)
    if known is None:
        return _unexpected(status, text, context)
    kind, template = known
    message = template.format(
        target=context.target, text=_shorten(text), timeout=context.timeout_seconds
    )
    if context.request_id:
        message += ASK_AGAIN
    return kind(message, request_id=context.request_id)


def _unexpected(status: str, text: str, context: CallContext) -> ImageException:
    message = (
        f"{context.target} answered {status} ({_shorten(text)}). Check that it is a "
        "PixyProxy, and of this version."
    )
    if context.request_id and status in RESET_STATUSES:
        message += ASK_AGAIN
    return UnexpectedStatusError(message, status_name=status, request_id=context.request_id)


def _shorten(text: str) -> str:
    return text[:MAX_TRANSPORT_TEXT] or "no details"
