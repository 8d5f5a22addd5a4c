"""Reads server-sent events: the lines of WHATWG HTML, 9.2, and of them the data alone."""

from collections.abc import Iterable, Iterator

from pixy_grpc.service.generators.openai.wire import UnreadableError

_FIELD = b"data"


def event_data(parts: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield the data of each event as soon as it is whole; the last may lack its blank line.

    Raises UnreadableError for one of more bytes than that, and what reading the parts does.
    """
    data: list[bytes] = []
    for line in _lines(parts, max_bytes):
        name, _, value = line.partition(b":")
        if name == _FIELD:
            data.append(value.removeprefix(b" "))
            _check(sum(map(len, data)), max_bytes)
        elif not line and data:
            yield b"\n".join(data)
            data = []
    if data:
        yield b"\n".join(data)


def _lines(parts: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield lines without their end: CR, LF or both."""
    kept = bytearray()
    for part in parts:
        kept += part
        _check(len(kept), max_bytes + len(part))
        if b"\n" in part or b"\r" in part:
            *whole, last = bytes(kept).splitlines(keepends=True)
            if last.endswith(b"\n"):  # after CR alone an LF may still come
                whole, last = [*whole, last], b""
            yield from (line.rstrip(b"\r\n") for line in whole)
            kept = bytearray(last)
    yield from bytes(kept).splitlines()


def _check(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise UnreadableError("too large")
