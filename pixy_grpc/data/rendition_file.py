"""One rendition as a file that says itself whether it is what was written.

A SHA-256 of all that follows, the length of the head, the head (JSON), the bytes.
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
from pixy_grpc.data.folder import OpenFile

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


def head_of(contents: ImageContents, data: bytes) -> bytes:
    """Return what comes before the bytes in the file of a rendition."""
    fields = {**asdict(contents), "block_digests": contents.block_digests.hex()}
    head = json.dumps(fields).encode()
    digest = hashlib.sha256(len(head).to_bytes(_LENGTH_BYTES, "big") + head)
    digest.update(data)
    return digest.digest() + len(head).to_bytes(_LENGTH_BYTES, "big") + head


@contextmanager
def open_rendition(path: Path) -> Iterator[OpenedBytes]:
    """Open a rendition that is whole. Raises DamagedFileError, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DamagedFileError
        yield _opened(OpenFile(descriptor))
    finally:
        os.close(descriptor)


def _opened(file: OpenFile) -> OpenedBytes:
    if file.read(0, DIGEST_BYTES) != _sum(file):
        raise DamagedFileError
    start = DIGEST_BYTES + _LENGTH_BYTES
    length = int.from_bytes(file.read(DIGEST_BYTES, _LENGTH_BYTES), "big")
    try:
        fields = json.loads(file.read(start, length))
        digests = bytes.fromhex(fields.pop("block_digests"))
        contents = ImageContents(**fields, block_digests=digests)
    except (ValueError, KeyError, TypeError) as error:  # of another version
        raise DamagedFileError from error
    return OpenedBytes(contents, _Tail(file, start + length))


def _sum(file: OpenFile) -> bytes:
    digest = hashlib.sha256()
    for offset in range(DIGEST_BYTES, file.size_bytes, BLOCK_BYTES):
        digest.update(file.read(offset, BLOCK_BYTES))
    return digest.digest()
