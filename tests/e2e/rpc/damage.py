"""What may become of an image's bytes, and what a read of them then brings."""

import secrets

import grpc

from pixy_grpc.core.contents import BLOCK_BYTES
from tests.e2e.rpc.wire import parts, read_refusal
from tests.support.server import RunningServer

DATA = secrets.token_bytes(3 * BLOCK_BYTES + 777)
OTHER = secrets.token_bytes(len(DATA))


def flipped(position: int) -> bytes:
    """Return the bytes, one bit of them changed."""
    data = bytearray(DATA)
    data[position] ^= 0x10
    return bytes(data)


OF_ANOTHER_LENGTH = {
    "emptied": b"",
    "cut by a byte": DATA[:-1],
    "cut at a block": DATA[:BLOCK_BYTES],
    "grown by a byte": DATA + b"\0",
    "grown by itself": DATA + DATA,
}
"""What no read of any range survives."""

IN_A_BLOCK = {
    "first bit": (0, flipped(0)),
    "end of the first block": (0, flipped(BLOCK_BYTES - 1)),
    "start of the second block": (1, flipped(BLOCK_BYTES)),
    "a block of the second window": (2, flipped(2 * BLOCK_BYTES)),
    "last byte": (3, flipped(len(DATA) - 1)),
    "another image of the same size": (0, OTHER),
}
"""What a read notices in the block it touches: which is the first, and what is there."""


def received(server: RunningServer, guid: str, offset: int, limit: int) -> tuple[bytes, str]:
    """Return the bytes that came, and the reason the read ended with; empty for OK."""
    data = b""
    try:
        for part in parts(server, guid, offset, limit):
            data += part.data
    except grpc.RpcError as error:
        refusal = read_refusal(error)
        assert refusal.status == "DATA_LOSS"
        return data, refusal.reason
    return data, ""
