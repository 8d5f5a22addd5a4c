"""A gRPC error as the transport raises it, made without a transport."""

from collections.abc import Callable, Mapping

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from pixy_client.details import DETAILS_KEY, DOMAIN


@grpc.Call.register
class Refusal(grpc.RpcError):
    """An error that ended a call, with the trailing metadata it is given."""

    def __init__(
        self,
        code: grpc.StatusCode,
        text: str | None = "",
        trailing: tuple[tuple[str, str | bytes], ...] | None = (),
    ) -> None:
        super().__init__(text)
        self._code = code
        self._text = text
        self._trailing = trailing

    def code(self) -> grpc.StatusCode:
        """Return the status."""
        return self._code

    def details(self) -> str | None:
        """Return the text."""
        return self._text

    def trailing_metadata(  # type: ignore[override]  # None too, as gRPC does
        self,
    ) -> tuple[tuple[str, str | bytes], ...] | None:
        """Return what came behind the answer."""
        return self._trailing

    def initial_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return what came before it: nothing."""
        return ()

    def is_active(self) -> bool:
        """Tell that the call has ended."""
        return False

    def time_remaining(self) -> float | None:
        """Tell that it had no deadline."""
        return None

    def cancel(self) -> bool:
        """Tell that there is nothing to cancel."""
        return False

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call back at once: the call has ended."""
        callback()
        return False


def encoded_details(
    reason: str,
    *,
    domain: str = DOMAIN,
    metadata: Mapping[str, str] | None = None,
    violations: Mapping[str, str] | None = None,
    delay: Duration | None = None,
) -> tuple[tuple[str, bytes], ...]:
    """Return trailing metadata with the details of an error of the service."""
    status = status_pb2.Status(code=1, message="as it was sent")
    info = error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata or {})
    status.details.add().Pack(info)
    if violations:
        request = error_details_pb2.BadRequest()
        for field, description in violations.items():
            request.field_violations.add(field=field, description=description)
        status.details.add().Pack(request)
    if delay is not None:
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return ((DETAILS_KEY, status.SerializeToString()),)
