"""One rendition as a file that says itself whether it is what was written under its name.

A SHA-256 of the next two, the length of the head, the head (JSON), the bytes. In the head
are the digests of the bytes, one for each block: who reads a part reads and checks no more.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pixy_grpc.core.contents import BLOCK_BYTES, DIGEST_BYTES, ImageContents
from pixy_grpc.core.ports import OpenedBytes
from pixy_grpc.data.open_file import OpenFile

_LENGTH_BYTES = 4


class DamagedFileError(Exception):
    """The file is not what was written."""


@dataclass(frozen=True)
class _Tail:
    """StoredBytes of a file from a position on."""

    file: OpenFile
    start: int

    @property
    def size_bytes(self) -> int:
        return self.file.size_bytes - self.start

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        return self.file.read(self.start + offset, length, head)


def head_of(name: str, contents: ImageContents) -> bytes:
    """Return what comes before the bytes in the file of that name."""
    fields = {**asdict(contents), "block_digests": contents.block_digests.hex(), "name": name}
    head = json.dumps(fields).encode()
    sized = len(head).to_bytes(_LENGTH_BYTES, "big") + head
    return hashlib.sha256(sized).digest() + sized


@contextmanager
def open_rendition(path: Path, span: range) -> Iterator[OpenedBytes]:
    """Open a rendition whose head is right, and what the span touches. Raises
    DamagedFileError, OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DamagedFileError
        opened = _opened(OpenFile(descriptor), path.name)
        _hold(opened, span)
        yield opened
    finally:
        os.close(descriptor)


def _opened(file: OpenFile, name: str) -> OpenedBytes:
    """Read the head, which is small: a length that leads past the end is damaged."""
    length = int.from_bytes(file.read(DIGEST_BYTES, _LENGTH_BYTES), "big")
    start = DIGEST_BYTES + _LENGTH_BYTES + length
    if start > file.size_bytes:
        raise DamagedFileError
    sized = file.read(DIGEST_BYTES, _LENGTH_BYTES + length)
    if hashlib.sha256(sized).digest() != file.read(0, DIGEST_BYTES):
        raise DamagedFileError
    opened = OpenedBytes(_contents(sized[_LENGTH_BYTES:], name), _Tail(file, start))
    if opened.source.size_bytes != opened.contents.size_bytes:
        raise DamagedFileError
    return opened


def _contents(head: bytes, name: str) -> ImageContents:
    """Return what is known of the bytes, if the head is of this version and this file."""
    try:
        fields = json.loads(head)
        digests = bytes.fromhex(fields.pop("block_digests"))
        is_another = fields.pop("name") != name
        contents = ImageContents(**fields, block_digests=digests)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError from error
    if is_another:
        raise DamagedFileError
    return contents


def _hold(opened: OpenedBytes, span: range) -> None:
    """Hold every block that the span touches to its digest."""
    contents = opened.contents
    first = span.start // BLOCK_BYTES * BLOCK_BYTES
    for start in range(first, min(span.stop, contents.size_bytes), BLOCK_BYTES):
        block = opened.source.read(start, BLOCK_BYTES)
        if hashlib.sha256(block).digest() != contents.block_digest(start // BLOCK_BYTES):
            raise DamagedFileError
