"""What a store and a database keep of bytes, whatever they are."""

import hashlib

from pixy_grpc.core.contents import ImageContents, digest_blocks


def contents_of(data: bytes, key: str) -> ImageContents:
    """Return contents with the size and the sums of these bytes; the rest is made up."""
    return ImageContents(
        key=key,
        content_type="image/png",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        block_digests=digest_blocks(data),
        width=640,
        height=480,
        generator="sketch",
        model="",
    )
