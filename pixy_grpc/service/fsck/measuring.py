"""Reads stored bytes from end to end, a block at a time."""

import hashlib
from dataclasses import dataclass

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.ports import StoredBytes


@dataclass(frozen=True)
class Measurement:
    """What bytes are, in the terms of ImageContents."""

    size_bytes: int
    sha256: str
    block_digests: bytes


def measured(source: StoredBytes) -> Measurement:
    """Read and hash what is there now. Raises StorageUnavailableError."""
    whole = hashlib.sha256()
    blocks = bytearray()
    size = 0
    while block := source.read(size, BLOCK_BYTES):
        whole.update(block)
        blocks += hashlib.sha256(block).digest()
        size += len(block)
        if len(block) < BLOCK_BYTES:
            break
    return Measurement(size, whole.hexdigest(), bytes(blocks))
