"""The one place where exceptions become statuses."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from pixy_grpc.core.exceptions import ImageException, InternalError
from pixy_grpc.web.interceptors.base import Interceptor
from pixy_grpc.web.scope import current_scope

DOMAIN = "pixy.v1"
"""ErrorInfo's domain: whose reasons they are."""

MAX_TEXT_BYTES = 900
"""The contract says under 1 KB of text. Status details over 8 KB may turn a status into
RESOURCE_EXHAUSTED, and a byte that is not ASCII takes three on the wire."""

MAX_DESCRIPTION_BYTES = 300
"""Likewise for what is wrong with each field."""

_log = logging.getLogger(__name__)


class ErrorInterceptor(Interceptor):
    """Ends an RPC that raised with the status and the details of the contract."""

    @contextmanager
    def scope(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Abort with what was raised; what nobody foresaw is logged, and leaves as INTERNAL."""
        try:
            yield
        except ImageException as error:
            log_error(error)
            abort(context, error)
        except (grpc.RpcError, GeneratorExit):
            raise  # grpcio's own, for a call that has ended
        except BaseException as error:  # noqa: BLE001 - the one handler; after SystemExit grpcio sends nothing
            log_error(error)
            abort(context, InternalError("The service failed; its log has the call_id."))


def log_error(error: BaseException) -> None:
    """Log what ends an RPC: with its traceback, where nobody foresaw it or data is at stake."""
    if not isinstance(error, ImageException):
        _log.error("unforeseen error", exc_info=error)
        return
    level = logging.ERROR if error.status in ("DATA_LOSS", "INTERNAL") else logging.INFO
    _log.log(level, "refused reason=%s", error.reason, exc_info=level == logging.ERROR and error)


def abort(context: grpc.ServicerContext, error: ImageException) -> None:
    """End the RPC with the status of an error. Does not return."""
    status = status_pb2.Status(
        code=getattr(grpc.StatusCode, error.status).value[0],
        message=_cut(error.message, MAX_TEXT_BYTES),
        details=[_packed(message) for message in _details(error)],
    )
    context.abort_with_status(rpc_status.to_status(status))


def _details(error: ImageException) -> Iterator[Message]:
    yield error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_metadata())
    if error.violations:
        yield error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(
                    field=violation.field,
                    description=_cut(violation.description, MAX_DESCRIPTION_BYTES),
                )
                for violation in error.violations
            ]
        )
    if error.retry_delay_seconds is not None:
        delay = Duration()
        delay.FromMilliseconds(int(error.retry_delay_seconds * 1000))
        yield error_details_pb2.RetryInfo(retry_delay=delay)


def _cut(text: str, size: int) -> str:
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def _metadata() -> dict[str, str]:
    scope = current_scope()
    if scope is None:
        return {}
    known = {"call_id": scope.call_id, "request_id": scope.request_id}
    return {name: value for name, value in known.items() if value}


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
