"""Makes described calls over a synchronous channel, and ends each one in an error of ours."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc

from pixy_client.calls import Answer, Call, Request, Result, StreamCall, UnaryCall
from pixy_client.channel import channel_options
from pixy_client.errors import CallCancelledError, UnreadableAnswerError
from pixy_client.settings import ClientSettings, check_timeout
from pixy_client.translation import CallContext, from_rpc
from pixy_grpc.core.exceptions import ImageException, MalformedRequestError
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub

Sent = TypeVar("Sent")
Received = TypeVar("Received")
Read = TypeVar("Read")

MAX_SHOWN = 80
"""Characters shown of a text that cannot be sent: a prompt has up to 32,000."""


class Transport:
    """A channel to one target. It connects with its first call; threads may share it."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._metadata = (("authorization", f"Bearer {settings.token}"),)
        self._channel = grpc.insecure_channel(settings.target, channel_options(settings))
        self._stub = ImageServiceStub(self._channel)
        self._closed = threading.Event()

    def call(self, call: UnaryCall[Request, Answer, Result], timeout: float | None) -> Result:
        """Return what the one answer to a call holds."""
        with self._translated(call, timeout) as seconds:
            method: grpc.UnaryUnaryMultiCallable[Request, Answer]
            method = getattr(self._stub, call.method)
            answer = method(_build(call), timeout=seconds, metadata=self._metadata)
            return _read(call, answer)

    def stream(
        self,
        call: StreamCall[Request, Answer, Result],
        timeout: float | None,
        *,
        allowed_seconds: float | None = None,
    ) -> Generator[Result, None, None]:
        """Yield what each answer to a call holds; closing it cancels the call.

        Where it is one of several, `allowed_seconds` are those of all: for the error.
        """
        with self._translated(call, timeout, allowed_seconds) as seconds:
            method: grpc.UnaryStreamMultiCallable[Request, Answer]
            method = getattr(self._stub, call.method)
            answers = method(_build(call), timeout=seconds, metadata=self._metadata)
            try:
                for answer in answers:
                    yield _read(call, answer)
            finally:
                answers.cancel()

    def closes_within(self, seconds: float) -> bool:
        """Wait between two calls; tell at once where the channel is closed, for another one."""
        return self._closed.wait(seconds)

    def close(self) -> None:
        """Close the channel; calls that run end as cancelled. Closing twice is no error."""
        self._closed.set()
        self._channel.close()

    @contextmanager
    def _translated(
        self,
        call: Call[Request, Answer, Result],
        timeout: float | None,
        allowed_seconds: float | None = None,
    ) -> Iterator[float]:
        """Give the seconds a call may take; turn errors of gRPC into ours.

        Every error that ends a creation names its request id.
        """
        seconds = self._usual_timeout(call)
        try:
            seconds = seconds if timeout is None else check_timeout(timeout)
            yield seconds
        except grpc.RpcError as exc:
            allowed = seconds if allowed_seconds is None else allowed_seconds
            context = CallContext(self._settings.target, allowed, call.request_id)
            raise from_rpc(exc, context) from exc
        except ValueError as exc:
            if not self._closed.is_set():
                raise
            message = "The client is closed; nothing was sent. Make another one."
            raise CallCancelledError(message, request_id=call.request_id) from exc
        except ImageException as exc:
            exc.request_id = exc.request_id or call.request_id
            raise

    def _usual_timeout(self, call: Call[Request, Answer, Result]) -> float:
        settings = self._settings
        return settings.create_timeout_seconds if call.request_id else settings.timeout_seconds


def _build(call: Call[Sent, Received, Read]) -> Sent:
    try:
        return call.build()
    except UnicodeEncodeError as exc:
        raise MalformedRequestError(
            f"The request cannot be sent: {exc.object[:MAX_SHOWN]!a} is no Unicode text; "
            f"what is at {exc.start} stands for no character, but perhaps for a byte."
        ) from exc
    except (ValueError, OverflowError) as exc:
        raise MalformedRequestError(f"The request cannot be sent: {exc}") from exc


def _read(call: Call[Sent, Received, Read], answer: Received) -> Read:
    try:
        return call.read(answer)
    except ValueError as exc:
        raise UnreadableAnswerError("The answer does not describe an image.") from exc
