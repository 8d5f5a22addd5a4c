"""One request and its whole answer, under one clock, in a bounded number of bytes.

What is raised says the one thing that decides about money: had the request begun to
leave when it failed.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import httpcore2

from pixy_grpc.core.call import Deadline
from pixy_grpc.service.generators.openai.observer import Observer
from pixy_grpc.service.generators.openai.stream import Sending, TimeLeft

MAX_REFUSAL_BYTES = 64 * 1024
"""How much of an answer that is no success is read: its code is at the beginning."""

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
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return the first header with that name, in lower case, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), b"")


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
        """Return the answer by the deadline.

        Raises UnreachedError, CutError, UnreadableError, what the pool's admission
        raises, and what the observer raises.
        """
        sending = Sending(deadline.remaining(), self._observer.asked)
        connecting = TimeLeft(min(sending, self._connect_seconds))
        request.extensions = {
            "timeout": {
                "pool": connecting,
                "connect": connecting,
                "read": sending,
                "write": sending,
            }
        }
        try:
            with _closing(self._pool.handle_request(request)) as response:
                return self._read(response, deadline)
        except _FAILURES as error:
            kind = CutError if sending.begun else UnreachedError
            raise kind(type(error).__name__) from error

    def close(self) -> None:
        """Close every connection, those in use too."""
        self._pool.close()

    def _read(self, response: httpcore2.Response, deadline: Deadline) -> WireAnswer:
        if response.status >= _FIRST_UNSUCCESSFUL:
            body = _beginning(response.iter_stream())
            return WireAnswer(response.status, response.headers, body)
        answer = WireAnswer(response.status, response.headers, b"")
        if answer.header(b"content-encoding") not in (b"", b"identity"):
            raise UnreadableError("encoded")
        if int(answer.header(b"content-length") or 0) > self._body_bytes:
            raise UnreadableError("too large")
        self._observer.answered(deadline)
        return replace(answer, body=_whole(response.iter_stream(), self._body_bytes))


@contextmanager
def _closing(response: httpcore2.Response) -> Iterator[httpcore2.Response]:
    try:
        yield response
    finally:
        response.close()


def _whole(parts: Iterable[bytes], limit: int) -> bytes:
    kept, size = [], 0
    for part in parts:
        size += len(part)
        if size > limit:
            raise UnreadableError("too large")
        kept.append(part)
    return b"".join(kept)


def _beginning(parts: Iterable[bytes]) -> bytes:
    """Return what arrives of a refusal: its status is known, and says more than the rest."""
    kept = b""
    with suppress(*_FAILURES):
        for part in parts:
            kept += part
            if len(kept) >= MAX_REFUSAL_BYTES:
                break
    return kept[:MAX_REFUSAL_BYTES]
