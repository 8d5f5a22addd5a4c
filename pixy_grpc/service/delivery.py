"""The use case of reading an image's bytes: whole and right, or an error."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pixy_grpc.core.call import Call
from pixy_grpc.core.contents import BLOCK_BYTES, ImageContents
from pixy_grpc.core.exceptions import ImageCorruptError, InvalidOffsetError
from pixy_grpc.core.models import Image
from pixy_grpc.core.ports import ImageRepository, ImageStore, StoredBytes, StoredImage
from pixy_grpc.service.validation import valid_guid


@dataclass(frozen=True)
class ByteRange:
    """Which bytes are wanted: a limit of 0 means up to the end."""

    offset: int
    limit: int

    def within(self, size_bytes: int) -> range:
        """Return the bytes of an image of that size. Raises InvalidOffsetError."""
        if self.offset < 0 or self.limit < 0:
            raise InvalidOffsetError("read_offset and read_limit are 0 or more.")
        if self.offset > size_bytes:
            raise InvalidOffsetError(
                f"read_offset is past the end: the image has {size_bytes} bytes."
            )
        end = min(self.offset + self.limit, size_bytes) if self.limit else size_bytes
        return range(self.offset, end)


@dataclass(frozen=True)
class Delivery:
    """An image, and the bytes wanted of it, at most BLOCK_BYTES at a time.

    Iterating raises ImageCorruptError before a byte of a damaged block is given out.
    """

    image: Image
    chunks: Iterator[bytes]


class ImageDelivery:
    """Reads bytes."""

    def __init__(self, repository: ImageRepository, store: ImageStore) -> None:
        self._repository = repository
        self._store = store

    @contextmanager
    def open(self, guid: str, wanted: ByteRange, call: Call) -> Iterator[Delivery]:
        """Open an image for reading; what is open stays whole when the image is deleted.

        Raises InvalidGuidError, RecordNotFoundError, InvalidOffsetError, and
        ImageCorruptError where bytes are missing or not as many as were stored.
        """
        stored = self._repository.get(valid_guid(guid), call.deadline)
        contents = _known(stored)
        span = wanted.within(contents.size_bytes)
        with ExitStack() as resources:
            source = self._source(resources, contents.key, stored.image.guid, call)
            if source.size_bytes != contents.size_bytes:
                raise ImageCorruptError("The image's bytes are not as many as were stored.")
            yield Delivery(stored.image, _verified(source, contents, span))

    def _source(self, resources: ExitStack, key: str, guid: str, call: Call) -> StoredBytes:
        try:
            return resources.enter_context(self._store.open(key, call.deadline))
        except ImageCorruptError:
            self._repository.get(guid, call.deadline)  # deleted since: RecordNotFoundError
            raise


def _known(stored: StoredImage) -> ImageContents:
    if stored.contents is None:
        raise ImageCorruptError("The image's bytes are not known to the service.")
    return stored.contents


def _verified(source: StoredBytes, contents: ImageContents, span: range) -> Iterator[bytes]:
    """Yield a span, each block of it read whole and held to its digest first."""
    for index in range(span.start // BLOCK_BYTES, -(-span.stop // BLOCK_BYTES) if span else 0):
        start = index * BLOCK_BYTES
        length = min(BLOCK_BYTES, contents.size_bytes - start)
        block = source.read(start, length)
        if len(block) != length or not _is_unchanged(block, contents, index):
            raise ImageCorruptError("The image's bytes have changed since they were stored.")
        yield block[max(span.start - start, 0) : span.stop - start]


def _is_unchanged(block: bytes, contents: ImageContents, index: int) -> bool:
    """Tell whether a block has its digest; an older image has none until it is adopted."""
    if not contents.block_digests:
        return True
    return hashlib.sha256(block).digest() == contents.block_digest(index)
