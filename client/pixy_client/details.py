"""What an error of the service says beyond its status: google.rpc details, read from metadata."""

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from pixy_grpc.core.exceptions import FieldViolation

DOMAIN = "pixy.v1"
"""The domain of every ErrorInfo that our service sends."""

DETAILS_KEY = "grpc-status-details-bin"
"""The metadata that carries google.rpc.Status behind a gRPC status."""


@dataclass(frozen=True)
class ErrorDetails:
    """The details of one error of the service."""

    reason: str
    call_id: str
    request_id: str
    violations: tuple[FieldViolation, ...]
    retry_delay_seconds: float | None


def read_details(metadata: Iterable[tuple[str, str | bytes]]) -> ErrorDetails | None:
    """Return the details in trailing metadata, None where there are none of our service's."""
    for key, value in metadata:
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return _parse(value)
            except DecodeError:
                return None
    return None


def _parse(encoded: bytes) -> ErrorDetails | None:
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    found = {
        part.DESCRIPTOR.full_name
        for detail in status_pb2.Status.FromString(encoded).details
        for part in (info, request, retry)
        if detail.Unpack(part)
    }
    if info.domain != DOMAIN:
        return None
    delay = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return ErrorDetails(
        reason=info.reason,
        call_id=info.metadata.get("call_id", ""),
        request_id=info.metadata.get("request_id", ""),
        violations=tuple(
            FieldViolation(each.field, each.description) for each in request.field_violations
        ),
        retry_delay_seconds=max(0.0, delay) if retry.DESCRIPTOR.full_name in found else None,
    )
