"""What is known of an image's bytes, and how they are told from other bytes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BYTES = 1024 * 1024
"""Bytes under one block digest: a ranged read verifies every block it touches, so a
larger block wastes more reading, a smaller one more digests. Also one message of
GetImageBytes (measured: larger ones are no faster)."""

DIGEST_BYTES = 32
"""Length of a raw SHA-256."""


@dataclass(frozen=True)
class ImageContents:
    """The bytes of one image as they were when they became durable.

    `key` names them in the store. `sha256` is hexadecimal in lower case;
    `block_digests` holds the raw SHA-256 of each BLOCK_BYTES, one behind the other.
    Both are empty for an older image that has not been adopted.
    """

    key: str
    content_type: str
    size_bytes: int
    sha256: str
    block_digests: bytes
    width: int
    height: int
    generator: str
    model: str

    def block_digest(self, index: int) -> bytes:
        """Return the raw digest of that block; empty where none is known."""
        return self.block_digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]


def digest_blocks(data: bytes) -> bytes:
    """Return the raw SHA-256 of every block of the bytes, one behind the other."""
    return b"".join(hashlib.sha256(block).digest() for block in _blocks(data))


def _blocks(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    return (view[at : at + BLOCK_BYTES] for at in range(0, len(view), BLOCK_BYTES))
