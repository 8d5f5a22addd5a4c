"""Reads server-sent events: the lines of WHATWG HTML, 9.2, and of them the data alone."""

from collections.abc import Callable, Iterable, Iterator

from pixy_grpc.core.progress import MAX_PARTIAL_BYTES
from pixy_grpc.service.generators.openai.wire import UnreadableError

LARGE_BYTES = MAX_PARTIAL_BYTES * 4 // 3 + 64 * 1024
"""More than an event with an unfinished image that is shown: it is not read without room."""

_FIELD = b"data"


def _ignore() -> None:
    """Need no room."""


def event_data(
    parts: Iterable[bytes], max_bytes: int, arriving: Callable[[], None] = _ignore
) -> Iterator[bytes]:
    """Yield the data of each event as soon as it is whole; the last may lack its blank line.

    `arriving`, the place to wait for room, is called before more is read of an event of
    LARGE_BYTES, again with each part of it. Raises UnreadableError for one of more than
    `max_bytes`, and what reading the parts does.
    """

    def check(size: int) -> None:
        if size > max_bytes:
            raise UnreadableError("too large")
        if size > LARGE_BYTES:
            arriving()

    data: list[bytes] = []
    size = 0
    for line in _lines(parts, check):
        name, _, value = line.partition(b":")
        if name == _FIELD:
            data.append(value.removeprefix(b" "))
            size += len(line)
            check(size)
        elif not line and data:
            yield b"\n".join(data)
            data, size = [], 0
    if data:
        yield b"\n".join(data)


def _lines(parts: Iterable[bytes], check: Callable[[int], None]) -> Iterator[bytes]:
    """Yield lines without their end: CR, LF or both."""
    kept = bytearray()
    for part in parts:
        check(len(kept))
        kept += part
        if b"\n" in part or b"\r" in part:
            *whole, last = bytes(kept).splitlines(keepends=True)
            if last.endswith(b"\n"):  # after CR alone an LF may still come
                whole, last = [*whole, last], b""
            kept = bytearray(last)
            yield from (line.rstrip(b"\r\n") for line in whole)
    yield from bytes(kept).splitlines()
