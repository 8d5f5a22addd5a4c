"""Digests of bytes and of their blocks."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.core.contents import BLOCK_BYTES, DIGEST_BYTES, ImageContents, digest_blocks


def _contents(block_digests: bytes) -> ImageContents:
    return ImageContents("key", "image/png", 1, "", block_digests, 1, 1, "sketch", "")


@pytest.mark.parametrize(
    ("size", "blocks"),
    [
        (0, 0),
        (1, 1),
        (BLOCK_BYTES - 1, 1),
        (BLOCK_BYTES, 1),
        (BLOCK_BYTES + 1, 2),
        (3 * BLOCK_BYTES, 3),
    ],
)
def test_digest_blocks_has_one_for_each_block(size: int, blocks: int) -> None:
    digests = digest_blocks(b"x" * size)

    assert len(digests) == blocks * DIGEST_BYTES


def test_block_digest_is_the_sha256_of_that_block() -> None:
    """The last one is of what is left."""
    data = b"a" * BLOCK_BYTES + b"b" * BLOCK_BYTES + b"c"

    contents = _contents(digest_blocks(data))

    assert contents.block_digest(0) == hashlib.sha256(b"a" * BLOCK_BYTES).digest()
    assert contents.block_digest(1) == hashlib.sha256(b"b" * BLOCK_BYTES).digest()
    assert contents.block_digest(2) == hashlib.sha256(b"c").digest()


def test_block_digest_where_none_is_known_is_empty() -> None:
    """Behind the last block, and for an image that has not been adopted."""
    assert _contents(digest_blocks(b"x")).block_digest(1) == b""
    assert _contents(b"").block_digest(0) == b""


@settings(derandomize=True, max_examples=50, deadline=None)
@given(at=st.integers(0, BLOCK_BYTES + 99))
def test_changed_byte_changes_its_block_alone(at: int) -> None:
    """Whichever byte it is."""
    data = bytearray(BLOCK_BYTES + 100)
    before = _contents(digest_blocks(bytes(data)))
    data[at] ^= 1

    after = _contents(digest_blocks(bytes(data)))

    changed = [index for index in (0, 1) if before.block_digest(index) != after.block_digest(index)]
    assert changed == [at // BLOCK_BYTES]
