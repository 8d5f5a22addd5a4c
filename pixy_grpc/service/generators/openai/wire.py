"""One request and its answer, under one clock, in a bounded number of bytes.

What is raised says the one thing that decides about money: had the request begun to
leave when it failed.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import httpcore2

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.progress import MAX_PARTIAL_IMAGES
from pixy_grpc.service.generators.openai.observer import Observer
from pixy_grpc.service.generators.openai.stream import Sending, TimeLeft

MAX_REFUSAL_BYTES = 64 * 1024
"""How much of an answer that is no success is read: its code is at the beginning."""

EVENTS = "text/event-stream"
"""The content type of an answer that comes in events, over the whole time of its making."""

MAX_IMAGES = 1 + MAX_PARTIAL_IMAGES
"""In an answer that comes in events."""

_FIRST_UNSUCCESSFUL = 300
_FAILURES = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError)


class UnreachedError(Exception):
    """Nothing of the request was sent."""


class CutError(Exception):
    """The request was sent, at least in part; there is no whole answer."""


class UnreadableError(Exception):
    """The answer is too large, or encoded though we asked for it plain."""


@dataclass(frozen=True)
class WireAnswer:
    """A whole answer; the body of a refusal may be cut short."""

    status: int
    body: bytes


class Incoming:
    """An answer whose body is still to be read, once; it has to be closed.

    A refusal that is cut or large ends early: its status says more than the rest.
    """

    def __init__(
        self, response: httpcore2.Response, body_bytes: int, *, takes_events: bool
    ) -> None:
        """Take how many bytes an image may have in it, and whether several may come, each
        in an event of its own.
        """
        self._response = response
        self.status = response.status
        self.headers: list[tuple[bytes, bytes]] = response.headers
        content_type = self._header(b"content-type").lower()
        self.is_events = takes_events and content_type.startswith(EVENTS.encode())
        self._body_bytes = body_bytes * (MAX_IMAGES if self.is_events else 1)

    @property
    def is_success(self) -> bool:
        """Whether it may hold what was asked for."""
        return self.status < _FIRST_UNSUCCESSFUL

    def parts(self) -> Iterator[bytes]:
        """Yield the body as it arrives. Raises CutError, UnreadableError."""
        read = self._whole if self.is_success else self._beginning
        yield from read()

    def check(self) -> None:
        """Raise UnreadableError where the headers rule the body out."""
        if self._header(b"content-encoding") not in (b"", b"identity"):
            raise UnreadableError("encoded")
        if int(self._header(b"content-length") or 0) > self._body_bytes:
            raise UnreadableError("too large")

    def close(self) -> None:
        """Give the connection back, or up where the body was not read to its end."""
        self._response.close()

    def _header(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def _whole(self) -> Iterator[bytes]:
        size = 0
        try:
            for part in self._response.iter_stream():
                size += len(part)
                if size > self._body_bytes:
                    raise UnreadableError("too large")
                yield part
        except _FAILURES as error:
            raise CutError(type(error).__name__) from error

    def _beginning(self) -> Iterator[bytes]:
        left = MAX_REFUSAL_BYTES
        try:
            for part in self._response.iter_stream():
                yield part[:left]
                left -= len(part)
                if left <= 0:
                    return
        except _FAILURES:
            return


class Wire:
    """Exchanges requests for answers over a bounded pool. Threads share it."""

    def __init__(
        self,
        pool: httpcore2.ConnectionPool,
        *,
        connect_seconds: float,
        body_bytes: int,
        observer: Observer,
    ) -> None:
        self._pool = pool
        self._connect_seconds = connect_seconds
        self._body_bytes = body_bytes
        self._observer = observer

    def exchange(self, request: httpcore2.Request, deadline: Deadline) -> WireAnswer:
        """Return the whole answer by the deadline. Raises what `send` and its parts do."""
        sent = self.send(request, deadline, deadline.remaining(), takes_events=False)
        with closing(sent) as answer:
            return WireAnswer(answer.status, b"".join(answer.parts()))

    def send(
        self,
        request: httpcore2.Request,
        deadline: Deadline,
        connect_seconds: float,
        *,
        takes_events: bool = True,
    ) -> Incoming:
        """Return an answer that has begun, to be read by the deadline.

        The request is sent within `connect_seconds`, and those of this wire, or not at
        all. Raises UnreachedError, CutError, UnreadableError, what the pool's admission
        raises, and what the observer raises.
        """
        sending = Sending(deadline.remaining(), self._observer.asked)
        connecting = TimeLeft(min(sending, connect_seconds, self._connect_seconds))
        request.extensions = {
            "timeout": {
                "pool": connecting,
                "connect": connecting,
                "read": sending,
                "write": sending,
            }
        }
        try:
            response = self._pool.handle_request(request)
        except _FAILURES as error:
            kind = CutError if sending.begun else UnreachedError
            raise kind(type(error).__name__) from error
        with _closed_on_error(response):
            answer = Incoming(response, self._body_bytes, takes_events=takes_events)
            if answer.is_success:
                answer.check()
                self._announce(answer, deadline)
            return answer

    def close(self) -> None:
        """Close every connection, those in use too."""
        self._pool.close()

    def _announce(self, answer: Incoming, deadline: Deadline) -> None:
        """Say that an answer has begun; events begin long before there is much to read."""
        if not answer.is_events:
            self._observer.answered(deadline)


@contextmanager
def _closed_on_error(response: httpcore2.Response) -> Iterator[None]:
    try:
        yield
    except BaseException:
        response.close()
        raise
